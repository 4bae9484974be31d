/*
 * backward_internal — the inside of a Backward, for the files of this room. Not for others.
 */
#ifndef REJUV_CORE_BACKWARD_INTERNAL_H
#define REJUV_CORE_BACKWARD_INTERNAL_H

#include "core/transformer/backward.h"
#include "core/transformer/forward_internal.h"

/* Gradients of one layer, [tokens of all sequences of a group × width] each. */
typedef enum Slope {
    SLOPE_RESIDUAL, /* hidden_size: the caller's */
    SLOPE_NORMED,   /* hidden_size: at the input of a block */
    SLOPE_ADDED,    /* hidden_size: at what a block gave */
    SLOPE_ACTIVATED,
    SLOPE_GATE,
    SLOPE_UP,
    SLOPE_MIXED,
    SLOPE_QUERY,
    SLOPE_KEY,
    SLOPE_VALUE,
    SLOPE_QKV,
    SLOPE_GATE_UP,
    SLOPE_COUNT
} Slope;

/* Rows that go through a layer together. */
typedef struct BackwardGroup {
    size_t first_row, row_count;
    size_t first, tokens; /* its first token among those of all rows */
} BackwardGroup;

struct Backward {
    const Model *model;
    Settings settings;
    ForwardState *state; /* of the largest group; what is in it is of the group that came last */
    MatmulScratch *scratch;
    unsigned threads;
    size_t *row_first; /* [row_count]: a row's first token among all */
    size_t *row_tokens;
    size_t row_count, tokens;
    BackwardGroup *groups;
    size_t group_count, group_tokens; /* tokens of the largest */
    int32_t *ids;
    size_t *starts; /* [tokens]: within the row's group */
    float *inputs;  /* [layers + 1][tokens × hidden_size] */
    /* of the layer and the group at hand, [group_tokens × width] */
    float *middle;     /* the residual stream between attention and MLP */
    float *outputs[2]; /* what attention and MLP gave, where a norm follows; else NULL */
    float *activations[BACKWARD_SITES];
    float *slopes[SLOPE_COUNT];
    size_t slope_tokens;
};

/* Whether a norm stands between a block and the stream. */
static inline bool backward_norms_behind(const ModelConfig *config) {
    return config->norms == NORMS_AROUND || config->norms == NORMS_BEHIND;
}

size_t backward_site_width(const ModelConfig *config, BackwardSite site);
size_t backward_slope_width(const ModelConfig *config, Slope slope);

/* Of a token, among all, in its text. */
size_t backward_position(const Backward *backward, size_t token);

/* A group's part of the kept inputs of a layer. */
static inline float *backward_inputs(const Backward *backward, const BackwardGroup *group, uint64_t layer) {
    return backward->inputs +
           (layer * backward->tokens + group->first) * backward->model->config->hidden_size;
}

#endif
