/*
 * block_layer_input — what a layer has of each token besides the stream (Gemma 3n, 4: "per-layer inputs"), and the scale of
 * what leaves it. For forward.c.
 *
 *     e, h   the token's row of an embedding of its own, times √P, and its embedding
 *     i      = (norm(W h / √hidden_size) + e) / √2            [layers × P]; norm: of each layer's P
 *     stream = (stream + norm(W_down (act(W_gate stream) ⊙ i of the layer))) · scale
 */
#ifndef REJUV_CORE_BLOCK_LAYER_INPUT_H
#define REJUV_CORE_BLOCK_LAYER_INPUT_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* Of BUFFER_RESIDUAL, which holds embeddings, to BUFFER_LAYER_INPUTS; nothing where the model has none. */
Status block_layer_input_prepare(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* Behind the layer's other blocks, on BUFFER_RESIDUAL. */
Status block_layer_input_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* The way back. In a layer, from the stream behind it to that behind its MLP, or where there are several from all others to
 * what it took of the first, corrected (SLOPE_NORMED); the gradient at its inputs goes where they were
 * kept, for who wants gradients of weights. For them then, once all layers are through: of a group, from that to the embeddings
 * (SLOPE_RESIDUAL); and of all groups, what meets at rows of the embedding of inputs. */
Status block_layer_input_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status block_layer_input_finish(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status block_layer_input_give_rows(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
