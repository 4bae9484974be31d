#include "core/drift/drift_elements.h"

#include "core/checkpoint/tensor_values.h"

#include <string.h>

KernelRow drift_kernel_row(const DriftElements *elements, uint64_t first, size_t count, float *sft,
                           float *base) {
    KernelRow row = {0};
    row.sft = tensor_values_lend(elements->sft, first, count, sft, &row.sft_dtype);
    if (elements->base == elements->sft) {
        row.base = row.sft;
        row.base_dtype = row.sft_dtype;
    } else {
        row.base = tensor_values_lend(elements->base, first, count, base, &row.base_dtype);
    }
    return row;
}

void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base) {
    tensor_values_read(elements->base, first, count, base);
    if (elements->sft == elements->base)
        memcpy(sft, base, count * sizeof *sft);
    else
        tensor_values_read(elements->sft, first, count, sft);
}
