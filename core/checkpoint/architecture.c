#include "core/checkpoint/architecture.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the models that run call their tensors; for layered ones after "model.layers.N.". */
static const char *const NAMES[TENSOR_ROLE_COUNT] = {
    [TENSOR_EMBEDDING] = "model.embed_tokens.weight",
    [TENSOR_POSITION] = "model.embed_positions.weight",
    [TENSOR_ATTENTION_NORM] = "input_layernorm.weight",
    [TENSOR_Q] = "self_attn.q_proj.weight",
    [TENSOR_K] = "self_attn.k_proj.weight",
    [TENSOR_V] = "self_attn.v_proj.weight",
    [TENSOR_O] = "self_attn.o_proj.weight",
    [TENSOR_QKV] = "self_attn.qkv_proj.weight",
    [TENSOR_Q_A] = "self_attn.q_a_proj.weight",
    [TENSOR_Q_B] = "self_attn.q_b_proj.weight",
    [TENSOR_KV_A] = "self_attn.kv_a_proj_with_mqa.weight",
    [TENSOR_KV_B] = "self_attn.kv_b_proj.weight",
    [TENSOR_QKV_BIAS] = "self_attn.qkv_proj.bias",
    [TENSOR_Q_BIAS] = "self_attn.q_proj.bias",
    [TENSOR_K_BIAS] = "self_attn.k_proj.bias",
    [TENSOR_V_BIAS] = "self_attn.v_proj.bias",
    [TENSOR_O_BIAS] = "self_attn.o_proj.bias",
    [TENSOR_Q_NORM] = "self_attn.q_norm.weight",
    [TENSOR_K_NORM] = "self_attn.k_norm.weight",
    [TENSOR_POST_ATTENTION_NORM] = "post_self_attn_layernorm.weight",
    [TENSOR_POST_MLP_NORM] = "post_feedforward_layernorm.weight",
    [TENSOR_GATE_UP] = "mlp.gate_up_proj.weight",
    [TENSOR_GATE_UP_BIAS] = "mlp.gate_up_proj.bias",
    [TENSOR_MLP_NORM] = "post_attention_layernorm.weight",
    [TENSOR_GATE] = "mlp.gate_proj.weight",
    [TENSOR_UP] = "mlp.up_proj.weight",
    [TENSOR_DOWN] = "mlp.down_proj.weight",
    [TENSOR_GATE_BIAS] = "mlp.gate_proj.bias",
    [TENSOR_UP_BIAS] = "mlp.up_proj.bias",
    [TENSOR_DOWN_BIAS] = "mlp.down_proj.bias",
    [TENSOR_FINAL_NORM] = "model.norm.weight",
    [TENSOR_HEAD] = "lm_head.weight",
    [TENSOR_HEAD_BIAS] = "lm_head.bias",
};

static const char LAYER_PREFIX[] = "model.layers.";

/* ---- names and shapes ---- */

bool architecture_name_tensor(TensorRole role, int layer, char *name, size_t size) {
    if (NAMES[role] == NULL) return false;
    int length = tensor_role_is_layered(role)
                     ? snprintf(name, size, "%s%d.%s", LAYER_PREFIX, layer, NAMES[role])
                     : snprintf(name, size, "%s", NAMES[role]);
    return length >= 0 && (size_t)length < size;
}

const LayerPlan *architecture_layer(const ModelConfig *config, uint64_t layer) {
    return &config->plans[config->plan_of[layer]];
}

/* Of a q or k norm, over so many heads. */
static void norm_shape(const ModelConfig *config, const LayerPlan *plan, uint64_t heads, uint64_t *rows,
                       uint64_t *columns) {
    bool is_of_one = config->qk_norm == QK_NORM_HEAD || config->qk_norm_is_apart;
    *columns = config->qk_norm == QK_NORM_EACH && !is_of_one ? plan->head_dim : 0;
    *rows = is_of_one ? plan->head_dim : config->qk_norm == QK_NORM_WHOLE ? heads * plan->head_dim : heads;
}

