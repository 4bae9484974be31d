/*
 * One variant of the kernels but for drift's, which are in kernels_drift.c.
 */
#include "core/numerics/kernels_internal.h"
#include "core/numerics/random.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 64, CHUNK = 1024 };

/* ---- one element ---- */

INLINE float load_f32(const unsigned char *from, size_t i) {
    float value;
    memcpy(&value, from + 4 * i, sizeof value);
    return value;
}

/* float32 → float16, to nearest even, subnormals included. */
INLINE uint16_t narrow_f16(float value) {
    uint32_t bits = kernels_to_bits(value), sign = bits >> 16 & 0x8000U, magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return (uint16_t)(sign | 0x7c00U | 0x200U | (magnitude >> 13 & 0x3ffU));
    if (magnitude >= 0x47800000U) return (uint16_t)(sign | 0x7c00U); /* 2^16 and more */
    if (magnitude < 0x38800000U) {                                   /* below 2^-14: subnormal or zero */
        /* adding 2^-1 · 2^… aligns the value so that float32's own rounding is the one wanted */
        float aligned = kernels_from_bits(magnitude) + 0.5F;
        return (uint16_t)(sign | (kernels_to_bits(aligned) - 0x3f000000U));
    }
    uint32_t rounded = magnitude + 0xfffU + (magnitude >> 13 & 1U);
    return (uint16_t)(sign | (rounded - 0x38000000U) >> 13);
}

/* ---- narrowing ---- */

static void narrow(const float *from, size_t count, DType dtype, void *to) {
    unsigned char *bytes = to;
    if (dtype == DTYPE_F32) {
        if (count > 0) memcpy(to, from, count * sizeof *from);
    } else if (dtype == DTYPE_BF16) {
        for (size_t i = 0; i < count; i++) {
            uint16_t half = kernels_narrow_bf16(from[i]);
            memcpy(bytes + 2 * i, &half, sizeof half);
        }
    } else if (dtype == DTYPE_F16) {
        for (size_t i = 0; i < count; i++) {
            uint16_t half = narrow_f16(from[i]);
            memcpy(bytes + 2 * i, &half, sizeof half);
        }
    }
}

/* ---- blending ---- */

INLINE float mix(float s, float b, float weight_sft, float weight_base) {
    return fmaf(weight_base, b, fmaf(weight_sft, s, 0.0F));
}

/* Both models in one type that loads cheaply: straight from the mapping. */
#define BLEND_SAME_TYPE(name, load)                                                                          \
    static void blend_##name(const KernelRow *row, size_t count, float *restrict out) {                      \
        const unsigned char *s = row->sft, *b = row->base;                                                   \
        float ws = row->weight_sft, wb = row->weight_base;                                                   \
        for (size_t i = 0; i < count; i++) out[i] = mix(load(s, i), load(b, i), ws, wb);                     \
    }

BLEND_SAME_TYPE(f32, load_f32)
BLEND_SAME_TYPE(bf16, kernels_load_bf16)

/* Any other types: widened through the cache a chunk at a time. */
static void blend_chunked(const KernelRow *row, size_t count, float *restrict out) {
    float widened[CHUNK];
    const unsigned char *s = row->sft, *b = row->base;
    size_t s_size = dtype_size(row->sft_dtype), b_size = dtype_size(row->base_dtype);
    float ws = row->weight_sft, wb = row->weight_base;
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        kernels_widen(row->sft_dtype, s + at * s_size, n, out + at);
        kernels_widen(row->base_dtype, b + at * b_size, n, widened);
        for (size_t i = 0; i < n; i++) out[at + i] = mix(out[at + i], widened[i], ws, wb);
    }
}

static void blend(const KernelRow *row, size_t count, float *out) {
    if (row->weight_base == 0.0F)
        kernels_widen(row->sft_dtype, row->sft, count, out);
    else if (row->weight_sft == 0.0F)
        kernels_widen(row->base_dtype, row->base, count, out);
    else if (row->sft_dtype != row->base_dtype)
        blend_chunked(row, count, out);
    else if (row->sft_dtype == DTYPE_BF16)
        blend_bf16(row, count, out);
    else if (row->sft_dtype == DTYPE_F32)
        blend_f32(row, count, out);
    else
        blend_chunked(row, count, out);
}

