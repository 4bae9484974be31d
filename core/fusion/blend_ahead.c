#include "core/checkpoint/tensor_change.h"
#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend.h"

static const unsigned char *find_stored(const Tensor *tensor, size_t row, size_t column) {
    return tensor->data + (row * tensor->columns + column) * dtype_size(tensor->dtype);
}

/* What an adapter's values are made of, or the tensor itself. */
static const Tensor *find_read(const Tensor *tensor) {
    const TensorChange *change = tensor->change;
    bool is_matrix = change != NULL && change->rows == tensor->rows && change->columns == tensor->columns;
    return is_matrix ? change->start : tensor;
}

KernelAhead blend_find_ahead(const Blend *blend, size_t first, size_t count, size_t first_column,
                             size_t columns) {
    const Tensor *sft = find_read(blend->sft), *base = blend->base;
    bool is_one = blend->row_ranks == NULL && blend->column_ranks == NULL;
    if (base != NULL && (first + count > base->rows || (is_one && blend->a == 1.0))) base = NULL;
    if (base != NULL && is_one && blend->a == 0.0) sft = base;
    if (base == NULL) base = sft;
    if (blend->stack.rows > 0 || sft->dtype != base->dtype || !tensor_values_are_stored(sft) ||
        !tensor_values_are_stored(base))
        return (KernelAhead){.rows = 0};
    size_t size = dtype_size(sft->dtype);
    return (KernelAhead){
        .first = {find_stored(sft, first, first_column), find_stored(base, first, first_column)},
        .stride = sft->columns * size,
        .rows = count,
        .bytes = columns * size};
}
