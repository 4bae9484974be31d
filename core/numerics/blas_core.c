#include "core/numerics/blas_core.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

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

const char *blas_core_find_better(const char *core) {
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
