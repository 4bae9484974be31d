#include "core/checkpoint/config_internal.h"

/* Mixtures of experts, as transformers 5.24 computes them: rules that rows of architecture_table.c name. */

const ExpertRule EXPERTS_MIXTRAL = {
    .count_key = "num_local_experts", .chosen_key = "num_experts_per_tok", .normalises = true};

const ExpertRule EXPERTS_MINIMAX = {.count_key = "num_local_experts",
                                    .chosen_key = "num_experts_per_tok",
                                    .scoring = EXPERTS_SIGMOID,
                                    .has_correction = true,
                                    .normalises = true};

const ExpertRule EXPERTS_MINIMAX3 = {.count_key = "num_local_experts",
                                     .chosen_key = "num_experts_per_tok",
                                     .dense_width_key = "dense_intermediate_size",
                                     .layers = EXPERT_LAYERS_TYPES,
                                     .scoring = EXPERTS_SIGMOID,
                                     .has_correction = true,
                                     .normalises = true,
                                     .scale_key = "routed_scaling_factor",
                                     .glu_limit_key = "swiglu_limit",
                                     .glu_alpha_key = "swiglu_alpha",
                                     .glu_is_apart = true,
                                     .shared_width_key = "shared_intermediate_size",
                                     .shared_is_fused = true};

const ExpertRule EXPERTS_DEEPSEEK4 = {.count_key = "n_routed_experts",
                                      .chosen_key = "num_experts_per_tok",
                                      .width_key = "moe_intermediate_size",
                                      .score_key = "scoring_func",
                                      .has_correction = true,
                                      .normalises = true,
                                      .added_sum = 1e-20,
                                      .scale_key = "routed_scaling_factor",
                                      .clamp_key = "swiglu_limit",
                                      .has_shared = true};

const ExpertRule EXPERTS_JETMOE = {.count_key = "num_local_experts",
                                   .chosen_key = "num_experts_per_tok",
                                   .scoring = EXPERTS_SOFTMAX_CHOSEN,
                                   .has_output_bias = true};

const ExpertRule EXPERTS_PHI = {.count_key = "num_local_experts",
                                .chosen_key = "num_experts_per_tok",
                                .scoring = EXPERTS_SPARSE_MIXER,
                                .jitter_key = "router_jitter_noise"};

const ExpertRule EXPERTS_OLMO = {
    .count_key = "num_experts", .chosen_key = "num_experts_per_tok", .normalise_key = "norm_topk_prob"};

const ExpertRule EXPERTS_QWEN = {.count_key = "num_experts",
                                 .chosen_key = "num_experts_per_tok",
                                 .width_key = "moe_intermediate_size",
                                 .layers = EXPERT_LAYERS_STEP,
                                 .normalise_key = "norm_topk_prob"};

const ExpertRule EXPERTS_QWEN_SHARED = {.count_key = "num_experts",
                                        .chosen_key = "num_experts_per_tok",
                                        .width_key = "moe_intermediate_size",
                                        .layers = EXPERT_LAYERS_STEP,
                                        .normalise_key = "norm_topk_prob",
                                        .shared_width_key = "shared_expert_intermediate_size",
                                        .shared_has_switch = true};

const ExpertRule EXPERTS_QWEN_ALL = {.count_key = "num_experts",
                                     .chosen_key = "num_experts_per_tok",
                                     .width_key = "moe_intermediate_size",
                                     .normalises = true,
                                     .shared_width_key = "shared_expert_intermediate_size",
                                     .shared_has_switch = true};

const ExpertRule EXPERTS_LFM = {.count_key = "num_experts",
                                .chosen_key = "num_experts_per_tok",
                                .width_key = "moe_intermediate_size",
                                .layers = EXPERT_LAYERS_FROM,
                                .dense_key = "num_dense_layers",
                                .scoring = EXPERTS_SIGMOID,
                                .correction_key = "use_expert_bias",
                                .normalise_key = "norm_topk_prob",
                                .added_sum = 1e-6,
                                .scale_key = "routed_scaling_factor"};

const ExpertRule EXPERTS_GRANITE = {
    .count_key = "num_local_experts", .chosen_key = "num_experts_per_tok", .scoring = EXPERTS_SOFTMAX_CHOSEN};

