/*
 * backward_attention — a layer's attention on the way back, for all sequences at once: from the gradient at the
 * input of o_proj to those at what attention took. For block_attention.c.
 *
 * The layer has just gone forward again: its queries and keys after rotary embedding are in the state's
 * buffers and KV cache, the tokens of all rows one after another.
 */
#ifndef REJUV_CORE_BACKWARD_ATTENTION_H
#define REJUV_CORE_BACKWARD_ATTENTION_H

#include "core/transformer/forward_internal.h"

/* Where a sequence lies: the first `tokens` of its row's, behind those that it shares with others. */
typedef struct BackwardSpan {
    size_t tokens;
    size_t row;   /* its row's first token among those of all rows */
    size_t first; /* its own among those of all sequences */
    size_t prefix,
        prefix_tokens; /* what it begins with: a sequence of its own, that lies there among both. 0 tokens: nothing */
    size_t shared; /* its prefix's first token among those of all prefixes, each as often as it is shared */
} BackwardSpan;

typedef struct BackwardAttention {
    const ForwardState *state;
    uint64_t layer;
    const BackwardSpan *spans; /* [count] */
    size_t count;
    /* the gradient; [tokens of all sequences × width], as are those it gives, each as wide as what it is of: */
    const float *mixed;
    float *to_query, *to_key, *to_value; /* at queries and keys as attention took them, and at values */
    /* differential attention: of each token both halves' come one behind the other in `mixed` and `to_value`, where each key head has
     * a place of its own for what its weights give */
    bool has_halves;
    float *
        to_masks; /* [tokens of all sequences × kv_heads]: at what a dynamic mask adds to scores of a key; NULL: there is none */
    float *to_shared_key,
        *to_shared_value;  /* [tokens of all prefixes × width]: what each sequence gives to its own */
    double *to_sinks;      /* [heads], or NULL: not wanted */
    float *scratch;        /* [threads][scratch_stride] */
    size_t scratch_stride; /* ≥ backward_attention_scratch() */
    Job *job;
} BackwardAttention;

Status backward_attention_run(const BackwardAttention *attention, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch a thread needs for sequences of at most `tokens` tokens, their prefix included. */
size_t backward_attention_scratch(size_t tokens);

/* Of so many queries' softmax weights [count × keys]: dS in place of dP, times the scale of the scores. Gives the gradient at a
 * sink: whatever weight keys do not have is its. */
double backward_attention_differentiate(const float *weights, float *slopes, size_t count, size_t keys,
                                        float scale);

#endif
