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
 *
 * The way back goes from a text's last token to its first, each head by itself:
 *
 *     dS = C dyᵀ + the dS of the token behind · its exp(−eᴬ Δ)        dC = S dy
 *     dx = Δ dSᵀ B + D dy          dB = Δ dS x          dΔ = Bᵀ dS x − eᴬ h          dA = −eᴬ Δ h
 *     h  = exp(−eᴬ Δ) ⟨dS, S before⟩
 *
 * S of each token is computed again, window by window of √tokens tokens, from S where each window begins.
 */
#ifndef REJUV_CORE_BLOCK_STATE_SPACE_H
#define REJUV_CORE_BLOCK_STATE_SPACE_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_state_space_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status block_state_space_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, for sequences of at most so many tokens. */
size_t block_state_space_scratch(const ModelConfig *config, size_t tokens);

#endif
