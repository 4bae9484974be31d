/*
 * kernels_variant — what the files share that CMake compiles once for each instruction set, with
 * -ffp-contract=off and KERNELS_VARIANT naming it. Only those include this.
 *
 * Their loops are plain C over whole lanes, which both compilers turn into vectors; where that is not enough,
 * intrinsics give the same bits.
 */
#ifndef REJUV_CORE_KERNELS_INTERNAL_H
#define REJUV_CORE_KERNELS_INTERNAL_H

#include "core/numerics/kernels.h"

#if defined(__F16C__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <string.h>

/* Specialised for what is constant at each call; not under the address sanitizer, where that makes minutes of checks. */
#if defined(__SANITIZE_ADDRESS__)
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif

#define STRINGIFY(x)     #x
#define NAME_OF(x)       STRINGIFY(x)
#define JOIN(a, b)       a##b
#define JOIN_NAMES(a, b) JOIN(a, b)

/* kernels_avx2, and so on: the table that kernels.c chooses from */
#define KERNELS_TABLE JOIN_NAMES(kernels_, KERNELS_VARIANT)
extern const Kernels KERNELS_TABLE;

/* ---- a vector of floats ---- */

#if defined(__AVX512F__)
typedef __m512 Vector;
#define vector_load(from)   _mm512_loadu_ps(from)
#define vector_store(to, v) _mm512_storeu_ps(to, v)
#define vector_spread(x)    _mm512_set1_ps(x)
#define vector_load_bf16(from)                                                                               \
    _mm512_castsi512_ps(                                                                                     \
        _mm512_maskz_permutexvar_epi16(0xaaaaaaaaU,                                                          \
                                       _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8,   \
                                                        0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0),  \
                                       _mm512_castsi256_si512(_mm256_loadu_si256((const void *)(from)))))
#define vector_fma(a, b, sum) _mm512_fmadd_ps(a, b, sum)
#define VECTOR_FMA_IS_FUSED   1
#elif defined(__AVX2__)
typedef __m256 Vector;
#define vector_load(from)   _mm256_loadu_ps(from)
#define vector_store(to, v) _mm256_storeu_ps(to, v)
#define vector_spread(x)    _mm256_set1_ps(x)
#define vector_load_bf16(from)                                                                               \
    _mm256_castsi256_ps(                                                                                     \
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(from))),              \
                            _mm256_setr_epi8(-1, -1, 0, 1, -1, -1, 2, 3, -1, -1, 4, 5, -1, -1, 6, 7, -1, -1, \
                                             8, 9, -1, -1, 10, 11, -1, -1, 12, 13, -1, -1, 14, 15)))
#define vector_fma(a, b, sum) _mm256_fmadd_ps(a, b, sum)
#define VECTOR_FMA_IS_FUSED   1
#elif defined(__aarch64__)
#include <arm_neon.h>
typedef float32x4_t Vector;
#define vector_load(from)   vld1q_f32(from)
#define vector_store(to, v) vst1q_f32(to, v)
#define vector_spread(x)    vdupq_n_f32(x)
#define vector_load_bf16(from)                                                                               \
    vreinterpretq_f32_u32(vshll_n_u16(vld1_u16((const uint16_t *)(const void *)(from)), 16))
#define vector_fma(a, b, sum) vfmaq_f32(sum, a, b)
#define VECTOR_FMA_IS_FUSED   1
#else
typedef float Vector __attribute__((vector_size(16)));
typedef float VectorAnywhere __attribute__((vector_size(16), aligned(4)));
#define vector_load(from)     (*(const VectorAnywhere *)(from))
#define vector_store(to, v)   (*(VectorAnywhere *)(to) = (v))
#define vector_spread(x)      ((Vector){x, x, x, x})
#define vector_fma(a, b, sum) ((a) * (b) + (sum)) /* two roundings: without the instruction fma() is a call */
#define VECTOR_FMA_IS_FUSED   0
#endif

/* ---- memory ---- */

enum { KERNELS_AHEAD = 4096 };

/* Asks for what lies KERNELS_AHEAD behind `bytes` from here on: rows follow one another, and where products stand between
 * loads the processor's own requests leave half of what memory could give. What does not exist is asked for without harm. */
INLINE void kernels_bring(const void *from, size_t bytes) {
    uintptr_t at = (uintptr_t)from + KERNELS_AHEAD;
    for (size_t i = 0; i < bytes; i += KERNELS_LINE) __builtin_prefetch((const void *)(at + i));
}

