/*
 * Drift with vectors, thirty-two elements at a time; the bits are those of kernels_drift.c.
 *
 * A block of elements is gone over twice. The first time it is widened to float32 in memory near at hand, and compared, by
 * its bits: bfloat16 as it is stored. The second time it is converted to double on the way from there, which costs half of what
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
    TOGETHER = 2,                /* groups whose sums the registers hold */
    STRETCH = 2 * KERNELS_WIDTH, /* elements whose even ones lie before the odd ones, where they are split */
    ROUNDS = STRETCH / KERNELS_DRIFT_LANES,
    STEP = 32 /* elements that are compared together */
};

#define ALIGNED _Alignas(KERNELS_LINE)

/* Elements of a block as float32, at any address, for files have them at any: in order, or split, which is cheaper to make of
 * bfloat16: of each STRETCH first those at even places, then the others. */
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

/* Where the r-th of the groups of a stretch lies that go to the lanes of group g. */
INLINE size_t place_of_group(bool is_split, size_t g, size_t r) {
    return is_split ? (g * ROUNDS + r) * GROUP : r * KERNELS_DRIFT_LANES + g * GROUP;
}

INLINE void add_groups(const Floats *floats, size_t first, size_t count, Ahead ahead, KernelDrift *drift) {
    const bool is_split = floats->is_split;
    Sums sums[TOGETHER];
#pragma GCC unroll 4
    for (size_t g = 0; g < TOGETHER; g++) sums[g] = load_sums(drift, lanes_of(is_split, first + g));
    const unsigned char *next = first == 0 ? ahead.sft : ahead.base;
    for (size_t i = 0; i < count; i += STRETCH) {
#pragma GCC unroll 4
        for (size_t r = 0; r < ROUNDS; r++) {
            size_t fetched = (i + r * KERNELS_DRIFT_LANES) * ahead.size;
            __builtin_prefetch(next + fetched);
            if (GROUPS == TOGETHER) __builtin_prefetch(ahead.base + fetched);
#pragma GCC unroll 4
            for (size_t g = 0; g < TOGETHER; g++)
                add_group(&sums[g], floats, i + place_of_group(is_split, first + g, r));
        }
    }
#pragma GCC unroll 4
    for (size_t g = 0; g < TOGETHER; g++) store_sums(&sums[g], drift, lanes_of(is_split, first + g));
}

INLINE void add_up(const Floats *floats, size_t count, Ahead ahead, KernelDrift *drift) {
    for (size_t first = 0; first < GROUPS; first += TOGETHER) add_groups(floats, first, count, ahead, drift);
}

/* Where Δ = 0 throughout: only Σb² grows. */
INLINE void add_up_base(const Floats *floats, size_t count, Ahead ahead, KernelDrift *drift) {
    const bool is_split = floats->is_split;
    Doubles sums[GROUPS];
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++) sums[g] = load_lanes(&drift->base_squares, lanes_of(is_split, g));
    for (size_t i = 0; i < count; i += STRETCH) {
#pragma GCC unroll 4
        for (size_t r = 0; r < ROUNDS; r++) {
            size_t fetched = (i + r * KERNELS_DRIFT_LANES) * ahead.size;
            __builtin_prefetch(ahead.sft + fetched);
            __builtin_prefetch(ahead.base + fetched);
#pragma GCC unroll 4
            for (size_t g = 0; g < GROUPS; g++) {
                Doubles base = load_group(floats->base, i + place_of_group(is_split, g, r));
                sums[g] = doubles_multiply_add(base, base, sums[g]);
            }
        }
    }
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++) store_lanes(sums[g], &drift->base_squares, lanes_of(is_split, g));
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
static void count_numbers(const Floats *floats, size_t count, KernelDrift *drift) {
    for (size_t i = 0; i < count; i += 8) {
        __m256 sft = load_eight(floats->sft, i), base = load_eight(floats->base, i);
        drift->changed += bits_set(_mm256_cmp_ps(sft, base, _CMP_NEQ_UQ));
        drift->sign_flips += bits_set(has_flipped(sft, base));
    }
}

/* What the bits of elements tell: the same are the same number and others another, but for zeros, which have two and no sign
 * that could flip, and NaNs, of which none is the same as any. */
