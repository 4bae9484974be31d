#include "core/checkpoint/architecture.h"

/* What is known of a part by its name. Where a tensor's role does not tell it from others, it is looked for among all. */
typedef struct PartFacts {
    const char *names[PART_MOST_NAMES + 1];
    TensorRole role;
    bool is_matrix;
} PartFacts;

static const PartFacts FACTS[TENSOR_PART_COUNT] = {
    [TENSOR_PART_SINKS] = {{"self_attn.sinks", "self_attn.attention_sink_bias"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_EMBEDDING_NORM] = {{"word_embeddings_layernorm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_EMBEDDING_NORM_BIAS] = {{"word_embeddings_layernorm.bias"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_MIXED_NORM] = {{"self_attn.attn_sub_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_ACTIVATED_NORM] = {{"mlp.ffn_sub_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_XIELU_POSITIVE] = {{"mlp.act_fn.alpha_p"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_XIELU_NEGATIVE] = {{"mlp.act_fn.alpha_n"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_XIELU_BETA] = {{"mlp.act_fn.beta"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_XIELU_EPSILON] = {{"mlp.act_fn.eps"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAMBDA_Q1] = {{"self_attn.lambda_q1"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAMBDA_K1] = {{"self_attn.lambda_k1"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAMBDA_Q2] = {{"self_attn.lambda_q2"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAMBDA_K2] = {{"self_attn.lambda_k2"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_CONVOLUTION_IN] = {{".conv.in_proj.weight"}, TENSOR_CONVOLUTION, true},
    [TENSOR_PART_CONVOLUTION_IN_BIAS] = {{".conv.in_proj.bias"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_CONVOLUTION] = {{".conv.conv.weight"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_CONVOLUTION_BIAS] = {{".conv.conv.bias"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_CONVOLUTION_OUT] = {{".conv.out_proj.weight"}, TENSOR_CONVOLUTION, true},
    [TENSOR_PART_CONVOLUTION_OUT_BIAS] = {{".conv.out_proj.bias"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_DELTA_IN] = {{".linear_attn.in_proj_qkv.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_GATE] = {{".linear_attn.in_proj_z.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_WRITE] = {{".linear_attn.in_proj_b.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_STEP] = {{".linear_attn.in_proj_a.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_CONVOLUTION] = {{".linear_attn.conv1d.weight"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_DELTA_DECAY] = {{".linear_attn.A_log"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_DELTA_STEP_BIAS] = {{".linear_attn.dt_bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_DELTA_NORM] = {{".linear_attn.norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_DELTA_OUT] = {{".linear_attn.out_proj.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_FUSED] = {{".linear_attn.in_proj_qkvz.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_DELTA_STEPS] = {{".linear_attn.in_proj_ba.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_STATE_IN] = {{".mamba.in_proj.weight", ".mixer.in_proj.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_STATE_IN_BIAS] = {{".mamba.in_proj.bias", ".mixer.in_proj.bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_STATE_CONVOLUTION] = {{".mamba.conv1d.weight", ".mixer.conv1d.weight"},
                                       TENSOR_CONVOLUTION,
                                       false},
    [TENSOR_PART_STATE_CONVOLUTION_BIAS] = {{".mamba.conv1d.bias", ".mixer.conv1d.bias"},
                                            TENSOR_CONVOLUTION,
                                            false},
    [TENSOR_PART_STATE_SMALL] = {{".mamba.x_proj.weight", ".mixer.x_proj.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_STATE_STEP] = {{".mamba.dt_proj.weight", ".mixer.dt_proj.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_STATE_STEP_BIAS] = {{".mamba.dt_bias", ".mixer.dt_bias", ".mamba.dt_proj.bias",
                                      ".mixer.dt_proj.bias"},
                                     TENSOR_STATE_SPACE,
                                     false},
    [TENSOR_PART_STATE_DECAY] = {{".mamba.A_log", ".mixer.A_log"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_STATE_SKIP] = {{".mamba.D", ".mixer.D"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_STATE_NORM] = {{".mamba.norm.weight", ".mixer.norm.weight"}, TENSOR_NORM, false},
    [TENSOR_PART_STATE_STEP_NORM] = {{".mamba.dt_layernorm.weight"}, TENSOR_NORM, false},
    [TENSOR_PART_STATE_WRITE_NORM] = {{".mamba.b_layernorm.weight"}, TENSOR_NORM, false},
    [TENSOR_PART_STATE_READ_NORM] = {{".mamba.c_layernorm.weight"}, TENSOR_NORM, false},
    [TENSOR_PART_STATE_OUT] = {{".mamba.out_proj.weight", ".mixer.out_proj.weight"},
                               TENSOR_STATE_SPACE,
                               true},
    [TENSOR_PART_STATE_OUT_BIAS] = {{".mamba.out_proj.bias", ".mixer.out_proj.bias"},
                                    TENSOR_STATE_SPACE,
                                    false},
    [TENSOR_PART_GATED_X] = {{"temporal_block.linear_x.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_GATED_X_BIAS] = {{"temporal_block.linear_x.bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_GATED_Y] = {{"temporal_block.linear_y.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_GATED_Y_BIAS] = {{"temporal_block.linear_y.bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_GATED_OUT] = {{"temporal_block.linear_out.weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_GATED_OUT_BIAS] = {{"temporal_block.linear_out.bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_GATED_CONVOLUTION] = {{"temporal_block.conv_1d.weight"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_GATED_CONVOLUTION_BIAS] = {{"temporal_block.conv_1d.bias"}, TENSOR_CONVOLUTION, false},
    [TENSOR_PART_GATED_INPUT] = {{"rg_lru.input_gate_weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_GATED_INPUT_BIAS] = {{"rg_lru.input_gate_bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_GATED_KEEP] = {{"rg_lru.recurrent_gate_weight"}, TENSOR_STATE_SPACE, true},
    [TENSOR_PART_GATED_KEEP_BIAS] = {{"rg_lru.recurrent_gate_bias"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_GATED_RATE] = {{"rg_lru.recurrent_param"}, TENSOR_STATE_SPACE, false},
    [TENSOR_PART_LIGHTNING_QKV] = {{"self_attn.qkv_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LIGHTNING_GATE] = {{"self_attn.output_gate.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LIGHTNING_NORM] = {{"self_attn.norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LIGHTNING_SLOPE] = {{"self_attn.slope_rate"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LIGHTNING_QUERY_DECAY] = {{"self_attn.query_decay"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LIGHTNING_KEY_DECAY] = {{"self_attn.key_decay"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LIGHTNING_BLOCK_DECAY] = {{"self_attn.diagonal_decay"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LIGHTNING_OUT] = {{"self_attn.out_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_ROUTER] = {{"altup.modality_router.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_ROUTER_NORM] = {{"altup.router_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_STREAM_PREDICTION] = {{"altup.prediction_coefs.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_STREAM_CORRECTION] = {{"altup.correction_coefs.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_STREAM_SCALE] = {{"altup.correct_output_scale"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAUREL_LEFT] = {{"laurel.linear_left.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LAUREL_RIGHT] = {{"laurel.linear_right.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LAUREL_NORM] = {{"laurel.post_laurel_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_STREAM_IN_1] = {{"altup_projections.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_OUT_1] = {{"altup_unembed_projections.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_IN_2] = {{"altup_projections.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_OUT_2] = {{"altup_unembed_projections.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_IN_3] = {{"altup_projections.2.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_STREAM_OUT_3] = {{"altup_unembed_projections.2.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_NORM] = {{"shared_transformer.input_layernorm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_COMMON_Q] = {{"shared_transformer.self_attn.q_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_Q_LEFT] = {{"self_attn.linear_q_adapter_list.*.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_Q_RIGHT] = {{"self_attn.linear_q_adapter_list.*.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_K] = {{"shared_transformer.self_attn.k_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_K_LEFT] = {{"self_attn.linear_k_adapter_list.*.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_K_RIGHT] = {{"self_attn.linear_k_adapter_list.*.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_V] = {{"shared_transformer.self_attn.v_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_V_LEFT] = {{"self_attn.linear_v_adapter_list.*.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_V_RIGHT] = {{"self_attn.linear_v_adapter_list.*.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_O] = {{"shared_transformer.self_attn.o_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_MLP_NORM] = {{"shared_transformer.pre_ff_layernorm.weight"},
                                     TENSOR_ROLE_COUNT,
                                     false},
    [TENSOR_PART_COMMON_GATE_UP] = {{"feed_forward.gate_up_proj.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_GATE_UP_LEFT] = {{"gate_up_proj_adapter_list.*.0.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_GATE_UP_RIGHT] = {{"gate_up_proj_adapter_list.*.1.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_COMMON_DOWN] = {{"shared_transformer.feed_forward.down_proj.weight"},
                                 TENSOR_ROLE_COUNT,
                                 true},
    [TENSOR_PART_COMMON_LINEAR] = {{".linear.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LAYER_SCALE] = {{".layer_scalar"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LAYER_GATE] = {{".per_layer_input_gate.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LAYER_PROJECTION] = {{".per_layer_projection.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_LAYER_NORM] = {{".post_per_layer_input_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_INPUT_EMBEDDING] = {{".embed_tokens_per_layer.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_INPUT_PROJECTION] = {{".per_layer_model_projection.weight"}, TENSOR_ROLE_COUNT, true},
    [TENSOR_PART_INPUT_NORM] = {{".per_layer_projection_norm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_ROUTER] = {{"mlp.gate.weight", "block_sparse_moe.gate.weight", ".router.weight",
                             ".router.gate.weight", "mlp.gate.wg.weight", "feed_forward.gate.weight",
                             "block_sparse_moe.router.layer.weight", "ffn.router.layer.weight",
                             "mixer.gate.weight"},
                            TENSOR_ROUTER,
                            true},
    [TENSOR_PART_ROUTER_BIAS] = {{"mlp.router.bias"}, TENSOR_ROUTER, false},
    [TENSOR_PART_CORRECTION] = {{"e_score_correction_bias", ".expert_bias"}, TENSOR_ROUTER, false},
    [TENSOR_PART_SHARED_GATE] = {{"shared_expert.gate_proj.weight", "shared_experts.gate_proj.weight",
                                  "shared_mlp.gate_proj.weight"},
                                 TENSOR_SHARED_EXPERT,
                                 true},
    [TENSOR_PART_SHARED_UP] = {{"shared_expert.up_proj.weight", "shared_experts.up_proj.weight",
                                "shared_mlp.up_proj.weight"},
                               TENSOR_SHARED_EXPERT,
                               true},
    [TENSOR_PART_SHARED_GATE_UP] = {{"shared_mlp.input_linear.weight"}, TENSOR_SHARED_EXPERT, true},
    [TENSOR_PART_SHARED_DOWN] = {{"shared_expert.down_proj.weight", "shared_experts.down_proj.weight",
                                  "shared_mlp.down_proj.weight", "shared_mlp.output_linear.weight"},
                                 TENSOR_SHARED_EXPERT,
                                 true},
    [TENSOR_PART_SHARED_SWITCH] = {{"shared_expert_gate.weight"}, TENSOR_ROUTER, true},
    [TENSOR_PART_ATTENTION_GATE] = {{"self_attn.gate_proj.weight", "self_attn.g_proj.weight"},
                                    TENSOR_ROLE_COUNT,
                                    true},
    [TENSOR_PART_QUERY_NORM] = {{"q_a_layernorm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LATENT_NORM] = {{"kv_a_layernorm.weight"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_QUERY_BIAS] = {{"q_a_proj.bias"}, TENSOR_ROLE_COUNT, false},
    [TENSOR_PART_LATENT_BIAS] = {{"kv_a_proj_with_mqa.bias"}, TENSOR_ROLE_COUNT, false},
};

const char *const *architecture_part_names(TensorPart part) {
    return FACTS[part].names;
}

TensorRole architecture_part_role(TensorPart part) {
    return FACTS[part].role;
}

bool architecture_part_is_matrix(TensorPart part) {
    return FACTS[part].is_matrix;
}

static bool has_common(const ModelConfig *config, uint64_t layer) {
    return architecture_needs(&config->plans[config->plan_of[layer]], TENSOR_PART_COMMON_NORM);
}

int architecture_part_layer(const ModelConfig *config, TensorPart part, int layer, size_t *number) {
    *number = 0;
    if (layer < 0 || part < TENSOR_PART_COMMON_NORM || part >= TENSOR_PART_COMMON_LINEAR) return layer;
    for (int i = 0; i < layer; i++) *number += has_common(config, (uint64_t)i);
    size_t turn = *number % (size_t)config->common_blocks;
    for (int i = 0; i < layer; i++)
        if (has_common(config, (uint64_t)i) && turn-- == 0) return i;
    return layer;
}

uint64_t architecture_delta_keys(const ModelConfig *config) {
    return config->recurrent.key_heads * config->recurrent.key_dim;
}

uint64_t architecture_delta_values(const ModelConfig *config) {
    return config->recurrent.value_heads * config->recurrent.value_dim;
}

uint64_t architecture_delta_channels(const ModelConfig *config) {
    return 2 * architecture_delta_keys(config) + architecture_delta_values(config);
}

void architecture_part_shape(const ModelConfig *config, const LayerPlan *plan, TensorPart part,
                             uint64_t *rows, uint64_t *columns) {
    static const LayerPlan NONE; /* of a part that belongs to no layer */
    const LayerPlan *of = plan != NULL ? plan : &NONE;
    const RecurrentSizes *mixer = &config->recurrent;
    uint64_t hidden = config->hidden_size, shared = of->experts.shared_width, own = config->layer_input_size;
    uint64_t width = architecture_delta_values(config), channels = architecture_delta_channels(config);
    uint64_t streams = config->streams, rank = config->common_rank;
    uint64_t query = of->heads * of->head_dim, key = of->kv_heads * of->head_dim;
    bool is_selective = of->mixer == MIXER_SELECTIVE;
    struct {
        uint64_t rows, columns;
    } const shapes[TENSOR_PART_COUNT] = {
        [TENSOR_PART_SINKS] = {of->heads, 0},
        [TENSOR_PART_EMBEDDING_NORM] = {hidden, 0},
        [TENSOR_PART_EMBEDDING_NORM_BIAS] = {hidden, 0},
        [TENSOR_PART_MIXED_NORM] = {of->heads * of->head_dim, 0},
        [TENSOR_PART_ACTIVATED_NORM] = {of->intermediate_size, 0},
        [TENSOR_PART_XIELU_POSITIVE] = {1, 0},
        [TENSOR_PART_XIELU_NEGATIVE] = {1, 0},
        [TENSOR_PART_XIELU_BETA] = {1, 0},
        [TENSOR_PART_XIELU_EPSILON] = {1, 0},
        [TENSOR_PART_CONVOLUTION_IN] = {3 * hidden, hidden},
        [TENSOR_PART_CONVOLUTION_IN_BIAS] = {3 * hidden, 0},
        [TENSOR_PART_CONVOLUTION] = {hidden * mixer->taps, 0},
        [TENSOR_PART_CONVOLUTION_BIAS] = {hidden, 0},
        [TENSOR_PART_CONVOLUTION_OUT] = {hidden, hidden},
        [TENSOR_PART_CONVOLUTION_OUT_BIAS] = {hidden, 0},
        [TENSOR_PART_DELTA_IN] = {architecture_delta_channels(config), hidden},
        [TENSOR_PART_DELTA_GATE] = {architecture_delta_values(config), hidden},
        [TENSOR_PART_DELTA_WRITE] = {mixer->value_heads, hidden},
        [TENSOR_PART_DELTA_STEP] = {mixer->value_heads, hidden},
        [TENSOR_PART_DELTA_CONVOLUTION] = {architecture_delta_channels(config) * mixer->taps, 0},
        [TENSOR_PART_DELTA_DECAY] = {mixer->value_heads, 0},
        [TENSOR_PART_DELTA_STEP_BIAS] = {mixer->value_heads, 0},
        [TENSOR_PART_DELTA_NORM] = {mixer->value_dim, 0},
        [TENSOR_PART_DELTA_OUT] = {hidden, architecture_delta_values(config)},
        [TENSOR_PART_DELTA_FUSED] = {architecture_delta_channels(config) + architecture_delta_values(config),
                                     hidden},
        [TENSOR_PART_DELTA_STEPS] = {2 * mixer->value_heads, hidden},
        [TENSOR_PART_STATE_IN] = {is_selective ? 2 * width : width + channels + mixer->value_heads, hidden},
        [TENSOR_PART_STATE_IN_BIAS] = {is_selective ? 2 * width : width + channels + mixer->value_heads, 0},
        [TENSOR_PART_STATE_CONVOLUTION] = {(is_selective ? width : channels) * mixer->taps, 0},
        [TENSOR_PART_STATE_CONVOLUTION_BIAS] = {is_selective ? width : channels, 0},
        [TENSOR_PART_STATE_SMALL] = {mixer->rank + 2 * mixer->key_dim, width},
        [TENSOR_PART_STATE_STEP] = {width, mixer->rank},
        [TENSOR_PART_STATE_STEP_BIAS] = {mixer->value_heads, 0},
        [TENSOR_PART_STATE_DECAY] = {mixer->value_heads * (is_selective ? mixer->key_dim : 1), 0},
        [TENSOR_PART_STATE_SKIP] = {mixer->value_heads, 0},
        [TENSOR_PART_STATE_NORM] = {width, 0},
        [TENSOR_PART_STATE_STEP_NORM] = {mixer->rank, 0},
        [TENSOR_PART_STATE_WRITE_NORM] = {mixer->key_dim, 0},
        [TENSOR_PART_STATE_READ_NORM] = {mixer->key_dim, 0},
        [TENSOR_PART_STATE_OUT] = {hidden, width},
        [TENSOR_PART_STATE_OUT_BIAS] = {hidden, 0},
        [TENSOR_PART_GATED_X] = {width, hidden},
        [TENSOR_PART_GATED_X_BIAS] = {width, 0},
        [TENSOR_PART_GATED_Y] = {width, hidden},
        [TENSOR_PART_GATED_Y_BIAS] = {width, 0},
        [TENSOR_PART_GATED_CONVOLUTION] = {width * mixer->taps, 0},
        [TENSOR_PART_GATED_CONVOLUTION_BIAS] = {width, 0},
        [TENSOR_PART_GATED_INPUT] = {mixer->value_heads, mixer->value_dim * mixer->value_dim},
        [TENSOR_PART_GATED_INPUT_BIAS] = {width, 0},
        [TENSOR_PART_GATED_KEEP] = {mixer->value_heads, mixer->value_dim * mixer->value_dim},
        [TENSOR_PART_GATED_KEEP_BIAS] = {width, 0},
        [TENSOR_PART_GATED_RATE] = {width, 0},
        [TENSOR_PART_GATED_OUT] = {hidden, width},
        [TENSOR_PART_GATED_OUT_BIAS] = {hidden, 0},
        [TENSOR_PART_LIGHTNING_QKV] = {3 * width, hidden},
        [TENSOR_PART_LIGHTNING_GATE] = {width, hidden},
        [TENSOR_PART_LIGHTNING_NORM] = {width, 0},
        [TENSOR_PART_LIGHTNING_SLOPE] = {mixer->value_heads, 0},
        [TENSOR_PART_LIGHTNING_QUERY_DECAY] = {mixer->value_heads * mixer->block, 0},
        [TENSOR_PART_LIGHTNING_KEY_DECAY] = {mixer->value_heads * mixer->block, 0},
        [TENSOR_PART_LIGHTNING_BLOCK_DECAY] = {mixer->value_heads * mixer->block * mixer->block, 0},
        [TENSOR_PART_LIGHTNING_OUT] = {hidden, width},
        [TENSOR_PART_STREAM_ROUTER] = {streams, hidden},
        [TENSOR_PART_STREAM_ROUTER_NORM] = {hidden, 0},
        [TENSOR_PART_STREAM_PREDICTION] = {streams * streams * streams, 0},
        [TENSOR_PART_STREAM_CORRECTION] = {streams * streams, 0},
        [TENSOR_PART_STREAM_SCALE] = {hidden, 0},
        [TENSOR_PART_LAUREL_LEFT] = {config->laurel_rank, hidden},
        [TENSOR_PART_LAUREL_RIGHT] = {hidden, config->laurel_rank},
        [TENSOR_PART_LAUREL_NORM] = {hidden, 0},
        [TENSOR_PART_STREAM_IN_1] = {hidden, hidden},
        [TENSOR_PART_STREAM_IN_2] = {hidden, hidden},
        [TENSOR_PART_STREAM_IN_3] = {hidden, hidden},
        [TENSOR_PART_STREAM_OUT_1] = {hidden, hidden},
        [TENSOR_PART_STREAM_OUT_2] = {hidden, hidden},
        [TENSOR_PART_STREAM_OUT_3] = {hidden, hidden},
        [TENSOR_PART_COMMON_NORM] = {2 * hidden, 0},
        [TENSOR_PART_COMMON_Q] = {query, 2 * hidden},
        [TENSOR_PART_COMMON_Q_LEFT] = {rank, 2 * hidden},
        [TENSOR_PART_COMMON_Q_RIGHT] = {query, rank},
        [TENSOR_PART_COMMON_K] = {key, 2 * hidden},
        [TENSOR_PART_COMMON_K_LEFT] = {rank, 2 * hidden},
        [TENSOR_PART_COMMON_K_RIGHT] = {key, rank},
        [TENSOR_PART_COMMON_V] = {key, 2 * hidden},
        [TENSOR_PART_COMMON_V_LEFT] = {rank, 2 * hidden},
        [TENSOR_PART_COMMON_V_RIGHT] = {key, rank},
        [TENSOR_PART_COMMON_O] = {hidden, query},
        [TENSOR_PART_COMMON_MLP_NORM] = {hidden, 0},
        [TENSOR_PART_COMMON_GATE_UP] = {2 * of->intermediate_size, hidden},
        [TENSOR_PART_COMMON_GATE_UP_LEFT] = {rank, hidden},
        [TENSOR_PART_COMMON_GATE_UP_RIGHT] = {2 * of->intermediate_size, rank},
        [TENSOR_PART_COMMON_DOWN] = {hidden, of->intermediate_size},
        [TENSOR_PART_COMMON_LINEAR] = {hidden, hidden},
        [TENSOR_PART_LAMBDA_Q1] = {of->head_dim, 0},
        [TENSOR_PART_LAMBDA_K1] = {of->head_dim, 0},
        [TENSOR_PART_LAMBDA_Q2] = {of->head_dim, 0},
        [TENSOR_PART_LAMBDA_K2] = {of->head_dim, 0},
        [TENSOR_PART_LAYER_SCALE] = {1, 0},
        [TENSOR_PART_LAYER_GATE] = {own, hidden},
        [TENSOR_PART_LAYER_PROJECTION] = {hidden, own},
        [TENSOR_PART_LAYER_NORM] = {hidden, 0},
        [TENSOR_PART_INPUT_EMBEDDING] = {config->layer_vocabulary, config->layers * own},
        [TENSOR_PART_INPUT_PROJECTION] = {config->layers * own, hidden},
        [TENSOR_PART_INPUT_NORM] = {own, 0},
        [TENSOR_PART_ROUTER] = {of->experts.count, hidden},
        [TENSOR_PART_ROUTER_BIAS] = {of->experts.count, 0},
        [TENSOR_PART_CORRECTION] = {of->experts.count, 0},
        [TENSOR_PART_SHARED_GATE] = {shared, hidden},
        [TENSOR_PART_SHARED_UP] = {shared, hidden},
        [TENSOR_PART_SHARED_GATE_UP] = {2 * shared, hidden},
        [TENSOR_PART_SHARED_DOWN] = {hidden, shared},
        [TENSOR_PART_SHARED_SWITCH] = {1, hidden},
        [TENSOR_PART_ATTENTION_GATE] = {of->heads * (config->gates_heads ? 1 : of->value_dim), hidden},
        [TENSOR_PART_QUERY_NORM] = {of->latent.query, 0},
        [TENSOR_PART_LATENT_NORM] = {of->latent.latent, 0},
        [TENSOR_PART_QUERY_BIAS] = {of->latent.query, 0},
        [TENSOR_PART_LATENT_BIAS] = {of->latent.latent + of->latent.turned, 0},
    };
    *rows = shapes[part].rows;
    *columns = shapes[part].columns;
}
