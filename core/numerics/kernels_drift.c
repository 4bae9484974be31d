/*
 * The kernels of drift in one variant: plain C over widened chunks for any types, and for two sides of one
 * common type, where there are vectors of doubles, two loops over the stored elements: one that compares them
 * as they are stored, and one for each part of the lanes that keeps all its sums in registers.
 */
#include "core/numerics/kernels_internal.h"

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

/* sum + a · b. The product of two float32 is exact in double, so one rounding or two are the same. */
INLINE double add_exact(double sum, double a, double b) {
#if defined(__FMA__)
    return fma(a, b, sum);
#else
    return sum + a * b;
#endif
}

/* One group of up to DRIFT_LANES elements; with n = DRIFT_LANES the compiler sees whole vectors. */
#define DRIFT_SUMS(n)                                                                                        \
    for (size_t l = 0; l < (n); l++) {                                                                       \
        double sft = s[i + l], base = b[i + l], difference = sft - base, square = difference * difference;   \
        ss.lanes[l] = add_exact(ss.lanes[l], sft, sft);                                                      \
        bb.lanes[l] = add_exact(bb.lanes[l], base, base);                                                    \
        sb.lanes[l] = add_exact(sb.lanes[l], sft, base);                                                     \
        d1.lanes[l] += difference;                                                                           \
        d2.lanes[l] += square;                                                                               \
        d3.lanes[l] += square * difference;                                                                  \
        d4.lanes[l] += square * square;                                                                      \
    }

INLINE void drift_sums(const float *restrict s, const float *restrict b, size_t count, KernelDrift *drift) {
    KernelSum ss = drift->sft_squares, bb = drift->base_squares, sb = drift->products;
    KernelSum d1 = drift->differences, d2 = drift->squares, d3 = drift->cubes, d4 = drift->fourths;
    size_t i = 0;
    for (; i + DRIFT_LANES <= count; i += DRIFT_LANES) DRIFT_SUMS(DRIFT_LANES)
    DRIFT_SUMS(count - i)
    drift->sft_squares = ss;
    drift->base_squares = bb;
    drift->products = sb;
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

#if !defined(__AVX2__)

size_t kernels_variant_drift(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                             double *sizes) {
    return drift_any(row, 0, count, least, drift, sizes);
}

#else

/* ---- one type: sums ----
 *
 * Widening to double costs as much as all that is done with the doubles, so it takes no more than a conversion: of
 * bfloat16 every other element is a word with its neighbour shifted out or masked off. A part of the lanes is as many
 * as fill one register, and so many are taken at once that their seven sums and what they come from fit the registers. The
 * bits are those of the loops above. */

#if defined(__AVX512F__)
enum { PARTS = 2, PART_LANES = 8, AT_ONCE = 2 };
typedef __m512d Doubles;
typedef __m256 Floats;
#define doubles_of(floats)       _mm512_cvtps_pd(floats)
#define doubles_load(from)       _mm512_loadu_pd(from)
#define doubles_store(to, v)     _mm512_storeu_pd(to, v)
#define doubles_spread(x)        _mm512_set1_pd(x)
#define doubles_add(a, b)        _mm512_add_pd(a, b)
#define doubles_subtract(a, b)   _mm512_sub_pd(a, b)
#define doubles_multiply(a, b)   _mm512_mul_pd(a, b)
#define doubles_fused(a, b, sum) _mm512_fmadd_pd(a, b, sum)
#else
enum { PARTS = 4, PART_LANES = 4, AT_ONCE = 1 };
typedef __m256d Doubles;
typedef __m128 Floats;
#define doubles_of(floats)       _mm256_cvtps_pd(floats)
#define doubles_load(from)       _mm256_loadu_pd(from)
#define doubles_store(to, v)     _mm256_storeu_pd(to, v)
#define doubles_spread(x)        _mm256_set1_pd(x)
#define doubles_add(a, b)        _mm256_add_pd(a, b)
#define doubles_subtract(a, b)   _mm256_sub_pd(a, b)
#define doubles_multiply(a, b)   _mm256_mul_pd(a, b)
#define doubles_fused(a, b, sum) _mm256_fmadd_pd(a, b, sum)
#endif

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

INLINE Floats load_part(Stored stored, const unsigned char *sixteen, size_t part) {
    const void *from =
        sixteen + (stored.dtype == DTYPE_BF16 ? part / 2 * 2 : part) * PART_LANES * stored.size;
#if defined(__AVX512F__)
    if (stored.dtype == DTYPE_F32) return _mm256_loadu_ps(from);
    if (stored.dtype == DTYPE_F16) return _mm256_cvtph_ps(_mm_loadu_si128(from));
    __m256i pairs = _mm256_loadu_si256(from);
    return _mm256_castsi256_ps(part % 2 == 0 ? _mm256_slli_epi32(pairs, 16)
                                             : _mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000U)));
#else
    if (stored.dtype == DTYPE_F32) return _mm_loadu_ps(from);
    if (stored.dtype == DTYPE_F16) return _mm_cvtph_ps(_mm_loadl_epi64(from));
    __m128i pairs = _mm_loadu_si128(from);
    return _mm_castsi128_ps(part % 2 == 0 ? _mm_slli_epi32(pairs, 16)
                                          : _mm_and_si128(pairs, _mm_set1_epi32((int)0xffff0000U)));
