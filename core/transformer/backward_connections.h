/*
 * backward_connections — hyper-connections (block_connections.h) on the way back. For the files of this room.
 *
 *     SLOPE_STREAMS       gradients at all streams, from layer to layer
 *     SLOPE_CONNECTION    at a connection's weights, then at what its matrix gives
 *
 *     end      from what the final norm takes to all streams
 *     enter    from streams behind a block to what it gave (SLOPE_ADDED), to its weights, and to streams before it; what it took
 *              begins with nothing on SLOPE_RESIDUAL
 *     leave    from what the block took, and from its weights, to streams before it
 *     begin    from streams to the embedding, which each of them is
 *
 * Directions of attribution (backward.h) go the same way, with all weights as they are: to what a block gave, past it, but not
 * through what it took.
 */
#ifndef REJUV_CORE_BACKWARD_CONNECTIONS_H
#define REJUV_CORE_BACKWARD_CONNECTIONS_H

#include "core/transformer/descent.h"

/* Each of the first two and of the last two does nothing where the model has none. */
Status backward_connections_end(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status backward_connections_leave(const Descent *descent, bool is_mlp, Error *error) STATUS_MUST_CHECK;
Status backward_connections_enter(const Descent *descent, bool is_mlp, Error *error) STATUS_MUST_CHECK;
Status backward_connections_begin(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs. */
size_t backward_connections_scratch(const ModelConfig *config);

Status backward_connections_direct_end(const Backward *backward, const BackwardDirections *directions,
                                       Job *job, Error *error) STATUS_MUST_CHECK;
void backward_connections_direct(const Descent *descent, bool is_mlp, const BackwardDirections *directions);

#endif
