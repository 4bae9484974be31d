#include "core/numerics/blas.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void blas_prepare(void) {
    openblas_set_num_threads(1);
}

const char *blas_core_name(void) {
    return openblas_get_corename();
}

const char *blas_configuration(void) {
    return openblas_get_config();
}

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

const char *blas_best_core(void) {
    const char *core = blas_core_name();
#if defined(__x86_64__)
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    bool has_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (has_avx512 && !uses_avx512(core)) return "SkylakeX";
    if (has_fma && !uses_fma(core)) return "Haswell";
#endif
    return core;
}

const char *blas_better_core(void) {
    const char *best = blas_best_core();
    bool is_chosen = getenv("OPENBLAS_CORETYPE") != NULL;
    return is_chosen || strcmp(best, blas_core_name()) == 0 ? NULL : best;
}

void blas_multiply_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              size_t b_stride, float beta, float *c, size_t c_stride) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1.0F, a,
                (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
}

void blas_multiply(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                   size_t b_stride, float beta, float *c, size_t c_stride) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0F, a,
                (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
}

void blas_multiply_left_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                                   const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0F, a,
                (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
}
