/*
 * backward_state — the inside of a Backward, for backward.c and backward_attention.c.
 */
#ifndef REJUV_CORE_BACKWARD_STATE_H
#define REJUV_CORE_BACKWARD_STATE_H

#include "core/transformer/backward.h"
#include "core/transformer/forward_state.h"

/* Gradients of one layer, [tokens of all sequences × width] each. */
typedef enum Slope {
    SLOPE_RESIDUAL, /* hidden_size: the caller's */
    SLOPE_NORMED,   /* hidden_size: at the output of a norm */
    SLOPE_ACTIVATED,
    SLOPE_GATE,
    SLOPE_UP,
    SLOPE_MIXED,
    SLOPE_QUERY,
    SLOPE_KEY,
    SLOPE_VALUE,
    SLOPE_COUNT
} Slope;

struct Backward {
    const Model *model;
    Settings settings;
    ForwardState *state;
    MatmulScratch *scratch;
    unsigned threads;
    BackwardRow *rows; /* ids point into `ids` */
    size_t *row_first; /* [row_count]: the row's first token among all */
    size_t row_count, tokens;
    int32_t *ids;
    size_t *starts; /* [tokens] */
    float *inputs;  /* [layers + 1][tokens × hidden_size] */
    float *middle;  /* [tokens × hidden_size]: the residual stream between attention and MLP */
    float *activations[BACKWARD_SITES]; /* [tokens × width], of the layer at hand */
    float *slopes[SLOPE_COUNT];
    size_t slope_tokens;
};

/* A run on its way down. */
typedef struct Descent {
    Backward *backward;
    const BackwardSequence *sequences;
    const size_t *first; /* [count]: a sequence's first token among all */
    size_t count, tokens;
    uint64_t layer;
    float *scratch; /* [threads][…], see backward_attention.c */
    size_t scratch_stride;
    Job *job;
} Descent;

/* From SLOPE_MIXED to SLOPE_QUERY, SLOPE_KEY, SLOPE_VALUE (before rotary embedding and q/k norms). */
Status backward_attention(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch a thread needs for sequences of at most `tokens` tokens. */
size_t backward_attention_scratch(size_t tokens);

#endif
