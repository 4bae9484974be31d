/*
 * block_selective — Mamba (arXiv 2312.00752): in place of keys and values each channel keeps a vector s.
 *
 *     x, z    = in(input)                          x convolved (channel_convolution.h)
 *     d, B, C = small(x)                           each normed (Jamba, Falcon-Mamba); B, C of all channels
 *     Δ       = softplus(step(d) + bias)           of each channel
 *     s       = exp(−eᴬ Δ) s + Δ B x               from 0
 *     output  = out( (s·C + D x) ⊙ silu(z) )
 *
 * The state of a text: the last inputs of the convolution, then s of each channel.
 *
 * The way back is block_state_space.h's, with a state of its own for each channel.
 */
#ifndef REJUV_CORE_BLOCK_SELECTIVE_H
#define REJUV_CORE_BLOCK_SELECTIVE_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_selective_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status block_selective_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, for sequences of at most so many tokens. */
size_t block_selective_scratch(const ModelConfig *config, size_t tokens);

#endif