typedef struct Counts {
    uint64_t equal, flips; /* flips: of signs */
    bool may_mislead;      /* a zero stands near a sign that flips: elsewhere it has one sign only */
} Counts;

INLINE uint64_t add_eights(__m256i counts) {
    uint32_t lanes[8];
    uint64_t sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lanes, counts);
    for (size_t l = 0; l < 8; l++) sum += lanes[l];
    return sum;
}

INLINE bool have_zero(__m256 s, __m256 b) {
    __m256 zero = _mm256_setzero_ps();
    return _mm256_movemask_ps(
               _mm256_or_ps(_mm256_cmp_ps(s, zero, _CMP_EQ_OQ), _mm256_cmp_ps(b, zero, _CMP_EQ_OQ))) != 0;
}

INLINE Counts compare_numbers(const Floats *floats, size_t count, uint32_t least, Listed *listed) {
    __m256i below = _mm256_set1_epi32((int)clamp_least(least) - 1), size = _mm256_set1_epi32(0x7fffffff);
    __m256i equal = _mm256_setzero_si256();
    Counts counts = {0};
    for (size_t i = 0; i < count; i += 8) {
        __m256 sft = load_eight(floats->sft, i), base = load_eight(floats->base, i);
        __m256i key = _mm256_and_si256(_mm256_castps_si256(_mm256_sub_ps(sft, base)), size);
        __m256 is_listed = _mm256_castsi256_ps(_mm256_cmpgt_epi32(key, below));
        listed->bits[i / 8] = (unsigned char)_mm256_movemask_ps(is_listed);
        __m256i is_equal = _mm256_cmpeq_epi32(_mm256_castps_si256(sft), _mm256_castps_si256(base));
        equal = _mm256_sub_epi32(equal, is_equal);
        uint32_t flipped = (uint32_t)_mm256_movemask_ps(_mm256_xor_ps(sft, base));
        counts.flips += (uint64_t)__builtin_popcount(flipped);
        if (flipped != 0) counts.may_mislead = counts.may_mislead || have_zero(sft, base);
    }
    end_listed(listed, count);
    counts.equal = add_eights(equal);
    return counts;
}

/* ---- comparing bfloat16 ---- */

/* The least upper half of a key that may be listed; two numbers of bfloat16 that differ, differ by 2^-133, whose is 1. */
INLINE uint32_t least_upper(uint32_t least) {
    return least > 0 && least < 0x10000U ? 1 : clamp_least(least) >> 16;
}

INLINE __m256i load_sixteen(const unsigned char *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

INLINE bool have_zero_code(const unsigned char *s, const unsigned char *b) {
    __m256i codes = load_sixteen(s), others = load_sixteen(b);
    __m256i least = _mm256_min_epu16(_mm256_add_epi16(codes, codes), _mm256_add_epi16(others, others));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi16(least, _mm256_setzero_si256())) != 0;
}

/* Thirty-two elements of both sides, a bit each. */
typedef struct Compared {
    uint32_t listed, flipped; /* listed: may be, by the upper half of the key */
} Compared;

#if defined(__AVX512F__)

typedef uint64_t Equal; /* how many are */
#define equal_none()     0
#define equal_sum(equal) (equal)

/* The codes go to `sft` and `base` split. */
INLINE Compared compare_step(const unsigned char *sft_codes, const unsigned char *base_codes, uint32_t least,
                             float *sft, float *base, Equal *equal) {
    const __m512i odd_places = _mm512_set1_epi32((int)0xffff0000U);
    const __m512i bound = _mm512_set1_epi16((short)(least_upper(least) << 1));
    __m512i s = _mm512_loadu_si512(sft_codes), b = _mm512_loadu_si512(base_codes);
    __m512 even_sft = _mm512_castsi512_ps(_mm512_slli_epi32(s, 16));
    __m512 even_base = _mm512_castsi512_ps(_mm512_slli_epi32(b, 16));
    __m512 odd_sft = _mm512_castsi512_ps(_mm512_and_si512(s, odd_places));
    __m512 odd_base = _mm512_castsi512_ps(_mm512_and_si512(b, odd_places));
    _mm512_storeu_ps(sft, even_sft);
    _mm512_storeu_ps(sft + 16, odd_sft);
    _mm512_storeu_ps(base, even_base);
    _mm512_storeu_ps(base + 16, odd_base);
    *equal += (uint64_t)__builtin_popcount(_mm512_cmpeq_epi16_mask(s, b));
    __m512i even = _mm512_castps_si512(_mm512_sub_ps(even_sft, even_base));
    __m512i odd = _mm512_castps_si512(_mm512_sub_ps(odd_sft, odd_base));
    __m512i upper = _mm512_mask_blend_epi16(0xaaaaaaaaU, _mm512_srli_epi32(even, 16), odd);
    return (Compared){
        _mm512_cmpge_epu16_mask(_mm512_add_epi16(upper, upper), bound), /* without their signs */
        _mm512_movepi16_mask(_mm512_xor_si512(s, b))};
}

