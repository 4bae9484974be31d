/*
 * One variant of Kernels.exponentials, Kernels.silu and Kernels.silu_slopes.
 *
 *     x = n ln 2 + r, |r| ≤ ln 2 / 2        eˣ = 2ⁿ · (1 + r + r² · p(r))
 *
 * ln 2 is in two parts, the first so short that n times it is exact (Cody and Waite); p is Cephes' polynomial of degree 5
 * (Moshier, expf.c). Every step rounds once and none is fused, so that all variants give the same bits. 2ⁿ is multiplied
 * in two halves: then results below 2^-126 are rounded once, too.
 */
#include "core/numerics/kernels_internal.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LANES = KERNELS_DRIFT_LANES, PART = 1024 };

static const float LOG2_E = 1.44269504F, LN2_HIGH = 0.693359375F, LN2_LOW = -2.12194440e-4F,
                   TO_WHOLE = 0x1.8p23F, /* added, it leaves no place behind the point */
    LEAST = -104.0F, MOST = 89.0F;       /* below rounds to 0, above to infinity */

static const float POLYNOMIAL[] = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                   4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};

/* 2 to the power of n, −126 ≤ n ≤ 127 */
INLINE float power_of_two(uint32_t n) {
    return kernels_from_bits((n + 127U) << 23);
}

/* `limit` where that is so, in bits: GCC makes no vectors of a choice between numbers that could trap. */
INLINE float replace(float x, bool is_beyond, float limit) {
    uint32_t mask = is_beyond ? UINT32_MAX : 0;
    return kernels_from_bits((kernels_to_bits(x) & ~mask) | (kernels_to_bits(limit) & mask));
}

/* A NaN stays one: no comparison holds for it, and what is multiplied with it does not matter. */
INLINE float exponential(float x) {
    x = replace(x, x < LEAST, LEAST);
    x = replace(x, x > MOST, MOST);
    float shifted = x * LOG2_E + TO_WHOLE, n = shifted - TO_WHOLE;
    uint32_t whole = kernels_to_bits(shifted) - kernels_to_bits(TO_WHOLE);
    uint32_t half = ((whole + 512U) >> 1) - 256U; /* of n, downwards, which may be below 0 */
    float r = x - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    float p = POLYNOMIAL[0];
    for (size_t i = 1; i < sizeof POLYNOMIAL / sizeof *POLYNOMIAL; i++) p = p * r + POLYNOMIAL[i];
    float y = p * (r * r) + r + 1.0F;
    return y * power_of_two(half) * power_of_two(whole - half);
}

/* In the order of kernels_fold(), which is above the variants. */
static double fold(const KernelSum *sum) {
    double lanes[LANES];
    memcpy(lanes, sum->lanes, sizeof lanes);
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

static void add_up(const float *values, size_t count, KernelSum *sum) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (size_t l = 0; l < LANES; l++) sum->lanes[l] += (double)values[i + l];
    }
    for (size_t l = 0; i + l < count; l++) sum->lanes[l] += (double)values[i + l];
}

double kernels_variant_exponentials(const float *from, size_t count, float above, float scale, float *to) {
    KernelSum sum = {{0}};
    for (size_t at = 0; at < count; at += PART) {
        size_t n = count - at < PART ? count - at : PART;
        const float *values = from + at;
        float *results = to + at;
        for (size_t i = 0; i < n; i++) results[i] = exponential((values[i] - above) * scale);
        add_up(results, n, &sum);
    }
    return fold(&sum);
}

void kernels_variant_silu(const float *from, size_t count, float *to) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] / (1.0F + exponential(-from[i]));
}

void kernels_variant_silu_slopes(const float *restrict from, size_t count, float *restrict values,
                                 float *restrict slopes) {
    for (size_t i = 0; i < count; i++) {
        float x = from[i], above = 1.0F + exponential(-x), s = 1.0F / above;
        values[i] = x / above;
        slopes[i] = s * (1.0F + x * (1.0F - s));
    }
}
