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