const ExpertRule EXPERTS_GRANITE_SHARED = {.count_key = "num_local_experts",
                                           .chosen_key = "num_experts_per_tok",
                                           .scoring = EXPERTS_SOFTMAX_CHOSEN,
                                           .shared_width_key = "shared_intermediate_size",
                                           .shared_is_fused = true};

const ExpertRule EXPERTS_GPT_OSS = {.count_key = "num_local_experts",
                                    .chosen_key = "num_experts_per_tok",
                                    .scoring = EXPERTS_SOFTMAX_CHOSEN,
                                    .layout = EXPERTS_TRANSPOSED,
                                    .has_bias = true,
                                    .glu_limit_key = "swiglu_limit",
                                    .glu_alpha_key = "swiglu_alpha"};

const ExpertRule EXPERTS_HUNYUAN = {
    .count_key = "num_experts", .chosen_key = "moe_topk", .normalises = true, .has_shared = true};

const ExpertRule EXPERTS_ERNIE = {.count_key = "moe_num_experts",
                                  .chosen_key = "moe_k",
                                  .width_key = "moe_intermediate_size",
                                  .layers = EXPERT_LAYERS_RANGE,
                                  .has_correction = true,
                                  .normalises = true,
                                  .least_sum_key = "moe_norm_min",
                                  .shared_count_key = "moe_num_shared_experts"};

const ExpertRule EXPERTS_LLAMA4 = {.count_key = "num_local_experts",
                                   .chosen_key = "num_experts_per_tok",
                                   .dense_width_key = "intermediate_size_mlp",
                                   .layers = EXPERT_LAYERS_LIST,
                                   .scoring = EXPERTS_SIGMOID_CHOSEN,
                                   .layout = EXPERTS_TRANSPOSED,
                                   .scales_input = true,
                                   .has_shared = true};

/* The mean of what both give, or their sum. */
const ExpertRule EXPERTS_COHERE = {.count_key = "num_experts",
                                   .chosen_key = "num_experts_per_tok",
                                   .dense_width_key = "prefix_dense_intermediate_size",
                                   .layers = EXPERT_LAYERS_TYPES,
                                   .dense_key = "first_k_dense_replace",
                                   .scoring_key = "expert_selection_fn",
                                   .normalise_key = "norm_topk_prob",
                                   .average_key = "shared_expert_combination_strategy",
                                   .shared_count_key = "num_shared_experts"};

const ExpertRule EXPERTS_DBRX = {.count_key = "ffn_config.moe_num_experts",
                                 .chosen_key = "ffn_config.moe_top_k",
                                 .width_key = "ffn_config.ffn_hidden_size",
                                 .layout = EXPERTS_IN_A_ROW,
                                 .norm_key = "ffn_config.moe_normalize_expert_weights"};

const ExpertRule EXPERTS_MELLUM = {.count_key = "num_experts",
                                   .chosen_key = "num_experts_per_tok",
                                   .width_key = "moe_intermediate_size",
                                   .layers = EXPERT_LAYERS_TYPES,
                                   .normalise_key = "norm_topk_prob"};

const ExpertRule EXPERTS_LAGUNA = {.count_key = "num_experts",
                                   .chosen_key = "num_experts_per_tok",
                                   .width_key = "moe_intermediate_size",
                                   .layers = EXPERT_LAYERS_TYPES,
                                   .dense = 1,
                                   .scoring = EXPERTS_SIGMOID,
                                   .has_correction = true,
                                   .normalises = true,
                                   .scale_key = "moe_routed_scaling_factor",
                                   .logit_cap_key = "moe_router_logit_softcapping",
                                   .shared_width_key = "shared_expert_intermediate_size"};

/* DeepSeek's of the second generation: a group is as good as its best. */
const ExpertRule EXPERTS_DEEPSEEK2 = {.count_key = "n_routed_experts",
                                      .chosen_key = "num_experts_per_tok",
                                      .width_key = "moe_intermediate_size",
                                      .layers = EXPERT_LAYERS_FROM,
                                      .dense_key = "first_k_dense_replace",
                                      .has_groups = true,
                                      .method_key = "topk_method",
                                      .group_best = 1,
                                      .scale_key = "routed_scaling_factor",
                                      .shared_count_key = "n_shared_experts"};

