/*
 * config_internal — what the files that read config.json share. Not for others.
 */
#ifndef REJUV_CORE_CONFIG_INTERNAL_H
#define REJUV_CORE_CONFIG_INTERNAL_H

#include "core/checkpoint/architecture.h"
#include "core/checkpoint/config_class.h"
#include "core/checkpoint/config_rules.h"

/* ---- a row of the table ---- */

/* Which layers slide. */
typedef enum WindowRule {
    WINDOW_NEVER,
    WINDOW_ALWAYS,   /* all of them, where there is a sliding_window */
    WINDOW_MISTRAL,  /* the same, or as "layer_types" says: with it, transformers makes a Ministral of it */
    WINDOW_QWEN,     /* use_sliding_window, and only from max_window_layers on, where no "layer_types" says */
    WINDOW_TYPES,    /* as "layer_types" says; without, all but every so-manieth */
    WINDOW_UNTURNED, /* as "layer_types" says; without, with use_sliding_window, those that do not turn */
    WINDOW_LISTS, /* as "attention_types" says: lists of "global" and "local", each with how often it comes */
    WINDOW_SWITCHED, /* all of them, where use_sliding_window is true */
    WINDOW_QWEN_MOE, /* use_sliding_window; as "layer_types" says, or every other one before max_window_layers */
    WINDOW_FROM,     /* as "layer_types" says; without, from max_window_layers on */
    WINDOW_CHUNKED /* as "layer_types" says; without, where they turn: chunks of attention_chunk_size */
} WindowRule;

/* Which layers turn their queries and keys. */
typedef enum RopeRule {
    ROPE_RULE_ALL,
    ROPE_RULE_NONE,
    ROPE_RULE_SLIDING,    /* where they slide */
    ROPE_RULE_WINDOW,     /* the same, or all where there is no window */
    ROPE_RULE_LIST,       /* as "no_rope_layers" says */
    ROPE_RULE_COMPRESSED, /* those that compress keys, and others, each with parameters of their own */
    ROPE_RULE_TYPES,      /* sliding layers and others each with parameters of their own */
    ROPE_RULE_THETAS      /* by the base that "layer_rope_theta" has for the layer; 0: it does not turn */
} RopeRule;

/* Latent attention, whose ranks and sizes of heads have the same keys everywhere; how its heads turn. */
typedef enum LatentRule {
    LATENT_NEVER,
    LATENT_IN_HALVES,
    LATENT_INTERLEAVED,
    LATENT_BY_KEY /* interleaved if "rope_interleave" is true */
} LatentRule;

/* What a layer has. */
typedef enum LayerKind {
    LAYER_ATTENTION,
    LAYER_MIXER,  /* in place of attention */
    LAYER_BOTH,   /* beside it */
    LAYER_COMMON, /* a mixer, behind a block that layers have in common */
    LAYER_MLP,    /* these two: nothing but that */
    LAYER_EXPERTS,
    LAYER_NOTHING, /* the layer does nothing to text */
    LAYER_KIND_COUNT
} LayerKind;

/* Where it is said. */
typedef enum LayersRule {
    LAYERS_LISTED, /* mixers as "layer_types" says, else by an interval, else a list of those with attention */
    LAYERS_LISTED_OR_MIXER, /* as "layer_types" says; else all are mixers */
    LAYERS_SINGLE,          /* a layer is one block, as "layer_types" says, or letters of a pattern */
    LAYERS_MIXER,           /* all mixers, but those of a list */
    LAYERS_BESIDE,          /* all both */
    LAYERS_PERIOD,          /* "attn_layer_period" and "attn_layer_offset" */
    LAYERS_CYCLE,           /* a list of names, again and again: mixers are those of mixer_type */
    LAYERS_SKIPPED          /* all attention, but those of a list, which do nothing */
} LayersRule;

typedef struct ConfigReader ConfigReader;

enum { ARCHITECTURE_MOST_REFUSED = 3, ARCHITECTURE_MOST_ASIDE = 2 };

/* A key of an object of config.json, and what its class has where that is silent. */
typedef struct AsideKey {
    const char *object, *key;
    uint64_t fallback;
} AsideKey;

