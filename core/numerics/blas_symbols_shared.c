#include "core/numerics/blas_core.h"
#include "core/numerics/blas_symbols.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIBRARY_SPACE = 80 << 20, CORE_SIZE = 32 };

size_t blas_symbols_space(void) {
    return LIBRARY_SPACE;
}

/* What another than the one that was built with keeps is seen once it is loaded (blas_buffers.h). */
size_t blas_symbols_kept(void) {
    return REJUV_OPENBLAS_KEEPS * (size_t)BLAS_LIBRARY_BUFFER;
}

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

/* Asked of the library itself: what is found by RTLD_DEFAULT, the C library never unloads while whoever found it is there. */
static void read_core(void *handle, char name[CORE_SIZE]) {
    __typeof__(openblas_get_corename) *core_name;
    void *symbol = dlsym(handle, "openblas_get_corename");
    memcpy(&core_name, &symbol, sizeof core_name);
    (void)snprintf(name, CORE_SIZE, "%s", core_name != NULL ? core_name() : "unknown");
}

/* Where it took slow kernels it is loaded once more, and told which to take; where it cannot be unloaded (or takes the
 * same again), all works, only slower. */
static void *open_best(BlasLibrary *library, Error *error) {
    static char core[CORE_SIZE], before[CORE_SIZE];
    void *handle = open_library(error);
    if (handle == NULL) return NULL;
    read_core(handle, core);
    library->core = core;
    library->core_before = NULL;
    const char *better = blas_core_find_better(core);
    if (better == NULL || getenv(BLAS_CORE_VARIABLE) != NULL || setenv(BLAS_CORE_VARIABLE, better, 1) != 0)
        return handle;
    memcpy(before, core, sizeof before);
    (void)dlclose(handle); /* it is there still, or gone: both are well */
    handle = open_library(error);
    if (handle != NULL) read_core(handle, core);
    if (strcmp(core, before) != 0) library->core_before = before;
    (void)unsetenv(BLAS_CORE_VARIABLE); /* nobody else is told */
    return handle;
}

Status blas_symbols_find(BlasLibrary *library, Error *error) {
#define ONE(member, symbol)                                                                                  \
    { symbol, offsetof(BlasLibrary, member), sizeof((BlasLibrary *)NULL)->member }
    static const struct {
        const char *name;
        size_t at, size;
    } SYMBOLS[] = {
        ONE(sgemm, "cblas_sgemm"),
        ONE(dgemm, "cblas_dgemm"),
        ONE(dsyrk, "cblas_dsyrk"),
        ONE(dsymm, "cblas_dsymm"),
        ONE(dsyr2k, "cblas_dsyr2k"),
        ONE(dtpqrt, "dtpqrt_"),
        ONE(dgeqrt, "dgeqrt_"),
        ONE(dpotrf, "dpotrf_"),
        ONE(dlabrd, "dlabrd_"),
        ONE(dsterf, "dsterf_"),
        ONE(dlasq1, "dlasq1_"),
        ONE(dsyevd, "dsyevd_"),
        ONE(dgeqp3, "dgeqp3_"),
        ONE(dorgqr, "dorgqr_"),
        ONE(configuration, "openblas_get_config"),
        ONE(allocate, "blas_memory_alloc"), /* the last two may be missing */
        ONE(release, "blas_memory_free"),
    };
#undef ONE
    if (open_best(library, error) == NULL) return STATUS_UNSUPPORTED;
    enum { COUNT = sizeof SYMBOLS / sizeof *SYMBOLS, NEEDED = COUNT - 2 };
    for (size_t i = 0; i < COUNT; i++) {
        void *symbol = dlsym(RTLD_DEFAULT, SYMBOLS[i].name);
        if (symbol == NULL && i < NEEDED)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "this OpenBLAS has no %s: one that carries LAPACK is needed", SYMBOLS[i].name);
        memcpy((char *)library + SYMBOLS[i].at, &symbol, SYMBOLS[i].size);
    }
    return STATUS_OK;
}