/* An element that may have weights of its own. A weight of 0 keeps the other side's bits: its NaN is not
 * asked for. */
INLINE float mix_marked(float s, float b, const KernelRow *row, const KernelMarked *marked, size_t i) {
    bool own = marked->marks[i] != 0;
    float ws = own ? marked->weight_sft : row->weight_sft, wb = own ? marked->weight_base : row->weight_base;
    float mixed = mix(s, b, ws, wb);
    return wb == 0.0F ? s : ws == 0.0F ? b : mixed;
}

/* The same where marked elements are base's and no other weight is 0: the usual reset, nearly at the speed of
 * none. */
INLINE float mix_or_base(float s, float b, const KernelRow *row, const KernelMarked *marked, size_t i) {
    float mixed = mix(s, b, row->weight_sft, row->weight_base);
    return marked->marks[i] != 0 ? b : mixed;
}

/* The same where no weight is 0. */
INLINE float mix_or_mix(float s, float b, const KernelRow *row, const KernelMarked *marked, size_t i) {
    bool own = marked->marks[i] != 0;
    return mix(s, b, own ? marked->weight_sft : row->weight_sft,
               own ? marked->weight_base : row->weight_base);
}

typedef enum MarkedCase { MARKED_ANY, MARKED_BASE, MARKED_MIX, MARKED_CASES } MarkedCase;

static MarkedCase find_case(const KernelRow *row, const KernelMarked *marked) {
    if (row->weight_sft == 0.0F || row->weight_base == 0.0F || marked->weight_base == 0.0F) return MARKED_ANY;
    return marked->weight_sft == 0.0F ? MARKED_BASE : MARKED_MIX;
}

#define BLEND_MARKED_LOOP(name, load, element)                                                               \
    static void blend_marked_##name(const KernelRow *row, const KernelMarked *marked, size_t count,          \
                                    float *restrict out) {                                                   \
        const unsigned char *s = row->sft, *b = row->base;                                                   \
        const KernelRow weights = *row;                                                                      \
        const KernelMarked own = *marked;                                                                    \
        for (size_t i = 0; i < count; i++) out[i] = element(load(s, i), load(b, i), &weights, &own, i);      \
    }

BLEND_MARKED_LOOP(any_f32, load_f32, mix_marked)
BLEND_MARKED_LOOP(any_bf16, kernels_load_bf16, mix_marked)
BLEND_MARKED_LOOP(base_f32, load_f32, mix_or_base)
BLEND_MARKED_LOOP(base_bf16, kernels_load_bf16, mix_or_base)
BLEND_MARKED_LOOP(mix_f32, load_f32, mix_or_mix)
BLEND_MARKED_LOOP(mix_bf16, kernels_load_bf16, mix_or_mix)

static void blend_marked_chunked(const KernelRow *row, const KernelMarked *marked, size_t count,
                                 float *restrict out) {
    float widened[CHUNK];
    const unsigned char *s = row->sft, *b = row->base;
    size_t s_size = dtype_size(row->sft_dtype), b_size = dtype_size(row->base_dtype);
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        kernels_widen(row->sft_dtype, s + at * s_size, n, out + at);
        kernels_widen(row->base_dtype, b + at * b_size, n, widened);
        for (size_t i = 0; i < n; i++) out[at + i] = mix_marked(out[at + i], widened[i], row, marked, at + i);
    }
}

static void blend_marked(const KernelRow *row, const KernelMarked *marked, size_t count, float *out) {
    typedef void (*Function)(const KernelRow *, const KernelMarked *, size_t, float *);
    static const Function F32[MARKED_CASES] = {blend_marked_any_f32, blend_marked_base_f32,
                                               blend_marked_mix_f32};
    static const Function BF16[MARKED_CASES] = {blend_marked_any_bf16, blend_marked_base_bf16,
                                                blend_marked_mix_bf16};
    Function function = blend_marked_chunked;
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_BF16)
        function = BF16[find_case(row, marked)];
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_F32)
        function = F32[find_case(row, marked)];
    function(row, marked, count, out);
}

