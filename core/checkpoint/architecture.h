/*
 * architecture — what this program knows about kinds of models, as a table.
 *
 * A row names a model type of config.json, and says which tensors it has and how its block is switched. The
 * forward pass reads only ModelConfig and roles; it does not know the names of architectures. A new
 * architecture is a row.
 *
 *     token ids ─► embedding ─► [ norm ─► attention ─► + ─► norm ─► MLP ─► + ] × layers
 *               ─► norm ─► head ─► logits
 *
 *     attention   q, k, v = x·Wᵀ (+ bias); q/k norm per head; rotary; softmax(q·kᵀ / √head_dim) over at most
 *                 `window` keys; o
 *     MLP         down( act(gate(x)) ⊙ up(x) )
 */
#ifndef REJUV_CORE_ARCHITECTURE_H
#define REJUV_CORE_ARCHITECTURE_H

#include "core/checkpoint/tensor_name.h"
#include "core/files/json.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Activation {
    ACTIVATION_SILU,
    ACTIVATION_GELU,
    ACTIVATION_GELU_TANH,
    ACTIVATION_RELU
} Activation;
typedef enum RopeKind { ROPE_DEFAULT, ROPE_LINEAR, ROPE_LLAMA3 } RopeKind;

typedef struct Rope {
    RopeKind kind;
    double theta;
    double factor;                                         /* linear, llama3 */
    double low_frequency, high_frequency, original_length; /* llama3 */
} Rope;

enum { MODEL_MAX_EOS = 16 };

typedef struct Architecture Architecture;

/* A model's config.json, in either spelling (transformers 4 or 5), checked. */
typedef struct ModelConfig {
    const Architecture *architecture;
    uint64_t hidden_size, layers, heads, kv_heads, head_dim, intermediate_size, vocabulary;
    uint64_t max_positions; /* 0 where it is not stated */
    double norm_epsilon;
    Rope rope;
    Activation activation;
    bool roles[TENSOR_ROLE_COUNT]; /* which tensors this model needs */
    bool tied_head;                /* the embedding is the head */
    uint64_t window;               /* keys a query sees in a sliding layer, itself included; 0: all */
    uint64_t first_sliding_layer, last_sliding_layer; /* [first, last): the layers that slide */
    int32_t eos[MODEL_MAX_EOS];
    size_t eos_count;
} ModelConfig;

/* Reads a parsed config.json. `origin` names the file in messages. STATUS_UNSUPPORTED names what is not
 * known: the model type, a rotary kind, an activation, a quantisation, a switch. */
Status architecture_read_config(const cJSON *json, const char *origin, ModelConfig *config,
                                Error *error) STATUS_MUST_CHECK;

/* Writes the name that the models which run have for a role, "model.layers.3.mlp.up_proj.weight"; false where they have
 * no such tensor, or it does not fit. */
bool architecture_name_tensor(TensorRole role, int layer, char *name, size_t size);

/* The shape a role has in this model; *columns is 0 for a vector. */
void architecture_shape(const ModelConfig *config, TensorRole role, uint64_t *rows, uint64_t *columns);

/* The model_type of config.json: "qwen3". */
const char *architecture_name(const Architecture *architecture);
const char *architecture_activation_name(Activation activation);
const char *architecture_rope_name(RopeKind kind);

/* Whether layer `layer` uses the sliding window. */
bool architecture_slides(const ModelConfig *config, uint64_t layer);

#endif