struct Architecture {
    const char *model_type;
    /* A model around a text model, which "text_config" describes: only its row's name and this count. The type of the text
     * model where text_config has none, or where config.json describes it without one. */
    const char *text_type;
    bool lifts_refusal; /* the text model's refused_key acts on what comes with an image only */
    /* Of it: ids of tokens that are embedded as padding is, whatever their own rows say; and the number that embeddings
     * beside the text model's begin at. */
    const char *placeholder_keys[MODEL_MAX_PLACEHOLDERS];
    AsideKey aside_keys[ARCHITECTURE_MOST_ASIDE];
    const char *refused[ARCHITECTURE_MOST_REFUSED]; /* switches that are not known: set, they are refused */
    /* sizes */
    const char *hidden_key;       /* stated, it is the width, whatever hidden_size says */
    const char *width_key;        /* of the MLP; NULL: intermediate_size */
    bool is_four_wide;            /* the MLP is 4 · hidden_size where that key is null or not there */
    const char *positions_key;    /* NULL: max_position_embeddings */
    bool lacks_attention;         /* no layer has any */
    uint64_t head_widths;         /* heads are cut of so many times the stream; 0: once */
    bool has_common;              /* layers of type "hybrid" have a block in common */
    const char *kv_heads_key;     /* NULL: num_key_value_heads */
    bool derives_kv_heads;        /* as many as heads, whatever that key says */
    const char *heads_factor_key; /* so many heads a key head, whatever num_attention_heads says */
    /* layers that see all have heads of their own: "per_layer_config", "global_head_dim" */
    bool has_global_heads;
    /* the stream */
    NormKind norm;
    NormPlaces norms;
    const char *post_norm_key; /* NORMS_AROUND if true */
    Wiring wiring;
    const char *parallel_key; /* WIRING_PARALLEL if true, and then these norms */
    NormPlaces parallel_norms;
    const char *normed_residual_key; /* a block's output is added to its normed input if true */
    const char *epsilon_key;         /* NULL: rms_norm_eps */
    double epsilon;                  /* what no key says; 0: a key does */
    double layer_epsilon;            /* of norms of layers, whatever the key says; 0: as it says */
    bool norm_adds_one, norm_has_bias, norm_is_bare, final_norm_is_bare;
    bool has_embedding_norm;
    ConfigRule embedding_by_width; /* embeddings times √hidden_size */
    const char *embedding_key, *residual_key;
    const char *logit_key;     /* logits times it */
    const char *logit_divisor; /* logits divided by it */
    const char *logit_cap_key;
    /* attention */
    QkvLayout qkv;
    const char *by_group_key;    /* QKV_BY_GROUP if true; else as the next says */
    const char *multi_query_key; /* true: QKV_STACKED with one key head; false: QKV_BY_HEAD */
    QkNorm qk_norm;
    const char *qk_norm_key; /* has it if true; NULL: always */
    bool has_output_gate;
    bool qk_norm_follows_rope, qk_norm_is_bare, qk_norm_has_bias, qk_norm_is_apart;
    ConfigRule qkv_bias, o_bias;
    bool is_transposed;      /* matrices of layers are [inputs × outputs] */
    bool is_unscaled;        /* scores are products */
    const char *scaled_key;  /* the same if false */
    const char *falling_key; /* scores divided by the layer's number, from 1, if true */
    const char *growth_key;  /* of rope_parameters: queries grow by it with their position */
    const char *scale_key;   /* scores times it */
    const char *scalar_key;  /* scores times its −½th power */
    const char *cap_key, *clip_key;
    const char *value_scale_key; /* values times it */
    const char *value_dim_key;   /* of a head's values; NULL: as large as its query */
    bool clips_behind_norm;      /* queries and keys are clipped after their norm */
    bool has_sinks, has_mixed_norm;
    bool has_gate;         /* what is mixed times the sigmoid of a projection of the input */
    const char *gate_key;  /* has it if true; NULL: always */
    bool gates_heads;      /* of that projection each head has one number */
    bool is_differential;  /* two attentions, one less λ times the other */
    bool has_head_experts; /* queries and outputs are of experts: of each a head for each key head */
    bool is_compressed; /* one key head, whose keys are its values, and compressed ones; hyper-connections */
    bool has_dynamic_mask;       /* scores have something added that a key's values say */
    bool scales_residuals;       /* the stream by a vector, where a block is added */
    bool norms_values;           /* each head of them, without a weight */
    const char *values_are_keys; /* of layers that see all, if true */
    const char *shared_key; /* so many layers, the last, attend to keys and values of the last before them */
    /* positions */
    PositionKind positions;
    uint64_t position_offset;
    Alibi alibi; /* then nothing turns */
    ConfigRule alibi_rule;
    RopeRule rope;
    MixerKind mixer; /* of layers that have one; in them "layer_types" says mixer_type */
    LayersRule layers;
    const StateRule *state;
    const char *default_list; /* where there is no list of numbers, as JSON */
    const char *mixer_type, *attention_list;
    const char *interval_key; /* instead of such a list: every so-manieth layer has attention */
    uint64_t interval;        /* where there is no such key */
    bool interval_begins;   /* the first of so many has attention, but for the first of all; else the last */
    bool needs_both;        /* layers with attention and without; where nothing says, the last has it */
    const char *mixer_list; /* with attention_list, where both are stated: numbers from 1 */
    /* layers with a mixer have their norms before both blocks, whatever the others have */
    bool mixers_norm_before;
    const DeltaRule *delta;
    const char *taps_key;
    ConfigRule mixer_bias;
    bool is_interleaved, is_reversed;
    bool is_partial;             /* the default kind heeds partial_rotary_factor */
    double default_partial;      /* 0: all */
    bool partial_is_of_default;  /* that is so of the default kind alone */
    bool partial_is_inside;      /* stated beside the object of parameters it does nothing */
    const char *partial_key;     /* NULL: partial_rotary_factor; beside the object of parameters */
    const char *theta_key;       /* NULL: rope_theta; the same */
    const char *rotary_dims_key; /* the one key that is heeded: of a head so many turn, by the default kind */
    const char *default_rope;    /* rope_parameters where it is not stated, as JSON */
    bool states_ropes_by_type;   /* rope_parameters has one of each type, or is not there */
    const char *rotary_dim_key;  /* older files state channels instead of their share */
    const char *local_theta_key; /* of sliding layers, ROPE_RULE_TYPES */
    WindowRule window;
    const char *window_key;                      /* NULL: sliding_window */
    const char *window_before_key;               /* stated, it is the window without the query itself */
    const char *pattern_key;                     /* WINDOW_TYPES: every so-manieth layer is whole */
    const char *prefix_key, *prefix_pattern_key; /* the first so many layers have a pattern of their own */
    uint64_t pattern;                            /* where there is no such key; 0: all slide */
    bool pattern_is_first;                       /* the first of so many is, not the last */
    bool first_is_whole;                         /* the first of all, where no list says */
    bool needs_window;                           /* some layers slide, if no list says that none does */
    bool last_is_whole;                          /* whatever a list says */
    bool has_chunks;                             /* "layer_types" may name chunked attention */
    const char *yarn_name;                       /* another name of yarn */
    bool rope_has_alpha;                         /* "dynamic" with an alpha stretches θ once and for all */
    LatentRule latent;
    bool value_dim_may_be_null; /* hidden_size / heads, then */
    const char *sparse_key;     /* of longer texts an indexer chooses so many keys */
    /* MLP */
    const ExpertRule *experts; /* NULL: no layer has experts */
    MlpKind mlp;
    bool is_fused_mlp;      /* gate and up are one matrix */
    const char *double_key; /* layers that share keys have an MLP twice as wide, if true */
    bool has_layer_scale;
    const char *stream_scale_key; /* of further streams: scales them if true */
    bool has_widths;              /* the width may be a list, of each layer */
    bool has_activated_norm;
    ConfigRule mlp_bias;
    const char *activation_key; /* NULL: hidden_act */
    const char *activation;     /* by name, whatever that says */
    /* what is checked, and what is derived */
    bool whole_heads;      /* hidden_size must be a multiple of the heads */
    bool has_no_padding;   /* the embedding knows no padding: pad_token_id may be any number */
    unsigned further_rows; /* that the embedding has behind those of the vocabulary */
    bool derives_head_dim; /* whatever head_dim says */
    bool checks_range;
    ConfigRule head_bias;
    uint64_t silent_rows;    /* rows of the embedding behind those that the head has */
    const char *refused_key; /* a switch that must not be true */
    bool only_longrope;      /* the kinds "su" and "yarn" are longrope, and no other is loaded */
    bool has_mrope;          /* rotary kind "mrope": positions in three parts, which are one for text */
    /* switches of the type that plans depend on, before they are made; NULL: none */
    Status (*prepare)(const ConfigReader *reader, ModelConfig *config, Error *error);
    /* what each layer has a value of its own for; NULL: nothing */
    Status (*read_layer)(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                         LayerPlan *plan, Error *error);
    /* further switches of the type, after all else is read; NULL: none */
    Status (*refine)(const ConfigReader *reader, ModelConfig *config, Error *error);
};

