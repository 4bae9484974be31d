/*
 * drift_elements — one tensor's elements, both sides, as the loops over them need it. For this room.
 */
#ifndef REJUV_CORE_DRIFT_ELEMENTS_H
#define REJUV_CORE_DRIFT_ELEMENTS_H

#include "core/checkpoint/pair.h"
#include "core/numerics/kernels.h"

/* Where both are the same bytes of one file, the pointers are equal, and only one side is read. */
typedef struct DriftElements {
    const Tensor *base, *sft;
    uint64_t count;
} DriftElements;

/* The same as the kernels take it, from `first` on. */
KernelRow drift_kernel_row(const DriftElements *elements, uint64_t first);

/* Widens elements [first, first + count). */
void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base);

#endif
