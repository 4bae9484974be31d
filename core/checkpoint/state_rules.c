#include "core/checkpoint/config_internal.h"

/* State spaces, as transformers 5.24 computes them: rules that rows of the tables name. */

const StateRule STATE_MAMBA2 = {.size_key = "state_size",
                                .heads_key = "num_heads",
                                .head_dim_key = "head_dim",
                                .groups_key = "n_groups",
                                .expand_key = "expand",
                                .convolution_bias = BIAS_IF("use_conv_bias"),
                                .in_bias = BIAS_IF("use_bias"),
                                .out_bias = BIAS_IF("use_bias"),
                                .has_norm = true,
                                .limits_key = "time_step_limit"};

#define BAMBA_LIKE                                                                                           \
    .size_key = "mamba_d_state", .heads_key = "mamba_n_heads", .head_dim_key = "mamba_d_head",               \
    .groups_key = "mamba_n_groups", .expand_key = "mamba_expand",                                            \
    .convolution_bias = BIAS_IF("mamba_conv_bias"), .in_bias = BIAS_IF("mamba_proj_bias"),                   \
    .limits_key = "time_step_limit"

const StateRule STATE_BAMBA = {BAMBA_LIKE, .out_bias = BIAS_IF("mamba_proj_bias"), .has_norm = true};

/* The bias of what comes out has another key. */
const StateRule STATE_FALCON = {BAMBA_LIKE,
                                .out_bias = BIAS_IF("projectors_bias"),
                                .width_key = "mamba_d_ssm",
                                .norm_key = "mamba_rms_norm",
                                .norm_first_key = "mamba_norm_before_gate",
                                .in_key = "ssm_in_multiplier",
                                .out_key = "ssm_out_multiplier",
                                .scales_key = "ssm_multipliers"};

/* Its steps are no shorter than time_step_min, and time_step_limit is not read. */
const StateRule STATE_NEMOTRON = {.size_key = "ssm_state_size",
                                  .heads_key = "mamba_num_heads",
                                  .head_dim_key = "mamba_head_dim",
                                  .groups_key = "n_groups",
                                  .convolution_bias = BIAS_IF("use_conv_bias"),
                                  .in_bias = BIAS_IF("use_bias"),
                                  .out_bias = BIAS_IF("use_bias"),
                                  .has_norm = true,
                                  .least_key = "time_step_min",
                                  .activation_key = "mamba_hidden_act"};

#define MAMBA1                                                                                               \
    .size_key = "state_size", .expand_key = "expand", .width_key = "intermediate_size",                      \
    .rank_key = "time_step_rank", .convolution_bias = BIAS_IF("use_conv_bias"),                              \
    .in_bias = BIAS_IF("use_bias"), .out_bias = BIAS_IF("use_bias")

const StateRule STATE_MAMBA = {MAMBA1};

const StateRule STATE_FALCON_MAMBA = {MAMBA1, .step_epsilon_key = "mixer_rms_eps"};

const StateRule STATE_JAMBA = {.size_key = "mamba_d_state",
                               .expand_key = "mamba_expand",
                               .rank_key = "mamba_dt_rank",
                               .convolution_bias = BIAS_IF("mamba_conv_bias"),
                               .in_bias = BIAS_IF("mamba_proj_bias"),
                               .out_bias = BIAS_IF("mamba_proj_bias"),
                               .step_epsilon_key = "rms_norm_eps",
                               .step_norms_have_weights = true};

/* Its steps are no shorter than time_step_min; its convolution has a bias, whatever use_conv_bias says. */
const StateRule STATE_ZAMBA = {.size_key = "mamba_d_state",
                               .heads_key = "n_mamba_heads",
                               .head_dim_key = "mamba_headdim",
                               .groups_key = "mamba_ngroups",
                               .expand_key = "mamba_expand",
                               .convolution_bias = ALWAYS,
                               .has_norm = true,
                               .norm_epsilon = 1e-5,
                               .least_key = "time_step_min",
                               .is_silu = true};