/* The tables: architecture_table.c, architecture_table_gpt.c, architecture_table_experts.c, architecture_table_states.c, in
 * this order. */
extern const Architecture ARCHITECTURES_DENSE[], ARCHITECTURES_GPT[], ARCHITECTURES_EXPERTS[],
    ARCHITECTURES_STATES[];
extern const size_t ARCHITECTURES_DENSE_COUNT, ARCHITECTURES_GPT_COUNT, ARCHITECTURES_EXPERTS_COUNT,
    ARCHITECTURES_STATES_COUNT;

/* What many rows begin with. */
#define LLAMA_LIKE                                                                                           \
    .mlp = MLP_GATED, .qkv_bias = BIAS_IF("attention_bias"), .o_bias = BIAS_IF("attention_bias")

/* What is some types' own (architecture_refine.c). */
Status architecture_refine_gpt_oss(const ConfigReader *reader, ModelConfig *config,
                                   Error *error) STATUS_MUST_CHECK;
Status architecture_refine_phimoe(const ConfigReader *reader, ModelConfig *config,
                                  Error *error) STATUS_MUST_CHECK;
Status architecture_refine_llama4(const ConfigReader *reader, ModelConfig *config,
                                  Error *error) STATUS_MUST_CHECK;
Status architecture_refine_granitemoehybrid(const ConfigReader *reader, ModelConfig *config,
                                            Error *error) STATUS_MUST_CHECK;
