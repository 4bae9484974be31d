/*
 * block_common — a block of attention and MLP that several layers have in common (Zamba 2, arXiv 2411.15242), each with
 * adapters of its own: what it makes of the stream and the embedding goes into the layer's mixer beside the stream.
 *
 *     u       = norm([x, embedding])                     twice as wide as the stream
 *     y       = norm(o(attention(q(u), k(u), v(u))))     q, k, v with adapters, where there are any
 *     g, h    = gate_up(y) + right(left(y))
 *     taken   = x + linear(down(act(g) ⊙ h))             what the layer's own norm is of
 */
#ifndef REJUV_CORE_BLOCK_COMMON_H
#define REJUV_CORE_BLOCK_COMMON_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* Keeps the embedding for layers that need it. Does nothing where the model has none. */
Status block_common_begin(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* BUFFER_RESIDUAL to BUFFER_BESIDE; does nothing in layers without such a block. */
Status block_common_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* The way back: from SLOPE_BESIDE, at what the mixer took, onto the stream and, in SLOPE_STREAMS, the embedding; where all layers are
 * through, that onto the stream. What meets at the block's tensors is summed over all layers that have it. */
Status block_common_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status block_common_finish(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
