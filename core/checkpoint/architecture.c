#include "core/checkpoint/architecture.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the models that run call their tensors; for layered ones after "model.layers.N.". */
static const char *const NAMES[TENSOR_ROLE_COUNT] = {
    [TENSOR_EMBEDDING] = "model.embed_tokens.weight",
    [TENSOR_ATTENTION_NORM] = "input_layernorm.weight",
    [TENSOR_Q] = "self_attn.q_proj.weight",
    [TENSOR_K] = "self_attn.k_proj.weight",
    [TENSOR_V] = "self_attn.v_proj.weight",
    [TENSOR_O] = "self_attn.o_proj.weight",
    [TENSOR_Q_BIAS] = "self_attn.q_proj.bias",
    [TENSOR_K_BIAS] = "self_attn.k_proj.bias",
    [TENSOR_V_BIAS] = "self_attn.v_proj.bias",
    [TENSOR_O_BIAS] = "self_attn.o_proj.bias",
    [TENSOR_Q_NORM] = "self_attn.q_norm.weight",
    [TENSOR_K_NORM] = "self_attn.k_norm.weight",
    [TENSOR_MLP_NORM] = "post_attention_layernorm.weight",
    [TENSOR_GATE] = "mlp.gate_proj.weight",
    [TENSOR_UP] = "mlp.up_proj.weight",
    [TENSOR_DOWN] = "mlp.down_proj.weight",
    [TENSOR_GATE_BIAS] = "mlp.gate_proj.bias",
    [TENSOR_UP_BIAS] = "mlp.up_proj.bias",
    [TENSOR_DOWN_BIAS] = "mlp.down_proj.bias",
    [TENSOR_FINAL_NORM] = "model.norm.weight",
    [TENSOR_HEAD] = "lm_head.weight",
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

void architecture_shape(const ModelConfig *config, TensorRole role, uint64_t *rows, uint64_t *columns) {
    uint64_t hidden = config->hidden_size, middle = config->intermediate_size;
    uint64_t query = config->heads * config->head_dim, key = config->kv_heads * config->head_dim;
    struct {
        uint64_t rows, columns;
    } const shapes[TENSOR_ROLE_COUNT] = {
        [TENSOR_OTHER] = {0, 0},
        [TENSOR_EMBEDDING] = {config->vocabulary, hidden},
        [TENSOR_ATTENTION_NORM] = {hidden, 0},
        [TENSOR_Q] = {query, hidden},
        [TENSOR_K] = {key, hidden},
        [TENSOR_V] = {key, hidden},
        [TENSOR_O] = {hidden, query},
        [TENSOR_Q_BIAS] = {query, 0},
        [TENSOR_K_BIAS] = {key, 0},
        [TENSOR_V_BIAS] = {key, 0},
        [TENSOR_O_BIAS] = {hidden, 0},
        [TENSOR_Q_NORM] = {config->head_dim, 0},
        [TENSOR_K_NORM] = {config->head_dim, 0},
        [TENSOR_MLP_NORM] = {hidden, 0},
        [TENSOR_GATE] = {middle, hidden},
        [TENSOR_UP] = {middle, hidden},
        [TENSOR_DOWN] = {hidden, middle},
        [TENSOR_GATE_BIAS] = {middle, 0},
        [TENSOR_UP_BIAS] = {middle, 0},
        [TENSOR_DOWN_BIAS] = {hidden, 0},
        [TENSOR_FINAL_NORM] = {hidden, 0},
        [TENSOR_HEAD] = {config->vocabulary, hidden},
    };
    *rows = shapes[role].rows;
    *columns = shapes[role].columns;
}

bool architecture_slides(const ModelConfig *config, uint64_t layer) {
    return config->window > 0 && layer < MODEL_MAX_SLIDING &&
           (config->sliding[layer / 64] >> (layer % 64) & 1) != 0;
}
