#include "core/numerics/blas_core.h"
#include "core/numerics/blas_symbols.h"

#include <stdlib.h>

/* What no header of OpenBLAS declares. */
void *blas_memory_alloc(int place);
void blas_memory_free(void *buffer);
#define SAME(member, symbol) extern __typeof__(*((BlasLibrary *)NULL)->member) symbol
SAME(dtpqrt, dtpqrt_);
SAME(dgeqrt, dgeqrt_);
SAME(dpotrf, dpotrf_);
SAME(dlabrd, dlabrd_);
SAME(dsterf, dsterf_);
SAME(dlasq1, dlasq1_);
SAME(dsyevd, dsyevd_);
SAME(dgeqp3, dgeqp3_);
SAME(dorgqr, dorgqr_);
#undef SAME

/* OpenBLAS chooses its kernels in a constructor; a static program has its environment before that. */
static void choose_core(void) {
    __builtin_cpu_init();
    const char *better = blas_core_find_better("");
    if (better != NULL) (void)setenv(BLAS_CORE_VARIABLE, better, 0); /* else its own choice */
}

__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) = choose_core;

size_t blas_symbols_space(void) {
    return 0;
}

size_t blas_symbols_kept(void) {
    return 0;
}

Status blas_symbols_find(BlasLibrary *library, Error *error) {
    (void)error;
    *library = (BlasLibrary){
        .sgemm = cblas_sgemm,
        .dgemm = cblas_dgemm,
        .dsyrk = cblas_dsyrk,
        .dsymm = cblas_dsymm,
        .dsyr2k = cblas_dsyr2k,
        .dtpqrt = dtpqrt_,
        .dgeqrt = dgeqrt_,
        .dpotrf = dpotrf_,
        .dlabrd = dlabrd_,
        .dsterf = dsterf_,
        .dlasq1 = dlasq1_,
        .dsyevd = dsyevd_,
        .dgeqp3 = dgeqp3_,
        .dorgqr = dorgqr_,
        .configuration = openblas_get_config,
        .allocate = blas_memory_alloc,
        .release = blas_memory_free,
        .core = openblas_get_corename(),
    };
    return STATUS_OK;
}
