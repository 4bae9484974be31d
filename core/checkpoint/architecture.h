/*
 * architecture — what this program knows about kinds of models, as a table.
 *
 * A row names a model type of config.json, and says which tensors it has and how its blocks are switched
 * (architecture_table.c). The forward pass reads only ModelConfig and roles; it does not know the names of
 * architectures. A new architecture is a row.
 *
 *     token ids ─► embedding ( + position ─► norm ) ─► layers ─► norm ─► head ─► logits
 *
 *     a layer     norm ─► attention ─► norm ─► + ─► norm ─► MLP ─► norm ─► +        each norm where the layer has it;
 *                 or both blocks side by side of one input (WIRING_PARALLEL)
 *     attention   q, k, v = x·Wᵀ (+ bias), clipped; q/k norm; rotary; softmax(cap(scale · q·kᵀ)) over at most
 *                 `window` keys; o
 *                 or in its place a mixer with a state: a short convolution, out( C ⊙ conv(B ⊙ x) ) with
 *                 (B, C, x) = in(x), the gated delta rule (block_delta.h), lightning attention
 *                 (block_lightning.h), or a state space (block_state_space.h,
 *                 block_selective.h), which may also stand beside attention; a layer may have none
 *     MLP         down( act(gate(x)) ⊙ up(x) ), or down( act(up(x)) ), or a mixture of experts (expert_plan.h)
 *
 * Layers that are alike share a LayerPlan; a model has few of them.
 */
#ifndef REJUV_CORE_ARCHITECTURE_H
#define REJUV_CORE_ARCHITECTURE_H

#include "core/checkpoint/expert_plan.h"
#include "core/checkpoint/part_set.h"
#include "core/checkpoint/tensor_name.h"
#include "core/files/json.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every activation of transformers but prelu. */
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
    ACTIVATION_XIELU, /* has weights of its own: the layer's TENSOR_PART_XIELU_… */
    ACTIVATION_COUNT
} Activation;

typedef enum RopeKind {
    ROPE_DEFAULT,
    ROPE_LINEAR,
    ROPE_DYNAMIC, /* beyond max_position_embeddings its frequencies are those of the text's length */
    ROPE_YARN,
    ROPE_LLAMA3,
    ROPE_PROPORTIONAL,
    ROPE_LONGROPE, /* beyond the original length other frequencies */
    ROPE_KIND_COUNT
} RopeKind;

enum { ROPE_MOST_FACTORS = 256 /* longrope: half a head */ };

typedef struct Rope {
    RopeKind kind;
    double theta;
    double factor;                        /* all but the default kind */
    double low_frequency, high_frequency; /* llama3 */
    double original_length;               /* llama3, yarn */
    double fast, slow;                    /* yarn: rotations within the original length that bound its ramp */
    bool truncates;                       /* yarn: the ramp's ends are whole numbers */
    double scale_all;                     /* "mscale_all_dim" of any kind but the default */
    double attention_factor;              /* what cosines and sines are multiplied by: 1 but for yarn */
    double proportion;                    /* proportional: the share of a head that turns */
    uint64_t longest;                     /* dynamic, longrope: longer texts turn otherwise; else 0 */
    uint64_t dims;                        /* of a head, that are turned: the first */
    bool is_interleaved; /* (x₀, x₁), (x₂, x₃) … turn together, else (x₀, x_d/2) … */
    bool is_reversed;    /* turns the other way round */
    float factors[2][ROPE_MOST_FACTORS]; /* longrope: of short texts, of long ones */
} Rope;

typedef enum NormKind {
    NORM_RMS,  /* γ ⊙ x / rms(x) */
    NORM_LAYER /* γ ⊙ (x − mean) / σ + β */
} NormKind;

/* How a layer's two blocks meet the residual stream. */
typedef enum Wiring {
    WIRING_SEQUENTIAL,
    WIRING_PARALLEL, /* both of the layer's input; of one norm, where the MLP has none of its own */
    WIRING_AFTER     /* x = norm(x + block(x)) */
} Wiring;

/* Where a layer has norms: before both blocks; before and behind them; behind them alone; one, of what both take. */
typedef enum NormPlaces { NORMS_BEFORE, NORMS_AROUND, NORMS_BEHIND, NORMS_ONE } NormPlaces;

