/*
 * kernels_variant — what the files share that CMake compiles once for each instruction set, with
 * -ffp-contract=off and KERNELS_VARIANT naming it. Only those include this.
 *
 * Their loops are plain C over whole lanes, which both compilers turn into vectors; where that is not enough,
 * intrinsics give the same bits.
 */
#ifndef REJUV_CORE_KERNELS_VARIANT_H
#define REJUV_CORE_KERNELS_VARIANT_H

#include "core/numerics/kernels.h"

#if defined(__F16C__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#define INLINE           static inline __attribute__((always_inline))

#define STRINGIFY(x)     #x
#define NAME_OF(x)       STRINGIFY(x)
#define JOIN(a, b)       a##b
#define JOIN_NAMES(a, b) JOIN(a, b)

/* kernels_avx2, and so on: the table that kernels.c chooses from */
#define KERNELS_TABLE JOIN_NAMES(kernels_, KERNELS_VARIANT)
extern const Kernels KERNELS_TABLE;

/* ---- kernels_drift.c: Kernels.drift and Kernels.drift_keys, under names of this variant ---- */

#define kernels_variant_drift      JOIN_NAMES(kernels_drift_, KERNELS_VARIANT)
#define kernels_variant_drift_keys JOIN_NAMES(kernels_drift_keys_, KERNELS_VARIANT)

size_t kernels_variant_drift(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                             double *sizes);
void kernels_variant_drift_keys(const float *s, const float *b, size_t count, uint32_t *keys);

#endif
