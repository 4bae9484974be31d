/*
 * Drift with vectors, sixteen elements at a time; the bits are those of kernels_drift.c.
 *
 * A block of elements is gone over twice. The first time it is widened to float32 in memory near at hand, and compared:
 * bfloat16 as it is stored. The second time it is converted to double on the way from there, which costs half of what
 * converting registers does, and added up. A half of the sums at a time, with what they come from, fills AVX2's registers;
 * AVX-512's hold all in half as many.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined(__AVX2__)

/* A vector of doubles, made of as many floats in memory. */
#if defined(__AVX512F__)
typedef __m512d Doubles;
#define doubles_of(floats)             _mm512_cvtps_pd(_mm256_loadu_ps(floats))
#define doubles_load(from)             _mm512_loadu_pd(from)
#define doubles_store(to, v)           _mm512_storeu_pd(to, v)
#define doubles_add(a, b)              _mm512_add_pd(a, b)
#define doubles_subtract(a, b)         _mm512_sub_pd(a, b)
#define doubles_multiply(a, b)         _mm512_mul_pd(a, b)
#define doubles_multiply_add(a, b, to) _mm512_fmadd_pd(a, b, to)
#else
typedef __m256d Doubles;
#define doubles_of(floats)             _mm256_cvtps_pd(_mm_loadu_ps(floats))
#define doubles_load(from)             _mm256_loadu_pd(from)
#define doubles_store(to, v)           _mm256_storeu_pd(to, v)
#define doubles_add(a, b)              _mm256_add_pd(a, b)
#define doubles_subtract(a, b)         _mm256_sub_pd(a, b)
#define doubles_multiply(a, b)         _mm256_mul_pd(a, b)
#define doubles_multiply_add(a, b, to) _mm256_fmadd_pd(a, b, to)
#endif

enum {
    BLOCK = 2048,
    AHEAD = BLOCK, /* elements from those in work to those that are fetched */
    WORD = 64,
    GUESS = 4,                                /* elements of a word that are listed at once */
    GROUP = sizeof(Doubles) / sizeof(double), /* lanes of a vector */
    GROUPS = KERNELS_DRIFT_LANES / GROUP,
    TOGETHER = 2 /* groups whose sums the registers hold */
};

#define ALIGNED _Alignas(KERNELS_LINE)

/* Elements of a block as float32, at any address, for files have them at any: in order, or split, which is cheaper to make of
 * bfloat16: of each sixteen first those at even places, then the others. */
typedef struct Floats {
    const unsigned char *sft, *base;
    bool is_split;
} Floats;

INLINE __m256 load_eight(const unsigned char *floats, size_t at) {
    return _mm256_loadu_ps((const float *)(const void *)(floats + 4 * at));
}

INLINE Doubles load_group(const unsigned char *floats, size_t at) {
    return doubles_of((const float *)(const void *)(floats + 4 * at));
}

INLINE double load_one(const unsigned char *floats, size_t at) {
    float value;
    memcpy(&value, floats + 4 * at, sizeof value);
    return (double)value;
}

/* ---- sums ---- */

/* The sums of a group of lanes, in registers. */
typedef struct Sums {
    Doubles base_squares, products, differences, squares, cubes, fourths;
} Sums;

/* Lanes that lie side by side, or with one of another group between them. */
typedef struct Lanes {
    size_t first, step;
} Lanes;

INLINE Lanes lanes_of(bool is_split, size_t group) {
    size_t at = group * GROUP, half = KERNELS_DRIFT_LANES / 2;
    return is_split ? (Lanes){at % half * 2 + at / half, 2} : (Lanes){at, 1};
}

INLINE Doubles load_lanes(const KernelSum *sum, Lanes lanes) {
    double values[GROUP];
    for (size_t l = 0; l < GROUP; l++) values[l] = sum->lanes[lanes.first + l * lanes.step];
    return doubles_load(values);
}

INLINE void store_lanes(Doubles from, KernelSum *sum, Lanes lanes) {
    double values[GROUP];
    doubles_store(values, from);
    for (size_t l = 0; l < GROUP; l++) sum->lanes[lanes.first + l * lanes.step] = values[l];
}

INLINE Sums load_sums(const KernelDrift *drift, Lanes lanes) {
    return (Sums){load_lanes(&drift->base_squares, lanes), load_lanes(&drift->products, lanes),
                  load_lanes(&drift->differences, lanes),  load_lanes(&drift->squares, lanes),
                  load_lanes(&drift->cubes, lanes),        load_lanes(&drift->fourths, lanes)};
}

INLINE void store_sums(const Sums *sums, KernelDrift *drift, Lanes lanes) {
    store_lanes(sums->base_squares, &drift->base_squares, lanes);
    store_lanes(sums->products, &drift->products, lanes);
    store_lanes(sums->differences, &drift->differences, lanes);
    store_lanes(sums->squares, &drift->squares, lanes);
    store_lanes(sums->cubes, &drift->cubes, lanes);
    store_lanes(sums->fourths, &drift->fourths, lanes);
}

