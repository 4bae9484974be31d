/*
 * backward_streams — alternating updates and learned residuals (block_streams.h) on the way back. For backward.c.
 *
 *     SLOPE_RESIDUAL, SLOPE_STREAMS     gradients at the first stream and at the others, from layer to layer
 *     SLOPE_PREDICTED                   what comes to the first, as predicted, past the layer's blocks
 *
 *     end        from what the final norm takes to all streams
 *     correct    from streams behind the layer (and SLOPE_NORMED, at what its inputs were gated by) to what it made
 *     join       from what the MLP took to what attention gave; the gradient at attention's input begins on SLOPE_NORMED
 *     predict    from what the layer took, as predicted, to streams before it
 *     begin      from streams to the embedding, which the first is; for who wants gradients of weights
 *
 * The lengths that streams are brought to are differentiated, too, as torch does.
 */
#ifndef REJUV_CORE_BACKWARD_STREAMS_H
#define REJUV_CORE_BACKWARD_STREAMS_H

#include "core/transformer/descent.h"

/* Each does nothing where the model has one stream. */
Status backward_streams_end(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status backward_streams_correct(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status backward_streams_join(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status backward_streams_predict(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status backward_streams_begin(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
