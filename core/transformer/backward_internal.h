/*
 * backward_internal — the inside of a Backward, for the files of this room. Not for others.
 */
#ifndef REJUV_CORE_BACKWARD_INTERNAL_H
#define REJUV_CORE_BACKWARD_INTERNAL_H

#include "core/transformer/backward.h"
#include "core/transformer/backward_experts.h"
#include "core/transformer/forward_internal.h"

/* Gradients of one layer, [tokens of all sequences of a group × width] each. */
typedef enum Slope {
    SLOPE_RESIDUAL, /* hidden_size: the caller's */
    SLOPE_NORMED,   /* hidden_size: at the input of a block */
    SLOPE_ADDED,    /* hidden_size: at what a block gave */
    SLOPE_ACTIVATED,
    SLOPE_UNNORMED, /* intermediate_size: before a norm between activation and down */
    SLOPE_GATE,
    SLOPE_UP,
    SLOPE_MIXED,
    SLOPE_QUERY,
    SLOPE_KEY,
    SLOPE_VALUE,
    SLOPE_QKV,
    SLOPE_GATE_UP,
    SLOPE_QUERY_LATENT, /* at latents: as projected, and for what keys and values come of, normed */
    SLOPE_LATENT,
    SLOPE_LATENT_NORMED,
    SLOPE_ATTENTION_GATE, /* at gates of what attention gives, before they are bent */
    SLOPE_LAYER_GATE,     /* layer_input_size: at what a layer gates its inputs with */
    SLOPE_EXPANDED,       /* of each head the plain part of its key, and its value */
    SLOPE_PROJECTED,      /* as buffers are: queries and gates of one matrix; channels that are convolved, */
    SLOPE_STORED,         /* as their matrices have them, */
    SLOPE_WRITE,          /* and what is written and kept, before it is bent */
    SLOPE_DECAY,
    SLOPE_STATE_IN, /* the same of a state space: as projected, before and behind its convolution */
    SLOPE_STATE_OUT,
    SLOPE_STATE_SMALL,
    SLOPE_STATE_RANK,
    SLOPE_STATE_STEP,
    SLOPE_STATE_SHARED, /* at what its heads or channels share, part by part, before that is added up */
    SLOPE_MASK, /* kv_heads: at what a dynamic mask adds to scores of a key, then at what that comes of */
    SLOPE_HALVES, /* 2 · heads · head_dim, of differential attention: at what both halves' values are mixed to, */
    SLOPE_VALUE_HALVES, /* 2 · kv_heads · head_dim: and at those, of each key head by itself */
    /* (streams − 1) · hidden_size: at those beside the residual, or at the embedding, which layers take beside it; connections ·
     * hidden_size: at all that those have; the descent's */
    SLOPE_STREAMS,
    SLOPE_COMMON_ACTIVATED, /* of a block that layers have in common: intermediate_size, */
    SLOPE_COMMON_GATE_UP,   /* twice that, */
    SLOPE_COMMON_RANK,      /* rank of its adapters, */
    SLOPE_COMMON_IN,        /* 2 · hidden_size */
    SLOPE_PREDICTED,        /* hidden_size: at what a layer's stream was predicted as, past the layer */
    SLOPE_STREAM_SHARES,    /* streams²: at what streams are mixed by */
    SLOPE_STREAM_MODES,     /* streams: at what that comes of */
    SLOPE_LAUREL,           /* rank of the learned residual */
    SLOPE_CONNECTION, /* (2 + connections) · connections: at a hyper-connection's weights, then at what its matrix gave, */
    SLOPE_CONNECTED, /* connections · hidden_size: and took */
    SLOPE_GROUPED, /* groups · rank, both: at what groups of heads gave, token by token, then group by group */
    SLOPE_GROUP_ROWS,
    SLOPE_KEY_PARTS, /* at keys that are values, of each block of heads by itself: head_dim each; then of all */
    SLOPE_ENTRY_PARTS, /* and at compressed ones, of which a sequence has one for `rate` tokens: as much room as they need */
    SLOPE_ENTRY,
    SLOPE_COMPRESSOR_KEY, /* as their buffers: at what is compressed */
    SLOPE_COMPRESSOR_GATE,
    SLOPE_HEAD_ROWS, /* heads · head_dim: rows of experts of attention, at what o takes of each, then at their queries */
    SLOPE_HEAD_ROUTED,  /* chosen · hidden_size: at what those took */
    SLOPE_HEAD_CHOSEN,  /* chosen: no gradient, but numbers of experts */
    SLOPE_HEAD_WEIGHTS, /* chosen: their weights, then the gradient at them, */
    SLOPE_HEAD_LOGITS,  /* experts: and at their router */
    SLOPE_BESIDE, /* hidden_size: at what one of two mixers gave, scaled; at what a block in common was added to */
    SLOPE_BESIDE_NORMED, /* hidden_size: no gradient, but what attention beside another took, scaled */
    SLOPE_COUNT
} Slope;

