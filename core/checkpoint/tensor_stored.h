/*
 * tensor_stored — the values of what lies in files: as they stand, codes with scales, several tensors in a row.
 *
 * Under tensor_values.h, for what changes them (tensor_change.h): whoever wants a tensor's values asks there.
 */
#ifndef REJUV_CORE_TENSOR_STORED_H
#define REJUV_CORE_TENSOR_STORED_H

#include "core/checkpoint/checkpoint.h"

#include <stddef.h>
#include <stdint.h>

/* out[i] = the value of element first + i, of a tensor that no adapter changes. */
void tensor_stored_read(const Tensor *tensor, uint64_t first, size_t count, float *out);

/* The type of a tensor's bytes in its file, and how many there are; bytes that hold codes are U8. */
DType tensor_stored_dtype(const Tensor *tensor, uint64_t *bytes);

/* Where an element of several tensors lies. */
const unsigned char *tensor_stored_part(const TensorParts *parts, uint64_t element);

#endif