/* ---- steps along random signs ---- */

/* The words of a key, read 64 bits at a time from anywhere within one. */
typedef struct SignReader {
    uint64_t key, index, word;
    unsigned offset;
} SignReader;

INLINE SignReader read_signs_from(uint64_t key, uint64_t first) {
    return (SignReader){key, first / 64, random_bits(key, first / 64), (unsigned)(first % 64)};
}

INLINE uint64_t read_signs(SignReader *reader) {
    uint64_t signs = reader->word >> reader->offset;
    reader->word = random_bits(reader->key, ++reader->index);
    return reader->offset == 0 ? signs : signs | reader->word << (64 - reader->offset);
}

/* ± size by bit l. */
INLINE float signed_size(uint32_t bits, size_t l, float size) {
    return kernels_from_bits((bits << (31 - l) & 0x80000000U) ^ kernels_to_bits(size));
}

/* 32 elements, by a bit each; where bits are masks as they are, a fifth of the time less. */
INLINE void step_lanes(float *values, const uint32_t *bits, const float *sizes, size_t steps) {
#if defined(__AVX512F__)
    for (size_t l = 0; l < 32; l += 16) {
        __m512 value = _mm512_loadu_ps(values + l);
        for (size_t s = 0; s < steps; s++)
            value =
                _mm512_add_ps(value, _mm512_mask_blend_ps((__mmask16)(bits[s] >> l), _mm512_set1_ps(sizes[s]),
                                                          _mm512_set1_ps(-sizes[s])));
        _mm512_storeu_ps(values + l, value);
    }
#else
    for (size_t l = 0; l < 32; l++) {
        float value = values[l];
        for (size_t s = 0; s < steps; s++) value += signed_size(bits[s], l, sizes[s]);
        values[l] = value;
    }
#endif
}

/* `step_count` is a constant where this is taken in. */
INLINE void step_all(const KernelStep *steps, size_t step_count, uint64_t first, size_t count,
                     float *values) {
    SignReader readers[KERNELS_STEPS_MOST];
    float sizes[KERNELS_STEPS_MOST];
    for (size_t s = 0; s < step_count; s++) {
        readers[s] = read_signs_from(steps[s].key, first);
        sizes[s] = steps[s].size;
    }
    for (size_t at = 0; at < count; at += 64) {
        uint64_t signs[KERNELS_STEPS_MOST];
        for (size_t s = 0; s < step_count; s++) signs[s] = read_signs(&readers[s]);
        for (size_t half = 0; half < 64 && at + half < count; half += 32) {
            uint32_t bits[KERNELS_STEPS_MOST];
            float *out = values + at + half;
            size_t rest = count - at - half;
            for (size_t s = 0; s < step_count; s++) bits[s] = (uint32_t)(signs[s] >> half);
            if (rest >= 32) {
                step_lanes(out, bits, sizes, step_count);
                continue;
            }
            for (size_t l = 0; l < rest; l++)
                for (size_t s = 0; s < step_count; s++) out[l] += signed_size(bits[s], l, sizes[s]);
        }
    }
}

static void step(const KernelStep *steps, size_t step_count, uint64_t first, size_t count, float *values) {
    if (step_count == 1) step_all(steps, 1, first, count, values);
    if (step_count == 2) step_all(steps, 2, first, count, values);
}

/* ---- dot products ---- */

