/*
 * One variant of Kernels.multiply_rows: rows of two models, blended in registers, by a few tokens.
 *
 * A tile is a few rows by a few tokens, and goes along the rows 16 columns at a time: so many lanes has each of its sums.
 * Weights are read once for all tokens of a tile and are never stored, so that reading them and multiplying overlap.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>

/* Rows and tokens of a tile, as registers allow: of one that blends, and of one that does not. */
#if defined(__AVX512F__)
enum { MOST_ROWS = 4, MOST_TOKENS = 6, BLENDED_TOKENS = 5 };
#else
enum { MOST_ROWS = 4, MOST_TOKENS = 3, BLENDED_TOKENS = 3 };
#endif
enum { LANES = 16, WIDTH = KERNELS_WIDTH };

/* ---- weights ---- */

/* What blending comes to: of both models, or of one that is taken as it is; from either type. */
typedef enum Form { BOTH_BF16, BOTH_F32, ONE_BF16, ONE_F32 } Form;

typedef struct Weights {
    const unsigned char *first, *second; /* SFT's and base's, or the only ones twice */
    size_t stride;                       /* bytes from a row to the next */
    float weight_first, weight_second;
} Weights;

INLINE bool is_bf16(Form form) {
    return form == BOTH_BF16 || form == ONE_BF16;
}

INLINE bool is_blended(Form form) {
    return form == BOTH_BF16 || form == BOTH_F32;
}

INLINE size_t element_size(Form form) {
    return is_bf16(form) ? 2 : 4;
}

#if VECTOR_FMA_IS_FUSED
INLINE Vector load_weights(const unsigned char *from, Form form) {
    return is_bf16(form) ? vector_load_bf16(from) : vector_load((const float *)(const void *)from);
}
#endif

INLINE float load_weight(const unsigned char *from, Form form) {
    float value;
    if (is_bf16(form)) return kernels_load_bf16(from, 0);
    memcpy(&value, from, sizeof value);
    return value;
}

/* Of row r, column k. */
INLINE float blend_weight(const Weights *weights, size_t r, size_t k, Form form) {
    size_t at = r * weights->stride + k * element_size(form);
    float first = load_weight(weights->first + at, form);
    if (!is_blended(form)) return first;
    return fmaf(weights->weight_second, load_weight(weights->second + at, form),
                fmaf(weights->weight_first, first, 0.0F));
}

/* Of row r, from column k on. */
INLINE Vector blend_weights(const Weights *weights, size_t r, size_t k, Form form) {
#if VECTOR_FMA_IS_FUSED
    size_t at = r * weights->stride + k * element_size(form);
    Vector first = load_weights(weights->first + at, form);
    if (!is_blended(form)) return first;
    first = vector_fma(vector_spread(weights->weight_first), first, vector_spread(0.0F));
    return vector_fma(vector_spread(weights->weight_second), load_weights(weights->second + at, form), first);
#else
    float values[WIDTH];
    for (size_t l = 0; l < WIDTH; l++) values[l] = blend_weight(weights, r, k + l, form);
    return vector_load(values);
#endif
}

/* What lies where the next group of rows does: a group is a few streams, each too short for the processor to find them by
 * itself. Rows that were blended before are in a cache. */
INLINE void look_ahead(const Weights *weights, size_t r, size_t k, Form form) {
    size_t next = (r + MOST_ROWS) * weights->stride + k * element_size(form);
    if (!is_blended(form)) return;
    __builtin_prefetch((const void *)((uintptr_t)weights->first + next), 0, 2);
    __builtin_prefetch((const void *)((uintptr_t)weights->second + next), 0, 2);
}

/* ---- a tile ---- */

/* Some columns of a few rows, by a few tokens. */
typedef struct Tile {
    Weights weights;
    const float *const *tokens;
    size_t first, count; /* of the columns */
    bool adds;
    float *sums;
    size_t stride;
} Tile;

/* The lanes of whole sixteens of columns, a vector of lanes at a time. `rows`, `tokens` and `form` are constants where
 * this is inlined. */
INLINE void sum_lanes(const Tile *tile, size_t rows, size_t tokens, Form form, size_t lane,
                      float lanes[MOST_ROWS][MOST_TOKENS][LANES]) {
    Vector sums[MOST_ROWS][MOST_TOKENS];
    const float *lines[MOST_TOKENS];
#pragma GCC unroll 6
    for (size_t t = 0; t < tokens; t++) lines[t] = tile->tokens[t] + tile->first;
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++) sums[r][t] = vector_spread(0.0F);
    }
    for (size_t k = lane; k + LANES <= tile->count + lane; k += LANES) {
        Vector line[MOST_TOKENS];
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++) line[t] = vector_load(lines[t] + k);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            look_ahead(&tile->weights, r, k, form);
            Vector blended = blend_weights(&tile->weights, r, k, form);
