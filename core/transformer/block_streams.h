/*
 * block_streams — alternating updates (arXiv 2301.13310) and learned residuals of Gemma 3n: beside the stream that layers
 * work on there are others, which each layer predicts and corrects. For forward.c.
 *
 *     begin      stream i   = |x| · W_i x / |W_i x|                      of the embedding x
 *     predict    m          = tanh(router(norm(x) / hidden_size))
 *                stream j  += Σ_i (W_p m)[j, i] · stream i
 *     after attention       x = (x + laurel) / √2, laurel = y + norm(right(left(y))) of attention's input y
 *     correct    m          = the same of what the layer made of x
 *                stream i  += (1 + (W_c m)[i]) · (made − predicted x)
 *     end        x          = mean of x and each |x| · V_i stream i / |V_i stream i|
 *
 * BUFFER_RESIDUAL is stream 0, BUFFER_STREAMS the others.
 */
#ifndef REJUV_CORE_BLOCK_STREAMS_H
#define REJUV_CORE_BLOCK_STREAMS_H

#include "core/transformer/pass.h"

/* Each does nothing where the model has one stream. */
Status block_streams_begin(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_streams_predict(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_streams_join(const Pass *pass, Error *error) STATUS_MUST_CHECK; /* the learned residual */
Status block_streams_correct(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_streams_end(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* Stream i of a token, from 1. */
float *block_streams_row(const Chunk *chunk, ForwardState *state, size_t token, size_t stream);

/* Tells the observer of all streams beside the residual. */
void block_streams_observe(const Pass *pass);

/* ---- for backward_streams.c ---- */

#define BLOCK_STREAMS_HALF            0.707106781F /* √½: of what attention and the learned residual are added to */

#define BLOCK_STREAMS_SMALLEST_SQUARE 1e-5 /* mean square of what is brought to another length */

double block_streams_mean_square(const float *x, size_t size);

/* A norm of the stream that is a part of the layer. */
Norm block_streams_norm(const ForwardState *state, uint64_t layer, TensorPart part);

/* Σ weights[row, i] tanh(modes[i]) */
float block_streams_share(const float *weights, size_t row, const float *modes, size_t count);

/* The matrix of stream i, from 1, where `first` is the first's. */
TensorPart block_streams_part(TensorPart first, size_t stream);

#endif
