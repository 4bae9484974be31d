/*
 * descent_stream — a layer's two blocks and the stream on the way back: the norms before and behind them, and the scales of both.
 * For backward.c.
 *
 *     stream' = past(stream) + scale · behind(block(before(stream)))
 *     past     the stream, times a number or a vector; or of before(stream)
 */
#ifndef REJUV_CORE_DESCENT_STREAM_H
#define REJUV_CORE_DESCENT_STREAM_H

#include "core/transformer/descent.h"

typedef enum Block { BLOCK_ATTENTION, BLOCK_MLP } Block;

/* From the stream (SLOPE_RESIDUAL) to what the block gave (descent->given). Side by side, both blocks start from one gradient:
 * it is kept in SLOPE_ADDED. */
Status descent_stream_enter(Descent *descent, Block block, Error *error) STATUS_MUST_CHECK;

/* What the block took, normed, of all tokens of the group, to descent->normed. */
Status descent_stream_norm(const Descent *descent, Block block, Error *error) STATUS_MUST_CHECK;

/* From what the block took (SLOPE_NORMED) to the stream before it; or, where that was added to what layers have in common, to
 * SLOPE_BESIDE. */
Status descent_stream_leave(const Descent *descent, Block block, Error *error) STATUS_MUST_CHECK;

/* What lies between blocks and stream, for who looks at the layer. */
void descent_stream_show(const Descent *descent, BackwardLayer *layer);

#endif
