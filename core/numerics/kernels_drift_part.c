/*
 * Sizes that drift() listed, told apart in one variant: those above a bound and ties are added up, the rest is moved to the
 * front. Which of the three comes next cannot be foretold, hence no branches; the bits are the same with vectors and without.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>

#if defined(__AVX2__)

/* Sizes so far: the sums in their lanes, the numbers in any. */
typedef struct Parts {
    __m256d squares[KERNELS_DRIFT_LANES / 4], largest;
    __m256i above, tied;
} Parts;

#define DOUBLE(at) 2 * (at), 2 * (at) + 1
#define FOUR_OF(a, b, c, d)                                                                                  \
    { DOUBLE(a), DOUBLE(b), DOUBLE(c), DOUBLE(d) }

/* Which doubles go to the front, by a bit for each of four; those behind do not matter. */
static const uint32_t FRONT[16][8] = {
    FOUR_OF(0, 1, 2, 3), FOUR_OF(0, 1, 2, 3), FOUR_OF(1, 1, 2, 3), FOUR_OF(0, 1, 2, 3),
    FOUR_OF(2, 1, 2, 3), FOUR_OF(0, 2, 2, 3), FOUR_OF(1, 2, 2, 3), FOUR_OF(0, 1, 2, 3),
    FOUR_OF(3, 1, 2, 3), FOUR_OF(0, 3, 2, 3), FOUR_OF(1, 3, 2, 3), FOUR_OF(0, 1, 3, 3),
    FOUR_OF(2, 3, 2, 3), FOUR_OF(0, 2, 3, 3), FOUR_OF(1, 2, 3, 3), FOUR_OF(0, 1, 2, 3)};

/* Of four sizes; those that are neither go to `rest`, and how many they are is returned. */
INLINE size_t part_four(__m256d sizes, KernelBounds bounds, Parts *parts, size_t lanes, double *rest) {
    __m256d above = _mm256_cmp_pd(sizes, _mm256_set1_pd(bounds.high), _CMP_GE_OQ);
    __m256d tied = _mm256_andnot_pd(above, _mm256_cmp_pd(sizes, _mm256_set1_pd(bounds.tied), _CMP_EQ_OQ));
    __m256d squares = _mm256_and_pd(_mm256_mul_pd(sizes, sizes), above);
    parts->squares[lanes] = _mm256_add_pd(parts->squares[lanes], squares);
    parts->largest = _mm256_max_pd(sizes, parts->largest); /* of a NaN and another the other, the second */
    parts->above = _mm256_sub_epi64(parts->above, _mm256_castpd_si256(above));
    parts->tied = _mm256_sub_epi64(parts->tied, _mm256_castpd_si256(tied));
    unsigned left = 0xfU & ~(unsigned)_mm256_movemask_pd(_mm256_or_pd(above, tied));
    __m256i order = _mm256_loadu_si256((const __m256i *)(const void *)FRONT[left]);
    _mm256_storeu_pd(rest,
                     _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(_mm256_castpd_si256(sizes), order)));
    return (size_t)__builtin_popcount(left);
}

INLINE uint64_t add_four(__m256i counts) {
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)(void *)lanes, counts);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

INLINE double largest_of_four(__m256d sizes) {
    double lanes[4], largest = 0.0;
    _mm256_storeu_pd(lanes, sizes);
    for (size_t l = 0; l < 4; l++) largest = lanes[l] > largest ? lanes[l] : largest;
    return largest;
}

/* The last sixteen are filled up with NaNs, which are the last of the rest. */
size_t kernels_variant_drift_part(double *sizes, size_t count, KernelBounds bounds, KernelParted *parted) {
    enum { LANES = KERNELS_DRIFT_LANES };
    Parts parts = {.largest = _mm256_setzero_pd(), .above = _mm256_setzero_si256()};
    size_t rest = 0, whole = (count + LANES - 1) / LANES * LANES;
    parts.tied = parts.above;
    for (size_t i = count; i < whole; i++) sizes[i] = NAN;
    for (size_t g = 0; g < LANES / 4; g++) parts.squares[g] = _mm256_loadu_pd(parted->squares.lanes + 4 * g);
    for (size_t i = 0; i < whole; i += LANES) {
#pragma GCC unroll 4
        for (size_t g = 0; g < LANES / 4; g++)
            rest += part_four(_mm256_loadu_pd(sizes + i + 4 * g), bounds, &parts, g, sizes + rest);
    }
    for (size_t g = 0; g < LANES / 4; g++) _mm256_storeu_pd(parted->squares.lanes + 4 * g, parts.squares[g]);
    parted->above += add_four(parts.above);
    parted->tied += add_four(parts.tied);
    parted->largest = largest_of_four(parts.largest);
    return rest - (whole - count);
}

#else

/* 0 where the condition is 0, without a branch: which of the two comes next cannot be foretold. */
INLINE double value_if(unsigned condition, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0 - (uint64_t)condition;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

size_t kernels_variant_drift_part(double *sizes, size_t count, KernelBounds bounds, KernelParted *parted) {
    size_t rest = 0;
    double largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        double size = sizes[i];
        unsigned is_above = size >= bounds.high, is_tied = (unsigned)(size == bounds.tied) & ~is_above;
        largest = size > largest ? size : largest;
        sizes[rest] = size;
        rest += 1U & ~(is_above | is_tied);
        parted->above += is_above;
        parted->tied += is_tied;
        parted->squares.lanes[i % KERNELS_DRIFT_LANES] += value_if(is_above, size * size);
    }
    parted->largest = largest;
    return rest;
}

#endif