/* What a block changes in place, or has no buffer for, as it was before: [tokens × width of its buffer]. */
typedef enum BackwardCopy {
    COPY_PROJECTED,
    COPY_CONVOLVED,
    COPY_DECAY,
    COPY_GATE_RANK,
    COPY_DECAY_RANK,
    COPY_ATTENDED,
    COPY_COMMON_ATTENDED,
    COPY_COMMON_OUTPUT,
    COPY_STREAM_MODES,
    COPY_LAUREL,
    COPY_MIDDLE_STREAMS,
    COPY_ATTENTION_CONNECTION,
    COPY_MLP_CONNECTION,
    COPY_HEAD_SCORES,
    COPY_HEAD_CHOSEN,
    COPY_HEAD_WEIGHTS,
    COPY_BEHIND,
    COPY_LAYER_GATE,
    COPY_LAYER_OUTPUT,
    COPY_STATE_IN,
    COPY_STATE_SMALL,
    COPY_STATE_READ,
    COPY_COUNT
} BackwardCopy;

/* Tokens that follow one another: a row, or what rows begin with together, or what a row has behind that. */
typedef struct BackwardPart {
    size_t first, tokens;         /* its first token among all */
    size_t prefix, prefix_tokens; /* the same of what it goes on from; 0 tokens: it begins its text */
} BackwardPart;

/* Parts that go through a layer together. */
typedef struct BackwardGroup {
    size_t first_part, part_count;
    size_t first, tokens;
    size_t shared; /* tokens of prefixes, each as often as it is gone on from */
} BackwardGroup;

struct Backward {
    const Model *model;
    Settings settings;
    ForwardState *state; /* of the largest group; what is in it is of the group that came last */
    MatmulScratch *scratch;
    unsigned threads;
    size_t *row_part; /* [row_count]: its last */
    size_t row_count, tokens;
    BackwardPart *parts;
    size_t part_count;
    BackwardGroup *groups;
    size_t group_count, group_tokens; /* tokens of the largest */
    int32_t *ids;
    ForwardPlace *places; /* [tokens]: within the group */
    size_t *starts;       /* the same where nothing is shared */
    bool shares;
    float *inputs; /* [layers + 1][tokens × hidden_size] */
    /* [tokens × layers · layer_input_size], or NULL: what layers have besides; on the way down to weights a layer's are
     * overwritten by the gradient at them */
    float *layer_inputs;
    /* [layers + 1][tokens × (streams − 1) · hidden_size]: those beside `inputs`; of hyper-connections all, of which those are what
     * blocks take; or NULL */
    float *streams;
    float *ending;      /* [tokens × hidden_size]: the first where all are brought together */
    float *gates, *ups; /* [layers − kept_from][tokens × intermediate_size]; gates NULL: the model has none */
    uint64_t kept_from; /* = layers: nothing of that is kept */
    /* of the layer and the group at hand, [group_tokens × width] */
    float *middle;     /* the residual stream between attention and MLP */
    float *outputs[2]; /* what attention and MLP gave, where a norm follows; else NULL */
    float *activations[BACKWARD_SITES];
    float *copies[COPY_COUNT];
    float *slopes[SLOPE_COUNT];
    size_t slope_tokens;
    ExpertsPast *experts; /* of a model that has some; else NULL */
};