void architecture_layer_shape(const ModelConfig *config, const LayerPlan *plan, TensorRole role,
                              uint64_t *rows, uint64_t *columns) {
    uint64_t hidden = config->hidden_size, middle = plan->intermediate_size;
    uint64_t query = plan->heads * plan->head_dim, key = plan->kv_heads * plan->head_dim;
    uint64_t mixed = plan->heads * plan->value_dim, value = plan->kv_heads * plan->value_dim;
    uint64_t asked = config->has_output_gate ? query + mixed : query;
    uint64_t plain = plan->head_dim - plan->latent.turned; /* of a head with latent attention */
    uint64_t positions = config->max_positions + config->position_offset;
    struct {
        uint64_t rows, columns;
    } const shapes[TENSOR_ROLE_COUNT] = {
        [TENSOR_EMBEDDING] = {config->vocabulary + config->silent_rows, hidden},
        [TENSOR_POSITION] = {positions, hidden},
        [TENSOR_ATTENTION_NORM] = {hidden, 0},
        [TENSOR_Q] = {asked, hidden},
        [TENSOR_K] = {key, hidden},
        [TENSOR_V] = {value, hidden},
        [TENSOR_QKV] = {query + 2 * key, hidden},
        [TENSOR_Q_A] = {plan->latent.query, hidden},
        [TENSOR_Q_B] = {query, plan->latent.query},
        [TENSOR_KV_A] = {plan->latent.latent + plan->latent.turned, hidden},
        [TENSOR_KV_B] = {plan->heads * plain + mixed, plan->latent.latent},
        [TENSOR_O] = {hidden, mixed},
        [TENSOR_Q_BIAS] = {asked, 0},
        [TENSOR_K_BIAS] = {key, 0},
        [TENSOR_V_BIAS] = {value, 0},
        [TENSOR_QKV_BIAS] = {query + 2 * key, 0},
        [TENSOR_O_BIAS] = {hidden, 0},
        [TENSOR_MLP_NORM] = {hidden, 0},
        [TENSOR_POST_ATTENTION_NORM] = {hidden, 0},
        [TENSOR_POST_MLP_NORM] = {hidden, 0},
        [TENSOR_GATE] = {middle, hidden},
        [TENSOR_UP] = {middle, hidden},
        [TENSOR_GATE_UP] = {2 * middle, hidden},
        [TENSOR_DOWN] = {hidden, middle},
        [TENSOR_GATE_BIAS] = {middle, 0},
        [TENSOR_UP_BIAS] = {middle, 0},
        [TENSOR_GATE_UP_BIAS] = {2 * middle, 0},
        [TENSOR_DOWN_BIAS] = {hidden, 0},
        [TENSOR_FINAL_NORM] = {hidden, 0},
        [TENSOR_HEAD] = {config->vocabulary, hidden},
        [TENSOR_HEAD_BIAS] = {config->vocabulary, 0},
    };
    *rows = shapes[role].rows;
    *columns = shapes[role].columns;
    if (role == TENSOR_Q_NORM) norm_shape(config, plan, plan->heads, rows, columns);
    if (role == TENSOR_K_NORM) norm_shape(config, plan, plan->kv_heads, rows, columns);
    if (config->is_transposed && *columns > 0 && tensor_role_is_layered(role)) {
        uint64_t inputs = *columns;
        *columns = *rows;
        *rows = inputs;
    }
}

void architecture_shape(const ModelConfig *config, TensorRole role, uint64_t *rows, uint64_t *columns) {
    const LayerPlan plan = {.heads = config->heads,
                            .kv_heads = config->kv_heads,
                            .head_dim = config->head_dim,
                            .value_dim = config->head_dim,
                            .intermediate_size = config->intermediate_size};
    architecture_layer_shape(config, &plan, role, rows, columns);
}

/* The largest power of two that is at most `count`, from 1. */
static uint64_t power_below(uint64_t count) {
    uint64_t power = 1;
    while (power <= count / 2) power *= 2;
    return power;
}

/* 2^(−8 k / count), k from 1, with the rounding of float32: MPT's directly, the others' as the k-th power of the first. */
static double geometric_slope(const ModelConfig *config, uint64_t count, uint64_t k) {
    if (config->alibi == ALIBI_MPT) return (double)(float)pow(2.0, -8.0 * (double)k / (double)count);
    return (double)(float)pow((double)(float)pow(2.0, -8.0 / (double)count), (double)k);
}