INLINE void add_group(Sums *sums, const Floats *floats, size_t at) {
    Doubles sft = load_group(floats->sft, at), base = load_group(floats->base, at);
    Doubles difference = doubles_subtract(sft, base), square = doubles_multiply(difference, difference);
    sums->base_squares = doubles_multiply_add(base, base, sums->base_squares);
    sums->products = doubles_multiply_add(base, difference, sums->products);
    sums->differences = doubles_add(sums->differences, difference);
    sums->squares = doubles_add(sums->squares, square);
    sums->cubes = doubles_multiply_add(square, difference, sums->cubes);
    sums->fourths = doubles_multiply_add(square, square, sums->fourths);
}

/* What is needed next is fetched meanwhile: what comparing waits for, adding up has time to bring. */
typedef struct Ahead {
    const unsigned char *sft, *base;
    size_t size; /* of an element */
} Ahead;

INLINE void add_groups(const Floats *floats, size_t first, size_t count, Ahead ahead, KernelDrift *drift) {
    Sums sums[TOGETHER];
#pragma GCC unroll 4
    for (size_t g = 0; g < TOGETHER; g++) sums[g] = load_sums(drift, lanes_of(floats->is_split, first + g));
    const Floats from = {floats->sft + 4 * first * GROUP, floats->base + 4 * first * GROUP, floats->is_split};
    const unsigned char *next = first == 0 ? ahead.sft : ahead.base;
    for (size_t i = 0; i < count; i += KERNELS_DRIFT_LANES) {
        __builtin_prefetch(next + i * ahead.size);
        if (GROUPS == TOGETHER) __builtin_prefetch(ahead.base + i * ahead.size);
#pragma GCC unroll 4
        for (size_t g = 0; g < TOGETHER; g++) add_group(&sums[g], &from, i + g * GROUP);
    }
#pragma GCC unroll 4
    for (size_t g = 0; g < TOGETHER; g++) store_sums(&sums[g], drift, lanes_of(floats->is_split, first + g));
}

INLINE void add_up(const Floats *floats, size_t count, Ahead ahead, KernelDrift *drift) {
    for (size_t first = 0; first < GROUPS; first += TOGETHER) add_groups(floats, first, count, ahead, drift);
}

/* ---- comparing ---- */

/* Which elements may have a key from `least` on, a bit each; those of a word that the block does not fill are 0. */
typedef struct Listed {
    unsigned char bits[BLOCK / 8 + WORD / 8];
} Listed;

INLINE void end_listed(Listed *listed, size_t count) {
    memset(listed->bits + count / 8, 0, WORD / 8);
}

/* No key is larger, and NaNs' are filtered later: so that none may be listed is cheap to say. */
INLINE uint32_t clamp_least(uint32_t least) {
    return least < 0x7fffffffU ? least : 0x7fffffffU;
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

/* Of numbers, whatever they are. */
INLINE void count_numbers(const Floats *floats, size_t count, KernelDrift *drift) {
    for (size_t i = 0; i < count; i += 8) {
        __m256 sft = load_eight(floats->sft, i), base = load_eight(floats->base, i);
        drift->changed += bits_set(_mm256_cmp_ps(sft, base, _CMP_NEQ_UQ));
        drift->sign_flips += bits_set(has_flipped(sft, base));
    }
}

INLINE void list_numbers(const Floats *floats, size_t count, uint32_t least, Listed *listed) {
    __m256i below = _mm256_set1_epi32((int)clamp_least(least) - 1), size = _mm256_set1_epi32(0x7fffffff);
    for (size_t i = 0; i < count; i += 8) {
        __m256 difference = _mm256_sub_ps(load_eight(floats->sft, i), load_eight(floats->base, i));
        __m256i key = _mm256_and_si256(_mm256_castps_si256(difference), size);
        __m256 is_listed = _mm256_castsi256_ps(_mm256_cmpgt_epi32(key, below));
        listed->bits[i / 8] = (unsigned char)_mm256_movemask_ps(is_listed);
    }
    end_listed(listed, count);
}

/* ---- comparing bfloat16 ---- */

INLINE __m256 even_bf16(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
}

INLINE __m256 odd_bf16(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000U)));
}

/* What is known of codes: the same code is the same number and another code another number, but for zeros, which have two
 * and no sign that could flip, and NaNs, of which none is the same as any. */
typedef struct Codes {
    __m256i equal;     /* how many, in each of sixteen lanes */
    uint64_t flips;    /* of signs */
    bool may_mislead;  /* a zero stands near a sign that flips: elsewhere it has one sign only */
    __m256i to_listed; /* what takes the upper half of a key that may be listed to 2^15, or beyond */
} Codes;

