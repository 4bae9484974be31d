#include "core/numerics/blas_library.h"

#include "core/support/memory_limit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The library and those that it needs: 41 MB with Debian 12, more where it knows more processors. */
enum { LIBRARY_SPACE = 80 << 20, CORE_SIZE = 32 };

static const char CORE_VARIABLE[] = "OPENBLAS_CORETYPE", THREADS_VARIABLE[] = "OPENBLAS_NUM_THREADS";

static BlasLibrary functions;
static const BlasLibrary *_Atomic loaded; /* &functions once all are there */

/* ---- kernels ---- */

#if defined(__x86_64__)
/* OpenBLAS's x86 targets by the widest vectors they use; what is not listed has neither. */
static bool is_one_of(const char *core, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(core, list[i]) == 0) return true;
    }
    return false;
}

static bool uses_avx512(const char *core) {
    static const char *const CORES[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    return is_one_of(core, CORES, sizeof CORES / sizeof *CORES);
}

static bool uses_fma(const char *core) {
    static const char *const CORES[] = {"Haswell", "Zen", "Excavator", "Steamroller", "Piledriver"};
    return uses_avx512(core) || is_one_of(core, CORES, sizeof CORES / sizeof *CORES);
}
#endif

/* The value of OPENBLAS_CORETYPE that suits this processor better than `core`; NULL where that is right. */
static const char *find_better_core(const char *core) {
#if defined(__x86_64__)
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    bool has_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (has_avx512 && !uses_avx512(core)) return "SkylakeX";
    if (has_fma && !uses_fma(core)) return "Haswell";
#else
    (void)core;
#endif
    return NULL;
}

/* ---- loading ---- */

static void *open_library(Error *error) {
    static const char *const NAMES[] = {REJUV_OPENBLAS, REJUV_OPENBLAS_FILE};
    void *handle = NULL;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && handle == NULL; i++)
        handle = dlopen(NAMES[i], RTLD_LAZY | RTLD_GLOBAL);
    if (handle != NULL) return handle;
    const char *why = dlerror();
    (void)status_fail(error, STATUS_UNSUPPORTED, "OpenBLAS cannot be loaded: %s",
                      why != NULL ? why : REJUV_OPENBLAS);
    return NULL;
}

static void read_core(char name[CORE_SIZE]) {
    __typeof__(openblas_get_corename) *core_name;
    void *symbol = dlsym(RTLD_DEFAULT, "openblas_get_corename");
    memcpy(&core_name, &symbol, sizeof core_name);
    (void)snprintf(name, CORE_SIZE, "%s", core_name != NULL ? core_name() : "unknown");
}

/* Where it took slow kernels it is loaded once more, and told which to take; where it cannot be unloaded (or takes the
 * same again), all works, only slower. */
static void *open_best(Error *error) {
    static char core[CORE_SIZE], before[CORE_SIZE];
    void *handle = open_library(error);
    if (handle == NULL) return NULL;
    read_core(core);
    functions.core = core;
    functions.core_before = NULL;
    const char *better = find_better_core(core);
    if (better == NULL || getenv(CORE_VARIABLE) != NULL || setenv(CORE_VARIABLE, better, 1) != 0)
        return handle;
    memcpy(before, core, sizeof before);
    (void)dlclose(handle); /* it is there still, or gone: both are well */
    handle = open_library(error);
    if (handle != NULL) read_core(core);
    if (strcmp(core, before) != 0) functions.core_before = before;
    (void)unsetenv(CORE_VARIABLE); /* nobody else is told */
    return handle;
}

static Status find_functions(Error *error) {
#define ONE(member, symbol)                                                                                  \
    { symbol, offsetof(BlasLibrary, member), sizeof functions.member }
    static const struct {
        const char *name;
        size_t at, size;
    } SYMBOLS[] = {
        ONE(sgemm, "cblas_sgemm"),
        ONE(dgemm, "cblas_dgemm"),
        ONE(dtpqrt, "dtpqrt_"),
        ONE(dlabrd, "dlabrd_"),
        ONE(dlasq1, "dlasq1_"),
        ONE(dsyevd, "dsyevd_"),
        ONE(dgeqp3, "dgeqp3_"),
        ONE(dorgqr, "dorgqr_"),
        ONE(configuration, "openblas_get_config"),
        ONE(allocate, "blas_memory_alloc"), /* the last two may be missing */
        ONE(release, "blas_memory_free"),
    };
#undef ONE
    enum { COUNT = sizeof SYMBOLS / sizeof *SYMBOLS, NEEDED = COUNT - 2 };
    for (size_t i = 0; i < COUNT; i++) {
        void *symbol = dlsym(RTLD_DEFAULT, SYMBOLS[i].name);
        if (symbol == NULL && i < NEEDED)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "this OpenBLAS has no %s: one that carries LAPACK is needed", SYMBOLS[i].name);
        memcpy((char *)&functions + SYMBOLS[i].at, &symbol, SYMBOLS[i].size);
    }
    return STATUS_OK;
}

/* The buffer too: some builds ask for one when they are loaded, and all that load it want to multiply. */
static Status load(Error *error) {
    Status status = memory_limit_check((size_t)LIBRARY_SPACE + BLAS_LIBRARY_BUFFER,
                                       "OpenBLAS, which multiplies matrices", error);
    if (status != STATUS_OK) return status;
    if (setenv(THREADS_VARIABLE, "1", 1) != 0)
        return status_fail(error, STATUS_NO_MEMORY, "out of memory for OpenBLAS");
    if (open_best(error) == NULL) return STATUS_UNSUPPORTED;
    return find_functions(error);
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