/* ---- widening: Kernels.widen ----
 *
 * Those files that call it have a copy each: neither needs the other's. It is not inline, for it loops itself. */

INLINE float kernels_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE uint32_t kernels_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* float32 → bfloat16: adding half of the last kept place, less one when that place is even, rounds to nearest
 * even with the carry running into the exponent, up to infinity. A NaN keeps its upper bits, and one at
 * least. */
INLINE uint16_t kernels_narrow_bf16(float value) {
    uint32_t bits = kernels_to_bits(value);
    uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
    uint32_t nan = bits >> 16 | ((bits & 0x7f0000U) == 0 ? 0x40U : 0U);
    return (uint16_t)((bits & 0x7fffffffU) > 0x7f800000U ? nan : rounded);
}

INLINE float kernels_load_bf16(const unsigned char *from, size_t i) {
    uint16_t half;
    memcpy(&half, from + 2 * i, sizeof half);
    return kernels_from_bits((uint32_t)half << 16);
}

static void kernels_widen_f16(const unsigned char *from, size_t count, float *to) {
    size_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(to + i,
                         _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(from + 2 * i))));
#endif
    for (; i < count; i++) to[i] = dtype_widen_one(DTYPE_F16, from + 2 * i);
}

/* 8 bits of 1-4-3: the fields move into place, and 120 is what the biases differ by; below 2^-6 the magnitude is a count of
 * 2^-9. Without branches, so that the compiler takes many at once. */
static void kernels_widen_e4m3(const unsigned char *from, size_t count, float *to) {
    for (size_t i = 0; i < count; i++) {
        uint32_t code = from[i], magnitude = code & 0x7fU, small;
        float counted = (float)(int32_t)magnitude * 0x1p-9F;
        memcpy(&small, &counted, sizeof small);
        uint32_t bits = magnitude < 8 ? small : (magnitude << 20) + (120U << 23);
        bits = magnitude == 0x7fU ? 0x7fc00000U : bits;
        to[i] = kernels_from_bits(bits | (code & 0x80U) << 24);
    }
}

/* 8 bits of 1-5-2 are the upper ones of an F16. */
static void kernels_widen_e5m2(const unsigned char *from, size_t count, float *to) {
    enum { PART = 256 };
    uint16_t halves[PART];
    for (size_t at = 0; at < count; at += PART) {
        size_t part = count - at < PART ? count - at : PART;
        for (size_t i = 0; i < part; i++) halves[i] = (uint16_t)(from[at + i] << 8);
        kernels_widen_f16((const unsigned char *)halves, part, to + at);
    }
}

__attribute__((unused)) static void kernels_widen(DType dtype, const void *from, size_t count, float *to) {
    const unsigned char *bytes = from;
    switch (dtype) {
    case DTYPE_F32:
        if (count > 0) memcpy(to, from, count * sizeof *to);
        break;
    case DTYPE_BF16:
        for (size_t i = 0; i < count; i++) to[i] = kernels_load_bf16(bytes, i);
        break;
    case DTYPE_F16:
        kernels_widen_f16(bytes, count, to);
        break;
    case DTYPE_F8_E4M3:
        kernels_widen_e4m3(bytes, count, to);
        break;
    case DTYPE_F8_E5M2:
        kernels_widen_e5m2(bytes, count, to);
        break;
    default: {
        size_t size = dtype_size(dtype);
        for (size_t i = 0; i < count; i++) to[i] = dtype_widen_one(dtype, bytes + i * size);
    }
    }
}

/* ---- kernels_drift.c: Kernels.drift and drift_keys; kernels_drift_part.c: drift_part, under names of this variant ---- */

#define kernels_variant_drift         JOIN_NAMES(kernels_drift_, KERNELS_VARIANT)
#define kernels_variant_drift_keys    JOIN_NAMES(kernels_drift_keys_, KERNELS_VARIANT)
#define kernels_variant_drift_part    JOIN_NAMES(kernels_drift_part_, KERNELS_VARIANT)
#define kernels_variant_drift_vectors JOIN_NAMES(kernels_drift_vectors_, KERNELS_VARIANT)

size_t kernels_variant_drift(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                             double *sizes);
/* kernels_drift_vectors.c: as Kernels.drift, for the first so many elements as it returns, a multiple of 32. */
size_t kernels_variant_drift_vectors(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift,
                                     double *sizes, size_t *listed);

