/*
 * One variant of Kernels.multiply_rows: rows of two models by a few tokens.
 *
 * A tile is a few rows by a few tokens, and goes along the rows 16 columns at a time: so many lanes has each of its sums.
 * It blends in registers, so that reading weights and multiplying overlap: blending before, into a cache, leaves memory idle
 * in between. Where tokens are more than a tile has, the first one leaves what it blended in a block that stays in the L1
 * cache, some columns at a time, and the others take it from there. They read nothing, so memory would be idle again: every
 * tile brings its share of the rows that come next, a little at each step.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>

/* Tokens of a tile, as registers allow: of one that takes blended weights, and of one that blends. Up to so many in all
 * each tile blends for itself: where that takes few instructions, it costs less than storing does. */
#if defined(__AVX512F__)
enum { MOST_TOKENS = 6, BLENDED_TOKENS = 5, APART_TOKENS = 10 };
#elif defined(__aarch64__)
enum { MOST_TOKENS = 6, BLENDED_TOKENS = 1, APART_TOKENS = 1 };
#else
enum { MOST_TOKENS = 3, BLENDED_TOKENS = 1, APART_TOKENS = 1 };
#endif
enum {
    ROWS = 4,
    LANES = 16,
    WIDTH = KERNELS_WIDTH,
    PARTS = LANES / WIDTH,
    COLUMNS = 512,
    APART = KERNELS_LINE / sizeof(float), /* or rows of a block would want the same places of the cache */
    AT_ONCE = 64                          /* tokens that lanes are there for */
};

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

/* ---- what comes next ---- */

/* The next group's rows, each of which is a stream too short for the processor to find by itself. A tile that blends for itself
 * brings what lies where they go on. */
INLINE void look_beside(const Weights *weights, size_t r, size_t k, Form form) {
    size_t next = (r + ROWS) * weights->stride + k * element_size(form);
    if (!is_blended(form)) return;
    __builtin_prefetch((const void *)((uintptr_t)weights->first + next), 0, 2);
    __builtin_prefetch((const void *)((uintptr_t)weights->second + next), 0, 2);
}

/* Where one blends for all, each tile brings a part of them: line by line, from one row to the other. */
typedef struct Ahead {
    uintptr_t first, second;
    size_t stride, row, at, end; /* bytes of a row: up to which they are brought, and may be by now */
} Ahead;

/* After so many steps, a power of two, so many lines; none for a tile that blends for itself. */
typedef struct Pace {
    size_t every, lines;
} Pace;

/* `lines` lines within `steps` steps, or a few more. */
INLINE Pace find_pace(size_t lines, size_t steps) {
    Pace pace = {1, (lines + steps - 1) / steps};
    while (lines > 0 && 2 * pace.every * lines <= steps) pace.every *= 2;
    return pace;
}

INLINE void look_ahead(Ahead *ahead, size_t lines) {
    for (; lines > 0 && ahead->at < ahead->end; lines--) {
        size_t at = ahead->row * ahead->stride + ahead->at;
        __builtin_prefetch((const void *)(ahead->first + at), 0, 2);
        __builtin_prefetch((const void *)(ahead->second + at), 0, 2);
        ahead->row = (ahead->row + 1) % ROWS;
        ahead->at += ahead->row == 0 ? KERNELS_LINE : 0;
    }
}

/* ---- a tile ---- */

typedef float Lanes[ROWS][LANES];                     /* a token's sums */
typedef float Block[ROWS][(int)COLUMNS + (int)APART]; /* weights as they were blended */

/* Some columns of a few rows, by a few tokens. */
typedef struct Tile {
    Weights weights;
    float (*block)[(int)COLUMNS + (int)APART];
    const float *const *tokens;
    size_t first, count; /* of the columns */
    Lanes *lanes;        /* of each token */
    Ahead *ahead;
    Pace pace, pace_after; /* and that of the tiles behind one that blends for all */
} Tile;

/* How a tile comes by its weights: it blends them, also for the tiles after it, or another one did. */
typedef enum Source { BLENDS, BLENDS_FOR_ALL, TAKES } Source;

INLINE Vector weigh(const Tile *tile, size_t r, size_t k, Form form, Source source) {
    if (source == TAKES) return vector_load(&tile->block[r][k]);
    Vector weights = blend_weights(&tile->weights, r, k, form);
    if (source == BLENDS_FOR_ALL) vector_store(&tile->block[r][k], weights);
    return weights;
}

/* `parts` vectors of the lanes, from `lane` on, of whole sixteens of columns. All but `tile` and `lane` are constants
 * where this is inlined. */
