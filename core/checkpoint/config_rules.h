/*
 * config_rules — what several types have alike, as tables that rows of the tables of architectures name: mixtures of experts,
 * state spaces, the gated delta rule. For the files that read config.json.
 */
#ifndef REJUV_CORE_CONFIG_RULES_H
#define REJUV_CORE_CONFIG_RULES_H

#include "core/checkpoint/architecture.h"

/* When a model has something: never, always, or if config.json sets the key to true. */
typedef struct ConfigRule {
    bool always;
    const char *key;
} ConfigRule;

/* For rows. */
#define BIAS_IF(KEY)                                                                                         \
    { .key = (KEY) }
#define ALWAYS                                                                                               \
    { .always = true }

/* Which layers are mixtures of experts. */
typedef enum ExpertLayers {
    EXPERT_LAYERS_ALL,
    EXPERT_LAYERS_FROM,   /* from the so-manieth on, which dense_key states */
    EXPERT_LAYERS_TYPES,  /* as "mlp_layer_types" says; else the same; else all but the first */
    EXPERT_LAYERS_STEP,   /* every decoder_sparse_step-th, but those of mlp_only_layers */
    EXPERT_LAYERS_RANGE,  /* every moe_layer_interval-th from moe_layer_start_index to moe_layer_end_index */
    EXPERT_LAYERS_MARKED, /* those that have nothing else */
    EXPERT_LAYERS_PERIOD, /* "expert_layer_period" and "expert_layer_offset" */
    EXPERT_LAYERS_LIST    /* as "moe_layers" says; else every interleave_moe_layer_step-th */
} ExpertLayers;

/* A type's mixtures of experts (config_experts.c). Keys that are NULL are those of no such switch. */
typedef struct ExpertRule {
    const char *count_key, *chosen_key;
    const char *width_key;       /* NULL: intermediate_size */
    const char *dense_width_key; /* of layers without experts; NULL: intermediate_size */
    ExpertLayers layers;
    const char *dense_key;
    uint64_t dense; /* where there is no such key */
    ExpertScoring scoring;
    const char *scoring_key; /* "softmax" or "sigmoid", over the chosen */
    const char *score_key;   /* "sqrtsoftplus" or "sigmoid", of all */
    const char *clamp_key;   /* bounds of gate and up */
    ExpertLayout layout;
    bool is_plain;                 /* experts have no gate */
    bool may_have_none;            /* without experts the shared one is the MLP */
    bool has_correction, has_bias; /* of the choice; of router and experts */
    bool has_output_bias;          /* one for all experts together */
    const char *correction_key;    /* has it if true */
    bool has_groups;               /* "n_group", "topk_group" */
    const char *method_key;        /* whether there are groups is said here: "group_limited_greedy" */
    uint64_t group_best;
    bool normalises;
    const char *normalise_key; /* if true */
    double added_sum;          /* to the sum that normalises */
    const char *least_sum_key, *scale_key, *logit_cap_key;
    bool scales_input;
    const char *jitter_key;                    /* EXPERTS_SPARSE_MIXER */
    const char *glu_limit_key, *glu_alpha_key; /* the clamped activation, gate and up alternating */
    bool glu_is_apart;                         /* one behind the other */
    const char *average_key;                   /* "average": the mean of both; "sum" */
    const char *norm_key;                      /* the order of the norm that normalises: 1, or null */
    const char *shared_count_key;              /* the shared expert is so many times as wide as one */
    const char *shared_width_key;              /* it is so wide */
    bool has_shared, shared_is_fused, shared_has_switch; /* as wide as one */
} ExpertRule;

extern const ExpertRule EXPERTS_MIXTRAL, EXPERTS_MINIMAX, EXPERTS_PHI, EXPERTS_OLMO, EXPERTS_QWEN,
    EXPERTS_QWEN_SHARED, EXPERTS_GRANITE, EXPERTS_GRANITE_SHARED, EXPERTS_GPT_OSS, EXPERTS_HUNYUAN,
    EXPERTS_ERNIE, EXPERTS_LLAMA4, EXPERTS_DEEPSEEK2, EXPERTS_DEEPSEEK3, EXPERTS_GLM_LITE, EXPERTS_EXAONE,
    EXPERTS_SOLAR, EXPERTS_HUNYUAN3, EXPERTS_AFMOE, EXPERTS_QWEN_ALL, EXPERTS_LFM, EXPERTS_NEMOTRON,
    EXPERTS_JAMBA, EXPERTS_GRANITE_HYBRID, EXPERTS_COHERE, EXPERTS_DBRX, EXPERTS_MELLUM, EXPERTS_LAGUNA,
    EXPERTS_MIMO, EXPERTS_DSA, EXPERTS_MINIMAX3, EXPERTS_KIMI, EXPERTS_JETMOE, EXPERTS_DEEPSEEK4;

/* A type's state spaces (config_state.c): Mamba-2, or, without a key of heads, Mamba-1. Keys that are NULL are those of no
 * such switch. */
typedef struct StateRule {
    const char *size_key; /* of a state */
    const char *heads_key, *groups_key;
    const char *head_dim_key; /* "auto", or NULL: what the width leaves */
    const char *expand_key,
        *width_key;       /* the width is so many times the stream's; or as stated; or that of all heads */
    const char *rank_key; /* "auto": a 16th of the stream */
    ConfigRule convolution_bias, in_bias, out_bias;
    bool has_norm;
    const char *norm_key, *norm_first_key;
    const char *limits_key, *least_key; /* of steps: both, or the least */
    const char *activation_key;         /* NULL: hidden_act */
    bool is_silu;                       /* whatever that says */
    double norm_epsilon;                /* of its norm; 0: the model's */
    const char *step_epsilon_key;       /* Mamba-1 norms what steps, writes and reads */
    bool step_norms_have_weights;
    const char *in_key, *out_key, *scales_key;
} StateRule;

/* How the gated delta rule's matrices are stored. */
typedef enum DeltaLayout {
    DELTA_JOINED, /* queries, keys and values in one; gates, writes and steps each in its own */
    DELTA_FUSED,  /* two, both by key head */
    DELTA_PARTED  /* each in its own, the convolution in three pieces */
} DeltaLayout;

enum { DELTA_SIZES = 5 };

/* A type's gated delta rule (config_delta.c). */
typedef struct DeltaRule {
    DeltaLayout layout;
    /* of key heads, of their size, of value heads, of theirs, of taps: what is read where it is stated, and what is else */
    const char *keys[DELTA_SIZES][2];
    const char *object_key; /* where the first of those are kept: an object, if anything */
    bool sizes_may_be_null; /* then heads are attention's, of 3/4 of the stream, values twice as wide */
    bool decays_channels;
    bool gate_has_rank, step_has_rank; /* that of a key: two matrices for one */
    Activation gate;
    double norm_epsilon;                 /* 0: the model's */
    const char *doubled_key;             /* what is written is doubled if true */
    const char *bounded_key, *bound_key; /* if true, logarithms of decays stay above the other */
} DeltaRule;

extern const DeltaRule DELTA_QWEN, DELTA_QWEN_FUSED, DELTA_OLMO, DELTA_KIMI, DELTA_BAILING;

extern const StateRule STATE_MAMBA2, STATE_BAMBA, STATE_FALCON, STATE_NEMOTRON, STATE_MAMBA,
    STATE_FALCON_MAMBA, STATE_JAMBA, STATE_ZAMBA;

#endif
