/*
 * drift_elements — one tensor's elements, both sides, as the loops over them need it. For this room.
 */
#ifndef REJUV_CORE_DRIFT_ELEMENTS_H
#define REJUV_CORE_DRIFT_ELEMENTS_H

#include "core/checkpoint/pair.h"
#include "core/numerics/kernels.h"

/* Where both are the same bytes of one file, with the same scales, the pointers are equal, and only one side is read. */
typedef struct DriftElements {
    const Tensor *base, *sft;
    uint64_t count;
} DriftElements;

/* Elements [first, first + count) as the kernels take them; where they are codes with scales, their values in `sft` and
 * `base`, which have room for them. */
KernelRow drift_kernel_row(const DriftElements *elements, uint64_t first, size_t count, float *sft,
                           float *base);

/* The values of elements [first, first + count). */
void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base);

#endif
