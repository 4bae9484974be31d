#include "core/numerics/blas_library.h"

#include "core/numerics/blas_symbols.h"
#include "core/support/memory_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const char THREADS_VARIABLE[] = "OPENBLAS_NUM_THREADS";

static BlasLibrary functions;
static const BlasLibrary *_Atomic loaded; /* &functions once all are there */

/* The buffer too: some builds ask for one when they are loaded, and all that load it want to multiply. */
static Status load(Error *error) {
    Status status = memory_limit_check(blas_symbols_space() + BLAS_LIBRARY_BUFFER,
                                       "OpenBLAS, which multiplies matrices", error);
    if (status != STATUS_OK) return status;
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