typedef enum QkNorm {
    QK_NORM_NONE,
    QK_NORM_HEAD, /* over each head, one γ for all of them */
    QK_NORM_EACH, /* over each head, a γ for each */
    QK_NORM_WHOLE /* over all heads at once */
} QkNorm;

/* Outputs of the one matrix that gives queries, keys and values. */
typedef enum QkvLayout {
    QKV_PARTED,    /* there are three */
    QKV_STACKED,   /* all queries, all keys, all values */
    QKV_BY_HEAD,   /* for each head its query, its key, its value */
    QKV_BY_GROUP,  /* for each key head its queries, its key, its value */
    QKV_BY_QUARTER /* for each quarter of the heads their queries, their values, their keys */
} QkvLayout;

/* What is added to the embedding of a token. */
typedef enum PositionKind {
    POSITIONS_NONE,
    POSITIONS_LEARNED,   /* a row of TENSOR_POSITION */
    POSITIONS_SINUSOIDAL /* sines, then cosines */
} PositionKind;

/* How scores fall with the distance of query and key. */
typedef enum Alibi {
    ALIBI_NONE,
    ALIBI_BLOOM, /* slopes of the next smaller power of two of heads, the rest between them */
    ALIBI_MPT,   /* every second slope of the next larger one first */
    ALIBI_FALCON /* Bloom's, scaled like products, in bfloat16 and by the key's position: with its rounding */
} Alibi;

/* What mixes tokens in a layer. */
typedef enum MixerKind {
    MIXER_ATTENTION,
    MIXER_CONVOLUTION, /* a short causal convolution between two gates */
    MIXER_DELTA,       /* linear attention by the gated delta rule */
    MIXER_STATE_SPACE, /* Mamba-2: heads of one decay each */
    MIXER_SELECTIVE,   /* Mamba-1: channels of a decay for each cell of their state */
    MIXER_GATED,       /* a linear recurrence of channels, gated by what goes in */
    MIXER_LIGHTNING,   /* linear attention that decays with distance, in blocks */
    MIXER_NONE /* nothing: the layer has an MLP alone, under the norm of attention, or nothing at all */
} MixerKind;

/*
 * Of mixers that keep a state of their text instead of keys and values. Of state spaces key heads are groups, which share
 * what is written and read; key_dim is the size of the state; each channel of Mamba-1 is a value head.
 */
typedef struct RecurrentSizes {
    uint64_t taps; /* of the causal convolution: inputs that an output is made of, its own included */
    uint64_t key_heads, key_dim; /* of the delta rule: a key head has as many value heads as the next */
    uint64_t value_heads, value_dim;
    /* Mamba-1: of what steps come of; the delta rule: of gates and decays, where they have one */
    uint64_t rank;
    uint64_t block; /* lightning attention: tokens */
} RecurrentSizes;

enum { SELECTIVE_MOST_STATE = 1024 }; /* Mamba-1: the largest state of a channel; known models have 16 */

enum { GATED_MOST_CHANNELS = 4096 }; /* MIXER_GATED: of a head */

/* Of state spaces: how the same tensors are used. */
typedef struct StateSwitches {
    Activation activation; /* behind the convolution */
    bool norm_is_first;    /* before the gate, not behind it */
    bool norms_steps;      /* Mamba-1: what steps, writes and reads; without weights where there are none */
    double step_epsilon;   /* of those norms */
    double norm_epsilon;   /* of the norm; 0: the model's */
    double least_step, most_step;
    double in_scale, out_scale;
    double scales[5]; /* of gates, inputs, what is written, what is read, steps: as they are projected */
} StateSwitches;

/* Of the gated delta rule (block_delta.h). */
typedef struct DeltaSwitches {
    bool decays_channels; /* each channel of a head's keys has a decay of its own, not each value head one */
    Activation gate;      /* of what is read */
    double norm_epsilon;  /* of the norm before it; 0: the model's */
    double write_scale;   /* of how much is written: with 2 what is held may change its sign */
    double least_decay;   /* the logarithm of a decay stays above it; 0: of no bound */
} DeltaSwitches;

typedef enum MlpKind { MLP_NONE, MLP_GATED, MLP_PLAIN, MLP_EXPERTS } MlpKind;

