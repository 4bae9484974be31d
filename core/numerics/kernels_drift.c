/*
 * The kernels of drift in one variant: plain C over widened chunks. Where there are vectors of doubles
 * (kernels_drift_vectors.c), it is left what does not fill them.
 */
#include "core/numerics/kernels_internal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- any types ---- */

enum { DRIFT_LANES = KERNELS_DRIFT_LANES };

INLINE void drift_count(const float *restrict s, const float *restrict b, size_t count, KernelDrift *drift) {
    uint32_t changed = 0, flips = 0;
    for (size_t i = 0; i < count; i++) {
        float lower = s[i] < b[i] ? s[i] : b[i], upper = s[i] < b[i] ? b[i] : s[i];
        changed += s[i] != b[i];
        flips += (uint32_t)(lower < 0.0F) & (uint32_t)(upper > 0.0F); /* neither holds of a NaN */
    }
    drift->changed += changed;
    drift->sign_flips += flips;
}

/* ---- a · b + c, rounded once ---- */

#if defined(__FMA__) || defined(__aarch64__) || defined(FP_FAST_FMA) || FLT_EVAL_METHOD != 0

INLINE double multiply_add(double a, double b, double c) {
    return fma(a, b, c);
}

#else

/*
 * Where the processor has none, the C library's own takes ten times as long as this: the product and both sums with what
 * rounding takes off them, which is added up rounded to odd, so that the last rounding sees it (Boldo and Melquiond, Emulation
 * of a FMA and correctly rounded sums, 2008). Fourth powers of float32 neither overflow nor underflow here.
 */
typedef struct Sum {
    double sum, error;
} Sum;

INLINE Sum add_exactly(double a, double b) {
    double sum = a + b, other = sum - a;
    return (Sum){sum, (a - (sum - other)) + (b - other)};
}

INLINE double add_to_odd(double a, double b) {
    Sum added = add_exactly(a, b);
    uint64_t bits;
    memcpy(&bits, &added.sum, sizeof bits);
    if (added.error != 0.0 && (bits & 1U) == 0)
        bits = (added.error > 0.0) == (added.sum > 0.0) ? bits + 1 : bits - 1;
    memcpy(&added.sum, &bits, sizeof bits);
    return added.sum;
}

/* The first half of the digits: products of halves are exact. */
INLINE double upper_half(double a) {
    double scaled = 0x8000001p0 * a;
    return scaled - (scaled - a);
}

INLINE double multiply_add(double a, double b, double c) {
    double product = a * b, a_upper = upper_half(a), b_upper = upper_half(b);
    double a_lower = a - a_upper, b_lower = b - b_upper;
    double error =
        ((a_upper * b_upper - product) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower;
    Sum lower = add_exactly(c, error), upper = add_exactly(product, lower.sum);
    double sum = upper.sum + add_to_odd(upper.error, lower.error);
    return __builtin_expect(isnan(sum), 0) ? fma(a, b, c) : sum; /* infinities have no halves */
}

#endif

/* ---- sums ---- */

/* One group of up to DRIFT_LANES elements; with n = DRIFT_LANES the compiler sees whole vectors. */
#define DRIFT_SUMS(n)                                                                                        \
    for (size_t l = 0; l < (n); l++) {                                                                       \
        double sft = s[i + l], base = b[i + l], difference = sft - base, square = difference * difference;   \
        bb.lanes[l] += base * base; /* exact before it is added */                                           \
        bd.lanes[l] = multiply_add(base, difference, bd.lanes[l]);                                           \
        d1.lanes[l] += difference;                                                                           \
        d2.lanes[l] += square;                                                                               \
        d3.lanes[l] = multiply_add(square, difference, d3.lanes[l]);                                         \
        d4.lanes[l] = multiply_add(square, square, d4.lanes[l]);                                             \
    }

INLINE void drift_sums(const float *restrict s, const float *restrict b, size_t count, KernelDrift *drift) {
    KernelSum bb = drift->base_squares, bd = drift->products, d1 = drift->differences;
    KernelSum d2 = drift->squares, d3 = drift->cubes, d4 = drift->fourths;
    size_t i = 0;
    for (; i + DRIFT_LANES <= count; i += DRIFT_LANES) DRIFT_SUMS(DRIFT_LANES)
    DRIFT_SUMS(count - i)
    drift->base_squares = bb;
    drift->products = bd;
    drift->differences = d1;
    drift->squares = d2;
    drift->cubes = d3;
    drift->fourths = d4;
}

INLINE uint32_t drift_key(float s, float b) {
    float difference = s - b;
    uint32_t bits;
    memcpy(&bits, &difference, sizeof bits);
    return bits & 0x7fffffffU;
}

void kernels_variant_drift_keys(const float *restrict s, const float *restrict b, size_t count,
                                uint32_t *restrict keys) {
    for (size_t i = 0; i < count; i++) keys[i] = drift_key(s[i], b[i]);
}

/* Which elements are listed cannot be foretold, and a wrong guess of the processor costs more than a store
 * that the next one overwrites: hence no branches. */
INLINE size_t drift_list(const float *restrict s, const float *restrict b, size_t count, uint32_t least,
                         double *restrict sizes) {
    unsigned char is_listed[KERNELS_DRIFT_CHUNK];
    uint16_t places[KERNELS_DRIFT_CHUNK];
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) is_listed[i] = drift_key(s[i], b[i]) >= least;
    for (size_t i = 0; i < count; i++) {
        places[listed] = (uint16_t)i;
        listed += is_listed[i];
    }
    for (size_t i = 0; i < listed; i++) sizes[i] = fabs((double)s[places[i]] - (double)b[places[i]]);
    return listed;
}

static size_t drift_widened(const float *s, const float *b, size_t count, uint32_t least, KernelDrift *drift,
                            double *sizes) {
    drift_count(s, b, count, drift);
    drift_sums(s, b, count, drift);
    return drift_list(s, b, count, least, sizes);
}

/* Elements of any type, from `first` on. */
static size_t drift_any(const KernelRow *row, size_t first, size_t count, uint32_t least, KernelDrift *drift,
                        double *sizes) {
    float s[KERNELS_DRIFT_CHUNK], b[KERNELS_DRIFT_CHUNK];
    const unsigned char *sft = row->sft, *base = row->base;
    kernels_widen(row->sft_dtype, sft + first * dtype_size(row->sft_dtype), count, s);
    kernels_widen(row->base_dtype, base + first * dtype_size(row->base_dtype), count, b);
    return drift_widened(s, b, count, least, drift, sizes);
}

size_t kernels_variant_drift(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                             double *sizes) {
    size_t listed = 0, done = 0;
#if defined(__AVX2__)
    done = kernels_variant_drift_vectors(row, count, least, drift, sizes, &listed);
#endif
    return done < count ? listed + drift_any(row, done, count - done, least, drift, sizes + listed) : listed;
}