/* Folds the lanes pairwise: 64 → 32 → … → 1. */
INLINE float fold(float *lanes) {
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

/* The shared loop of the fused dots: ELEMENT(i) is w[i], BRING(i) asks for what comes behind LANES of them. */
#define DOT_LOOP(ELEMENT, BRING)                                                                             \
    float lanes[LANES] = {0};                                                                                \
    size_t i = 0;                                                                                            \
    for (; i + LANES <= count; i += LANES) {                                                                 \
        BRING(i);                                                                                            \
        for (size_t l = 0; l < LANES; l++) lanes[l] = fmaf(ELEMENT(i + l), x[i + l], lanes[l]);              \
    }                                                                                                        \
    for (size_t l = 0; i + l < count; l++) lanes[l] = fmaf(ELEMENT(i + l), x[i + l], lanes[l]);              \
    return fold(lanes);

INLINE void bring_one(const unsigned char *from, size_t at, size_t size) {
    kernels_bring(from + at * size, LANES * size);
}

INLINE void bring_both(const unsigned char *s, const unsigned char *b, size_t at, size_t size) {
    bring_one(s, at, size);
    bring_one(b, at, size);
}

#define DOT_TYPES(name, load)                                                                                \
    static float dot_both_##name(const KernelRow *row, size_t count, const float *restrict x) {              \
        const unsigned char *s = row->sft, *b = row->base;                                                   \
        float ws = row->weight_sft, wb = row->weight_base;                                                   \
        DOT_LOOP(ELEMENT_BOTH_##name, BRING_BOTH_##name)                                                     \
    }                                                                                                        \
    static float dot_one_##name(const unsigned char *from, size_t count, const float *restrict x) {          \
        DOT_LOOP(ELEMENT_ONE_##name, BRING_ONE_##name)                                                       \
    }

#define BRING_BOTH_bf16(at)   bring_both(s, b, at, 2)
#define BRING_BOTH_f32(at)    bring_both(s, b, at, 4)
#define BRING_ONE_bf16(at)    bring_one(from, at, 2)
#define BRING_ONE_f32(at)     bring_one(from, at, 4)
#define ELEMENT_BOTH_bf16(at) mix(kernels_load_bf16(s, at), kernels_load_bf16(b, at), ws, wb)
#define ELEMENT_BOTH_f32(at)  mix(load_f32(s, at), load_f32(b, at), ws, wb)
#define ELEMENT_ONE_bf16(at)  kernels_load_bf16(from, at)
#define ELEMENT_ONE_f32(at)   load_f32(from, at)
DOT_TYPES(bf16, kernels_load_bf16)
DOT_TYPES(f32, load_f32)

/* Any types: blended a chunk at a time. Chunks are whole lanes, so the sum is the same as in one loop. */
static float dot_chunked(const KernelRow *row, size_t count, const float *restrict x) {
    float lanes[LANES] = {0}, mixed[CHUNK];
    KernelRow part = *row;
    size_t s_size = dtype_size(row->sft_dtype), b_size = row->base != NULL ? dtype_size(row->base_dtype) : 0;
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        if (row->sft != NULL) part.sft = (const unsigned char *)row->sft + at * s_size;
        if (row->base != NULL) part.base = (const unsigned char *)row->base + at * b_size;
        blend(&part, n, mixed);
        for (size_t i = 0; i < n; i++) lanes[i % LANES] = fmaf(mixed[i], x[at + i], lanes[i % LANES]);
    }
    return fold(lanes);
}

#if defined(__AVX2__)

/* The same lanes and the same order of adding them, all in registers: a row is short, and what is stored waits. */
INLINE float fold_vectors(Vector sums[LANES / KERNELS_WIDTH]) {
    for (size_t half = LANES / KERNELS_WIDTH / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
        for (size_t i = 0; i < half; i++) sums[i] += sums[i + half];
    }
#if defined(__AVX512F__)
    __m256 eight = _mm512_castps512_ps256(sums[0]) + _mm512_extractf32x8_ps(sums[0], 1);
#else
    __m256 eight = sums[0];
#endif
    __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
    __m128 two = four + _mm_movehl_ps(four, four);
    return two[0] + two[1];
}

