/*
 * forward_internal — the inside of a ForwardState and of a chunk that goes through it, for the files of this
 * room. Not for others.
 */
#ifndef REJUV_CORE_FORWARD_INTERNAL_H
#define REJUV_CORE_FORWARD_INTERNAL_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"
#include "core/support/job.h"
#include "core/transformer/forward.h"
#include "core/transformer/norm.h"

/* Activations of the chunk that is going through, [tokens × width] each. */
typedef enum Buffer {
    BUFFER_RESIDUAL,       /* hidden_size */
    BUFFER_NORMED,         /* hidden_size: the input of a block */
    BUFFER_ADDED,          /* hidden_size: what a block adds to the residual */
    BUFFER_QUERY,          /* heads · head_dim */
    BUFFER_KEY,            /* kv_heads · head_dim */
    BUFFER_VALUE,          /* kv_heads · value_dim */
    BUFFER_MIXED,          /* heads · value_dim: the input of o_proj */
    BUFFER_GATE,           /* intermediate_size; after the activation the input of down_proj */
    BUFFER_UP,             /* intermediate_size */
    BUFFER_QKV,            /* the output of one matrix for q, k and v, as it is stored */
    BUFFER_GATE_UP,        /* and of one for gate and up */
    BUFFER_LAYER_INPUTS,   /* layers · layer_input_size: of all layers, for the whole chunk */
    BUFFER_LAYER_GATE,     /* layer_input_size: what a layer takes of its inputs */
    BUFFER_SCRATCH,        /* what a block keeps for itself between its steps */
    BUFFER_ATTENTION_GATE, /* as wide as BUFFER_MIXED: what it is gated by */
    BUFFER_EMBEDDED,     /* hidden_size: what a block that layers have in common takes beside the residual */
    BUFFER_COMMON_IN,    /* 2 · hidden_size */
    BUFFER_COMMON_RANK,  /* of its adapters */
    BUFFER_STREAMS,      /* (streams − 1) · hidden_size: those beside the residual */
    BUFFER_PREDICTED,    /* hidden_size: the residual as it was predicted */
    BUFFER_STREAM_MODES, /* streams */
    BUFFER_LAUREL,       /* rank of the learned residual */
    BUFFER_BESIDE,       /* hidden_size: what a mixer beside attention gives */
    BUFFER_STATE_IN,     /* of a state space, as it is projected: gates, inputs, … */
    BUFFER_STATE_OUT,    /* its width: what it puts out */
    BUFFER_STATE_SMALL,  /* Mamba-1: rank + 2 · state; of a gated recurrence its width */
    BUFFER_STATE_RANK,   /* rank; of the delta rule, too */
    BUFFER_STATE_STEP,   /* its width */
    BUFFER_WRITE,        /* value heads of the delta rule: how much is written */
    BUFFER_DECAY,        /* its decays: how much is kept */
    /* a mixture of experts; routed rows are a token's for each expert that it goes to, in the order of the experts */
    BUFFER_ROUTER,      /* experts: logits, then scores */
    BUFFER_RIVALS,      /* experts, and their groups */
    BUFFER_CHOSEN,      /* chosen: numbers of experts */
    BUFFER_WEIGHTS,     /* chosen */
    BUFFER_SWITCH,      /* 1: of the shared expert */
    BUFFER_ROUTED_GATE, /* chosen · width; twice, where up lies with it */
    BUFFER_ROUTED_UP,   /* chosen · width; after the activation the input of down */
    BUFFER_ROUTED,      /* chosen · hidden_size: what experts give; before, their scaled inputs */
    BUFFER_LATENT,      /* latent attention: of keys and values, and the turned part of a key */
    BUFFER_QUERY_LATENT,
    BUFFER_EXPANDED,       /* heads · (plain + value_dim) */
    BUFFER_MASK,           /* kv_heads: of a dynamic mask */
    BUFFER_COMPRESSOR_KEY, /* of what compresses keys, both: head_dim, or twice that */
    BUFFER_COMPRESSOR_GATE,
    BUFFER_GROUP_ROWS, /* groups · rank, both: of groups of heads, group by group and token by token */
    BUFFER_GROUPED,
    BUFFER_CONNECTED,          /* connections · hidden_size: all streams */
    BUFFER_CONNECTION,         /* (2 + connections) · connections: what their weights come of, */
    BUFFER_CONNECTION_WEIGHTS, /* and they */
    BUFFER_COUNT
} Buffer;

/* Small tensors of a layer, blended; NULL where there is none. */
typedef struct ForwardVectors {
    float *roles[TENSOR_ROLE_COUNT];
    float *biases[TENSOR_ROLE_COUNT]; /* of norms */
    float *parts[TENSOR_PART_COUNT];
} ForwardVectors;

/* What layers keep of a text in place of keys and values, of all such layers one behind the other, [total]. It cannot be
 * taken back by one token, so that it is kept as it was before the last call, too. A length that no cache has: it is of no
 * text. */
typedef struct Recurrence {
    size_t total;
    float *now, *before;
    size_t length, start;               /* of the cache at `now`, and where the text began that is going on */
    size_t before_length, before_start; /* the same at `before` */
} Recurrence;

/* A layer's compressed keys (compressor.h). */
typedef struct CompressorCache {
    float *inputs;  /* [capacity][2][width]: a token's key, then its gate */
    float *entries; /* [slots][head_dim] */
} CompressorCache;