/* Press, Smith, Lewis: Train Short, Test Long (arXiv 2108.12409); for a number of heads that is no power of two Bloom and
 * MPT go on in their own ways. */
double architecture_alibi_slope(const ModelConfig *config, uint64_t head) {
    uint64_t below = power_below(config->heads);
    if (config->alibi == ALIBI_NONE) return 0.0;
    if (head >= below) return geometric_slope(config, 2 * below, 2 * (head - below) + 1);
    if (config->alibi == ALIBI_MPT && below < config->heads)
        return geometric_slope(config, 2 * below, 2 * head + 2);
    return geometric_slope(config, below, head + 1);
}

uint64_t architecture_window(const ModelConfig *config) {
    for (uint64_t layer = 0; layer < config->layers; layer++)
        if (architecture_layer(config, layer)->window > 0) return architecture_layer(config, layer)->window;
    return 0;
}

bool architecture_slides(const ModelConfig *config, uint64_t layer) {
    return architecture_layer(config, layer)->window > 0;
}

bool architecture_same_products(const LayerPlan *a, const LayerPlan *b) {
    static const TensorRole MATRICES[] = {TENSOR_Q,    TENSOR_K,  TENSOR_V,       TENSOR_QKV, TENSOR_O,
                                          TENSOR_GATE, TENSOR_UP, TENSOR_GATE_UP, TENSOR_DOWN};
    bool is_same = a->kv_layer == b->kv_layer;
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++)
        is_same = is_same && architecture_has(a, MATRICES[i]) == architecture_has(b, MATRICES[i]);
    for (int i = 0; i < TENSOR_PART_COUNT; i++) {
        TensorPart part = (TensorPart)i;
        bool is_needed = architecture_needs(a, part) || architecture_needs(b, part);
        if (is_needed && architecture_part_is_matrix(part))
            is_same = is_same && architecture_needs(a, part) == architecture_needs(b, part);
    }
    return is_same;
}

/* ---- what has a way forward alone ---- */

static bool needs_any(const ModelConfig *config, TensorPart first, TensorPart last) {
    for (size_t i = 0; i < config->plan_count; i++)
        for (int part = (int)first; part <= (int)last; part++)
            if (architecture_needs(&config->plans[i], (TensorPart)part)) return true;
    return false;
}

/* Both blocks of a layer start from one gradient there. */
static bool scales_side_by_side(const ModelConfig *config) {
    bool scales = config->mlp_scale != 1.0 || config->mlp_scales.stream != 1.0 ||
                  config->mlp_scales.block != 1.0 || config->residual_is_normed ||
                  needs_any(config, TENSOR_PART_ATTENTION_RESIDUAL, TENSOR_PART_MLP_RESIDUAL);
    for (size_t i = 0; i < config->plan_count; i++)
        scales = scales || config->plans[i].scales.stream != 1.0 || config->plans[i].scales.block != 1.0;
    return scales && config->wiring == WIRING_PARALLEL;
}

static bool mixes_norms_and_gates(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (architecture_needs(&config->plans[i], TENSOR_PART_MIXED_NORM) &&
            (config->has_output_gate || architecture_needs(&config->plans[i], TENSOR_PART_ATTENTION_GATE)))
            return true;
    return false;
}

static bool has_other_values(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (architecture_attends(&config->plans[i]) && config->plans[i].latent.latent == 0 &&
            config->plans[i].value_dim != config->plans[i].head_dim)
            return true;
    return false;
}

/* Whether experts are as a table lists them, in any layer. */
static bool has_tables(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].is_hashed) return true;
    return false;
}