/* Whole lanes of BF16, of both models or of one twice. */
INLINE float dot_bf16(const unsigned char *s, const unsigned char *b, bool is_both, const KernelRow *row,
                      size_t count, const float *x) {
    Vector sums[LANES / KERNELS_WIDTH], zero = vector_spread(0.0F), ws = vector_spread(row->weight_sft),
                                        wb = vector_spread(row->weight_base);
#pragma GCC unroll 8
    for (size_t v = 0; v < LANES / KERNELS_WIDTH; v++) sums[v] = zero;
    for (size_t i = 0; i < count; i += LANES) {
        bring_one(s, i, 2);
        if (is_both) bring_one(b, i, 2);
#pragma GCC unroll 8
        for (size_t v = 0; v < LANES / KERNELS_WIDTH; v++) {
            size_t at = i + v * KERNELS_WIDTH;
            Vector weights = vector_load_bf16(s + 2 * at);
            if (is_both)
                weights = vector_fma(wb, vector_load_bf16(b + 2 * at), vector_fma(ws, weights, zero));
            sums[v] = vector_fma(weights, vector_load(x + at), sums[v]);
        }
    }
    return fold_vectors(sums);
}

/* Of both models only where vectors are short: with longer ones GCC's own loop was as fast out of memory, or faster. */
#define DOT_WHOLE_LANES(s, b, is_both)                                                                       \
    if (dtype == DTYPE_BF16 && count % LANES == 0 && (!(is_both) || KERNELS_WIDTH == 8))                     \
    return dot_bf16(s, b, is_both, row, count, x)
#else
#define DOT_WHOLE_LANES(s, b, is_both) (void)0
#endif

static float dot(const KernelRow *row, size_t count, const float *x) {
    bool sft_only = row->weight_base == 0.0F, base_only = !sft_only && row->weight_sft == 0.0F;
    DType dtype = base_only ? row->base_dtype : row->sft_dtype;
    const void *one = base_only ? row->base : row->sft;
    if (sft_only || base_only) {
        DOT_WHOLE_LANES(one, one, false);
        if (dtype == DTYPE_BF16) return dot_one_bf16(one, count, x);
        if (dtype == DTYPE_F32) return dot_one_f32(one, count, x);
    } else if (row->sft_dtype == row->base_dtype) {
        DOT_WHOLE_LANES(row->sft, row->base, true);
        if (dtype == DTYPE_BF16) return dot_both_bf16(row, count, x);
        if (dtype == DTYPE_F32) return dot_both_f32(row, count, x);
    }
    return dot_chunked(row, count, x);
}

