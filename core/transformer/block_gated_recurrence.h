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
 */
#ifndef REJUV_CORE_BLOCK_GATED_RECURRENCE_H
#define REJUV_CORE_BLOCK_GATED_RECURRENCE_H

#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_gated_recurrence_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