#else

typedef __m256i Equal; /* how many are, in each of sixteen lanes */
#define equal_none()     _mm256_setzero_si256()
#define equal_sum(equal) add_eights(_mm256_madd_epi16(equal, _mm256_set1_epi16(1)))

INLINE __m256 even_bf16(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
}

INLINE __m256 odd_bf16(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000U)));
}

/* Sixteen elements of both sides, which go to `sft` and `base` split. Returns the upper halves of their keys, of which those
 * that may be listed become 2^15 or more. */
INLINE __m256i compare_sixteen(__m256i s, __m256i b, uint32_t least, float *sft, float *base, Equal *equal) {
    const __m256i to_listed = _mm256_set1_epi16((short)(0x8000U - least_upper(least)));
    __m256 even_sft = even_bf16(s), odd_sft = odd_bf16(s), even_base = even_bf16(b), odd_base = odd_bf16(b);
    _mm256_storeu_ps(sft, even_sft);
    _mm256_storeu_ps(sft + 8, odd_sft);
    _mm256_storeu_ps(base, even_base);
    _mm256_storeu_ps(base + 8, odd_base);
    *equal = _mm256_sub_epi16(*equal, _mm256_cmpeq_epi16(s, b));
    __m256i even = _mm256_castps_si256(_mm256_sub_ps(even_sft, even_base));
    __m256i odd = _mm256_castps_si256(_mm256_sub_ps(odd_sft, odd_base));
    __m256i upper = _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
    return _mm256_add_epi16(_mm256_and_si256(upper, _mm256_set1_epi16(0x7fff)), to_listed);
}

/* The signs of sixteen and sixteen more, a bit each: packing takes 64 bits of one and of the other in turn, which does not
 * matter to those that are only counted. */
INLINE Compared compare_step(const unsigned char *sft_codes, const unsigned char *base_codes, uint32_t least,
                             float *sft, float *base, Equal *equal) {
    enum { ORDER = 0xd8 };
    __m256i s = load_sixteen(sft_codes), b = load_sixteen(base_codes);
    __m256i s2 = load_sixteen(sft_codes + 32), b2 = load_sixteen(base_codes + 32);
    __m256i first = compare_sixteen(s, b, least, sft, base, equal);
    __m256i second = compare_sixteen(s2, b2, least, sft + 16, base + 16, equal);
    __m256i listed = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), ORDER);
    __m256i flipped = _mm256_packs_epi16(_mm256_xor_si256(s, b), _mm256_xor_si256(s2, b2));
    return (Compared){(uint32_t)_mm256_movemask_epi8(listed), (uint32_t)_mm256_movemask_epi8(flipped)};
}

#endif