/* Choosing and summing in two loops: compilers make vectors of each, and of the two in one they do not. */
#define DOT_MARKED(name)                                                                                     \
    static float dot_marked_##name(const KernelRow *row, const KernelMarked *marked, size_t count,           \
                                   const float *restrict x) {                                                \
        const unsigned char *s = row->sft, *b = row->base;                                                   \
        const KernelRow weights = *row;                                                                      \
        const KernelMarked own = *marked;                                                                    \
        float lanes[LANES] = {0}, mixed[LANES];                                                              \
        size_t i = 0;                                                                                        \
        for (; i + LANES <= count; i += LANES) {                                                             \
            BRING_MARKED_##name(i);                                                                          \
            for (size_t l = 0; l < LANES; l++) mixed[l] = ELEMENT_MARKED_##name(i + l);                      \
            for (size_t l = 0; l < LANES; l++) lanes[l] = fmaf(mixed[l], x[i + l], lanes[l]);                \
        }                                                                                                    \
        for (size_t l = 0; i + l < count; l++)                                                               \
            lanes[l] = fmaf(ELEMENT_MARKED_##name(i + l), x[i + l], lanes[l]);                               \
        return fold(lanes);                                                                                  \
    }

#define BRING_MARKED_any_bf16(at)  bring_both(s, b, at, 2)
#define BRING_MARKED_any_f32(at)   bring_both(s, b, at, 4)
#define BRING_MARKED_base_bf16(at) bring_both(s, b, at, 2)
#define BRING_MARKED_base_f32(at)  bring_both(s, b, at, 4)
#define BRING_MARKED_mix_bf16(at)  bring_both(s, b, at, 2)
#define BRING_MARKED_mix_f32(at)   bring_both(s, b, at, 4)
#define ELEMENT_MARKED_any_bf16(at)                                                                          \
    mix_marked(kernels_load_bf16(s, at), kernels_load_bf16(b, at), &weights, &own, at)
#define ELEMENT_MARKED_any_f32(at) mix_marked(load_f32(s, at), load_f32(b, at), &weights, &own, at)
#define ELEMENT_MARKED_base_bf16(at)                                                                         \
    mix_or_base(kernels_load_bf16(s, at), kernels_load_bf16(b, at), &weights, &own, at)
#define ELEMENT_MARKED_base_f32(at) mix_or_base(load_f32(s, at), load_f32(b, at), &weights, &own, at)
#define ELEMENT_MARKED_mix_bf16(at)                                                                          \
    mix_or_mix(kernels_load_bf16(s, at), kernels_load_bf16(b, at), &weights, &own, at)
#define ELEMENT_MARKED_mix_f32(at) mix_or_mix(load_f32(s, at), load_f32(b, at), &weights, &own, at)
DOT_MARKED(any_bf16)
DOT_MARKED(any_f32)
DOT_MARKED(base_bf16)
DOT_MARKED(base_f32)
DOT_MARKED(mix_bf16)
DOT_MARKED(mix_f32)

static float dot_marked_chunked(const KernelRow *row, const KernelMarked *marked, size_t count,
                                const float *restrict x) {
    float lanes[LANES] = {0}, mixed[CHUNK];
    KernelRow part = *row;
    KernelMarked own = *marked;
    size_t s_size = dtype_size(row->sft_dtype), b_size = dtype_size(row->base_dtype);
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        part.sft = (const unsigned char *)row->sft + at * s_size;
        part.base = (const unsigned char *)row->base + at * b_size;
        own.marks = marked->marks + at;
        blend_marked(&part, &own, n, mixed);
        for (size_t i = 0; i < n; i++) lanes[i % LANES] = fmaf(mixed[i], x[at + i], lanes[i % LANES]);
    }
    return fold(lanes);
}

static float dot_marked(const KernelRow *row, const KernelMarked *marked, size_t count, const float *x) {
    typedef float (*Function)(const KernelRow *, const KernelMarked *, size_t, const float *);
    static const Function F32[MARKED_CASES] = {dot_marked_any_f32, dot_marked_base_f32, dot_marked_mix_f32};
    static const Function BF16[MARKED_CASES] = {dot_marked_any_bf16, dot_marked_base_bf16,
                                                dot_marked_mix_bf16};
    Function function = dot_marked_chunked;
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_BF16)
        function = BF16[find_case(row, marked)];
    if (row->sft_dtype == row->base_dtype && row->sft_dtype == DTYPE_F32)
        function = F32[find_case(row, marked)];
    return function(row, marked, count, x);
}

const Kernels KERNELS_TABLE = {
    .name = NAME_OF(KERNELS_VARIANT),
    .widen = kernels_widen,
    .narrow = narrow,
    .blend = blend,
    .blend_marked = blend_marked,
    .step = step,
    .exponentials = kernels_variant_exponentials,
    .silu = kernels_variant_silu,
    .silu_slopes = kernels_variant_silu_slopes,
    .dot = dot,
    .dot_marked = dot_marked,
    .vector = KERNELS_WIDTH,
    .pack = KERNELS_PACK,
    .multiply_pack = kernels_variant_multiply,
    .multiply_pack_back = kernels_variant_multiply_back,
    .fill_pack = kernels_variant_fill_pack,
    .take_sums = kernels_variant_take_sums,
    .multiply_rows = kernels_variant_multiply_rows,
    .low_rank = kernels_variant_low_rank,
    .blend_low_rank = kernels_variant_blend_low_rank,
    .dot_low_rank = kernels_variant_dot_low_rank,
    .drift = kernels_variant_drift,
    .drift_keys = kernels_variant_drift_keys,
    .drift_part = kernels_variant_drift_part,
    .tridiagonalise = kernels_variant_tridiagonalise,
};