INLINE void sum_lanes(const Tile *tile, size_t rows, size_t tokens, Form form, Source source, size_t lane,
                      size_t parts) {
    Vector sums[ROWS][MOST_TOKENS][PARTS];
    const float *lines[MOST_TOKENS];
    const size_t skipped = tile->pace.every - 1, ahead_lines = tile->pace.lines;
#pragma GCC unroll 6
    for (size_t t = 0; t < tokens; t++) lines[t] = tile->tokens[t] + tile->first;
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++)
#pragma GCC unroll 4
            for (size_t p = 0; p < parts; p++)
                sums[r][t][p] = vector_load(&tile->lanes[t][r][lane + p * WIDTH]);
    for (size_t k = lane; k + LANES <= tile->count + lane; k += LANES) {
        Vector line[MOST_TOKENS][PARTS];
        if (ahead_lines > 0 && (k / LANES & skipped) == 0) look_ahead(tile->ahead, ahead_lines);
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++)
#pragma GCC unroll 4
            for (size_t p = 0; p < parts; p++) line[t][p] = vector_load(lines[t] + k + p * WIDTH);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            if (source == BLENDS && ahead_lines == 0) look_beside(&tile->weights, r, k, form);
#pragma GCC unroll 4
            for (size_t p = 0; p < parts; p++) {
                Vector weights = weigh(tile, r, k + p * WIDTH, form, source);
#pragma GCC unroll 6
                for (size_t t = 0; t < tokens; t++)
                    sums[r][t][p] = vector_fma(weights, line[t][p], sums[r][t][p]);
            }
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (size_t t = 0; t < tokens; t++)
#pragma GCC unroll 4
            for (size_t p = 0; p < parts; p++)
                vector_store(&tile->lanes[t][r][lane + p * WIDTH], sums[r][t][p]);
}

INLINE float add_product(float sum, float weight, float x) {
#if VECTOR_FMA_IS_FUSED
    return fmaf(weight, x, sum);
#else
    return weight * x + sum;
#endif
}

/* Columns that are no whole sixteen. */
INLINE void sum_rest(const Tile *tile, size_t rows, size_t tokens, Form form, Source source) {
    size_t whole = tile->count - tile->count % LANES;
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = whole; k < tile->count; k++) {
            float weight = source == TAKES ? tile->block[r][k] : blend_weight(&tile->weights, r, k, form);
            if (source == BLENDS_FOR_ALL) tile->block[r][k] = weight;
            for (size_t t = 0; t < tokens; t++) {
                float *sum = &tile->lanes[t][r][k - whole];
                *sum = add_product(*sum, weight, tile->tokens[t][tile->first + k]);
            }
        }
    }
}

/* Vectors of the lanes at a time: blending goes over the columns once; else a part of the lanes leaves registers for more
 * tokens. */
INLINE size_t count_parts(size_t tokens, Source source) {
    size_t most = tokens == 1 ? 2 : 1;
    return source != TAKES || PARTS < most ? PARTS : most;
}

INLINE void multiply_tile(const Tile *tile, size_t rows, size_t tokens, Form form, Source source) {
    const size_t parts = count_parts(tokens, source);
    for (size_t lane = 0; lane < LANES; lane += parts * WIDTH)
        sum_lanes(tile, rows, tokens, form, source, lane, parts);
    sum_rest(tile, rows, tokens, form, source);
}

/* ---- all tokens ---- */

INLINE void blend_for_few(const Tile *tile, size_t tokens, size_t rows, Form form) {
    if (tokens == 1) multiply_tile(tile, rows, 1, form, BLENDS);
#if defined(__AVX512F__)
    if (tokens == 2) multiply_tile(tile, rows, 2, form, BLENDS);
    if (tokens == 3) multiply_tile(tile, rows, 3, form, BLENDS);
    if (tokens == 4) multiply_tile(tile, rows, 4, form, BLENDS);
    if (tokens == 5) multiply_tile(tile, rows, 5, form, BLENDS);
#endif
}

/* A tile's part of the tokens. */
static void take(const Tile *tile, size_t tokens, bool is_group) {
#define TAKE(n)                                                                                              \
    if (tokens == (n) && is_group) multiply_tile(tile, ROWS, n, ONE_F32, TAKES);                             \
    if (tokens == (n) && !is_group) multiply_tile(tile, 1, n, ONE_F32, TAKES);
    TAKE(1)
    TAKE(2)
    TAKE(3)
#if defined(__AVX512F__) || defined(__aarch64__)
    TAKE(4)
    TAKE(5)
    TAKE(6)
#endif
#undef TAKE
}

/* How many the next tile takes: all are as even as can be. */
INLINE size_t deal(size_t tokens, size_t most) {
    size_t tiles = (tokens + most - 1) / most;
    return tiles > 0 ? (tokens + tiles - 1) / tiles : 0;
}

INLINE void pass_tokens(Tile *tile, size_t tokens) {
    tile->tokens += tokens;
    tile->lanes += tokens;
}

/* How tiles share the next group where one blends for all: it takes a half, and the others as much each time they go over the
 * columns. */
INLINE void set_paces(Tile *tile, size_t tokens, Form form) {
    tile->pace = tile->pace_after = (Pace){1, 0};
    if (tokens <= APART_TOKENS || !is_blended(form)) return;
    size_t half = ROWS * LANES * element_size(form) / KERNELS_LINE / 2; /* of the lines of a step */
    size_t left = tokens - BLENDED_TOKENS, tiles = (left + MOST_TOKENS - 1) / MOST_TOKENS;
    tile->pace = find_pace(half, 1);
    tile->pace_after = find_pace(half, tiles * PARTS / count_parts(deal(left, MOST_TOKENS), TAKES));
}

