/*
 * config_internal — what the files that read config.json share. Not for others.
 */
#ifndef REJUV_CORE_CONFIG_INTERNAL_H
#define REJUV_CORE_CONFIG_INTERNAL_H

#include "core/checkpoint/architecture.h"
#include "core/checkpoint/config_class.h"

/* ---- a row of the table ---- */

/* When a model has something: never, always, or if config.json sets the key to true. */
typedef struct ConfigRule {
    bool always;
    const char *key;
} ConfigRule;

/* Which layers slide. */
typedef enum WindowRule {
    WINDOW_NEVER,
    WINDOW_ALWAYS,  /* all of them, where there is a sliding_window */
    WINDOW_MISTRAL, /* the same, or as "layer_types" says: with it, transformers makes a Ministral of it */
    WINDOW_QWEN,    /* use_sliding_window, and only from max_window_layers on, where no "layer_types" says */
    WINDOW_TYPES,   /* as "layer_types" says; without, all but every so-manieth */
    WINDOW_UNTURNED /* as "layer_types" says; without, with use_sliding_window, those that do not turn */
} WindowRule;

/* Which layers turn their queries and keys. */
typedef enum RopeRule {
    ROPE_RULE_ALL,
    ROPE_RULE_NONE,
    ROPE_RULE_SLIDING, /* where they slide */
    ROPE_RULE_WINDOW,  /* the same, or all where there is no window */
    ROPE_RULE_LIST,    /* as "no_rope_layers" says */
    ROPE_RULE_TYPES    /* sliding layers and others each with parameters of their own */
} RopeRule;

typedef struct ConfigReader ConfigReader;

struct Architecture {
    const char *model_type;
    /* A model around a text model, which "text_config" describes: only its row's name and this count. The type of the text
     * model where text_config has none, or where config.json describes it without one. */
    const char *text_type;
    bool lifts_refusal; /* the text model's refused_key acts on what comes with an image only */
    /* the stream */
    NormKind norm;
    NormPlaces norms;
    Wiring wiring;
    const char *epsilon_key; /* NULL: rms_norm_eps */
    double epsilon;          /* what no key says; 0: a key does */
    bool norm_adds_one, norm_has_bias, norm_is_bare, final_norm_is_bare;
    bool embedding_by_width; /* embeddings times √hidden_size */
    const char *embedding_key, *residual_key;
    const char *logit_key;     /* logits times it */
    const char *logit_divisor; /* logits divided by it */
    const char *logit_cap_key;
    /* attention */
    QkvLayout qkv;
    QkNorm qk_norm;
    const char *qk_norm_key; /* has it if true; NULL: always */
    bool qk_norm_follows_rope, qk_norm_is_bare;
    ConfigRule qkv_bias, o_bias;
    const char *scale_key;  /* scores times it */
    const char *scalar_key; /* scores times its −½th power */
    const char *cap_key, *clip_key;
    bool has_sinks;
    /* positions */
    RopeRule rope;
    bool is_interleaved;
    bool is_partial;             /* the default kind heeds partial_rotary_factor */
    double default_partial;      /* 0: all */
    const char *local_theta_key; /* of sliding layers, ROPE_RULE_TYPES */
    WindowRule window;
    const char *pattern_key; /* WINDOW_TYPES: every so-manieth layer is whole */
    uint64_t pattern;        /* where there is no such key; 0: all slide */
    bool has_chunks;         /* "layer_types" may name chunked attention */
    /* MLP */
    MlpKind mlp;
    bool is_fused_mlp; /* gate and up are one matrix */
    ConfigRule mlp_bias;
    const char *activation_key; /* NULL: hidden_act */
    /* what is checked, and what is derived */
    bool whole_heads;      /* hidden_size must be a multiple of the heads */
    bool derives_head_dim; /* whatever head_dim says */
    bool checks_range;
    ConfigRule head_bias;
    const char *refused_key; /* a switch that must not be true */
    bool only_longrope;      /* the kinds "su" and "yarn" are longrope, and no other is loaded */
    bool has_mrope;          /* rotary kind "mrope": positions in three parts, which are one for text */
    /* further switches of the type, after all else is read; NULL: none */
    Status (*refine)(const ConfigReader *reader, ModelConfig *config, Error *error);
};

/* ---- config.json ---- */

/* One file on its way in, with what its class adds. */
struct ConfigReader {
    const cJSON *json, *whole; /* `whole`: of a model around it; else the same */
    const ConfigClass *class;
    cJSON *defaults; /* of the class, by the fields' own names */
    const char *origin;
};

Status config_open_reader(const cJSON *json, const cJSON *whole, const char *model_type, const char *origin,
                          ConfigReader *reader, Error *error) STATUS_MUST_CHECK;
void config_close_reader(ConfigReader *reader);

/* What config.json states under that name, or the class's other name for it, null included; NULL where it is silent. */
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

/* What Python takes for true: a number other than 0, anything that is not empty. */
bool config_is_truthy(const cJSON *item);

/* No dimension of a model comes near; products of two fit 64 bits, and each fits the ints of BLAS. */
enum { CONFIG_LARGEST_SIZE = 1 << 30 };

/* ---- parts ---- */

/* Fills config->ropes; sizes and max_positions are known (config_rope.c). */
Status config_read_ropes(const ConfigReader *reader, ModelConfig *config, Error *error);

/* Fills config->plans from `plan`, which is that of a layer like all others (config_layers.c). */
Status config_read_layers(const ConfigReader *reader, const LayerPlan *plan, ModelConfig *config,
                          Error *error);

#endif
