/*
 * tensor_scale — the scales of codes, and what products of codes and scales are rounded to.
 */
#ifndef REJUV_CORE_TENSOR_SCALE_H
#define REJUV_CORE_TENSOR_SCALE_H

#include "core/numerics/dtype.h"

#include <stddef.h>

/* A scale that is stored at `at`: a float of that type, or, of F8_E8M0 and U8, a power of two. */
float tensor_scale_read(DType dtype, const unsigned char *at);

/* Rounds each value to `dtype`, F16 or BF16. */
void tensor_scale_round(DType dtype, size_t count, float *values);

#endif
