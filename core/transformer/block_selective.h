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
 */
#ifndef REJUV_CORE_BLOCK_SELECTIVE_H
#define REJUV_CORE_BLOCK_SELECTIVE_H

#include "core/transformer/pass.h"

/* BUFFER_NORMED to BUFFER_ADDED; the layers' states go on from token to token (recurrence.h). */
Status block_selective_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
