/*
 * Drift of two sides of one stored type with AVX2: bfloat16 is compared as it is stored, and the sums are made part by part
 * of the lanes, so that all of a part stay in registers. The bits are those of kernels_drift.c.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined(__AVX2__) && !defined(__AVX512F__)

/* ---- sums ----
 *
 * Widening to double costs as much as all that is done with the doubles, so it takes no more than a conversion: of
 * bfloat16 every other element is a word with its neighbour shifted out or masked off. A part of the lanes is as many
 * as fill one register; its seven sums and what they come from fit the registers. */

enum { PARTS = 4, PART_LANES = 4 };

/* One stored type: a part of sixteen elements, and which lanes those are. */
typedef struct Stored {
    DType dtype;
    size_t size;
} Stored;

INLINE size_t lane_first(Stored stored, size_t part) {
    if (stored.dtype != DTYPE_BF16) return part * PART_LANES;
    return part / 2 * (2 * PART_LANES) + part % 2;
}

INLINE size_t lane_step(Stored stored) {
    return stored.dtype == DTYPE_BF16 ? 2 : 1;
}

INLINE __m128 load_part(Stored stored, const unsigned char *sixteen, size_t part) {
    const void *from =
        sixteen + (stored.dtype == DTYPE_BF16 ? part / 2 * 2 : part) * PART_LANES * stored.size;
    if (stored.dtype == DTYPE_F32) return _mm_loadu_ps(from);
    __m128i pairs = _mm_loadu_si128(from);
    return _mm_castsi128_ps(part % 2 == 0 ? _mm_slli_epi32(pairs, 16)
                                          : _mm_and_si128(pairs, _mm_set1_epi32((int)0xffff0000U)));
}

INLINE __m256d load_lanes(const KernelSum *sum, size_t first, size_t step) {
    double lanes[PART_LANES];
    for (size_t l = 0; l < PART_LANES; l++) lanes[l] = sum->lanes[first + l * step];
    return _mm256_loadu_pd(lanes);
}

INLINE void store_lanes(__m256d values, KernelSum *sum, size_t first, size_t step) {
    double lanes[PART_LANES];
    _mm256_storeu_pd(lanes, values);
    for (size_t l = 0; l < PART_LANES; l++) sum->lanes[first + l * step] = lanes[l];
}

/* The sums of some lanes, in registers. */
typedef struct Sums {
    __m256d ss, bb, sb, d1, d2, d3, d4;
} Sums;

INLINE Sums load_sums(Stored stored, size_t part, const KernelDrift *drift) {
    size_t first = lane_first(stored, part), step = lane_step(stored);
    return (Sums){load_lanes(&drift->sft_squares, first, step), load_lanes(&drift->base_squares, first, step),
                  load_lanes(&drift->products, first, step),    load_lanes(&drift->differences, first, step),
                  load_lanes(&drift->squares, first, step),     load_lanes(&drift->cubes, first, step),
                  load_lanes(&drift->fourths, first, step)};
}

INLINE void store_sums(Stored stored, size_t part, const Sums *sums, KernelDrift *drift) {
    size_t first = lane_first(stored, part), step = lane_step(stored);
    store_lanes(sums->ss, &drift->sft_squares, first, step);
    store_lanes(sums->bb, &drift->base_squares, first, step);
    store_lanes(sums->sb, &drift->products, first, step);
    store_lanes(sums->d1, &drift->differences, first, step);
    store_lanes(sums->d2, &drift->squares, first, step);
    store_lanes(sums->d3, &drift->cubes, first, step);
    store_lanes(sums->d4, &drift->fourths, first, step);
}

/* Converting takes the units that add: a sum that is a product with 1 leaves them free. */
INLINE void add_up(Sums *sums, __m256d sft, __m256d base) {
    __m256d difference = _mm256_sub_pd(sft, base), square = _mm256_mul_pd(difference, difference);
    /* the product of two float32 is exact in double, so rounding once or twice is the same */
    sums->ss = _mm256_fmadd_pd(sft, sft, sums->ss);
    sums->bb = _mm256_fmadd_pd(base, base, sums->bb);
    sums->sb = _mm256_fmadd_pd(sft, base, sums->sb);
    sums->d1 = _mm256_fmadd_pd(difference, _mm256_set1_pd(1.0), sums->d1);
    sums->d2 = _mm256_add_pd(sums->d2, square);
    sums->d3 = _mm256_add_pd(sums->d3, _mm256_mul_pd(square, difference));
    sums->d4 = _mm256_add_pd(sums->d4, _mm256_mul_pd(square, square));
}

