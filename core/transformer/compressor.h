/*
 * compressor — what DeepSeek-V4 attends to of a text's past in place of its keys: an entry for each `rate` tokens, which is
 * key and value of all heads.
 *
 *     k, g   = projections of the layer's input                       of each token; [head_dim], or two of them
 *     entry  = norm( Σ softmax(g + bias) ⊙ k ) over a window's tokens, each channel by itself, turned by the window's first
 *              position; where windows overlap, over the first half of k and g of the window before, too, and the second of
 *              its own
 *
 * A token sees the entries of windows that end with it or before. Inputs are kept for every token, so that a cache can be
 * rewound. For block_compressed.c.
 */
#ifndef REJUV_CORE_COMPRESSOR_H
#define REJUV_CORE_COMPRESSOR_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_NORMED to the chunk's entries. */
Status compressor_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* The entries that a token sees, of the text that begins at cell `start`: [*count × head_dim], in their order. */
const float *compressor_entries(const ForwardState *state, uint64_t layer, size_t start, size_t position,
                                size_t *count);

/* From the gradient at a sequence's entries (SLOPE_ENTRY, one behind the other) onto SLOPE_NORMED. */
Status compressor_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