#endif
}

INLINE Doubles load_lanes(const KernelSum *sum, size_t first, size_t step) {
    double lanes[PART_LANES];
    for (size_t l = 0; l < PART_LANES; l++) lanes[l] = sum->lanes[first + l * step];
    return doubles_load(lanes);
}

INLINE void store_lanes(Doubles values, KernelSum *sum, size_t first, size_t step) {
    double lanes[PART_LANES];
    doubles_store(lanes, values);
    for (size_t l = 0; l < PART_LANES; l++) sum->lanes[first + l * step] = lanes[l];
}

/* The sums of some lanes, in registers. */
typedef struct Sums {
    Doubles ss, bb, sb, d1, d2, d3, d4;
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
INLINE void add_up(Sums *sums, Doubles sft, Doubles base) {
    Doubles difference = doubles_subtract(sft, base), square = doubles_multiply(difference, difference);
    /* the product of two float32 is exact in double, so rounding once or twice is the same */
    sums->ss = doubles_fused(sft, sft, sums->ss);
    sums->bb = doubles_fused(base, base, sums->bb);
    sums->sb = doubles_fused(sft, base, sums->sb);
    sums->d1 = doubles_fused(difference, doubles_spread(1.0), sums->d1);
    sums->d2 = doubles_add(sums->d2, square);
    sums->d3 = doubles_add(sums->d3, doubles_multiply(square, difference));
    sums->d4 = doubles_add(sums->d4, doubles_multiply(square, square));
}

/* ---- one type: comparing ---- */

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
    if (stored.dtype == DTYPE_F16) return _mm256_cvtph_ps(codes);
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
    if (stored.dtype == DTYPE_F16) return dtype_widen_one(DTYPE_F16, from);
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

/* ---- one type: all of it ---- */

/* Parts [first, first + AT_ONCE), and with the first ones, where `codes` is not NULL, the codes. `count` is a multiple of
 * 16. The next chunk mostly lies behind this one: it is fetched meanwhile. */
INLINE void sum_parts(Stored stored, size_t first, const KernelRow *row, size_t count, __m256i below,
                      KernelDrift *drift, Codes *codes, Listed *listed) {
    const unsigned char *s = row->sft, *b = row->base;
    Sums sums[AT_ONCE];
    Codes found = codes_of_none();
    for (size_t p = 0; p < AT_ONCE; p++) sums[p] = load_sums(stored, first + p, drift);
    for (size_t i = 0; i < count; i += 16) {
        size_t ahead = (i + KERNELS_DRIFT_CHUNK) * stored.size;
        if (first == 0) __builtin_prefetch(s + ahead);
        if (first + AT_ONCE == PARTS) __builtin_prefetch(b + ahead);
        for (size_t p = 0; p < AT_ONCE; p++)
            add_up(&sums[p], doubles_of(load_part(stored, s + i * stored.size, first + p)),
                   doubles_of(load_part(stored, b + i * stored.size, first + p)));
        if (codes != NULL) compare_codes(&found, row, i, below, listed);
    }
    for (size_t p = 0; p < AT_ONCE; p++) store_sums(stored, first + p, &sums[p], drift);
    if (codes != NULL) *codes = found;
}

INLINE size_t drift_stored(Stored stored, const KernelRow *row, size_t count, uint32_t least,
                           KernelDrift *drift, double *sizes) {
    bool has_codes = stored.dtype == DTYPE_BF16;
    Listed listed = {0};
    Codes codes = codes_of_none();
    __m256i below = _mm256_set1_epi32((int)least - 1); /* keys are not negative */
    for (size_t i = 0; i < count && has_codes && AT_ONCE < PARTS; i += 16)
        compare_codes(&codes, row, i, below, &listed); /* registers do not suffice for both */
    for (size_t part = 0; part < PARTS; part += AT_ONCE)
        sum_parts(stored, part, row, count, below, drift, has_codes && AT_ONCE == PARTS ? &codes : NULL,
                  &listed);
    if (!has_codes || !count_codes(&codes, count, drift))
        compare_numbers(stored, row, count, below, drift, &listed);
    return list_sizes(stored, row, count, &listed, sizes);
}

static size_t drift_bf16(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                         double *sizes) {
    return drift_stored((Stored){DTYPE_BF16, 2}, row, count, least, drift, sizes);
}

static size_t drift_f16(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                        double *sizes) {
    return drift_stored((Stored){DTYPE_F16, 2}, row, count, least, drift, sizes);
}

static size_t drift_f32(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                        double *sizes) {
    return drift_stored((Stored){DTYPE_F32, 4}, row, count, least, drift, sizes);
}

size_t kernels_variant_drift(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                             double *sizes) {
    size_t even = count - count % 16, listed;
    if (row->sft_dtype != row->base_dtype) even = 0;
    if (row->sft_dtype == DTYPE_BF16)
        listed = drift_bf16(row, even, least, drift, sizes);
    else if (row->sft_dtype == DTYPE_F16)
        listed = drift_f16(row, even, least, drift, sizes);
    else if (row->sft_dtype == DTYPE_F32)
        listed = drift_f32(row, even, least, drift, sizes);
    else
        listed = even = 0;
    if (even < count) listed += drift_any(row, even, count - even, least, drift, sizes + listed);
    return listed;
}

#endif