/* ---- comparing ---- */

/* Which elements of a chunk have a key from `least` on, a bit each. */
enum { WORD = 64 };
typedef struct Listed {
    uint64_t words[KERNELS_DRIFT_CHUNK / WORD];
} Listed;

/* All bits of the words whose key is `least` or more. */
INLINE __m256i find_keys(__m256 s, __m256 b, __m256i below) {
    __m256i difference = _mm256_castps_si256(_mm256_sub_ps(s, b));
    return _mm256_cmpgt_epi32(_mm256_and_si256(difference, _mm256_set1_epi32(0x7fffffff)), below);
}

INLINE void list_sixteen(Listed *listed, size_t i, uint32_t bits) {
    listed->words[i / WORD] |= (uint64_t)bits << i % WORD;
}

/* Eight words of 0 or −1 each, for elements in turn, as bits of their elements. */
INLINE uint32_t bits_of_pairs(__m256i even, __m256i odd) {
    __m256i sixteen = _mm256_blend_epi16(even, odd, 0xaa);
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(sixteen), _mm256_extracti128_si256(sixteen, 1));
    return (uint32_t)_mm_movemask_epi8(bytes);
}

INLINE __m256i even_bf16(__m256i pairs) {
    return _mm256_slli_epi32(pairs, 16);
}

INLINE __m256i odd_bf16(__m256i pairs) {
    return _mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000U));
}

INLINE uint64_t add_sixteens(__m256i counts) {
    uint16_t lanes[16];
    uint64_t sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lanes, counts);
    for (size_t l = 0; l < 16; l++) sum += lanes[l];
    return sum;
}

/* What is known of the codes of a chunk: the same code is the same number and another code another number, but for zeros,
 * which have two and no sign that could flip, and NaNs, of which none is the same as any. */
typedef struct Codes {
    __m256i equal, flips, largest, smallest; /* of each of sixteen lanes; sizes without the sign */
} Codes;

INLINE Codes codes_of_none(void) {
    __m256i zero = _mm256_setzero_si256();
    return (Codes){zero, zero, zero, _mm256_set1_epi16(-1)};
}

/* Elements [i, i + 16). */
INLINE void compare_codes(Codes *codes, const KernelRow *row, size_t i, __m256i below, Listed *listed) {
    const unsigned char *s = row->sft, *b = row->base;
    __m256i sft = _mm256_loadu_si256((const void *)(s + 2 * i));
    __m256i base = _mm256_loadu_si256((const void *)(b + 2 * i));
    __m256i sft_size = _mm256_add_epi16(sft, sft), base_size = _mm256_add_epi16(base, base);
    codes->equal = _mm256_sub_epi16(codes->equal, _mm256_cmpeq_epi16(sft, base));
    codes->flips = _mm256_add_epi16(codes->flips, _mm256_srli_epi16(_mm256_xor_si256(sft, base), 15));
    codes->largest = _mm256_max_epu16(codes->largest, _mm256_max_epu16(sft_size, base_size));
    codes->smallest = _mm256_min_epu16(codes->smallest, _mm256_min_epu16(sft_size, base_size));
    __m256i even =
        find_keys(_mm256_castsi256_ps(even_bf16(sft)), _mm256_castsi256_ps(even_bf16(base)), below);
    __m256i odd = find_keys(_mm256_castsi256_ps(odd_bf16(sft)), _mm256_castsi256_ps(odd_bf16(base)), below);
    list_sixteen(listed, i, bits_of_pairs(even, odd));
}

/* False, and nothing counted, where a zero or a NaN is among them. */
INLINE bool count_codes(const Codes *codes, size_t count, KernelDrift *drift) {
    enum { INFINITY_SIZE = 0xff00 };
    uint16_t large[16], small[16];
    _mm256_storeu_si256((__m256i *)(void *)large, codes->largest);
    _mm256_storeu_si256((__m256i *)(void *)small, codes->smallest);
    for (size_t l = 0; l < 16; l++) {
        if (large[l] > INFINITY_SIZE || small[l] == 0) return false;
    }
    drift->changed += count - add_sixteens(codes->equal);
    drift->sign_flips += add_sixteens(codes->flips);
    return true;
}

INLINE uint32_t bits_set(__m256 mask) {
    return (uint32_t)__builtin_popcount((unsigned)_mm256_movemask_ps(mask));
}