/* ---- in backward_layout.c ---- */

/* Of prefixes' tokens in a group, each as often as it is gone on from, in parts of the group's: what they take is bounded. */
enum { BACKWARD_MOST_SHARED = 2 };

/* Rows in groups of at most so many tokens, or of one row: fills in what says where they lie. */
Status backward_lay_out(Backward *backward, const BackwardRow *rows, size_t group_tokens,
                        Error *error) STATUS_MUST_CHECK;
void backward_free_layout(Backward *backward);

/* Of the side whose weights and switches the settings take: sizes that follow a switch are of that one. */
static inline const ModelConfig *backward_config(const Backward *backward) {
    return forward_side(backward->model, &backward->settings)->config;
}

/* Whether a norm stands between a block and the stream, in any layer. */
static inline bool backward_norms_behind(const ModelConfig *config) {
    return config->norms == NORMS_AROUND || config->norms == NORMS_BEHIND;
}

/* Whether what blocks give is needed again. */
static inline bool backward_keeps_outputs(const ModelConfig *config) {
    return backward_norms_behind(config) || config->connections > 0;
}

/* Floats of a token's further streams. */
static inline size_t backward_streams_width(const ModelConfig *config) {
    return forward_buffer_width(config, config->connections > 0 ? BUFFER_CONNECTED : BUFFER_STREAMS);
}

/* What is kept of the layer's MLP for a group; `up` NULL: nothing. */
ForwardKept backward_kept(const Backward *backward, const BackwardGroup *group, uint64_t layer);

/* Of the layer at hand; of the widest one; 0: there is nothing to copy. */
size_t backward_copy_width(const ModelConfig *config, const LayerPlan *plan, BackwardCopy copy);
size_t backward_widest_copy(const ModelConfig *config, BackwardCopy copy);

/* Whether other layers attend to the layer's keys and values; of a token, all that are shared. */
bool backward_shares_keys(const ModelConfig *config, uint64_t layer);
size_t backward_shared_width(const ModelConfig *config);

/* Of the layer at hand; of the widest one. */
size_t backward_site_width(const LayerPlan *plan, BackwardSite site);
size_t backward_slope_width(const ModelConfig *config, const LayerPlan *plan, Slope slope);
size_t backward_widest_site(const ModelConfig *config, BackwardSite site);
size_t backward_widest_slope(const ModelConfig *config, Slope slope);

/* Of a token, among all, in its text. */
static inline size_t backward_position(const Backward *backward, size_t token) {
    const ForwardPlace *place = &backward->places[token];
    return place->prefix_count + place->cell - place->first;
}

/* A group's part of the kept streams before a layer, [tokens × (streams − 1) · hidden_size]; NULL: there is but the residual. */
static inline float *backward_streams(const Backward *backward, const BackwardGroup *group, uint64_t layer) {
    size_t width = backward_streams_width(backward_config(backward));
    return backward->streams == NULL ? NULL
                                     : backward->streams + (layer * backward->tokens + group->first) * width;
}

/* A group's part of the kept inputs of a layer. */
static inline float *backward_inputs(const Backward *backward, const BackwardGroup *group, uint64_t layer) {
    return backward->inputs +
           (layer * backward->tokens + group->first) * backward->model->config->hidden_size;
}

/* The input that a group of tokens is, for a forward pass on an empty state, or of a layer by itself. */
static inline ForwardInput backward_input(const Backward *backward, const BackwardGroup *group,
                                          uint64_t layer) {
    size_t besides = forward_buffer_width(backward_config(backward), BUFFER_LAYER_INPUTS);
    return (ForwardInput){.ids = backward->ids + group->first,
                          .layer_inputs = backward->layer_inputs == NULL
                                              ? NULL
                                              : backward->layer_inputs + group->first * besides,
                          .starts = backward->shares ? NULL : backward->starts + group->first,
                          .places = backward->shares ? backward->places + group->first : NULL,
                          .in_blocks = true,
                          .count = group->tokens,
                          .streams = backward_streams(backward, group, layer),
                          .embedded = backward_inputs(backward, group, 0)};
}

#endif