void kernels_variant_drift_keys(const float *s, const float *b, size_t count, uint32_t *keys);

size_t kernels_variant_drift_part(double *sizes, size_t count, KernelBounds bounds, KernelParted *parted);

/* ---- kernels_exp.c: Kernels.exponentials, Kernels.silu and Kernels.silu_slopes ---- */

#define kernels_variant_exponentials JOIN_NAMES(kernels_exponentials_, KERNELS_VARIANT)
#define kernels_variant_silu         JOIN_NAMES(kernels_silu_, KERNELS_VARIANT)
#define kernels_variant_silu_slopes  JOIN_NAMES(kernels_silu_slopes_, KERNELS_VARIANT)

double kernels_variant_exponentials(const float *from, size_t count, float above, float scale, float *to);
void kernels_variant_silu(const float *from, size_t count, float *to);
void kernels_variant_silu_slopes(const float *restrict from, size_t count, float *restrict values,
                                 float *restrict slopes);

/* ---- kernels_pack.c: Kernels.fill_pack and Kernels.take_sums ---- */

#define kernels_variant_fill_pack JOIN_NAMES(kernels_fill_pack_, KERNELS_VARIANT)
#define kernels_variant_take_sums JOIN_NAMES(kernels_take_sums_, KERNELS_VARIANT)

void kernels_variant_fill_pack(const float *const *tokens, size_t token_count, size_t depth, size_t lanes,
                               float *pack);
void kernels_variant_take_sums(const float *sums, size_t rows, size_t tokens, size_t lanes, bool adds,
                               float *y, size_t stride);

/* ---- kernels_multiply.c: Kernels.multiply_pack ---- */

#define kernels_variant_multiply      JOIN_NAMES(kernels_multiply_, KERNELS_VARIANT)
#define kernels_variant_multiply_back JOIN_NAMES(kernels_multiply_back_, KERNELS_VARIANT)

void kernels_variant_multiply(const KernelPanel *panel, const float *pack, size_t tokens, bool adds,
                              float *sums);
void kernels_variant_multiply_back(const KernelPanel *panel, const float *pack, size_t tokens, bool adds,
                                   float *sums);

/* ---- kernels_rows.c: Kernels.multiply_rows ---- */

#define kernels_variant_multiply_rows JOIN_NAMES(kernels_multiply_rows_, KERNELS_VARIANT)

void kernels_variant_multiply_rows(const KernelRows *rows, const float *const *tokens, size_t token_count,
                                   bool adds, float *sums, size_t stride);

/* ---- kernels_low_rank.c: Kernels.low_rank, blend_low_rank and dot_low_rank ---- */

#define kernels_variant_low_rank       JOIN_NAMES(kernels_low_rank_, KERNELS_VARIANT)
#define kernels_variant_blend_low_rank JOIN_NAMES(kernels_blend_low_rank_, KERNELS_VARIANT)
#define kernels_variant_dot_low_rank   JOIN_NAMES(kernels_dot_low_rank_, KERNELS_VARIANT)

void kernels_variant_low_rank(const KernelFactors *factors, float scale, const KernelLines *lines,
                              size_t rows, size_t count);

void kernels_variant_blend_low_rank(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                                    size_t count, float *out, size_t stride);

void kernels_variant_dot_low_rank(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                                  size_t count, const float *x, const float *x_base, float *sums);

/* Floats of a vector, and tokens of a whole pack. */
#if defined(__AVX512F__)
enum { KERNELS_WIDTH = 16, KERNELS_PACK = 64 };
#elif defined(__AVX2__)
enum { KERNELS_WIDTH = 8, KERNELS_PACK = 16 };
#elif defined(__aarch64__)
enum { KERNELS_WIDTH = 4, KERNELS_PACK = 16 };
#else
enum { KERNELS_WIDTH = 4, KERNELS_PACK = 8 };
#endif
_Static_assert((int)KERNELS_PACK <= (int)KERNELS_MOST_PACK, "whoever fills a pack has room for it");

/* ---- kernels_band.c: Kernels.tridiagonalise ---- */

#define kernels_variant_tridiagonalise JOIN_NAMES(kernels_tridiagonalise_, KERNELS_VARIANT)

void kernels_variant_tridiagonalise(double *band, size_t order, size_t first, size_t end);

#endif
