#include "core/checkpoint/tensor_scale.h"

#include "core/numerics/kernels.h"

#include <math.h>

enum { ROUNDED = 512, EXPONENT_BIAS = 127, EXPONENT_NAN = 255 };

/* A byte as a scale is a power of two, whichever dtype it is called: 255 is infinity as U8 and NaN as F8_E8M0 (transformers
 * 5.24.0, torch 2.15.0). */
float tensor_scale_read(DType dtype, const unsigned char *at) {
    if (dtype == DTYPE_F8_E8M0 && *at == EXPONENT_NAN) return NAN;
    if (dtype == DTYPE_F8_E8M0 || dtype == DTYPE_U8) return ldexpf(1.0F, *at - EXPONENT_BIAS);
    return dtype_widen_one(dtype, at);
}

void tensor_scale_round(DType dtype, size_t count, float *values) {
    uint16_t halves[ROUNDED];
    for (size_t at = 0; at < count; at += ROUNDED) {
        size_t part = count - at < ROUNDED ? count - at : ROUNDED;
        kernels_get()->narrow(values + at, part, dtype, halves);
        kernels_get()->widen(dtype, halves, part, values + at);
    }
}