/* Latent attention: keys and values come of a latent, and a part of each head is turned, the key's one for all heads.
 *
 *     q       = q_b(norm(q_a(x))), or q(x)        [heads × (plain + turned)]
 *     c, r    = kv_a(x)                           [latent], [turned]
 *     k, v    = kv_b(norm(c))                     [heads × (plain + value)]; each key's turned part is r
 */
typedef struct LatentPlan {
    uint64_t query;  /* the queries' latent; 0: none */
    uint64_t latent; /* of keys and values; 0: the layer's attention is not latent */
    uint64_t turned; /* channels of a head; plain ones are the rest of head_dim, and come first */
    bool is_interleaved;
} LatentPlan;

enum {
    MODEL_MAX_EOS = 64,
    MODEL_MAX_LAYERS = 1024,
    MODEL_MAX_PLANS = 16,
    MODEL_MAX_ROPES = 3,
    MODEL_MAX_PLACEHOLDERS = 3,
    MODEL_MAX_STREAMS = 4,
    MODEL_MAX_CONNECTIONS = 16
};

/* Where a block's output is added to the stream: what both are multiplied by. */
typedef struct StreamScales {
    double stream, block;
} StreamScales;

/* One kind of layer. */
typedef struct LayerPlan {
    uint64_t roles; /* tensors that it needs: a bit a TensorRole */
    PartSet parts;
    MixerKind mixer;
    bool attends_beside; /* a mixer with a state stands beside attention; both are added */
    bool norms_before;   /* its norms are NORMS_BEFORE, whatever the model's others are */
    StreamScales scales; /* of what mixes; those of MLPs are the model's */
    uint64_t heads, kv_heads, head_dim;
    uint64_t window; /* keys a query sees, itself included; 0: all */
    bool is_chunked; /* of its own chunk of `window` tokens only */
    int rope;        /* which of the model's; -1: it does not turn */
    int kv_layer;    /* whose keys and values it attends to; -1: its own */
    MlpKind mlp;
    uint64_t intermediate_size;  /* MLP_EXPERTS: of the shared expert, 0 where there is none */
    double glu_limit, glu_alpha; /* as of experts (expert_plan.h), of the MLP or the shared expert; 0: none */
    double cutoff; /* what the gate gives is taken from its mean plus so many deviations on; NAN: all */
    ExpertPlan experts;
    LatentPlan latent;
    uint64_t value_dim;   /* of a head's values; head_dim is that of its query and key */
    uint64_t rate;        /* tokens of a compressed key; 0: none */
    bool overlaps;        /* it is made of the tokens before them, too */
    bool is_hashed;       /* a table says which experts a token goes to */
    bool skips_qk_norm;   /* although the model has one */
    bool has_temperature; /* its queries are scaled by their position */
} LayerPlan;

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

/* Of one kind of layer. */
typedef struct LayerHeads {
    uint64_t kv_heads, head_dim;
} LayerHeads;

/* A model's config.json, in either spelling (transformers 4 or 5), checked. What transformers 5.24 refuses is refused,
 * what it does not read for the type is not read here. */
