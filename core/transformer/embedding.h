/*
 * embedding — token ids to the residual stream: rows of the embedding, what positions add to them, and a norm. For forward.c
 * and backward.c.
 */
#ifndef REJUV_CORE_EMBEDDING_H
#define REJUV_CORE_EMBEDDING_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* The chunk's ids to BUFFER_RESIDUAL, and what its layers have of them besides. */
Status embedding_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* A learned position has a row, or there is none: STATUS_ARGUMENT. */
Status embedding_check_positions(const ForwardState *state, const ForwardInput *input,
                                 Error *error) STATUS_MUST_CHECK;

/* The way back: from the gradient at the stream (SLOPE_RESIDUAL) of the group at hand through the norm, in place; and, once
 * all groups have come so far, what meets at rows of learned positions and of the embedding, for `gradient` [tokens of all
 * rows × hidden_size]. */
Status embedding_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;
Status embedding_give_rows(const Descent *descent, float *gradient, Error *error) STATUS_MUST_CHECK;

#endif
