#include "core/blas.h"

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

/* OpenBLAS's x86 targets that this program cares about, from the widest vectors down. */
#if defined(__x86_64__)
static const char *best_core(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
    return NULL;
}

static bool is_without_fma(const char *core) {
    static const char *const SLOW[] = {"Prescott",    "Core2",   "Penryn",  "Dunnington", "Nehalem",
                                       "Sandybridge", "Athlon",  "Opteron", "Barcelona",  "Bobcat",
                                       "Atom",        "Nano",    "Katmai",  "Coppermine", "Northwood",
                                       "Banias",      "Generic", "unknown"};
    for (size_t i = 0; i < sizeof SLOW / sizeof *SLOW; i++) {
        if (strncasecmp(core, SLOW[i], strlen(SLOW[i])) == 0) return true;
    }
    return false;
}
#endif

const char *blas_better_core(void) {
#if defined(__x86_64__)
    if (getenv("OPENBLAS_CORETYPE") != NULL) return NULL;
    if (is_without_fma(blas_core_name())) return best_core();
#endif
    return NULL;
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