INLINE Counts compare_codes(const unsigned char *s, const unsigned char *b, size_t count, uint32_t least,
                            float *sft, float *base, Listed *listed) {
    Counts counts = {0};
    Equal equal = equal_none();
    for (size_t i = 0; i < count; i += STEP) {
        const unsigned char *from = s + 2 * i, *other = b + 2 * i;
        Compared compared = compare_step(from, other, least, sft + i, base + i, &equal);
        memcpy(listed->bits + i / 8, &compared.listed, sizeof compared.listed);
        counts.flips += (uint64_t)__builtin_popcount(compared.flipped);
        if (compared.flipped != 0 && !counts.may_mislead)
            counts.may_mislead = have_zero_code(from, other) || have_zero_code(from + 32, other + 32);
    }
    end_listed(listed, count);
    counts.equal = equal_sum(equal);
    return counts;
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

/* ---- all of it ---- */

/* Where element i of a block lies. */
INLINE size_t place_of(bool is_split, size_t i) {
    return is_split ? i / STRETCH * STRETCH + i % 2 * (STRETCH / 2) + i % STRETCH / 2 : i;
}

/* Where the bits are. How many a word has cannot be foretold: a few places too many, which the next ones overwrite, cost less. */
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
static size_t list_sizes(const Floats *floats, const Listed *listed, size_t count, uint32_t least,
                         double *sizes) {
    uint16_t places[BLOCK + GUESS];
    size_t places_count = list_places(listed, count, places), found = 0;
    for (size_t i = 0; i < places_count; i++) {
        size_t at = place_of(floats->is_split, places[i]);
        sizes[i] = fabs(load_one(floats->sft, at) - load_one(floats->base, at));
    }
    if ((least & 0xffffU) == 0) return places_count;
    for (size_t i = 0; i < places_count; i++) {
        sizes[found] = sizes[i];
        found += kernels_to_bits((float)sizes[i]) >= least;
    }
    return found;
}

/* Adds up what was compared. Where a NaN may be, of these elements or of earlier ones, they are counted as numbers are. */
INLINE size_t finish(const Floats *floats, const Listed *listed, Counts counts, size_t count, uint32_t least,
                     Ahead ahead, KernelDrift *drift, double *sizes) {
    if (counts.equal == count && least > 0) {
        KernelDrift before = *drift;
        add_up_base(floats, count, ahead, drift);
        if (are_finite(drift)) return 0;
        *drift = before;
    }
    add_up(floats, count, ahead, drift);
    if (counts.may_mislead || !are_finite(drift)) {
        count_numbers(floats, count, drift);
    } else {
        drift->changed += count - counts.equal;
        drift->sign_flips += counts.flips;
    }
    return list_sizes(floats, listed, count, least, sizes);
}

static size_t drift_bf16(const unsigned char *s, const unsigned char *b, size_t count, uint32_t least,
                         KernelDrift *drift, double *sizes) {
    ALIGNED float sft[BLOCK], base[BLOCK];
    const Floats floats = {(const void *)sft, (const void *)base, true};
    Listed listed;
    Counts counts = compare_codes(s, b, count, least, sft, base, &listed);
    Ahead ahead = {s + 2 * AHEAD, b + 2 * AHEAD, 2};
    return finish(&floats, &listed, counts, count, least, ahead, drift, sizes);
}

static size_t drift_floats(const Floats *floats, size_t count, uint32_t least, Ahead ahead,
                           KernelDrift *drift, double *sizes) {
    Listed listed;
    Counts counts = compare_numbers(floats, count, least, &listed);
    return finish(floats, &listed, counts, count, least, ahead, drift, sizes);
}

static size_t drift_block(const KernelRow *row, size_t first, size_t count, uint32_t least,
                          KernelDrift *drift, double *sizes) {
    const unsigned char *s = row->sft, *b = row->base;
    s += first * dtype_size(row->sft_dtype);
    b += first * dtype_size(row->base_dtype);
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_BF16)
        return drift_bf16(s, b, count, least, drift, sizes);
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_F32)
        return drift_floats(&(Floats){s, b, false}, count, least, (Ahead){s + 4 * AHEAD, b + 4 * AHEAD, 4},
                            drift, sizes);
    ALIGNED float sft[BLOCK], base[BLOCK];
    const Floats floats = {(const void *)sft, (const void *)base, false};
    kernels_widen(row->sft_dtype, s, count, sft);
    kernels_widen(row->base_dtype, b, count, base);
    return drift_floats(&floats, count, least, (Ahead){s, b, 0}, drift, sizes);
}

size_t kernels_variant_drift_vectors(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                                     double *sizes, size_t *listed) {
    size_t whole = count - count % STEP;
    *listed = 0;
    for (size_t at = 0; at < whole; at += BLOCK) {
        size_t part = whole - at < BLOCK ? whole - at : BLOCK;
        *listed += drift_block(row, at, part, least, drift, sizes + *listed);
    }
    return whole;
}

#endif
