#include "core/numerics/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

typedef struct DTypeFacts {
    const char *name, *torch_name;
    unsigned bits;
    bool is_float, is_writable;
} DTypeFacts;

static const DTypeFacts FACTS[DTYPE_COUNT] = {
    [DTYPE_UNKNOWN] = {"?", NULL, 0, false, false},
    [DTYPE_F64] = {"F64", "float64", 64, true, false},
    [DTYPE_F32] = {"F32", "float32", 32, true, true},
    [DTYPE_F16] = {"F16", "float16", 16, true, true},
    [DTYPE_BF16] = {"BF16", "bfloat16", 16, true, true},
    [DTYPE_F8_E4M3] = {"F8_E4M3", "float8_e4m3fn", 8, true, false},
    [DTYPE_F8_E5M2] = {"F8_E5M2", "float8_e5m2", 8, true, false},
    [DTYPE_I64] = {"I64", "int64", 64, false, false},
    [DTYPE_I32] = {"I32", "int32", 32, false, false},
    [DTYPE_I16] = {"I16", "int16", 16, false, false},
    [DTYPE_I8] = {"I8", "int8", 8, false, false},
    [DTYPE_U64] = {"U64", "uint64", 64, false, false},
    [DTYPE_U32] = {"U32", "uint32", 32, false, false},
    [DTYPE_U16] = {"U16", "uint16", 16, false, false},
    [DTYPE_U8] = {"U8", "uint8", 8, false, false},
    [DTYPE_BOOL] = {"BOOL", "bool", 8, false, false},
    [DTYPE_C64] = {"C64", "complex64", 64, false, false},
    [DTYPE_F8_E8M0] = {"F8_E8M0", "float8_e8m0fnu", 8, false, false},
    [DTYPE_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", "float8_e4m3fnuz", 8, false, false},
    [DTYPE_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", "float8_e5m2fnuz", 8, false, false},
    [DTYPE_F6_E2M3] = {"F6_E2M3", NULL, 6, false, false},
    [DTYPE_F6_E3M2] = {"F6_E3M2", NULL, 6, false, false},
    [DTYPE_F4] = {"F4", NULL, 4, false, false},
    [DTYPE_OTHER] = {"other", NULL, 0, false, false},
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

unsigned dtype_bits(DType dtype) {
    return facts_of(dtype)->bits;
}

bool dtype_is_packed(DType dtype) {
    return dtype == DTYPE_OTHER || facts_of(dtype)->bits % 8 != 0;
}

size_t dtype_size(DType dtype) {
    return dtype_is_packed(dtype) ? 1 : facts_of(dtype)->bits / 8;
}

bool dtype_is_float(DType dtype) {
    return facts_of(dtype)->is_float;
}

bool dtype_is_writable(DType dtype) {
    return facts_of(dtype)->is_writable;
}

DType dtype_find(const char *name) {
    if (name == NULL) return DTYPE_UNKNOWN;
    for (int i = DTYPE_UNKNOWN + 1; i < DTYPE_OTHER; i++) {
        const char *torch_name = FACTS[i].torch_name;
        if (strcasecmp(name, FACTS[i].name) == 0 || (torch_name != NULL && strcasecmp(name, torch_name) == 0))
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

/* ---- what is not finite ---- */

/* An exponent of ones throughout. Plain loops over integers: compilers make them wide, and four times as wide where what
 * is counted is as narrow as what is looked at. */
enum { COUNTED = 1 << 15 };

static uint16_t count_few_16(const unsigned char *elements, size_t count, uint16_t exponent) {
    uint16_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, elements + i * sizeof bits, sizeof bits);
        found = (uint16_t)(found + ((bits & exponent) == exponent));
    }
    return found;
}

static uint64_t count_16(const unsigned char *elements, size_t count, uint16_t exponent) {
    uint64_t found = 0;
    for (size_t at = 0; at < count; at += COUNTED)
        found += count_few_16(elements + at * sizeof exponent, count - at < COUNTED ? count - at : COUNTED,
                              exponent);
    return found;
}

static uint64_t count_32(const unsigned char *elements, size_t count, uint32_t exponent) {
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, elements + i * sizeof bits, sizeof bits);
        found += (bits & exponent) == exponent;
    }
    return found;
}

static uint64_t count_64(const unsigned char *elements, size_t count, uint64_t exponent) {
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, elements + i * sizeof bits, sizeof bits);
        found += (bits & exponent) == exponent;
    }
    return found;
}

static uint64_t count_one_by_one(DType dtype, const unsigned char *elements, size_t count) {
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) found += isfinite(dtype_widen_one(dtype, elements + i)) ? 0 : 1;
    return found;
}

uint64_t dtype_count_nonfinite(DType dtype, const void *elements, size_t count) {
    switch (dtype) {
    case DTYPE_F64:
        return count_64(elements, count, UINT64_C(0x7FF0000000000000));
    case DTYPE_F32:
        return count_32(elements, count, UINT32_C(0x7F800000));
    case DTYPE_F16:
        return count_16(elements, count, UINT16_C(0x7C00));
    case DTYPE_BF16:
        return count_16(elements, count, UINT16_C(0x7F80));
    case DTYPE_F8_E4M3:
    case DTYPE_F8_E5M2:
        return count_one_by_one(dtype, elements, count);
    default:
        return 0;
    }
}
