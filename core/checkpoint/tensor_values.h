/*
 * tensor_values — a tensor's elements as numbers, whether they are stored so, as codes with scales, as several tensors, or
 * are base's as an adapter changes them (tensor_change.h).
 *
 * A scaled element is its code widened to float32, times its scale in float32, rounded once; where the scales are named
 * `weight_scale` and are BF16 or F16, once more to that, as compressed-tensors does (0.20.1, `dequantize`). `first` counts
 * along the rows. Only floating types (dtype_is_float) have values.
 */
#ifndef REJUV_CORE_TENSOR_VALUES_H
#define REJUV_CORE_TENSOR_VALUES_H

#include "core/checkpoint/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out[i] = the value of element first + i. */
void tensor_values_read(const Tensor *tensor, uint64_t first, size_t count, float *out);

/* The values of some rows and columns, row by row in `scratch`, which has room for rows · columns floats: as F32, or
 * in the tensor's dtype. For values that are computed, of which many rows at once are cheaper. */
void tensor_values_lend_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                               size_t columns, float *scratch, DType *dtype);

/* The value of one element. */
float tensor_values_at(const Tensor *tensor, uint64_t element);

/* Whether `data` is the values as they stand. */
bool tensor_values_are_stored(const Tensor *tensor);

/* The same elements as the kernels take them: as they are stored, in their own dtype, or, where they are not, in
 * `scratch`, which has room for `count` floats; whatever was in it is lost then. */
const void *tensor_values_lend(const Tensor *tensor, uint64_t first, size_t count, float *scratch,
                               DType *dtype);

/* `rows` × `columns` elements of a tensor from element `first` on as a tensor of their own, which borrows from it. */
Tensor tensor_values_slice(const Tensor *tensor, uint64_t first, uint64_t rows, uint64_t columns);

#endif