Status architecture_refine_cohere2_moe(const ConfigReader *reader, ModelConfig *config,
                                       Error *error) STATUS_MUST_CHECK;
Status architecture_refine_recurrent_gemma(const ConfigReader *reader, ModelConfig *config,
                                           Error *error) STATUS_MUST_CHECK;
Status architecture_refine_minimax(const ConfigReader *reader, ModelConfig *config,
                                   Error *error) STATUS_MUST_CHECK;
Status architecture_refine_dbrx(const ConfigReader *reader, ModelConfig *config,
                                Error *error) STATUS_MUST_CHECK;
Status architecture_refine_youtu(const ConfigReader *reader, ModelConfig *config,
                                 Error *error) STATUS_MUST_CHECK;
Status architecture_refine_minicpm3(const ConfigReader *reader, ModelConfig *config,
                                    Error *error) STATUS_MUST_CHECK;

/* ---- config.json ---- */

/* One file on its way in, with what its class adds. */
struct ConfigReader {
    const cJSON *json, *whole; /* `whole`: of a model around it; else the same */
    const ConfigClass *class;
    const char *others; /* where its entries that are no fields begin */
    cJSON *defaults;    /* of the class, by the fields' own names */
    const char *origin;
};

Status config_open_reader(const cJSON *json, const cJSON *whole, const char *model_type, const char *origin,
                          ConfigReader *reader, Error *error) STATUS_MUST_CHECK;

/* What the row has for "rope_parameters", as JSON or NULL: it stands where config.json states none. */
Status config_set_rope(ConfigReader *reader, const char *text, Error *error) STATUS_MUST_CHECK;
void config_close_reader(ConfigReader *reader);

/* The part of config.json that describes the text model, and its type in place of *model_type, where it is a model around
 * one; else all of it. */
const cJSON *config_find_text(const cJSON *json, const char **model_type);

/* What config.json states under any name that the class has for it, null included; NULL where it is silent. A name with a
 * point, "ffn_config.moe_top_k", is of an object within. */
const cJSON *config_find_stated(const ConfigReader *reader, const char *name);

/* The same, else the class's default; NULL where that is null, or the class has no such field. */
const cJSON *config_find(const ConfigReader *reader, const char *name);

double config_number(const ConfigReader *reader, const char *name, double fallback);
bool config_bool(const ConfigReader *reader, const char *name);
const char *config_text(const ConfigReader *reader, const char *name);
bool config_rule(const ConfigReader *reader, ConfigRule rule);

/* A count from 1; `fallback` where there is none and the class has no default either (0: that is an error). *from is set
 * where config.json says it. */
Status config_read_size(const ConfigReader *reader, const char *name, uint64_t fallback, uint64_t *value,
                        const char **from, Error *error) STATUS_MUST_CHECK;

/* Whether anything of the model turns. */
bool config_turns(const ModelConfig *config);

/* What Python takes for true: a number other than 0, anything that is not empty. */
bool config_is_truthy(const cJSON *item);

/* No dimension of a model comes near; products of two fit 64 bits, and each fits the ints of BLAS. */
enum { CONFIG_LARGEST_SIZE = 1 << 30 };

/* Tokens that stand for what is no text, by the row and the file of a model around the text model; no row: none
 * (config_placeholders.c). */
Status config_read_placeholders(const ConfigReader *reader, const Architecture *around, ModelConfig *config,
                                Error *error) STATUS_MUST_CHECK;

/* ---- parts ---- */

/* Widths, counts and positions; how the matrix of queries, keys and values lies (config_sizes.c). */
Status config_read_sizes(const ConfigReader *reader, ModelConfig *config, Error *error);

