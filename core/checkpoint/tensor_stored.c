#include "core/checkpoint/tensor_stored.h"

#include "core/checkpoint/tensor_codes.h"
#include "core/checkpoint/tensor_scale.h"
#include "core/numerics/kernels.h"

static float scale_at(const Tensor *scales, uint64_t index) {
    return tensor_scale_read(scales->dtype, scales->data + index * dtype_size(scales->dtype));
}

/* Stretch by stretch of elements that share a scale. */
static void multiply(const TensorScale *scale, uint64_t first, size_t count, float *values) {
    for (size_t at = 0, part; at < count; at += part) {
        uint64_t row = (first + at) / scale->columns, column = (first + at) % scale->columns;
        uint64_t matrix = row / scale->rows, cell = column / scale->block_columns;
        uint64_t grid_row = matrix * scale->grid_rows + row % scale->rows / scale->block_rows;
        uint64_t end = (cell + 1) * scale->block_columns;
        if (end > scale->columns) end = scale->columns;
        part = end - column < count - at ? (size_t)(end - column) : count - at;
        float factor = scale_at(scale->tensor, grid_row * scale->grid_columns + cell);
        for (size_t i = at; i < at + part; i++) values[i] *= factor;
    }
    if (scale->product != DTYPE_F32) tensor_scale_round(scale->product, count, values);
}

DType tensor_stored_dtype(const Tensor *tensor, uint64_t *bytes) {
    *bytes = tensor->bytes;
    if (tensor->codes == NULL) return tensor->dtype;
    *bytes = tensor->bytes / dtype_size(tensor->dtype) * tensor->codes->bits / 8;
    return DTYPE_U8;
}

const unsigned char *tensor_stored_part(const TensorParts *parts, uint64_t element) {
    const Tensor *part = parts->list[element / parts->elements];
    return part->data + element % parts->elements * dtype_size(part->dtype);
}

static void read_parts(const Tensor *tensor, uint64_t first, size_t count, float *out) {
    const TensorParts *parts = tensor->parts;
    for (size_t at = 0, run; at < count; at += run) {
        uint64_t left = parts->elements - (first + at) % parts->elements;
        run = left < count - at ? (size_t)left : count - at;
        kernels_get()->widen(tensor->dtype, tensor_stored_part(parts, first + at), run, out + at);
    }
}

void tensor_stored_read(const Tensor *tensor, uint64_t first, size_t count, float *out) {
    if (tensor->parts != NULL) {
        read_parts(tensor, first, count, out);
        return;
    }
    if (tensor->codes != NULL) {
        tensor_codes_read(tensor, first, count, out);
        return;
    }
    kernels_get()->widen(tensor->dtype, tensor->data + first * dtype_size(tensor->dtype), count, out);
    if (tensor->scale != NULL) multiply(tensor->scale, first, count, out);
}
