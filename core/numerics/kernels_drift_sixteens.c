/*
 * Drift of two sides of one stored type with AVX-512: sixteen elements at a time, widened to one register of floats, for
 * counting and the keys, and from there to two of doubles, for the sums, all of which stay in registers: `low` has lanes 0 to 7,
 * `high` has 8 to 15. The bits are those of kernels_drift.c.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>

#if defined(__AVX512F__)

typedef struct Doubles {
    __m512d low, high;
} Doubles;

typedef __m512 (*LoadSixteen)(const unsigned char *from);

INLINE __m512 load_sixteen_f32(const unsigned char *from) {
    return _mm512_loadu_ps(from);
}

INLINE __m512 load_sixteen_f16(const unsigned char *from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

INLINE __m512 load_sixteen_bf16(const unsigned char *from) {
    __m512i halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16));
}

INLINE Doubles doubles_of(__m512 floats) {
    return (Doubles){_mm512_cvtps_pd(_mm512_castps512_ps256(floats)),
                     _mm512_cvtps_pd(_mm512_extractf32x8_ps(floats, 1))};
}

INLINE Doubles times(Doubles a, Doubles b) {
    return (Doubles){_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}

INLINE void add(Doubles *sum, Doubles term) {
    sum->low = _mm512_add_pd(sum->low, term.low);
    sum->high = _mm512_add_pd(sum->high, term.high);
}

/* The product of two float32 is exact in double, so rounding once or twice is the same. */
INLINE void add_product(Doubles *sum, Doubles a, Doubles b) {
    sum->low = _mm512_fmadd_pd(a.low, b.low, sum->low);
    sum->high = _mm512_fmadd_pd(a.high, b.high, sum->high);
}

INLINE Doubles load_sum(const KernelSum *sum) {
    return (Doubles){_mm512_loadu_pd(sum->lanes), _mm512_loadu_pd(sum->lanes + 8)};
}

INLINE void store_sum(Doubles sum, KernelSum *to) {
    _mm512_storeu_pd(to->lanes, sum.low);
    _mm512_storeu_pd(to->lanes + 8, sum.high);
}

INLINE size_t bits_set(__mmask16 mask) {
    return (size_t)__builtin_popcount(mask);
}

INLINE __mmask16 has_flipped(__m512 s, __m512 b) {
    __m512 zero = _mm512_setzero_ps();
    __mmask16 fell = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(s, zero, _CMP_LT_OQ), b, zero, _CMP_GT_OQ);
    __mmask16 rose = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(s, zero, _CMP_GT_OQ), b, zero, _CMP_LT_OQ);
    return fell | rose;
}

INLINE __mmask16 is_key_from(__m512 s, __m512 b, uint32_t least) {
    __m512i difference = _mm512_castps_si512(_mm512_sub_ps(s, b));
    __m512i key = _mm512_and_si512(difference, _mm512_set1_epi32(0x7fffffff));
    return _mm512_cmpge_epu32_mask(key, _mm512_set1_epi32((int)least));
}

/* Elements that were chosen; what is stored after them is overwritten by the next. */
typedef struct Chosen {
    float sft[KERNELS_DRIFT_SIZES], base[KERNELS_DRIFT_SIZES];
    size_t count;
} Chosen;

INLINE void choose(Chosen *chosen, __mmask16 which, __m512 sft, __m512 base) {
    _mm512_storeu_ps(chosen->sft + chosen->count, _mm512_maskz_compress_ps(which, sft));
    _mm512_storeu_ps(chosen->base + chosen->count, _mm512_maskz_compress_ps(which, base));
    chosen->count += bits_set(which);
}

/* `count` is a multiple of 16. */
INLINE size_t drift_sixteens(LoadSixteen load, size_t size, const KernelRow *row, size_t count,
                             uint32_t least, KernelDrift *drift, double *sizes) {
    const unsigned char *s = row->sft, *b = row->base;
    Doubles ss = load_sum(&drift->sft_squares), bb = load_sum(&drift->base_squares);
    Doubles sb = load_sum(&drift->products), d1 = load_sum(&drift->differences);
    Doubles d2 = load_sum(&drift->squares), d3 = load_sum(&drift->cubes), d4 = load_sum(&drift->fourths);
    size_t changed = 0, flips = 0;
    Chosen chosen;
    chosen.count = 0;
    for (size_t i = 0; i < count; i += 16) {
        __m512 sft_floats = load(s + i * size), base_floats = load(b + i * size);
        changed += bits_set(_mm512_cmp_ps_mask(sft_floats, base_floats, _CMP_NEQ_UQ));
        Doubles sft = doubles_of(sft_floats), base = doubles_of(base_floats);
        Doubles difference = {_mm512_sub_pd(sft.low, base.low), _mm512_sub_pd(sft.high, base.high)};
        Doubles square = times(difference, difference);
        add_product(&ss, sft, sft);
        add_product(&bb, base, base);
        add_product(&sb, sft, base);
        add(&d1, difference);
        add(&d2, square);
        add(&d3, times(square, difference));
        add(&d4, times(square, square));
        flips += bits_set(has_flipped(sft_floats, base_floats));
        choose(&chosen, is_key_from(sft_floats, base_floats, least), sft_floats, base_floats);
    }
    drift->changed += changed;
    drift->sign_flips += flips;
    store_sum(ss, &drift->sft_squares);
    store_sum(bb, &drift->base_squares);
    store_sum(sb, &drift->products);
    store_sum(d1, &drift->differences);
    store_sum(d2, &drift->squares);
    store_sum(d3, &drift->cubes);
    store_sum(d4, &drift->fourths);
    for (size_t i = 0; i < chosen.count; i++) sizes[i] = fabs((double)chosen.sft[i] - (double)chosen.base[i]);
    return chosen.count;
}

size_t kernels_variant_drift_stored(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                                    double *sizes, size_t *listed) {
    size_t whole = count - count % 16;
    if (row->sft_dtype == DTYPE_BF16)
        *listed = drift_sixteens(load_sixteen_bf16, 2, row, whole, least, drift, sizes);
    else if (row->sft_dtype == DTYPE_F16)
        *listed = drift_sixteens(load_sixteen_f16, 2, row, whole, least, drift, sizes);
    else if (row->sft_dtype == DTYPE_F32)
        *listed = drift_sixteens(load_sixteen_f32, 4, row, whole, least, drift, sizes);
    else
        return 0;
    return whole;
}

#endif