typedef struct ModelConfig {
    const Architecture *architecture;
    const Architecture *around; /* the model around it, whose text is run alone; NULL: none */
    /* of the largest layer, where they differ */
    uint64_t hidden_size, layers, heads, kv_heads, head_dim, intermediate_size, vocabulary;
    uint64_t max_positions;    /* 0 where it is not stated */
    LayerHeads whole, sliding; /* of layers of that kind */
    uint64_t shared_layers;    /* the last so many have no keys and values of their own */
    RecurrentSizes recurrent;
    StateSwitches state;
    DeltaSwitches delta;
    uint64_t layer_input_size; /* what each layer has of a token besides the stream; 0: nothing */
    uint64_t layer_vocabulary; /* of tokens below that; others have what token 0 has */
    bool has_common;           /* layers have a block in common */
    uint64_t common_blocks;    /* so many, that take turns */
    uint64_t common_rank;      /* of its adapters */
    uint64_t streams;          /* alternating updates; 0: one */
    uint64_t laurel_rank;      /* of the learned residual, where there are streams */
    uint64_t connections,
        connection_rounds; /* hyper-connections: streams, and how often what mixes them is balanced */
    double connection_epsilon;
    uint64_t output_groups, output_rank; /* of heads, each with a matrix of its own; 0: none */
    LatentPlan latent;                   /* of layers whose attention is latent */
    uint64_t sparse_from; /* of longer texts attention chooses what it sees, which is not known; 0: of none */
    const char *sparse_key; /* that says so, static */
    uint64_t value_dim;     /* of a head's values */
    NormKind norm;
    NormPlaces norms;
    double norm_epsilon;
    double layer_epsilon; /* of norms of layers; 0: the same */
    bool norm_adds_one;   /* weights are γ − 1 */
    bool norm_is_bare;    /* γ is 1, and nothing stored */
    bool lacks_final_norm;
    Wiring wiring;
    bool residual_is_normed; /* a block's output is added to what the norm before it gave */
    StreamScales mlp_scales; /* of MLPs */
    Rope ropes[MODEL_MAX_ROPES];
    size_t rope_count;
    LayerPlan plans[MODEL_MAX_PLANS];
    size_t plan_count;
    unsigned char plan_of[MODEL_MAX_LAYERS];
    /* attention */
    QkvLayout qkv;
    QkNorm qk_norm;
    /* the matrix of queries has gates of what attention gives: of each head its query, its gate */
    bool has_output_gate;
    bool gates_heads;      /* a gate of its own matrix has one number a head, not one a channel */
    bool gate_is_softplus; /* of it, not its sigmoid */
    bool qk_norm_follows_rope;
    bool qk_norm_is_apart;  /* QK_NORM_EACH: a tensor for each head */
    double attention_scale; /* of q·kᵀ */
    bool scale_falls;       /* by the layer's number, from 1 */
    double query_growth,
        query_growth_length; /* q · (1 + growth · ln(1 + ⌊position / length⌋)); growth 0: as it is */
    double attention_cap;    /* cap·tanh(x / cap) of the scaled scores; 0: none */
    double clip;             /* q, k and v stay within ±clip; 0: none */
    bool clips_behind_norm;  /* q and k, after their norm */
    double temperature_scale,
        temperature_floor; /* queries times 1 + scale · log(1 + ⌊(position + 1) / floor⌋) */
    bool norms_values;     /* each head of them, without a weight */
    double value_scale;    /* of values */
    uint64_t kept_keys;    /* of a dynamic mask: so many of what a query sees count; 0: there is none */
    Alibi alibi;
    bool is_unturned; /* nothing turns, though the type could */
    PositionKind positions;
    uint64_t position_offset; /* of a position's row */
    uint64_t blank_position;  /* sinusoidal: the row that is zero; 0: none that is used */
    bool has_embedding_norm;
    bool is_transposed; /* matrices of layers are stored [inputs × outputs] */
    Activation activation;
    /* the stream */
    double embedding_scale, residual_scale, logit_scale;
    double gate_scale, mlp_scale;                   /* of what the gate gives, of what the MLP gives */
    double attention_in_scale, attention_out_scale; /* beside a state space */
    double logit_cap;                               /* 0: none */
    bool norm_has_bias, qk_norm_has_bias;
    bool roles[TENSOR_ROLE_COUNT]; /* tensors that any of its layers needs, or the model */
    PartSet parts;                 /* of no layer */
    bool tied_head;                /* the embedding is the head */
    uint64_t silent_rows;          /* of the embedding, behind those that the head has */
    bool has_silent_token;         /* whose row of the embedding is 0, whatever is stored */
    uint64_t silent_token;
    /* ids of a picture, a video, a sound, that are embedded as padding is; without padding they are refused */
    int32_t placeholders[MODEL_MAX_PLACEHOLDERS];
    size_t placeholder_count;
    bool has_placeholder_row;
    uint64_t placeholder_row;
    uint64_t
        aside_from; /* ids from it on have embeddings beside the text model's, and are refused; 0: none */
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

/* The same in a layer of that plan. */
void architecture_layer_shape(const ModelConfig *config, const LayerPlan *plan, TensorRole role,
                              uint64_t *rows, uint64_t *columns);

/* The row of a model type, or NULL. */
const Architecture *architecture_find(const char *model_type);

/* Row `index` of the table, or NULL beyond its end. */
const Architecture *architecture_at(size_t index);

/* What a row says in words: "RMS norms around both blocks; q and k normed; gated MLP". */
void architecture_describe(const Architecture *architecture, char *text, size_t size);

/* The model_type of config.json: "qwen3". */
const char *architecture_name(const Architecture *architecture);
const char *architecture_activation_name(Activation activation);
const char *architecture_rope_name(RopeKind kind);

const LayerPlan *architecture_layer(const ModelConfig *config, uint64_t layer);

static inline bool architecture_has(const LayerPlan *plan, TensorRole role) {
    return (plan->roles >> role & 1) != 0;
}

static inline NormPlaces architecture_norms(const ModelConfig *config, const LayerPlan *plan) {
    return plan->norms_before ? NORMS_BEFORE : config->norms;
}

/* Of the embedding: those of the vocabulary, and those that some types have behind them for what is no text. */
uint64_t architecture_embedding_rows(const ModelConfig *config);

/* The row of the embedding that a token has: its own, or where it stands for what is no text that of padding. The id has
 * passed architecture_check_token(). */
size_t architecture_embedded(const ModelConfig *config, int32_t id);

/* STATUS_UNSUPPORTED: the id stands for a picture or a sound, and the text model alone has no row for it. Whether it is one of
 * the vocabulary is not looked at. */
Status architecture_check_token(const ModelConfig *config, int32_t id, Error *error) STATUS_MUST_CHECK;

/* Whether a layer has attention, alone or beside a mixer. */
static inline bool architecture_attends(const LayerPlan *plan) {
    return plan->mixer == MIXER_ATTENTION || plan->attends_beside;
}

static inline bool architecture_needs(const LayerPlan *plan, TensorPart part) {
    return part_set_has(&plan->parts, part);
}

/* The keys that a query of a sliding layer sees; 0: no layer slides. */
uint64_t architecture_window(const ModelConfig *config);

/* The layer whose tensor a part is: of a block that layers have in common, the first that has it. *number: which of the
 * layers with such a block this is, which stands for a "*" in the part's name. */
int architecture_part_layer(const ModelConfig *config, TensorPart part, int layer, size_t *number);

/* Ends of a tensor's name, the usual one first: "self_attn.sinks". */
enum { PART_MOST_NAMES = 12 };
const char *const *architecture_part_names(TensorPart part); /* NULL behind the last */

/* The role by which tensors with that part are listed; TENSOR_ROLE_COUNT: any. Some have another one, or TENSOR_OTHER. */
TensorRole architecture_part_role(TensorPart part);
TensorRole architecture_part_other_role(TensorPart part);

/* Whether a layer multiplies by it; else it is a vector, which is blended once. */
bool architecture_part_is_matrix(TensorPart part);

/* Whether training moves it: not what transformers keeps as a buffer. */
bool architecture_part_learns(TensorPart part);

/* Whether two layers take the same steps: they multiply by the same matrices, and attend to keys and values of the same
 * layer. */
bool architecture_same_products(const LayerPlan *a, const LayerPlan *b);

/* How many elements it has, as a matrix [rows × columns]; a vector has 0 columns. */
void architecture_part_shape(const ModelConfig *config, const LayerPlan *plan, TensorPart part,
                             uint64_t *rows, uint64_t *columns);

/* Whether any layer is a mixture of experts; whether any has latent attention. */
bool architecture_has_experts(const ModelConfig *config);
bool architecture_is_latent(const ModelConfig *config);

/* Whether queries and outputs of any layer's attention are of experts. */
bool architecture_mixes_heads(const ModelConfig *config);

/* Whether any layer has one key head whose keys are its values, with compressed ones. */
bool architecture_is_compressed(const ModelConfig *config);

/* Channels of the delta rule's queries, or keys; of its values; of all three. Of Mamba-2 what is read, or written; its width;
 * both with that. */
uint64_t architecture_delta_keys(const ModelConfig *config);
uint64_t architecture_delta_values(const ModelConfig *config);
uint64_t architecture_delta_channels(const ModelConfig *config);

/* How many decays the delta rule has: of value heads, or of channels of their keys. */
uint64_t architecture_delta_decays(const ModelConfig *config);

/* By name, what of the model has a forward pass alone: gradients do not go through it yet. NULL: nothing. */
const char *architecture_forward_only(const ModelConfig *config);

/* ALiBi: what a head's score falls by for each token of distance, before Falcon's scale; 0 without. */
double architecture_alibi_slope(const ModelConfig *config, uint64_t head);

/* Whether a layer's queries see less than all that came before. */
bool architecture_slides(const ModelConfig *config, uint64_t layer);

#endif