INLINE __m256 has_flipped(__m256 s, __m256 b) {
    __m256 zero = _mm256_setzero_ps(), lower = _mm256_min_ps(s, b), upper = _mm256_max_ps(s, b);
    __m256 flipped =
        _mm256_and_ps(_mm256_cmp_ps(lower, zero, _CMP_LT_OQ), _mm256_cmp_ps(upper, zero, _CMP_GT_OQ));
    return _mm256_andnot_ps(_mm256_cmp_ps(s, b, _CMP_UNORD_Q), flipped);
}

INLINE __m256 load_eight(Stored stored, const unsigned char *from) {
    if (stored.dtype == DTYPE_F32) return _mm256_loadu_ps((const float *)(const void *)from);
    __m128i codes = _mm_loadu_si128((const void *)from);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(codes), 16));
}

/* Compares the numbers, whatever they are. */
INLINE void compare_numbers(Stored stored, const KernelRow *row, size_t count, __m256i below,
                            KernelDrift *drift, Listed *listed) {
    const unsigned char *s = row->sft, *b = row->base;
    for (size_t i = 0; i < count; i += 8) {
        __m256 sft = load_eight(stored, s + i * stored.size), base = load_eight(stored, b + i * stored.size);
        drift->changed += bits_set(_mm256_cmp_ps(sft, base, _CMP_NEQ_UQ));
        drift->sign_flips += bits_set(has_flipped(sft, base));
        __m256 keys = _mm256_castsi256_ps(find_keys(sft, base, below));
        list_sixteen(listed, i, (uint32_t)_mm256_movemask_ps(keys));
    }
}

INLINE float load_one(Stored stored, const unsigned char *from) {
    float value;
    if (stored.dtype == DTYPE_BF16) return kernels_load_bf16(from, 0);
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE size_t list_sizes(Stored stored, const KernelRow *row, size_t count, const Listed *listed,
                         double *sizes) {
    const unsigned char *s = row->sft, *b = row->base;
    size_t found = 0;
    for (size_t word = 0; word < (count + WORD - 1) / WORD; word++) {
        for (uint64_t left = listed->words[word]; left != 0; left &= left - 1) {
            size_t at = (word * WORD + (size_t)__builtin_ctzll(left)) * stored.size;
            sizes[found++] = fabs((double)load_one(stored, s + at) - (double)load_one(stored, b + at));
        }
    }
    return found;
}

/* ---- all of it ---- */

/* The next chunk mostly lies behind this one: it is fetched meanwhile. */
INLINE void sum_part(Stored stored, size_t part, const KernelRow *row, size_t count, KernelDrift *drift) {
    const unsigned char *s = row->sft, *b = row->base;
    Sums sums = load_sums(stored, part, drift);
    for (size_t i = 0; i < count; i += 16) {
        size_t ahead = (i + KERNELS_DRIFT_CHUNK) * stored.size;
        if (part == 0) __builtin_prefetch(s + ahead);
        if (part == PARTS - 1) __builtin_prefetch(b + ahead);
        add_up(&sums, _mm256_cvtps_pd(load_part(stored, s + i * stored.size, part)),
               _mm256_cvtps_pd(load_part(stored, b + i * stored.size, part)));
    }
    store_sums(stored, part, &sums, drift);
}

INLINE size_t drift_stored(Stored stored, const KernelRow *row, size_t count, uint32_t least,
                           KernelDrift *drift, double *sizes) {
    Listed listed = {0};
    Codes codes = codes_of_none();
    __m256i below = _mm256_set1_epi32((int)least - 1); /* keys are not negative */
    bool has_codes = stored.dtype == DTYPE_BF16;
    for (size_t i = 0; i < count && has_codes; i += 16) compare_codes(&codes, row, i, below, &listed);
    for (size_t part = 0; part < PARTS; part++) sum_part(stored, part, row, count, drift);
    if (!has_codes || !count_codes(&codes, count, drift))
        compare_numbers(stored, row, count, below, drift, &listed);
    return list_sizes(stored, row, count, &listed, sizes);
}

static size_t drift_bf16(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                         double *sizes) {
    return drift_stored((Stored){DTYPE_BF16, 2}, row, count, least, drift, sizes);
}

static size_t drift_f32(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                        double *sizes) {
    return drift_stored((Stored){DTYPE_F32, 4}, row, count, least, drift, sizes);
}

size_t kernels_variant_drift_stored(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                                    double *sizes, size_t *listed) {
    size_t whole = count - count % 16;
    if (row->sft_dtype == DTYPE_BF16)
        *listed = drift_bf16(row, whole, least, drift, sizes);
    else if (row->sft_dtype == DTYPE_F32)
        *listed = drift_f32(row, whole, least, drift, sizes);
    else
        return 0; /* converting float16 once for each part costs more than widening a chunk of it once */
    return whole;
}

#endif
