/*
 * embedding — token ids to the residual stream: rows of the embedding, what positions add to them, and a norm. For forward.c.
 */
#ifndef REJUV_CORE_EMBEDDING_H
#define REJUV_CORE_EMBEDDING_H

#include "core/transformer/pass.h"

/* The chunk's ids to BUFFER_RESIDUAL, and what its layers have of them besides. */
Status embedding_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* A learned position has a row, or there is none: STATUS_ARGUMENT. */
Status embedding_check_positions(const ForwardState *state, const ForwardInput *input,
                                 Error *error) STATUS_MUST_CHECK;

#endif
