/*
 * One variant of Kernels.multiply_pack and multiply_pack_back: a panel of weights times tokens that lie side by side.
 *
 * A tile is a few rows of the panel by all tokens of the pack. Its sums stay in registers while it goes down a stretch
 * of columns: each row gives one number at a time, and the pack a line of them. Neither is turned round on the way, so
 * that blended rows are used as they lie.
 */
#include "core/numerics/kernels_internal.h"

#include <stdbool.h>

/* How many vectors a tile has by how many its pack has: as registers allow. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { ROWS_1 = 12, ROWS_2 = 12, ROWS_3 = 8, ROWS_4 = 6 };
#elif defined(__AVX2__)
enum { ROWS_1 = 12, ROWS_2 = 6, ROWS_3 = 1, ROWS_4 = 1 };
#else
enum { ROWS_1 = 8, ROWS_2 = 6, ROWS_3 = 1, ROWS_4 = 1 };
#endif

enum {
    WIDTH = KERNELS_WIDTH,
    MOST_VECTORS = KERNELS_PACK / WIDTH,
    MOST_ROWS = 12,
    STRETCH = 128, /* columns: with a whole pack they stay in the L1 cache */
    STEP = 8       /* columns between two looks ahead */
};

/* Tokens that the next stretch takes: many do not fit the caches beside the panel, and the first tile would wait for them. */
typedef struct PackAhead {
    uintptr_t at, end;
    size_t bytes; /* of them at each step */
} PackAhead;

typedef struct Tile {
    const float *panel; /* [rows × depth], rows `stride` apart; on the way back [depth × rows] */
    size_t stride, depth;
    const float *pack; /* [depth × vectors · WIDTH] */
    float *sums;       /* [rows × vectors · WIDTH] */
    bool adds;         /* to what is in `sums` */
    KernelAhead *ahead;
    size_t lines; /* of it at each step */
    PackAhead *next;
} Tile;

INLINE void fetch_ahead(KernelAhead *ahead, size_t lines) {
    for (; lines > 0 && ahead->row < ahead->rows; lines--) {
        size_t at = ahead->row * ahead->stride + ahead->at;
        __builtin_prefetch((const char *)ahead->first[0] + at, 0, 3);
        __builtin_prefetch((const char *)ahead->first[1] + at, 0, 3);
        ahead->at += KERNELS_LINE;
        if (ahead->at < ahead->bytes) continue;
        ahead->at = 0;
        ahead->row++;
    }
}

INLINE void fetch_pack(PackAhead *next) {
    uintptr_t end = next->end - next->at < next->bytes ? next->end : next->at + next->bytes;
    for (; next->at < end; next->at += KERNELS_LINE) __builtin_prefetch((const void *)next->at, 0, 2);
}

/* Products of column k of the panel, a row on the way back. */
INLINE void add_column(const Tile *tile, size_t k, size_t rows, size_t vectors, bool is_back,
                       Vector sums[MOST_ROWS][MOST_VECTORS]) {
    Vector tokens[MOST_VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) tokens[v] = vector_load(tile->pack + (k * vectors + v) * WIDTH);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
        size_t at = is_back ? k * tile->stride + r : r * tile->stride + k;
        Vector weight = vector_spread(tile->panel[at]);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) sums[r][v] = vector_fma(weight, tokens[v], sums[r][v]);
    }
}

/* `rows`, `vectors` and `is_back` are constants where this is inlined: all loops over them are undone, and sums are
 * registers. */
INLINE void multiply_tile(const Tile *tile, size_t rows, size_t vectors, bool is_back) {
    Vector sums[MOST_ROWS][MOST_VECTORS];
    size_t line = vectors * WIDTH;
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            sums[r][v] = tile->adds ? vector_load(tile->sums + r * line + v * WIDTH) : vector_spread(0.0F);
    }
    size_t k = 0;
    for (; k + STEP <= tile->depth; k += STEP) {
        if (tile->lines > 0) fetch_ahead(tile->ahead, tile->lines);
        fetch_pack(tile->next);
#pragma GCC unroll 2
        for (size_t i = 0; i < STEP; i++) add_column(tile, k + i, rows, vectors, is_back, sums);
    }
    for (; k < tile->depth; k++) add_column(tile, k, rows, vectors, is_back, sums);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) vector_store(tile->sums + r * line + v * WIDTH, sums[r][v]);
    }
}

