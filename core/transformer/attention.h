/*
 * attention — softmax attention of a chunk's queries over the KV cache. For forward.c; backward_attention.c
 * weighs with it again.
 */
#ifndef REJUV_CORE_ATTENTION_H
#define REJUV_CORE_ATTENTION_H

#include "core/transformer/forward_internal.h"

/* What scores of one head go through before the softmax. */
typedef struct ScoreRule {
    float scale, cap; /* cap·tanh(scale·x / cap); cap 0: scale·x */
    float slope;      /* ALiBi: minus slope · distance; 0: none */
    /* Falcon's: plus scale · (b(key) − b(query)), b = slope · position, rounded to bfloat16 */
    bool is_rounded;
    size_t position;   /* of the query in its text: is_rounded needs it */
    const float *sink; /* a score besides, whose weight goes nowhere; NULL: none */
    /* what a dynamic mask adds to keys below `split`, and to those from it on; NULL: nothing */
    const float *masks[2];
    size_t split,
        kept; /* so many of what a query sees count, those with the most added, of equals the first, which torch leaves open */
} ScoreRule;

ScoreRule attention_rule(const ForwardState *state, uint64_t layer, uint64_t head);

/* Softmax of one query's `count` scores in place; keys outside [from, to) get weight 0. The key at to − 1 is the query's
 * own. */
void attention_weigh(const ScoreRule *rule, float *scores, size_t from, size_t to, size_t count);

/* The first position of its text that a query at `position` sees. */
size_t attention_first(const LayerPlan *plan, size_t position);

/* Softmax attention of the chunk's queries over the cache, BUFFER_QUERY → BUFFER_MIXED, for every state. */
Status attention_run(const Chunk *chunk, Error *error) STATUS_MUST_CHECK;

#endif
