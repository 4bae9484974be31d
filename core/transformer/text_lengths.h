/*
 * text_lengths — how long texts are, and how their tokens turn: some rotary embeddings have frequencies that follow a text's
 * length. For forward.c.
 */
#ifndef REJUV_CORE_TEXT_LENGTHS_H
#define REJUV_CORE_TEXT_LENGTHS_H

#include "core/transformer/forward_internal.h"

/* How long the text of each token is, once this input is in: [input->count]. */
void text_lengths_measure(const ForwardState *state, const ForwardInput *input, size_t *lengths);

/* Cosines and sines of the chunk's tokens, into chunk->angles. `frequencies`: room for head_dim + 1. */
void text_lengths_turn(const Chunk *chunk, float *frequencies);

#endif