INLINE void multiply_tokens(Tile tile, size_t tokens, size_t rows, Form form) {
    bool is_apart = tokens <= APART_TOKENS;
    size_t left = tokens;
    if (!is_apart) {
        multiply_tile(&tile, rows, BLENDED_TOKENS, form, BLENDS_FOR_ALL);
        pass_tokens(&tile, BLENDED_TOKENS);
        left -= BLENDED_TOKENS;
        tile.pace = tile.pace_after;
    }
    for (size_t n; left > 0; left -= n) {
        n = deal(left, is_apart ? BLENDED_TOKENS : MOST_TOKENS);
        if (is_apart)
            blend_for_few(&tile, n, rows, form);
        else
            take(&tile, n, rows == ROWS);
        pass_tokens(&tile, n);
    }
}

/* ---- sums ---- */

typedef float Four __attribute__((vector_size(16)));

INLINE Four load_four(const float *from) {
    Four four;
    memcpy(&four, from, sizeof four);
    return four;
}

/* 16 → 8 → 4 */
INLINE Four fold_to_four(const float *lanes) {
    return (load_four(lanes) + load_four(lanes + 8)) + (load_four(lanes + 4) + load_four(lanes + 12));
}

/* → 2 → 1, of all rows at once. */
INLINE Four fold(Lanes lanes) {
    Four a = fold_to_four(lanes[0]), b = fold_to_four(lanes[1]), c = fold_to_four(lanes[2]),
         d = fold_to_four(lanes[3]);
    Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

typedef struct Sums {
    float *sums; /* of the first token's first row */
    size_t stride;
    bool adds;
} Sums;

INLINE void put_sums(Lanes *lanes, size_t tokens, size_t rows, Sums to) {
    for (size_t t = 0; t < tokens; t++) {
        Four folded = fold(lanes[t]);
        float *sums = to.sums + t * to.stride;
        for (size_t r = 0; r < rows; r++) sums[r] = (to.adds ? sums[r] : 0.0F) + folded[r];
    }
}

/* ---- all of it ---- */

/* Rows from the first on: all their columns, a stretch at a time. */
INLINE void multiply_group(const KernelRows *all, Tile tile, size_t tokens, size_t rows, Form form, Sums to) {
    _Alignas(KERNELS_LINE) Lanes lanes[AT_ONCE];
    _Alignas(KERNELS_LINE) Block block;
    const size_t stride = tile.weights.stride, next = rows * stride;
    Ahead ahead = {
        (uintptr_t)tile.weights.first + next, (uintptr_t)tile.weights.second + next, stride, 0, 0, 0};
    tile.lanes = lanes;
    tile.block = block;
    tile.ahead = &ahead;
    for (size_t at = 0, end; at < all->count; at = end) {
        end = all->count - at < KERNELS_ROWS_STRETCH ? all->count : at + KERNELS_ROWS_STRETCH;
        memset(lanes, 0, tokens * sizeof *lanes);
        for (size_t column = at; column < end; column += COLUMNS) {
            tile.first = all->first + column;
            tile.count = end - column < COLUMNS ? end - column : COLUMNS;
            ahead.end += tile.count * element_size(form);
            multiply_tokens(tile, tokens, rows, form);
            tile.weights.first += tile.count * element_size(form);
            tile.weights.second += tile.count * element_size(form);
        }
        put_sums(lanes, tokens, rows, to);
        to.adds = true;
    }
}

INLINE void multiply_form(const KernelRows *all, Tile tile, size_t tokens, Form form, Sums to) {
    tile.weights.stride = all->stride * element_size(form);
    set_paces(&tile, tokens, form);
    for (size_t row = 0, group; row < all->rows; row += group) {
        group = all->rows - row < ROWS ? 1 : ROWS;
        if (group == 1)
            multiply_group(all, tile, tokens, 1, form, to);
        else
            multiply_group(all, tile, tokens, ROWS, form, to);
        tile.weights.first += group * tile.weights.stride;
        tile.weights.second += group * tile.weights.stride;
        to.sums += group;
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
                             .weight_second = row->weight_base}};
    for (size_t t = 0, n; t < token_count; t += n) {
        const Sums to = {sums + t * stride, stride, adds};
        n = token_count - t < AT_ONCE ? token_count - t : AT_ONCE;
        tile.tokens = tokens + t;
        if (dtype == DTYPE_BF16 && (is_sft || is_base))
            multiply_form(rows, tile, n, ONE_BF16, to);
        else if (dtype == DTYPE_BF16)
            multiply_form(rows, tile, n, BOTH_BF16, to);
        else if (is_sft || is_base)
            multiply_form(rows, tile, n, ONE_F32, to);
        else
            multiply_form(rows, tile, n, BOTH_F32, to);
    }
}
