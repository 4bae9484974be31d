#include "core/checkpoint/config_rules.h"

/* The gated delta rule, as transformers 5.24 computes it: rules that rows of the tables name. */

#define OWN(KEY)                                                                                             \
    { NULL, KEY }
#define QWEN_KEYS                                                                                            \
    .keys = {OWN("linear_num_key_heads"), OWN("linear_key_head_dim"), OWN("linear_num_value_heads"),         \
             OWN("linear_value_head_dim"), OWN("linear_conv_kernel_dim")}

const DeltaRule DELTA_QWEN = {.layout = DELTA_JOINED, QWEN_KEYS};

const DeltaRule DELTA_QWEN_FUSED = {.layout = DELTA_FUSED, QWEN_KEYS};

const DeltaRule DELTA_OLMO = {.layout = DELTA_PARTED,
                              QWEN_KEYS,
                              .sizes_may_be_null = true,
                              .norm_epsilon = 1e-5,
                              .doubled_key = "linear_allow_neg_eigval"};

#define KIMI_LIKE .layout = DELTA_PARTED, .decays_channels = true, .gate = ACTIVATION_SIGMOID
#define KIMI_HEADS                                                                                           \
    { "linear_attn_config.num_heads", "linear_num_heads" }
#define KIMI_DIM                                                                                             \
    { "linear_attn_config.head_dim", "linear_head_dim" }

const DeltaRule DELTA_KIMI = {
    KIMI_LIKE,
    .keys = {KIMI_HEADS,
             KIMI_DIM,
             KIMI_HEADS,
             KIMI_DIM,
             {"linear_attn_config.short_conv_kernel_size", "linear_conv_kernel_dim"}},
    .object_key = "linear_attn_config", .gate_has_rank = true, .step_has_rank = true};

/* What the class derives, it writes; what is written it does not derive again. */
#define BAILING_HEADS                                                                                        \
    { "linear_num_heads", "num_attention_heads" }
#define BAILING_DIM                                                                                          \
    { "linear_head_dim", "head_dim" }

const DeltaRule DELTA_BAILING = {KIMI_LIKE,
                                 .keys = {BAILING_HEADS,
                                          BAILING_DIM,
                                          BAILING_HEADS,
                                          BAILING_DIM,
                                          {"linear_conv_kernel_dim", "short_conv_kernel_size"}},
                                 .bounded_key = "kda_safe_gate", .bound_key = "kda_lower_bound"};
