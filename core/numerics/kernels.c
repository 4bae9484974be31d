#include "core/numerics/kernels.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern const Kernels kernels_portable;
#if defined(__x86_64__)
extern const Kernels kernels_avx2, kernels_avx512;
#endif

size_t kernels_list(const Kernels **list, size_t capacity) {
    const Kernels *found[3];
    size_t count = 0;
#if defined(__x86_64__)
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_avx512) found[count++] = &kernels_avx512;
    if (has_avx2) found[count++] = &kernels_avx2;
#endif
    found[count++] = &kernels_portable;
    for (size_t i = 0; i < count && i < capacity; i++) list[i] = found[i];
    return count < capacity ? count : capacity;
}

static const Kernels *chosen;

static void choose(void) {
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    const char *wanted = getenv("REJUV_KERNELS");
    chosen = list[0];
    for (size_t i = 0; i < count; i++) {
        if (wanted != NULL && strcmp(wanted, list[i]->name) == 0) chosen = list[i];
    }
}

const Kernels *kernels_get(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, choose); /* fails only for a bad once */
    return chosen;
}

double kernels_fold(const KernelSum *sum) {
    double lanes[KERNELS_DRIFT_LANES];
    memcpy(lanes, sum->lanes, sizeof lanes);
    for (size_t half = KERNELS_DRIFT_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

bool kernels_is_finite(const KernelDrift *drift) {
    return isfinite(kernels_fold(&drift->base_squares)) && isfinite(kernels_fold(&drift->squares));
}