/* Tensors beside those with a role that a way back knows: whatever else a type has, it has none. */
static bool has_other_parts(const ModelConfig *config) {
    static const TensorPart KNOWN[] = {
        TENSOR_PART_SINKS,          TENSOR_PART_EMBEDDING_NORM,     TENSOR_PART_EMBEDDING_NORM_BIAS,
        TENSOR_PART_ROUTER,         TENSOR_PART_ROUTER_BIAS,        TENSOR_PART_CORRECTION,
        TENSOR_PART_SHARED_GATE,    TENSOR_PART_SHARED_UP,          TENSOR_PART_SHARED_GATE_UP,
        TENSOR_PART_SHARED_SWITCH,  TENSOR_PART_SHARED_DOWN,        TENSOR_PART_QUERY_NORM,
        TENSOR_PART_LATENT_NORM,    TENSOR_PART_QUERY_BIAS,         TENSOR_PART_LATENT_BIAS,
        TENSOR_PART_ATTENTION_GATE, TENSOR_PART_ATTENTION_RESIDUAL, TENSOR_PART_MLP_RESIDUAL,
        TENSOR_PART_MIXED_NORM,     TENSOR_PART_ACTIVATED_NORM,     TENSOR_PART_XIELU_POSITIVE,
        TENSOR_PART_XIELU_NEGATIVE, TENSOR_PART_XIELU_BETA,         TENSOR_PART_XIELU_EPSILON,
        TENSOR_PART_LAYER_SCALE,    TENSOR_PART_LAYER_GATE,         TENSOR_PART_LAYER_PROJECTION,
        TENSOR_PART_LAYER_NORM,     TENSOR_PART_INPUT_EMBEDDING,    TENSOR_PART_INPUT_PROJECTION,
        TENSOR_PART_INPUT_NORM};
    bool is_known[TENSOR_PART_COUNT] = {false};
    for (int part = TENSOR_PART_CONVOLUTION_IN; part <= TENSOR_PART_LIGHTNING_OUT; part++)
        is_known[part] = true;
    for (int part = TENSOR_PART_STREAM_ROUTER; part <= TENSOR_PART_LAUREL_NORM; part++) is_known[part] = true;
    for (int part = TENSOR_PART_COMMON_NORM; part <= TENSOR_PART_LAMBDA_K2; part++) is_known[part] = true;
    for (int part = TENSOR_PART_SHARED_KEY; part <= TENSOR_PART_END_CONNECTION_SCALE; part++)
        is_known[part] = true;
    is_known[TENSOR_PART_EXPERT_TABLE] = has_tables(config);
    for (int part = TENSOR_PART_QUERY_ROUTER; part <= TENSOR_PART_KEY_VALUE; part++) is_known[part] = true;
    for (int part = TENSOR_PART_MASK_STEP; part <= TENSOR_PART_MASK_RATE; part++) is_known[part] = true;
    for (int part = TENSOR_PART_STREAM_IN_1; part <= TENSOR_PART_STREAM_OUT_3; part++) is_known[part] = true;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) is_known[KNOWN[i]] = true;
    for (int part = 0; part < TENSOR_PART_COUNT; part++)
        if (!is_known[part] && (part_set_has(&config->parts, (TensorPart)part) ||
                                needs_any(config, (TensorPart)part, (TensorPart)part)))
            return true;
    return false;
}

const char *architecture_forward_only(const ModelConfig *config) {
    const struct {
        bool is_there;
        const char *name;
    } switches[] = {
        {scales_side_by_side(config), "scaled blocks side by side"},
        {config->lacks_final_norm, "a stream without a last norm"},
        {mixes_norms_and_gates(config), "norms of gated attention"},
        {has_other_values(config) && config->qkv != QKV_PARTED, "values of another width than keys"},
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (switches[i].is_there) return switches[i].name;
    return has_other_parts(config) ? "tensors of its own" : NULL;
}

bool architecture_has_experts(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].mlp == MLP_EXPERTS) return true;
    return false;
}

bool architecture_mixes_heads(const ModelConfig *config) {
    return needs_any(config, TENSOR_PART_QUERY_EXPERTS, TENSOR_PART_QUERY_EXPERTS);
}

bool architecture_is_compressed(const ModelConfig *config) {
    return needs_any(config, TENSOR_PART_SHARED_KEY, TENSOR_PART_SHARED_KEY);
}

bool architecture_is_latent(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].latent.latent > 0) return true;
    return false;
}