/* Granite 4: Mamba-2 with experts, or with the shared one alone. */
const ExpertRule EXPERTS_GRANITE_HYBRID = {.count_key = "num_local_experts",
                                           .chosen_key = "num_experts_per_tok",
                                           .may_have_none = true,
                                           .scoring = EXPERTS_SOFTMAX_CHOSEN,
                                           .shared_width_key = "shared_intermediate_size",
                                           .shared_is_fused = true};

const ExpertRule EXPERTS_JAMBA = {
    .count_key = "num_experts", .chosen_key = "num_experts_per_tok", .layers = EXPERT_LAYERS_PERIOD};

#define DEEPSEEK3                                                                                            \
    .chosen_key = "num_experts_per_tok", .width_key = "moe_intermediate_size", .scoring = EXPERTS_SIGMOID,   \
    .has_correction = true, .has_groups = true, .group_best = 2, .normalise_key = "norm_topk_prob",          \
    .added_sum = 1e-20, .scale_key = "routed_scaling_factor"

const ExpertRule EXPERTS_DEEPSEEK3 = {.count_key = "n_routed_experts",
                                      DEEPSEEK3,
                                      .layers = EXPERT_LAYERS_FROM,
                                      .dense_key = "first_k_dense_replace",
                                      .shared_count_key = "n_shared_experts"};

const ExpertRule EXPERTS_GLM_LITE = {.count_key = "n_routed_experts",
                                     DEEPSEEK3,
                                     .layers = EXPERT_LAYERS_TYPES,
                                     .dense = 1,
                                     .shared_count_key = "n_shared_experts"};

const ExpertRule EXPERTS_DSA = {.count_key = "n_routed_experts",
                                DEEPSEEK3,
                                .layers = EXPERT_LAYERS_TYPES,
                                .dense_key = "first_k_dense_replace",
                                .shared_count_key = "n_shared_experts"};

const ExpertRule EXPERTS_KIMI = {.count_key = "num_local_experts",
                                 DEEPSEEK3,
                                 .layers = EXPERT_LAYERS_TYPES,
                                 .dense = 1,
                                 .dense_key = "first_k_dense_replace",
                                 .shared_count_key = "n_shared_experts"};

const ExpertRule EXPERTS_EXAONE = {.count_key = "num_experts",
                                   DEEPSEEK3,
                                   .layers = EXPERT_LAYERS_TYPES,
                                   .dense = 1,
                                   .dense_key = "first_k_dense_replace",
                                   .shared_count_key = "num_shared_experts"};

/* Experts without a gate, each in a layer of its own. */
const ExpertRule EXPERTS_NEMOTRON = {.count_key = "n_routed_experts",
                                     DEEPSEEK3,
                                     .layers = EXPERT_LAYERS_MARKED,
                                     .is_plain = true,
                                     .shared_width_key = "moe_shared_expert_intermediate_size"};

const ExpertRule EXPERTS_MIMO = {
    .count_key = "n_routed_experts", DEEPSEEK3, .layers = EXPERT_LAYERS_TYPES, .dense = 1};

const ExpertRule EXPERTS_SOLAR = {
    .count_key = "n_routed_experts", DEEPSEEK3, .shared_count_key = "n_shared_experts"};

const ExpertRule EXPERTS_HUNYUAN3 = {.count_key = "num_experts",
                                     .chosen_key = "num_experts_per_tok",
                                     .width_key = "moe_intermediate_size",
                                     .layers = EXPERT_LAYERS_TYPES,
                                     .dense = 1,
                                     .scoring = EXPERTS_SIGMOID,
                                     .has_correction = true,
                                     .normalises = true,
                                     .added_sum = 1e-20,
                                     .scale_key = "router_scaling_factor",
                                     .shared_count_key = "num_shared_experts"};

const ExpertRule EXPERTS_AFMOE = {.count_key = "num_experts",
                                  .chosen_key = "num_experts_per_tok",
                                  .width_key = "moe_intermediate_size",
                                  .layers = EXPERT_LAYERS_FROM,
                                  .dense_key = "num_dense_layers",
                                  .scoring = EXPERTS_SIGMOID,
                                  .has_correction = true,
                                  .normalises = true,
                                  .added_sum = 1e-20,
                                  .scale_key = "route_scale",
                                  .shared_count_key = "num_shared_experts"};
