#include "core/drift/drift_elements.h"

#include <string.h>

KernelRow drift_kernel_row(const DriftElements *elements, uint64_t first) {
    const Tensor *b = elements->base, *s = elements->sft;
    return (KernelRow){.sft_dtype = s->dtype,
                       .base_dtype = b->dtype,
                       .sft = s->data + first * dtype_size(s->dtype),
                       .base = b->data + first * dtype_size(b->dtype)};
}

void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base) {
    const Kernels *kernels = kernels_get();
    KernelRow row = drift_kernel_row(elements, first);
    kernels->widen(row.base_dtype, row.base, count, base);
    if (row.sft == row.base)
        memcpy(sft, base, count * sizeof *sft);
    else
        kernels->widen(row.sft_dtype, row.sft, count, sft);
}
