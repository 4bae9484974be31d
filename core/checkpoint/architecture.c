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

const char *architecture_part_name(TensorPart part) {
    static const char *const ENDINGS[TENSOR_PART_COUNT] = {
        [TENSOR_PART_SINKS] = "self_attn.sinks",
        [TENSOR_PART_EMBEDDING_NORM] = "word_embeddings_layernorm.weight",
        [TENSOR_PART_EMBEDDING_NORM_BIAS] = "word_embeddings_layernorm.bias",
    };
    return ENDINGS[part];
}

const LayerPlan *architecture_layer(const ModelConfig *config, uint64_t layer) {
    return &config->plans[config->plan_of[layer]];
}

/* Of a q or k norm, over so many heads. */
static void norm_shape(const ModelConfig *config, const LayerPlan *plan, uint64_t heads, uint64_t *rows,
                       uint64_t *columns) {
    *columns = config->qk_norm == QK_NORM_EACH ? plan->head_dim : 0;
    *rows = config->qk_norm == QK_NORM_HEAD    ? plan->head_dim
            : config->qk_norm == QK_NORM_WHOLE ? heads * plan->head_dim
                                               : heads;
}

void architecture_layer_shape(const ModelConfig *config, const LayerPlan *plan, TensorRole role,
                              uint64_t *rows, uint64_t *columns) {
    uint64_t hidden = config->hidden_size, middle = plan->intermediate_size;
    uint64_t query = plan->heads * plan->head_dim, key = plan->kv_heads * plan->head_dim;
    uint64_t positions = config->max_positions + config->position_offset;
    struct {
        uint64_t rows, columns;
    } const shapes[TENSOR_ROLE_COUNT] = {
        [TENSOR_EMBEDDING] = {config->vocabulary, hidden},
        [TENSOR_POSITION] = {positions, hidden},
        [TENSOR_ATTENTION_NORM] = {hidden, 0},
        [TENSOR_Q] = {query, hidden},
        [TENSOR_K] = {key, hidden},
        [TENSOR_V] = {key, hidden},
        [TENSOR_QKV] = {query + 2 * key, hidden},
        [TENSOR_O] = {hidden, query},
        [TENSOR_Q_BIAS] = {query, 0},
        [TENSOR_K_BIAS] = {key, 0},
        [TENSOR_V_BIAS] = {key, 0},
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
                            .intermediate_size = config->intermediate_size};
    architecture_layer_shape(config, &plan, role, rows, columns);
}

uint64_t architecture_window(const ModelConfig *config) {
    for (uint64_t layer = 0; layer < config->layers; layer++)
        if (architecture_layer(config, layer)->window > 0) return architecture_layer(config, layer)->window;
    return 0;
}

bool architecture_slides(const ModelConfig *config, uint64_t layer) {
    return architecture_layer(config, layer)->window > 0;
}
