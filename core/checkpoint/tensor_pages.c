#include "core/checkpoint/tensor_pages.h"

#include "core/checkpoint/tensor_values.h"

void tensor_pages_expect(const Checkpoint *checkpoint, const Tensor *tensor, uint64_t first, uint64_t count) {
    if (tensor == NULL || !tensor_values_are_stored(tensor)) return;
    uint64_t size = dtype_size(tensor->dtype);
    safetensors_expect_range(checkpoint->files[tensor->file], tensor->data + first * size, count * size);
}

void tensor_pages_forget(const Checkpoint *checkpoint, const Tensor *tensor, uint64_t first, uint64_t count) {
    if (tensor == NULL) return;
    if (!tensor_values_are_stored(tensor)) {
        for (size_t i = 0; i < checkpoint->file_count; i++) safetensors_forget_pages(checkpoint->files[i]);
        return;
    }
    uint64_t size = dtype_size(tensor->dtype);
    safetensors_forget_range(checkpoint->files[tensor->file], tensor->data + first * size, count * size);
}

typedef void (*Advice)(const Checkpoint *checkpoint, const Tensor *tensor, uint64_t first, uint64_t count);

static void advise_both(const Pair *pair, const PairTensor *tensor, uint64_t first, uint64_t count,
                        Advice advice) {
    const Tensor *base = tensor->base;
    uint64_t elements = base == NULL ? 0 : base->rows * base->columns;
    advice(pair->sft, tensor->sft, first, count);
    if (first < elements)
        advice(pair->base, base, first, count < elements - first ? count : elements - first);
}

void tensor_pages_expect_both(const Pair *pair, const PairTensor *tensor, uint64_t first, uint64_t count) {
    advise_both(pair, tensor, first, count, tensor_pages_expect);
}

void tensor_pages_forget_both(const Pair *pair, const PairTensor *tensor, uint64_t first, uint64_t count) {
    advise_both(pair, tensor, first, count, tensor_pages_forget);
}
