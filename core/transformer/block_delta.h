/*
 * block_delta — linear attention by the gated delta rule in place of attention (Yang, Kautz, Hatamizadeh, arXiv 2412.06464;
 * Qwen3-Next, Qwen3.5, OLMo Hybrid), and by Kimi's, which decays each channel of its keys by itself (Kimi Linear,
 * arXiv 2510.26692; Kimi Linear, Ling 3). For forward.c.
 *
 *     q, k, v = act(conv(W_in h))                       the convolution is causal, of each channel for itself
 *     q, k    = q / (|q| √key_dim), k / |k|             of each key head
 *     β       = σ(W_write h), or twice that              of each value head
 *     γ       = exp(−exp(A) · softplus(W_step h + b))    of each value head, or of each channel of its keys, a row of S
 *               or exp(least · σ(exp(A) · (W_step h + b)))
 *     S       = γ S + β k (v − (γ S)ᵀ k)ᵀ                [key_dim × value_dim], of each value head
 *     y       = W_out( norm(Sᵀ q) ⊙ gate(W_gate h) )     the norm over each value head; the gate is silu, or σ
 *
 * W_gate and W_step may each be two matrices, with the channels of one head between them.
 *
 * The state of a text is S, and the taps − 1 last inputs of the convolution: [channels][taps − 1], oldest first, then
 * [value heads][key_dim][value_dim]. Tokens go one by one: what a text gives does not depend on how it is cut into calls.
 */
#ifndef REJUV_CORE_BLOCK_DELTA_H
#define REJUV_CORE_BLOCK_DELTA_H

#include "core/transformer/channel_convolution.h"
#include "core/transformer/pass.h"

Status block_delta_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* ---- for backward_delta.c ---- */

#define BLOCK_DELTA_SMALLEST_SQUARE 1e-6 /* what is added to |q|², |k|² */

/* Of what is read, over each value head. */
Norm block_delta_norm(const ForwardState *state, uint64_t layer);

/* Of all channels, in BUFFER_SCRATCH. */
ChannelConvolution block_delta_convolution(const ModelConfig *config, const LayerPlan *plan);

#endif
