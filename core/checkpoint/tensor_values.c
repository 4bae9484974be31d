#include "core/checkpoint/tensor_values.h"

#include "core/checkpoint/tensor_change.h"
#include "core/checkpoint/tensor_stored.h"

void tensor_values_read(const Tensor *tensor, uint64_t first, size_t count, float *out) {
    if (tensor->whole != NULL)
        tensor_values_read(tensor->whole, tensor->whole_first + first, count, out);
    else if (tensor->change != NULL)
        tensor_change_read(tensor, first, count, out);
    else
        tensor_stored_read(tensor, first, count, out);
}

void tensor_values_lend_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                               size_t columns, float *scratch, DType *dtype) {
    bool is_matrix = tensor->change != NULL && tensor->change->columns == tensor->columns;
    *dtype = DTYPE_F32;
    if (is_matrix && tensor_change_is_plain(tensor)) {
        *dtype = tensor->dtype;
        tensor_change_store_window(tensor, row, rows, column, columns, scratch, columns);
    } else if (is_matrix) {
        tensor_change_read_window(tensor, row, rows, column, columns, scratch, columns);
    } else {
        for (size_t r = 0; r < rows; r++)
            tensor_values_read(tensor, (row + r) * tensor->columns + column, columns, scratch + r * columns);
    }
}

bool tensor_values_are_stored(const Tensor *tensor) {
    return tensor->scale == NULL && tensor->codes == NULL && tensor->parts == NULL &&
           tensor->change == NULL && tensor->whole == NULL;
}

float tensor_values_at(const Tensor *tensor, uint64_t element) {
    float value;
    tensor_values_read(tensor, element, 1, &value);
    return value;
}

const void *tensor_values_lend(const Tensor *tensor, uint64_t first, size_t count, float *scratch,
                               DType *dtype) {
    if (tensor->whole != NULL)
        return tensor_values_lend(tensor->whole, tensor->whole_first + first, count, scratch, dtype);
    *dtype = tensor->dtype;
    if (tensor_values_are_stored(tensor)) return tensor->data + first * dtype_size(tensor->dtype);
    bool in_one = tensor->parts != NULL && tensor->change == NULL &&
                  count <= tensor->parts->elements - first % tensor->parts->elements;
    if (in_one) return tensor_stored_part(tensor->parts, first);
    if (tensor->change != NULL && tensor_change_is_plain(tensor)) {
        tensor_change_store(tensor, first, count, scratch);
        return scratch;
    }
    tensor_values_read(tensor, first, count, scratch);
    *dtype = DTYPE_F32;
    return scratch;
}

Tensor tensor_values_slice(const Tensor *tensor, uint64_t first, uint64_t rows, uint64_t columns) {
    Tensor slice = *tensor;
    uint64_t size = dtype_size(tensor->dtype);
    slice.rank = 2;
    slice.shape[0] = slice.rows = rows;
    slice.shape[1] = slice.columns = columns;
    slice.bytes = rows * columns * size;
    slice.scale = NULL;
    slice.codes = NULL;
    slice.parts = NULL;
    slice.change = NULL;
    if (tensor_values_are_stored(tensor)) {
        slice.data = tensor->data + first * size;
        return slice;
    }
    slice.data = NULL;
    slice.whole = tensor;
    slice.whole_first = first;
    return slice;
}
