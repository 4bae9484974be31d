#include "core/numerics/blas_library.h"

#include "core/numerics/blas_symbols.h"
#include "core/support/memory_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const char THREADS_VARIABLE[] = "OPENBLAS_NUM_THREADS";

static BlasLibrary functions;
static const BlasLibrary *_Atomic loaded; /* &functions once all are there */

/* The buffer too: all that load it want to multiply. What is told to be missing is enough for that, whoever keeps a buffer. */
static Status load(Error *error) {
    static const char WHAT[] = "OpenBLAS, which multiplies matrices";
    size_t needed = blas_symbols_space() + BLAS_LIBRARY_BUFFER;
    if (memory_limit_check(needed, WHAT, error) != STATUS_OK)
        return memory_limit_refuse(needed + blas_symbols_kept(), WHAT, error);
    if (setenv(THREADS_VARIABLE, "1", 1) != 0)
        return status_fail(error, STATUS_NO_MEMORY, "out of memory for OpenBLAS");
    return blas_symbols_find(&functions, error);
}

Status blas_library_load(Error *error) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (blas_library_get() != NULL) return STATUS_OK;
    (void)pthread_mutex_lock(&lock); /* cannot fail: not held by this thread */
    Status status = blas_library_get() != NULL ? STATUS_OK : load(error);
    if (status == STATUS_OK) atomic_store_explicit(&loaded, &functions, memory_order_release);
    (void)pthread_mutex_unlock(&lock);
    return status;
}

const BlasLibrary *blas_library_get(void) {
    return atomic_load_explicit(&loaded, memory_order_acquire);
}

const char *blas_library_core_name(void) {
    return blas_library_load(NULL) == STATUS_OK ? functions.core : "none";
}