INLINE Codes codes_of_none(uint32_t least) {
    int upper = (int)(clamp_least(least) >> 16);
    return (Codes){.equal = _mm256_setzero_si256(), .to_listed = _mm256_set1_epi16((short)(0x8000 - upper))};
}

/* Of sixteen elements, in the sign of each. */
typedef struct Signs {
    __m256i listed; /* may be, by the upper half of its key */
    __m256i flipped;
} Signs;

/* Sixteen elements of both sides, which go to `sft` and `base` split. */
INLINE Signs compare_sixteen(Codes *codes, __m256i s, __m256i b, float *sft, float *base) {
    __m256 even_sft = even_bf16(s), odd_sft = odd_bf16(s), even_base = even_bf16(b), odd_base = odd_bf16(b);
    _mm256_storeu_ps(sft, even_sft);
    _mm256_storeu_ps(sft + 8, odd_sft);
    _mm256_storeu_ps(base, even_base);
    _mm256_storeu_ps(base + 8, odd_base);
    codes->equal = _mm256_sub_epi16(codes->equal, _mm256_cmpeq_epi16(s, b));
    __m256i even = _mm256_castps_si256(_mm256_sub_ps(even_sft, even_base));
    __m256i odd = _mm256_castps_si256(_mm256_sub_ps(odd_sft, odd_base));
    __m256i upper = _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
    __m256i key = _mm256_and_si256(upper, _mm256_set1_epi16(0x7fff));
    return (Signs){_mm256_add_epi16(key, codes->to_listed), _mm256_xor_si256(s, b)};
}

/* The signs of sixteen and sixteen more, a bit each: in order, or as packing leaves them, which takes 64 bits of one and of
 * the other in turn. */
INLINE uint32_t signs_in_turn(__m256i first, __m256i second) {
    return (uint32_t)_mm256_movemask_epi8(_mm256_packs_epi16(first, second));
}

INLINE uint32_t signs_in_order(__m256i first, __m256i second) {
    enum { ORDER = 0xd8 };
    return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), ORDER));
}

INLINE bool have_zero(__m256i s, __m256i b) {
    __m256i least = _mm256_min_epu16(_mm256_add_epi16(s, s), _mm256_add_epi16(b, b));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi16(least, _mm256_setzero_si256())) != 0;
}

INLINE __m256i load_sixteen(const unsigned char *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

INLINE void compare_codes(Codes *codes, const unsigned char *s, const unsigned char *b, size_t count,
                          float *sft, float *base, Listed *listed) {
    for (size_t i = 0; i < count; i += 32) {
        __m256i zero = _mm256_setzero_si256(), s1 = load_sixteen(s + 2 * i), b1 = load_sixteen(b + 2 * i);
        Signs first = compare_sixteen(codes, s1, b1, sft + i, base + i), second = {zero, zero};
        if (i + 16 < count)
            second = compare_sixteen(codes, load_sixteen(s + 2 * i + 32), load_sixteen(b + 2 * i + 32),
                                     sft + i + 16, base + i + 16);
        uint32_t bits = signs_in_order(first.listed, second.listed);
        memcpy(listed->bits + i / 8, &bits, sizeof bits);
        uint32_t flipped = signs_in_turn(first.flipped, second.flipped);
        codes->flips += (uint64_t)__builtin_popcount(flipped);
        if (flipped != 0) {
            codes->may_mislead = codes->may_mislead || have_zero(s1, b1);
            if (i + 16 < count)
                codes->may_mislead = codes->may_mislead ||
                                     have_zero(load_sixteen(s + 2 * i + 32), load_sixteen(b + 2 * i + 32));
        }
    }
    end_listed(listed, count);
}

INLINE uint64_t add_sixteens(__m256i counts) {
    uint16_t lanes[16];
    uint64_t sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lanes, counts);
    for (size_t l = 0; l < 16; l++) sum += lanes[l];
    return sum;
}

/* Whether every element was, as kernels_is_finite() has it. */
INLINE bool are_finite(const KernelDrift *drift) {
    __m256d sum = _mm256_setzero_pd();
    for (size_t l = 0; l < KERNELS_DRIFT_LANES; l += 4) {
        sum = _mm256_add_pd(sum, _mm256_loadu_pd(drift->base_squares.lanes + l));
        sum = _mm256_add_pd(sum, _mm256_loadu_pd(drift->squares.lanes + l));
    }
    __m256d none = _mm256_sub_pd(sum, sum); /* NaN for an infinity too */
    return _mm256_movemask_pd(_mm256_cmp_pd(none, none, _CMP_UNORD_Q)) == 0;
}

