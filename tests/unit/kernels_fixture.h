/*
 * kernels_fixture — what tests of the kernels share: all variants that this processor can run, lengths around whole lanes,
 * stored rows at any address, and room for answers with sentinels behind it.
 */
#ifndef REJUV_TESTS_KERNELS_FIXTURE_H
#define REJUV_TESTS_KERNELS_FIXTURE_H

#include "core/numerics/kernels.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 2100, GUARD = 64 };

static const DType FLOATS[] = {DTYPE_F64, DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
enum { FLOAT_COUNT = sizeof FLOATS / sizeof *FLOATS };

/* Around whole lanes (16, 64), whole chunks (1024), and none. */
static const size_t COUNTS[] = {0,  1,  2,  3,   7,   8,   9,    15,   16,   17,   31,   63,
                                64, 65, 67, 127, 129, 191, 1023, 1024, 1025, 1087, 2049, MOST};
enum { COUNT_COUNT = sizeof COUNTS / sizeof *COUNTS };

static const Kernels *variants[4];
static size_t variant_count;

static inline int find_variants(void **state) {
    (void)state;
    variant_count = kernels_list(variants, 4);
    return variant_count > 0 ? 0 : -1;
}

/* Whether its products are added with one rounding each. */
static inline bool is_fused(const Kernels *kernels) {
#if defined(__aarch64__)
    (void)kernels; /* every processor has the instruction */
    return true;
#else
    return strcmp(kernels->name, "portable") != 0;
#endif
}

static inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The same bits; of two NaNs any. */
static inline bool same(float a, float b) {
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* ---- stored rows: any values, from any address ---- */

typedef struct Stored {
    DType dtype;
    unsigned char *block, *bytes; /* bytes: `shift` into the block */
} Stored;

/* Patterns at random: with F16 and the F8 types that has infinities and NaNs in it; where `is_tame`, numbers
 * about 1. */
static inline Stored make_stored(DType dtype, size_t shift, bool is_tame, uint64_t seed) {
    Stored stored = {.dtype = dtype, .block = memory_allocate(MOST * 8 + 16, 1)};
    assert_non_null(stored.block);
    stored.bytes = stored.block + shift;
    for (size_t i = 0; i < MOST; i++) {
        uint64_t bits = random_bits(seed, i);
        double tame = random_uniform(seed, i) * 2.0 - 1.0;
        float number = (float)tame;
        if (is_tame && dtype == DTYPE_F64) memcpy(&bits, &tame, 8);
        if (is_tame && dtype == DTYPE_F32) memcpy(&bits, &number, 4);
        if (is_tame && dtype == DTYPE_BF16) bits = bits_of(number) >> 16;
        if (is_tame && dtype == DTYPE_F16) bits = (bits & 0x83ff) | (0x3800 - ((bits >> 16) % 4 << 10));
        if (is_tame && dtype == DTYPE_F8_E5M2) bits = (bits & 0x83) | (0x38 - ((bits >> 16) % 4 << 2));
        if (is_tame && dtype == DTYPE_F8_E4M3) bits = (bits & 0x87) | (0x30 - ((bits >> 16) % 4 << 3));
        memcpy(stored.bytes + i * dtype_size(dtype), &bits, dtype_size(dtype));
    }
    return stored;
}

static inline float value_at(const Stored *stored, size_t i) {
    return dtype_widen_one(stored->dtype, stored->bytes + i * dtype_size(stored->dtype));
}

/* Room for an answer with sentinels behind it. */
static inline void put_sentinels(float *out, size_t count) {
    for (size_t i = 0; i < count + GUARD; i++) out[i] = of_bits(0xdeadbeefU);
}

static inline void check_sentinels(const float *out, size_t count) {
    for (size_t i = count; i < count + GUARD; i++) assert_int_equal(bits_of(out[i]), 0xdeadbeefU);
}

/* ---- what blending is ---- */

static inline float mix(float s, float b, float weight_sft, float weight_base) {
    if (weight_base == 0.0F) return s;
    if (weight_sft == 0.0F) return b;
    return fmaf(weight_base, b, fmaf(weight_sft, s, 0.0F));
}

static inline KernelRow make_row(const Stored *s, const Stored *b, double a) {
    return (KernelRow){.sft_dtype = s->dtype,
                       .base_dtype = b->dtype,
                       .sft = s->bytes,
                       .base = b->bytes,
                       .weight_sft = (float)a,
                       .weight_base = (float)(1.0 - a)};
}

#endif