/* Rows that are left, a tile of `most` after another; how many are left then. */
INLINE size_t multiply_tiles(Tile *tile, size_t rows, size_t most, size_t vectors, bool is_back) {
    for (; rows >= most; rows -= most) {
        multiply_tile(tile, most, vectors, is_back);
        tile->panel += most * (is_back ? 1 : tile->stride);
        tile->sums += most * vectors * WIDTH;
    }
    return rows;
}

/* All rows of a stretch of columns. Tiles of few rows leave the processor waiting for its own sums: the last rows are
 * in as large ones as can be. */
INLINE void multiply_stretch(Tile tile, size_t rows, size_t most, size_t vectors, bool is_back) {
    rows = multiply_tiles(&tile, rows, most, vectors, is_back);
    if (most > 4) rows = multiply_tiles(&tile, rows, 4, vectors, is_back);
    if (most > 2) rows = multiply_tiles(&tile, rows, 2, vectors, is_back);
    (void)multiply_tiles(&tile, rows, 1, vectors, is_back);
}

/* Steps of a stretch of so many columns: how often it can look ahead. */
static size_t count_steps(const KernelPanel *panel, size_t most, size_t depth) {
    size_t rows_left = panel->rows % most; /* in tiles of 4, 2 and 1, about */
    size_t tiles = panel->rows / most + (rows_left + 3) / 4;
    return tiles * ((depth + STEP - 1) / STEP);
}

/* Behind the stretch that ends at `end` comes the rest of the pack, or the next one. */
static PackAhead find_next_pack(const KernelPanel *panel, const float *pack, size_t line, size_t end,
                                size_t steps) {
    const float *from = end < panel->depth ? pack + end * line : panel->next;
    size_t left = end < panel->depth ? panel->depth - end : panel->depth,
           bytes = (left < STRETCH ? left : STRETCH) * line * sizeof *from;
    if (from == NULL || steps == 0) return (PackAhead){0};
    size_t each = (bytes / steps + KERNELS_LINE - 1) / KERNELS_LINE * KERNELS_LINE;
    return (PackAhead){(uintptr_t)from, (uintptr_t)from + bytes, each};
}

INLINE void multiply_panel(const KernelPanel *panel, const float *pack, size_t tokens, bool adds, float *sums,
                           bool is_back) {
    static const size_t MOST[] = {ROWS_1, ROWS_2, ROWS_3, ROWS_4};
    size_t vectors = (tokens + WIDTH - 1) / WIDTH, lines = 0, most = vectors > 0 ? MOST[vectors - 1] : 1;
    if (panel->ahead != NULL) {
        size_t steps = count_steps(panel, most, panel->depth);
        lines = steps == 0 ? 0 : (panel->ahead_lines + steps - 1) / steps;
    }
    for (size_t at = 0; at < panel->depth; at += STRETCH) {
        size_t depth = panel->depth - at < STRETCH ? panel->depth - at : STRETCH;
        PackAhead next =
            find_next_pack(panel, pack, vectors * WIDTH, at + depth, count_steps(panel, most, depth));
        Tile tile = {.panel = panel->weights + at * (is_back ? panel->stride : 1),
                     .stride = panel->stride,
                     .depth = depth,
                     .pack = pack + at * vectors * WIDTH,
                     .sums = sums,
                     .adds = adds || at > 0,
                     .ahead = panel->ahead,
                     .lines = lines,
                     .next = &next};
        switch (vectors) {
        case 1:
            multiply_stretch(tile, panel->rows, ROWS_1, 1, is_back);
            break;
        case 2:
            multiply_stretch(tile, panel->rows, ROWS_2, 2, is_back);
            break;
#if defined(__AVX512F__) || defined(__aarch64__)
        case 3:
            multiply_stretch(tile, panel->rows, ROWS_3, 3, is_back);
            break;
        case 4:
            multiply_stretch(tile, panel->rows, ROWS_4, 4, is_back);
            break;
#endif
        default:
            break;
        }
    }
}

void kernels_variant_multiply(const KernelPanel *panel, const float *pack, size_t tokens, bool adds,
                              float *sums) {
    multiply_panel(panel, pack, tokens, adds, sums, false);
}

void kernels_variant_multiply_back(const KernelPanel *panel, const float *pack, size_t tokens, bool adds,
                                   float *sums) {
    multiply_panel(panel, pack, tokens, adds, sums, true);
}
