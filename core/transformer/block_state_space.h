/*
 * block_state_space — Mamba-2 (arXiv 2405.21060): in place of keys and values each head keeps a matrix S of its state by its
 * channels.
 *
 *     z, x, B, C, d = in(input)                       x, B, C convolved (channel_convolution.h); B, C of a group of heads
 *     Δ             = softplus(d + bias), within bounds
 *     S             = exp(−eᴬ Δ) S + Δ B xᵀ           from 0
 *     y             = Sᵀ C + D x
 *     output        = out( norm(y ⊙ silu(z)) )        the norm over each group of channels; before the gate; or none
 *
 * The state of a text: the last inputs of the convolution, then S of each head, [state × channels].
 */
#ifndef REJUV_CORE_BLOCK_STATE_SPACE_H
#define REJUV_CORE_BLOCK_STATE_SPACE_H

#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_state_space_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
