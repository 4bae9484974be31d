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

/* Every activation of transformers that has no weights of its own. */
typedef enum Activation {
    ACTIVATION_SILU,
    ACTIVATION_GELU,
    ACTIVATION_GELU_TANH,
    ACTIVATION_GELU_QUICK,
    ACTIVATION_GELU_CLIPPED, /* GELU within ±10 */
    ACTIVATION_RELU,
    ACTIVATION_RELU6,
    ACTIVATION_RELU_SQUARED,
    ACTIVATION_RELU_LEAKY, /* 0.01 below 0 */
    ACTIVATION_HARDSWISH,
    ACTIVATION_MISH,
    ACTIVATION_SIGMOID,
    ACTIVATION_SOFTPLUS_ROOT,
    ACTIVATION_LAPLACE,
    ACTIVATION_LINEAR,
    ACTIVATION_TANH,
    ACTIVATION_COUNT
} Activation;

typedef enum RopeKind {
    ROPE_DEFAULT,
    ROPE_LINEAR,
    ROPE_DYNAMIC, /* up to max_position_embeddings; beyond, its frequencies would change with every token */
    ROPE_YARN,
    ROPE_LLAMA3,
    ROPE_PROPORTIONAL,
    ROPE_KIND_COUNT
} RopeKind;

typedef struct Rope {
    RopeKind kind;
    double theta;
    double factor;                        /* all but the default kind */
    double low_frequency, high_frequency; /* llama3 */
    double original_length;               /* llama3, yarn */
    double fast, slow;                    /* yarn: rotations within the original length that bound its ramp */
    bool truncates;                       /* yarn: the ramp's ends are whole numbers */
    double attention_factor;              /* what cosines and sines are multiplied by: 1 but for yarn */
    double proportion;                    /* proportional: the share of a head that turns */
    uint64_t longest;                     /* dynamic: positions from here on are not known; else 0 */
} Rope;

enum { MODEL_MAX_EOS = 64, MODEL_MAX_SLIDING = 1024 /* layers that may have a window */ };

/* Which files state an end of text: a set. */
typedef enum ModelEosFile { MODEL_EOS_GENERATION = 1, MODEL_EOS_CONFIG = 2 } ModelEosFile;

typedef struct Architecture Architecture;

/* What is decided by one key among several, or by none of them. */
typedef enum ConfigKey {
    CONFIG_ROPE_KIND,
    CONFIG_ROPE_THETA,
    CONFIG_ROPE_FACTOR,
    CONFIG_ROPE_LENGTH,
    CONFIG_POSITIONS,
    CONFIG_WINDOW,
    CONFIG_SLIDING_LAYERS,
    CONFIG_ACTIVATION,
    CONFIG_EPSILON,
    CONFIG_KV_HEADS,
    CONFIG_HEAD_DIM,
    CONFIG_TIE,
    CONFIG_EOS,
    CONFIG_KEY_COUNT
} ConfigKey;

/* A model's config.json, in either spelling (transformers 4 or 5), checked. What transformers 5.24 refuses is refused,
 * what it does not read for the type is not read here. */
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
    uint64_t sliding[MODEL_MAX_SLIDING / 64]; /* a bit a layer: architecture_slides() */
    /* what ends a text, each once: generation_config.json's in its order, then what config.json has besides */
    int32_t eos[MODEL_MAX_EOS];
    unsigned char eos_files[MODEL_MAX_EOS]; /* of each, ModelEosFile */
    size_t eos_count, eos_left_out;         /* left out: for which there was no room */
    /* the key that decided, static: "rope_scaling.rope_theta"; NULL: the type's default */
    const char *from[CONFIG_KEY_COUNT];
} ModelConfig;

/* Reads a parsed config.json (by json_read_typed(): else 1 and 1.0 count as one). `origin` names the file in messages.
 * STATUS_FORMAT names a value of a type that the configuration class refuses; STATUS_UNSUPPORTED what is not known: the
 * model type, a rotary kind, an activation, a quantisation, a switch. */
Status architecture_read_config(const cJSON *json, const char *origin, ModelConfig *config,
                                Error *error) STATUS_MUST_CHECK;

/* End-of-text ids of a parsed generation_config.json, which go before config.json's. A text ends with either's, although
 * generate() of transformers 5.24 passes config.json's over where there is such a file: a chat whose end only one of the
 * two names would run on. */
void architecture_read_generation(const cJSON *json, ModelConfig *config);

/* What transformers 5 does with a head that is stored although config.json ties it to an embedding that differs: it is
 * used. */
void architecture_untie_head(ModelConfig *config);

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
