/*
 * block_attention — softmax attention as a block: q, k and v out of three matrices or one, clipped, normed, turned; the
 * cache; attention.h; o. BUFFER_NORMED to BUFFER_ADDED, and back.
 */
#ifndef REJUV_CORE_BLOCK_ATTENTION_H
#define REJUV_CORE_BLOCK_ATTENTION_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* Queries as attention takes them, and keys and values in the cache; told of to nobody. */
Status block_attention_fill_cache(const Pass *pass, Error *error) STATUS_MUST_CHECK;

Status block_attention_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_attention_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Of these steps, from the gradient at what attention gave to SLOPE_QUERY, SLOPE_KEY and SLOPE_VALUE, as attention took them. */
Status block_attention_descend_scores(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* And the last: gates, onto what SLOPE_NORMED has; nothing where there are none. */
Status block_attention_descend_gate(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Row of the output of the one matrix at which a head's query (BUFFER_QUERY), key or value begins. */
size_t block_attention_fused_row(QkvLayout layout, const LayerPlan *plan, Buffer which, uint64_t head);

/* Turns queries or keys of one token in place; `x` begins at the first channel that turns, heads are `stride` apart. */
void block_attention_turn(const Chunk *chunk, const ForwardState *state, size_t token, float *x,
                          uint64_t heads, size_t stride);

/* What is mixed, by its gate, where there is one. */
Status block_attention_gate(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* Of queries, keys and values that are projected already: their positions, the cache, and BUFFER_MIXED. */
Status block_attention_mix(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
