/*
 * blend — the only place where weights meet:
 *
 *     W = a·S + (1 − a)·B          S: SFT, B: base; a: one number, or one per row, or one per column
 *
 * Arithmetic, the same for preview, analysis and export: elements are widened to float32; a and 1 − a are
 * computed in double and rounded to float32 once; r = fma(a, s, +0), w = fma(1 − a, b, r), each a single
 * rounding; w is rounded once more, to nearest even, where the output type is narrower. This equals mergekit
 * 0.1.5's `linear` bit for bit. a = 0 and a = 1 copy the input's bits: what is in the other model (a NaN,
 * say) does not matter. Codes with scales are their values (tensor_values.h), which no bits are; an adapter's are computed
 * (tensor_change.h), a few rows at once. Rows that base does not have (a vocabulary that SFT enlarged) have a = 1.
 *
 * The rows or columns with an a of their own are given by a rank for each and a cut: those of rank below the
 * cut have reset_a, all others a. So one array serves every cut.
 *
 * W may be moved from there along random directions, W + Σ c·d (shift.h): steps of ± c·size, one size for each row,
 * are added to w one after the other, each sum rounded once; and towards a third model R, W + b·(R − B), B being S
 * where base has no such row. A moved W copies no input's bits.
 *
 * A tensor is never blended whole: a multiply takes panels of rows that fit a cache, an export a few rows at
 * a time.
 */
#ifndef REJUV_CORE_BLEND_H
#define REJUV_CORE_BLEND_H

#include "core/checkpoint/checkpoint.h"
#include "core/numerics/kernels.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLEND_STEPS_MOST = 2 };

typedef struct BlendSteps {
    const Tensor *third; /* of S's shape; NULL: not towards there */
    double third_share;  /* b */
    const float *sizes;  /* [rows], borrowed; NULL: along no direction */
    bool has_one_size;   /* sizes[0] is every row's: S is a slice of a longer row */
    uint64_t first;      /* of which element S's first is, in the signs and in R */
    size_t count;
    uint64_t keys[BLEND_STEPS_MOST]; /* of the signs: KernelStep */
    double coefficients[BLEND_STEPS_MOST];
} BlendSteps;

/* Ranks of a tensor that is several matrices, one behind the other: a stretch of them for each. */
typedef struct BlendStack {
    uint64_t rows, columns; /* of a matrix, as it is stored; 0: the tensor is one */
    bool are_rows;          /* ranks are of its rows, else of its columns */
    const uint32_t *ranks; /* of matrix m: from (m mod parts) · part_stride + ⌊m / parts⌋ · stride on */
    uint64_t parts, part_stride, stride;
} BlendStack;

typedef struct Blend {
    const Tensor *sft;
    const Tensor *base; /* NULL: W is S */
    double a;
    const uint32_t *row_ranks;    /* [rows]; at most one of these two is set, and not without a base */
    const uint32_t *column_ranks; /* [columns] */
    BlendStack stack;             /* in place of both, where it has some */
    uint32_t cut;
    double reset_a;
    BlendSteps steps;
} Blend;

/* out[r·stride + c] = W[first + r, first_column + c] for `count` rows and `columns` columns, in float32. */
void blend_window(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                  float *out, size_t stride);

/* What blend_window() of the same arguments will read, for a product that fetches it on its way; nothing (no rows) where
 * that does not lie in the files as it is. A moved W's third model is not among it. */
KernelAhead blend_find_ahead(const Blend *blend, size_t first, size_t count, size_t first_column,
                             size_t columns);

/* Whole rows: out[r·columns + c] = W[first + r, c]. */
void blend_rows(const Blend *blend, size_t first, size_t count, float *out);

/* The same, as `count` · columns elements of a writable dtype, back to back. `scratch` holds `columns`
 * floats. */
size_t blend_scratch(const Blend *blend, size_t count);
void blend_rows_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out, float *scratch);

/* `count` elements of W from element `first` on, counted along the rows, in a writable dtype; or in SFT's own
 * dtype, whatever it is, where W is S and has no scales. `scratch` holds `count` floats. */
void blend_elements_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out,
                       float *scratch);

/* y[r] = Σ_c W[first + r, c] · x[c] for `count` rows, without W ever in memory: the one-token multiply. Each W is the one
 * that blend_rows() gives, and products are added up in Kernels.dot's order; but where an adapter makes S, rounded to its
 * type, of stored rows and a product alone, S and B are multiplied each by its share of x, in dot_low_rank's, so many columns
 * at a time. */
void blend_multiply_vector(const Blend *blend, size_t first, size_t count, const float *x, float *y);

/* y[t·stride + r] = Σ_c W[first + r, c] · x[t][c] for `count` rows and `tokens` rows of x: for matrices that only few
 * tokens meet, which are then blended on the way; any kind of W, any number of tokens. A token's figures are the same
 * whoever is beside it (Kernels.multiply_rows), but not those of blend_multiply_vector(), which adds in another order. */
void blend_multiply_tokens(const Blend *blend, size_t first, size_t count, const float *const *x,
                           size_t tokens, float *y, size_t stride);

#endif