#pragma GCC unroll 6
            for (size_t t = 0; t < tokens; t++) sums[r][t] = vector_fma(blended, line[t], sums[r][t]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++) vector_store(lanes[r][t] + lane, sums[r][t]);
    }
}

INLINE float add_product(float sum, float weight, float x) {
#if VECTOR_FMA_IS_FUSED
    return fmaf(weight, x, sum);
#else
    return weight * x + sum;
#endif
}

/* Pairwise: 16 → 8 → 4 → 2 → 1; spelled out, so that compilers add whole vectors. */
INLINE float fold(const float *lanes) {
    float eight[8], four[4];
    for (size_t l = 0; l < 8; l++) eight[l] = lanes[l] + lanes[l + 8];
    for (size_t l = 0; l < 4; l++) four[l] = eight[l] + eight[l + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINE void multiply_tile(const Tile *tile, size_t rows, size_t tokens, Form form) {
    float lanes[MOST_ROWS][MOST_TOKENS][LANES];
    size_t whole = tile->count - tile->count % LANES;
    for (size_t lane = 0; lane < LANES; lane += WIDTH) sum_lanes(tile, rows, tokens, form, lane, lanes);
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = whole; k < tile->count; k++) {
            float weight = blend_weight(&tile->weights, r, k, form);
            for (size_t t = 0; t < tokens; t++)
                lanes[r][t][k - whole] =
                    add_product(lanes[r][t][k - whole], weight, tile->tokens[t][tile->first + k]);
        }
        for (size_t t = 0; t < tokens; t++) {
            float *sum = tile->sums + t * tile->stride + r;
            *sum = (tile->adds ? *sum : 0.0F) + fold(lanes[r][t]);
        }
    }
}

/* ---- all of it ---- */

/* By all tokens, a tile of MOST_TOKENS after another. */
INLINE void multiply_by_all(Tile tile, size_t tokens, size_t rows, Form form) {
    const size_t most = is_blended(form) ? BLENDED_TOKENS : MOST_TOKENS;
    for (; tokens >= most; tokens -= most) {
        multiply_tile(&tile, rows, most, form);
        tile.tokens += most;
        tile.sums += most * tile.stride;
    }
    if (tokens == 1) multiply_tile(&tile, rows, 1, form);
    if (tokens == 2) multiply_tile(&tile, rows, 2, form);
#if defined(__AVX512F__)
    if (tokens == 3) multiply_tile(&tile, rows, 3, form);
    if (tokens == 4) multiply_tile(&tile, rows, 4, form);
    if (tokens == 5) multiply_tile(&tile, rows, 5, form);
#endif
}

/* Rows from `row` on: all their columns, a stretch at a time. */
INLINE void multiply_group(const KernelRows *all, Tile tile, size_t tokens, size_t rows, Form form) {
    for (size_t at = 0; at < all->count; at += KERNELS_ROWS_STRETCH) {
        size_t left = all->count - at, bytes = KERNELS_ROWS_STRETCH * element_size(form);
        tile.first = all->first + at;
        tile.count = left < KERNELS_ROWS_STRETCH ? left : KERNELS_ROWS_STRETCH;
        multiply_by_all(tile, tokens, rows, form);
        tile.weights.first += bytes;
        tile.weights.second += bytes;
        tile.adds = true;
    }
}

INLINE void multiply_form(const KernelRows *all, Tile tile, size_t tokens, Form form) {
    size_t row = 0;
    tile.weights.stride = all->stride * element_size(form);
    for (size_t group; row < all->rows; row += group) {
        group = all->rows - row < MOST_ROWS ? 1 : MOST_ROWS;
        if (group == 1)
            multiply_group(all, tile, tokens, 1, form);
        else
            multiply_group(all, tile, tokens, MOST_ROWS, form);
        tile.weights.first += group * tile.weights.stride;
        tile.weights.second += group * tile.weights.stride;
        tile.sums += group;
    }
}

void kernels_variant_multiply_rows(const KernelRows *rows, const float *const *tokens, size_t token_count,
                                   bool adds, float *sums, size_t stride) {
    const KernelRow *row = &rows->row;
    bool is_sft = row->weight_base == 0.0F, is_base = !is_sft && row->weight_sft == 0.0F;
    DType dtype = is_base ? row->base_dtype : row->sft_dtype;
    Tile tile = {.weights = {.first = is_base ? row->base : row->sft,
                             .second = is_sft ? row->sft : row->base,
                             .weight_first = row->weight_sft,
                             .weight_second = row->weight_base},
                 .tokens = tokens,
                 .adds = adds,
                 .sums = sums,
                 .stride = stride};
    if (dtype == DTYPE_BF16 && (is_sft || is_base))
        multiply_form(rows, tile, token_count, ONE_BF16);
    else if (dtype == DTYPE_BF16)
        multiply_form(rows, tile, token_count, BOTH_BF16);
    else if (is_sft || is_base)
        multiply_form(rows, tile, token_count, ONE_F32);
    else
        multiply_form(rows, tile, token_count, BOTH_F32);
}