/* Fills config->ropes; sizes and max_positions are known (config_rope.c). */
Status config_read_ropes(const ConfigReader *reader, ModelConfig *config, Error *error);

/* One, of parameters that are not at their usual place. */
Status config_read_rope(const ConfigReader *reader, ModelConfig *config, const cJSON *object, Rope *rope,
                        Error *error) STATUS_MUST_CHECK;

/* A count from 0, of a field that must have one. */
Status config_read_count(const ConfigReader *reader, const char *name, uint64_t *value,
                         Error *error) STATUS_MUST_CHECK;

/* Sizes of heads where attention is latent, and what scores are multiplied by, once ropes are known (config_latent.c). */
Status config_read_latent(const ConfigReader *reader, ModelConfig *config, Error *error) STATUS_MUST_CHECK;
void config_scale_latent(ModelConfig *config);

/* Of layers that attend so: as many key heads as heads. */
Status config_check_latent(const ConfigReader *reader, const ModelConfig *config,
                           Error *error) STATUS_MUST_CHECK;

/* Makes of a layer like all others one with experts, where it has any (config_experts.c). */
Status config_read_experts(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                           LayerPlan *plan, Error *error) STATUS_MUST_CHECK;

/* Fills config->plans from `plan`, which is that of a layer like all others (config_layers.c). */
Status config_read_layers(const ConfigReader *reader, const LayerPlan *plan, ModelConfig *config,
                          Error *error);

/* Sizes of mixers with a state; what each layer has, kinds[layers]; and `plan` of such a layer made of one with attention
 * and an MLP (config_mixers.c). */
Status config_read_mixers(const ConfigReader *reader, ModelConfig *config, LayerKind *kinds, Error *error);
void config_set_kind(const ConfigReader *reader, const ModelConfig *config, LayerKind kind, LayerPlan *plan);

/* Where letters say what each layer is, and no list does. */
#define CONFIG_PATTERN "hybrid_override_pattern"

/* Every so-manieth, the first after so many. */
Status config_read_period(const ConfigReader *reader, const char *period_key, const char *offset_key,
                          uint64_t *period, uint64_t *offset, Error *error) STATUS_MUST_CHECK;

/* Sizes and switches of state spaces, and their tensors (config_state.c). */
Status config_read_state(const ConfigReader *reader, ModelConfig *config, Error *error) STATUS_MUST_CHECK;
void config_need_state(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan);

/* Sizes and switches of the gated delta rule, and its tensors (config_delta.c). */
Status config_read_delta(const ConfigReader *reader, ModelConfig *config, Error *error) STATUS_MUST_CHECK;
void config_need_delta(const ModelConfig *config, LayerPlan *plan);

/* How many inputs an output of a causal convolution is made of. */
Status config_read_taps(const ConfigReader *reader, const char *key, uint64_t *taps,
                        Error *error) STATUS_MUST_CHECK;

/* Their epsilon; the norms of a layer's blocks (config_norms.c). */
Status config_read_norm(const ConfigReader *reader, ModelConfig *config, Error *error) STATUS_MUST_CHECK;
void config_need_norms(const ModelConfig *config, LayerPlan *plan);

/* By its name; by that of a key (config_activation.c): none, and no default, is silu. */
Status config_find_activation(const ConfigReader *reader, const char *name, Activation *activation,
                              Error *error) STATUS_MUST_CHECK;
Status config_read_activation(const ConfigReader *reader, const char *key, Activation *activation,
                              Error *error) STATUS_MUST_CHECK;

/* ---- what is one type's own (config_own.c) ---- */

Status config_prepare_opt(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_bloom(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_falcon(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_codegen(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_diffllama(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_gemma4(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_mpt(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_xglm(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_lfm2_moe(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_lfm2(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_falcon_h1(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_recurrent_gemma(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_gemma3n(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_read_gemma3n_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                 LayerPlan *plan, Error *error);
Status config_prepare_zamba2(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_laguna(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_read_laguna_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                LayerPlan *plan, Error *error);
Status config_prepare_minimax3(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_read_minimax3_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                  LayerPlan *plan, Error *error);
Status config_prepare_mimo(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_read_mimo_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                              LayerPlan *plan, Error *error);
Status config_prepare_kimi_linear(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_bailing_hybrid(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_olmo_hybrid(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_dbrx(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_doge(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_deepseek4(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_read_deepseek4_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                   LayerPlan *plan, Error *error);
Status config_read_compressed_ropes(const ConfigReader *reader, ModelConfig *config, Error *error);
Status config_prepare_internlm3(const ConfigReader *reader, ModelConfig *config, Error *error);

#endif
