/*
 * block_gated_recurrence — the real-gated linear recurrent unit of Griffin (arXiv 2402.19427; RecurrentGemma) in place of
 * attention: each channel keeps one number h.
 *
 *     x, y = in_x(input), act(in_y(input))            x convolved (channel_convolution.h)
 *     i, r = σ(W_i x + b_i), σ(W_r x + b_r)           W of each head's channels by themselves
 *     a    = exp(−8 r softplus(Λ))
 *     h    = a h + √(1 − a²) i x                      a text begins with i x
 *     output = out(h ⊙ y)
 *
 * The state of a text: the last inputs of the convolution, then h of each channel.
 *
 * On the way back √ has the derivative that transformers gives it, 1000 at most.
 */
#ifndef REJUV_CORE_BLOCK_GATED_RECURRENCE_H
#define REJUV_CORE_BLOCK_GATED_RECURRENCE_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_gated_recurrence_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status block_gated_recurrence_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, for sequences of at most so many tokens. */
size_t block_gated_recurrence_scratch(const ModelConfig *config, size_t tokens);

#endif