INLINE void count_codes(const Codes *codes, size_t count, KernelDrift *drift) {
    drift->changed += count - add_sixteens(codes->equal);
    drift->sign_flips += codes->flips;
}

/* ---- all of it ---- */

/* Where element i of a block lies. */
INLINE size_t place_of(bool is_split, size_t i) {
    return is_split ? i / 16 * 16 + i % 2 * 8 + i % 16 / 2 : i;
}

/* Where the bits are. How many a word has cannot be foretold, and a wrong guess of the processor costs more than a few
 * places too many, which the next ones overwrite. */
INLINE size_t list_places(const Listed *listed, size_t count, uint16_t *places) {
    size_t found = 0;
    for (size_t first = 0; first < count; first += WORD) {
        uint64_t left;
        memcpy(&left, listed->bits + first / 8, sizeof left);
        size_t end = found + (size_t)__builtin_popcountll(left);
        do {
#pragma GCC unroll 4
            for (size_t k = 0; k < GUESS; k++) {
                size_t at = (size_t)__builtin_ctzll(left | UINT64_C(1) << (WORD - 1));
                places[found + k] = (uint16_t)(first + at);
                left &= left - 1;
            }
            found += GUESS;
        } while (found < end);
        found = end;
    }
    return found;
}

/* |Δ| of those whose key is `least` or more, in order. Where the halves of keys that were compared tell, they are not asked
 * again. */
INLINE size_t list_sizes(const Floats *floats, const Listed *listed, size_t count, uint32_t least,
                         double *sizes) {
    uint16_t places[BLOCK + GUESS];
    size_t places_count = list_places(listed, count, places), found = 0;
    for (size_t i = 0; i < places_count; i++) {
        size_t at = place_of(floats->is_split, places[i]);
        sizes[i] = fabs(load_one(floats->sft, at) - load_one(floats->base, at));
    }
    if ((least & 0xffffU) == 0) return places_count;
    for (size_t i = 0; i < places_count; i++) {
        double size = sizes[i];
        sizes[found] = size;
        found += kernels_to_bits((float)size) >= least;
    }
    return found;
}

static size_t drift_bf16(const unsigned char *s, const unsigned char *b, size_t count, uint32_t least,
                         KernelDrift *drift, double *sizes) {
    ALIGNED float sft[BLOCK], base[BLOCK];
    const Floats floats = {(const void *)sft, (const void *)base, true};
    Listed listed;
    Codes codes = codes_of_none(least);
    compare_codes(&codes, s, b, count, sft, base, &listed);
    add_up(&floats, count, (Ahead){s + 2 * AHEAD, b + 2 * AHEAD, 2}, drift);
    if (codes.may_mislead || !are_finite(drift)) /* a NaN, of these or of earlier ones */
        count_numbers(&floats, count, drift);
    else
        count_codes(&codes, count, drift);
    return list_sizes(&floats, &listed, count, least, sizes);
}

static size_t drift_floats(const Floats *floats, size_t count, uint32_t least, Ahead ahead,
                           KernelDrift *drift, double *sizes) {
    Listed listed;
    count_numbers(floats, count, drift);
    list_numbers(floats, count, least, &listed);
    add_up(floats, count, ahead, drift);
    return list_sizes(floats, &listed, count, least, sizes);
}

static size_t drift_f32(const unsigned char *s, const unsigned char *b, size_t count, uint32_t least,
                        KernelDrift *drift, double *sizes) {
    const Floats floats = {s, b, false};
    return drift_floats(&floats, count, least, (Ahead){s + 4 * AHEAD, b + 4 * AHEAD, 4}, drift, sizes);
}

static size_t drift_block(const KernelRow *row, size_t first, size_t count, uint32_t least,
                          KernelDrift *drift, double *sizes) {
    const unsigned char *s = row->sft, *b = row->base;
    s += first * dtype_size(row->sft_dtype);
    b += first * dtype_size(row->base_dtype);
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_BF16)
        return drift_bf16(s, b, count, least, drift, sizes);
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_F32)
        return drift_f32(s, b, count, least, drift, sizes);
    ALIGNED float sft[BLOCK], base[BLOCK];
    const Floats floats = {(const void *)sft, (const void *)base, false};
    kernels_widen(row->sft_dtype, s, count, sft);
    kernels_widen(row->base_dtype, b, count, base);
    return drift_floats(&floats, count, least, (Ahead){s, b, 0}, drift, sizes);
}

size_t kernels_variant_drift_vectors(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                                     double *sizes, size_t *listed) {
    size_t whole = count - count % KERNELS_DRIFT_LANES;
    *listed = 0;
    for (size_t at = 0; at < whole; at += BLOCK) {
        size_t part = whole - at < BLOCK ? whole - at : BLOCK;
        *listed += drift_block(row, at, part, least, drift, sizes + *listed);
    }
    return whole;
}

#endif
