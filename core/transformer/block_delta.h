/*
 * block_delta — linear attention by the gated delta rule in place of attention (Yang, Kautz, Hatamizadeh, arXiv 2412.06464;
 * Qwen3-Next, Qwen3.5). For forward.c.
 *
 *     q, k, v = act(conv(W_in h))                       the convolution is causal, of each channel for itself
 *     q, k    = q / (|q| √key_dim), k / |k|             of each key head
 *     β       = σ(W_write h)      γ = exp(−exp(A) · softplus(W_step h + b))       of each value head
 *     S       = γ S + β k (v − γ Sᵀ k)ᵀ                 [key_dim × value_dim], of each value head
 *     y       = W_out( norm(Sᵀ q) ⊙ silu(W_gate h) )    the norm over each value head
 *
 * The state of a text is S, and the taps − 1 last inputs of the convolution: [channels][taps − 1], oldest first, then
 * [value heads][key_dim][value_dim]. Tokens go one by one: what a text gives does not depend on how it is cut into calls.
 */
#ifndef REJUV_CORE_BLOCK_DELTA_H
#define REJUV_CORE_BLOCK_DELTA_H

#include "core/transformer/pass.h"

Status block_delta_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
