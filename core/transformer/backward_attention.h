/*
 * backward_attention — a layer's attention on the way back, for all sequences at once: from the gradient at the
 * input of o_proj to those at the outputs of q, k and v. For backward.c.
 *
 * The layer has just gone forward again: its queries and keys after rotary embedding are in the state's
 * buffers and KV cache, the tokens of all rows one after another.
 */
#ifndef REJUV_CORE_BACKWARD_ATTENTION_H
#define REJUV_CORE_BACKWARD_ATTENTION_H

#include "core/transformer/forward_internal.h"

/* Where a sequence lies: the first `tokens` of its row's. */
typedef struct BackwardSpan {
    size_t tokens;
    size_t row;   /* its row's first token among those of all rows */
    size_t first; /* its own among those of all sequences */
} BackwardSpan;

typedef struct BackwardAttention {
    const ForwardState *state;
    uint64_t layer;
    const BackwardSpan *spans; /* [count] */
    size_t count;
    const float *query, *key; /* [tokens of all rows × width]: before q/k norms and rotary embedding */
    const float *mixed;       /* the gradient; [tokens of all sequences × width], as are those it gives: */
    float *to_query, *to_key, *to_value; /* at outputs of q, k and v, before q/k norms and rotary embedding */
    double *to_query_norm,
        *to_key_norm;      /* NULL, or [count · kv_heads × head_dim]: at the weights of q/k norms, for each
                                            sequence and key/value head */
    float *scratch;        /* [threads][scratch_stride] */
    size_t scratch_stride; /* ≥ backward_attention_scratch() */
    const float *frequencies; /* [head_dim / 2], of the rotary embedding; set by backward_attention_run() */
    Job *job;
} BackwardAttention;

enum { BACKWARD_LARGEST_NORMED_HEAD = 512 }; /* the longest head whose q/k norms it goes through */

Status backward_attention_run(const BackwardAttention *attention, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch a thread needs for sequences of at most `tokens` tokens. */
size_t backward_attention_scratch(size_t tokens);

#endif
