/*
 * attention — softmax attention of a chunk's queries over the KV cache. For forward.c; backward_attention.c
 * weighs with it again.
 */
#ifndef REJUV_CORE_ATTENTION_H
#define REJUV_CORE_ATTENTION_H

#include "core/transformer/forward_internal.h"

/* Softmax of one query's `count` scores in place, times `scale`; keys outside [from, to) get weight 0. */
void attention_weigh(float *scores, size_t from, size_t to, size_t count, float scale);

/* Softmax attention of the chunk's queries over the cache, BUFFER_QUERY → BUFFER_MIXED, for every state. */
Status attention_run(const Chunk *chunk, Error *error) STATUS_MUST_CHECK;

#endif