struct ForwardState {
    const Model *model;
    const ModelSide *side; /* whose settings it runs with */
    Settings settings;
    size_t capacity, length;
    float *keys, *values;         /* [layers][kv_heads][capacity][head_dim], [value_dim] */
    float *key_masks;             /* [layers][kv_heads][capacity]: what is added to scores; NULL: nothing */
    CompressorCache *compressors; /* [layers]; NULL: none */
    Recurrence recurrence;
    float *small;            /* norms and biases, blended */
    ForwardVectors *vectors; /* [layers + 1] into `small`; the last: no layer's */
    float *buffers[BUFFER_COUNT];
    size_t buffer_tokens;
    float *hidden; /* [hidden_tokens × hidden_size] */
    size_t hidden_tokens;
};

/* Cosines and sines of a rotary embedding, [tokens × dims / 2]. */
typedef struct Angles {
    float *cosines, *sines;
} Angles;

/* One chunk on its way through all states. */
typedef struct Chunk {
    ForwardState *const *states;
    size_t state_count;
    const int32_t *ids;
    size_t tokens;
    size_t first;               /* cache index of the chunk's first token */
    const size_t *starts;       /* [tokens], or NULL: all 0 */
    const ForwardPlace *places; /* [tokens], or NULL */
    bool in_blocks;
    const size_t *lengths;             /* [tokens]: of the text that each belongs to, as far as it is known */
    Angles angles[2][MODEL_MAX_ROPES]; /* [1]: of states that run as base */
    float *scores;                     /* [threads][ATTENTION_BLOCK × length] */
    size_t score_stride;               /* the most keys that a token may see */
    int value_half;                    /* of differential attention: whose values are mixed, 1 or 2; else 0 */
    size_t stream;                     /* the one at hand, beside the residual */
    TensorPart connection;             /* the first of a hyper-connection's */
    uint64_t layer;
    const ForwardKept *kept; /* of the layer, by a pass that goes backward; NULL: nothing */
    Job *job;
} Chunk;

enum { ATTENTION_BLOCK = 32 }; /* queries that share one multiply with the keys */

static inline size_t chunk_start(const Chunk *chunk, size_t token) {
    return chunk->starts == NULL ? 0 : chunk->starts[token];
}

/* Where in the cache a token's key and value go, and its position in its sequence. */
static inline size_t chunk_cell(const Chunk *chunk, size_t token) {
    return chunk->places != NULL ? chunk->places[token].cell : chunk->first + token;
}

static inline size_t chunk_position(const Chunk *chunk, size_t token) {
    if (chunk->places == NULL) return chunk->first + token - chunk_start(chunk, token);
    const ForwardPlace *place = &chunk->places[token];
    return place->prefix_count + place->cell - place->first;
}

static inline const LayerPlan *forward_plan(const ForwardState *state, uint64_t layer) {
    return architecture_layer(state->side->config, layer);
}

static inline const float *forward_vector(const ForwardState *state, uint64_t layer, TensorRole role) {
    return state->vectors[layer].roles[role];
}

/* Where a layer's keys of one head begin in the cache; and its values. */
static inline size_t forward_cache(const ForwardState *state, uint64_t layer, uint64_t kv_head) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, layer);
    size_t dim = plan->head_dim;
    if (plan->kv_layer >= 0) layer = (uint64_t)plan->kv_layer;
    return (layer * config->kv_heads * config->head_dim + kv_head * dim) * state->capacity;
}

static inline size_t forward_values(const ForwardState *state, uint64_t layer, uint64_t kv_head) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, layer);
    size_t dim = plan->value_dim;
    if (plan->kv_layer >= 0) layer = (uint64_t)plan->kv_layer;
    return (layer * config->kv_heads * config->value_dim + kv_head * dim) * state->capacity;
}

/* And what a dynamic mask has for them; where there is none, NULL. */
static inline float *forward_masks(const ForwardState *state, uint64_t layer, uint64_t kv_head) {
    if (state->key_masks == NULL) return NULL;
    return state->key_masks + (layer * state->side->config->kv_heads + kv_head) * state->capacity;
}

/* A part of the layer; layer = layers: of none. */
static inline const float *forward_part(const ForwardState *state, uint64_t layer, TensorPart part) {
    return state->vectors[layer].parts[part];
}

/* The norm of that role, of the residual stream; layer = layers: the last. */
static inline Norm forward_norm(const ForwardState *state, uint64_t layer, TensorRole role) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = state->vectors[layer].roles[role],
                  .bias = state->vectors[layer].biases[role],
                  .size = config->hidden_size,
                  .epsilon = layer < config->layers && config->layer_epsilon > 0.0 ? config->layer_epsilon
                                                                                   : config->norm_epsilon};
}

/* ---- in forward_state.c ---- */

/* Of the layer at hand; of the widest one. */
size_t forward_layer_width(const ModelConfig *config, const LayerPlan *plan, Buffer buffer);
size_t forward_buffer_width(const ModelConfig *config, Buffer buffer);

/* Make room for a chunk's activations, and for the hidden states of a whole call. What was there is lost. */
Status forward_reserve_buffers(ForwardState *state, size_t tokens, Error *error) STATUS_MUST_CHECK;
Status forward_reserve_hidden(ForwardState *state, size_t tokens, Error *error) STATUS_MUST_CHECK;

#endif
