#include "core/checkpoint/tensor_codes.h"

#include "core/checkpoint/tensor_scale.h"

#include <math.h>
#include <string.h>

static const float E2M1[] = {0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                             -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};

static float widen_e2m3(unsigned code) {
    unsigned exponent = code >> 3 & 3, mantissa = code & 7;
    float size = exponent == 0 ? (float)mantissa / 8.0F : ldexpf((float)(mantissa + 8), (int)exponent - 4);
    return (code & 32) != 0 ? -size : size;
}

/* The code of an element, counted from the tensor's first as it is stored: rows are whole bytes, since blocks are. */
static float widen_code(const TensorCodes *codes, uint64_t element) {
    if (codes->bits == 4) {
        float value = E2M1[codes->codes[element / 2] >> (element % 2 * 4) & 15];
        return codes->rule == CODES_SCALE_MULTIPLIED ? value + 0.0F : value; /* ModelOpt has 0 for −0 */
    }
    const unsigned char *at = codes->codes + element / 4 * 3;
    unsigned four = at[0] | (unsigned)at[1] << 8 | (unsigned)at[2] << 16;
    return widen_e2m3(four >> (element % 4 * 6) & 63);
}

/* 2^(exponent − 128), for every byte. */
static float half_power(unsigned exponent) {
    uint32_t bits = exponent > 1 ? (exponent - 1) << 23 : UINT32_C(1) << (21 + exponent);
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

static float factor_of(const TensorCodes *codes, uint64_t block) {
    const unsigned char *at = codes->scales + block; /* all scales are one byte */
    if (codes->rule == CODES_LDEXP) return half_power(*at);
    float scale = tensor_scale_read(codes->scale_dtype, at);
    if (codes->rule == CODES_SCALE_DIVIDED) return scale / codes->whole;
    return codes->rule == CODES_SCALE_MULTIPLIED ? scale * codes->whole : scale;
}

/* By what a code is multiplied before the factor: half a power is finite where a whole one is not, and twice a code exact. */
static float lead_of(const TensorCodes *codes) {
    return codes->rule == CODES_LDEXP ? 2.0F : 1.0F;
}

/* Stretch by stretch of elements that share a scale. */
static void read_straight(const TensorCodes *codes, uint64_t first, size_t count, float *out) {
    float lead = lead_of(codes);
    for (size_t at = 0, part; at < count; at += part) {
        uint64_t left = codes->block - (first + at) % codes->block;
        part = left < count - at ? (size_t)left : count - at;
        float factor = factor_of(codes, (first + at) / codes->block);
        for (size_t i = at; i < at + part; i++) out[i] = lead * widen_code(codes, first + i) * factor;
    }
}

/* Element (r, c) of a matrix is (c, r) of the one that is stored: a row of these is a column of those. */
static void read_turned(const TensorCodes *codes, uint64_t first, size_t count, float *out) {
    float lead = lead_of(codes);
    uint64_t blocks = codes->columns / codes->block; /* of a row */
    for (size_t at = 0, part; at < count; at += part) {
        uint64_t row = (first + at) / codes->rows, column = (first + at) % codes->rows;
        uint64_t line = row / codes->columns * codes->rows + column, place = row % codes->columns;
        uint64_t left = codes->rows - column;
        part = left < count - at ? (size_t)left : count - at;
        for (size_t i = at; i < at + part; i++, line++)
            out[i] = lead * widen_code(codes, line * codes->columns + place) *
                     factor_of(codes, line * blocks + place / codes->block);
    }
}

void tensor_codes_read(const Tensor *tensor, uint64_t first, size_t count, float *out) {
    const TensorCodes *codes = tensor->codes;
    if (codes->is_turned)
        read_turned(codes, first, count, out);
    else
        read_straight(codes, first, count, out);
    if (codes->product != DTYPE_F32) tensor_scale_round(codes->product, count, out);
}
