#include "core/numerics/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

typedef struct DTypeFacts {
    const char *name, *torch_name;
    size_t size;
    bool is_float, is_writable;
} DTypeFacts;

static const DTypeFacts FACTS[DTYPE_COUNT] = {
    [DTYPE_UNKNOWN] = {"?", NULL, 0, false, false},
    [DTYPE_F64] = {"F64", "float64", 8, true, false},
    [DTYPE_F32] = {"F32", "float32", 4, true, true},
    [DTYPE_F16] = {"F16", "float16", 2, true, true},
    [DTYPE_BF16] = {"BF16", "bfloat16", 2, true, true},
    [DTYPE_F8_E4M3] = {"F8_E4M3", "float8_e4m3fn", 1, true, false},
    [DTYPE_F8_E5M2] = {"F8_E5M2", "float8_e5m2", 1, true, false},
    [DTYPE_I64] = {"I64", "int64", 8, false, false},
    [DTYPE_I32] = {"I32", "int32", 4, false, false},
    [DTYPE_I16] = {"I16", "int16", 2, false, false},
    [DTYPE_I8] = {"I8", "int8", 1, false, false},
    [DTYPE_U64] = {"U64", "uint64", 8, false, false},
    [DTYPE_U32] = {"U32", "uint32", 4, false, false},
    [DTYPE_U16] = {"U16", "uint16", 2, false, false},
    [DTYPE_U8] = {"U8", "uint8", 1, false, false},
    [DTYPE_BOOL] = {"BOOL", "bool", 1, false, false},
};

static const DTypeFacts *facts_of(DType dtype) {
    return &FACTS[(unsigned)dtype < DTYPE_COUNT ? dtype : DTYPE_UNKNOWN];
}

const char *dtype_name(DType dtype) {
    return facts_of(dtype)->name;
}

const char *dtype_torch_name(DType dtype) {
    return facts_of(dtype)->torch_name;
}

size_t dtype_size(DType dtype) {
    return facts_of(dtype)->size;
}

bool dtype_is_float(DType dtype) {
    return facts_of(dtype)->is_float;
}

bool dtype_is_writable(DType dtype) {
    return facts_of(dtype)->is_writable;
}

DType dtype_find(const char *name) {
    if (name == NULL) return DTYPE_UNKNOWN;
    for (int i = DTYPE_UNKNOWN + 1; i < DTYPE_COUNT; i++) {
        if (strcasecmp(name, FACTS[i].name) == 0 || strcasecmp(name, FACTS[i].torch_name) == 0)
            return (DType)i;
    }
    return DTYPE_UNKNOWN;
}

static float widen_f16(uint16_t half) {
    float sign = (half & 0x8000U) ? -1.0F : 1.0F;
    int exponent = (half >> 10) & 31, mantissa = half & 1023;
    if (exponent == 31 && mantissa != 0) { /* the bits that the processor's own conversion gives */
        uint32_t bits = (half & 0x8000U) << 16 | 0x7fc00000U | (uint32_t)mantissa << 13;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (exponent == 31) return sign * INFINITY;
    if (exponent == 0) return sign * ldexpf((float)mantissa, -24);
    return sign * ldexpf((float)(mantissa + 1024), exponent - 25);
}

static float widen_e4m3(uint8_t byte) {
    float sign = (byte & 0x80U) ? -1.0F : 1.0F;
    int exponent = (byte >> 3) & 15, mantissa = byte & 7;
    if (exponent == 15 && mantissa == 7) return copysignf(NAN, sign);
    if (exponent == 0) return sign * ldexpf((float)mantissa, -9);
    return sign * ldexpf((float)(mantissa + 8), exponent - 10);
}

float dtype_widen_one(DType dtype, const void *element) {
    switch (dtype) {
    case DTYPE_F64: {
        double wide;
        memcpy(&wide, element, sizeof wide);
        return (float)wide;
    }
    case DTYPE_F32: {
        float value;
        memcpy(&value, element, sizeof value);
        return value;
    }
    case DTYPE_BF16: {
        uint16_t half;
        memcpy(&half, element, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    case DTYPE_F16: {
        uint16_t half;
        memcpy(&half, element, sizeof half);
        return widen_f16(half);
    }
    case DTYPE_F8_E4M3:
        return widen_e4m3(*(const uint8_t *)element);
    case DTYPE_F8_E5M2:
        return widen_f16((uint16_t)(*(const uint8_t *)element << 8));
    default:
        return NAN;
    }
}
