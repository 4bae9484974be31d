#include "core/checkpoint/tensor_name.h"

#include <stdint.h>
#include <string.h>

/* ---- the tables ---- */

typedef struct RoleFacts {
    const char *name; /* on screens and in JSON */
    bool layered;
} RoleFacts;

static const RoleFacts ROLES[TENSOR_ROLE_COUNT] = {
    [TENSOR_OTHER] = {"other", false},
    [TENSOR_EMBEDDING] = {"embed", false},
    [TENSOR_POSITION] = {"position", false},
    [TENSOR_ATTENTION_NORM] = {"norm1", true},
    [TENSOR_Q] = {"q", true},
    [TENSOR_K] = {"k", true},
    [TENSOR_V] = {"v", true},
    [TENSOR_QKV] = {"qkv", true},
    [TENSOR_Q_A] = {"q_a", true},
    [TENSOR_Q_B] = {"q_b", true},
    [TENSOR_KV_A] = {"kv_a", true},
    [TENSOR_KV_B] = {"kv_b", true},
    [TENSOR_O] = {"o", true},
    [TENSOR_Q_BIAS] = {"q_bias", true},
    [TENSOR_K_BIAS] = {"k_bias", true},
    [TENSOR_V_BIAS] = {"v_bias", true},
    [TENSOR_QKV_BIAS] = {"qkv_bias", true},
    [TENSOR_O_BIAS] = {"o_bias", true},
    [TENSOR_Q_NORM] = {"q_norm", true},
    [TENSOR_K_NORM] = {"k_norm", true},
    [TENSOR_POST_ATTENTION_NORM] = {"post1", true},
    [TENSOR_MLP_NORM] = {"norm2", true},
    [TENSOR_GATE] = {"gate", true},
    [TENSOR_UP] = {"up", true},
    [TENSOR_GATE_UP] = {"gate_up", true},
    [TENSOR_DOWN] = {"down", true},
    [TENSOR_GATE_BIAS] = {"gate_bias", true},
    [TENSOR_UP_BIAS] = {"up_bias", true},
    [TENSOR_GATE_UP_BIAS] = {"gate_up_bias", true},
    [TENSOR_DOWN_BIAS] = {"down_bias", true},
    [TENSOR_ROUTER] = {"router", true},
    [TENSOR_EXPERT] = {"expert", true},
    [TENSOR_EXPERT_BIAS] = {"expert_bias", true},
    [TENSOR_SHARED_EXPERT] = {"shared_expert", true},
    [TENSOR_POST_MLP_NORM] = {"post2", true},
    [TENSOR_STATE_SPACE] = {"ssm", true},
    [TENSOR_CONVOLUTION] = {"conv", true},
    [TENSOR_NORM] = {"norm", true},
    [TENSOR_FINAL_NORM] = {"final_norm", false},
    [TENSOR_HEAD] = {"lm_head", false},
    [TENSOR_HEAD_BIAS] = {"lm_head_bias", false},
    [TENSOR_VISION] = {"vision", false},
    [TENSOR_AUDIO] = {"audio", false},
    [TENSOR_ADAPTER] = {"adapter", false},
    [TENSOR_BUFFER] = {"buffer", false},
};

/* A module by the last part of its name, and by a part that must stand somewhere before it (NULL: any). A '|' parts
 * words, and `within` NULL means any place. The first row that fits is the role. */
typedef struct Rule {
    const char *module, *within;
    TensorRole role, bias;
} Rule;

#define ATTENTION "self_attn|attn|attention|self_attention|cross_attn|temporal_block|linear_attn|mixer"
#define MLP       "mlp|feed_forward|ffn|mlp_block|block_sparse_moe|moe|mixer|shared_transformer"
#define RECURRENT "mamba|mixer|linear_attn|ssm|temporal_block|rg_lru|attention"

/* Within a layer. */
static const Rule LAYERED[] = {
    {"q_proj|wq", ATTENTION, TENSOR_Q, TENSOR_Q_BIAS},
    {"k_proj|wk", ATTENTION, TENSOR_K, TENSOR_K_BIAS},
    {"v_proj|wv", ATTENTION, TENSOR_V, TENSOR_V_BIAS},
    {"query_key_value|qkv_proj|c_attn|Wqkv|att_proj|qkv|W_pack|wqkv", NULL, TENSOR_QKV, TENSOR_QKV_BIAS},
    {"q_a_proj|wq_a", ATTENTION, TENSOR_Q_A, TENSOR_OTHER},
    {"q_b_proj|wq_b", ATTENTION, TENSOR_Q_B, TENSOR_OTHER},
    {"kv_a_proj_with_mqa|kv_a_proj|wkv_a", ATTENTION, TENSOR_KV_A, TENSOR_OTHER},
    {"kv_b_proj|wkv_b", ATTENTION, TENSOR_KV_B, TENSOR_OTHER},
    {"kv_proj|wkv", ATTENTION, TENSOR_QKV, TENSOR_QKV_BIAS}, /* two of the three */
    {"mlp", NULL, TENSOR_OTHER, TENSOR_DOWN_BIAS},           /* JetMoE's, of all experts together */
    {"o_proj|dense|wo|wo_a|wo_b|o_a_proj|o_b_proj", ATTENTION, TENSOR_O, TENSOR_O_BIAS},
    {"out_proj|c_proj", "self_attn|attn|attention|self_attention", TENSOR_O, TENSOR_O_BIAS},
    {"q_norm|query_layernorm|q_layernorm", NULL, TENSOR_Q_NORM, TENSOR_Q_NORM},
    {"k_norm|key_layernorm|k_layernorm", NULL, TENSOR_K_NORM, TENSOR_K_NORM},
    {"gate_proj|w1|c_fc_0", MLP, TENSOR_GATE, TENSOR_GATE_BIAS},
    {"up_proj|w3|c_fc|c_fc_1|fc_in|dense_h_to_4h", MLP, TENSOR_UP, TENSOR_UP_BIAS},
    {"fc1", NULL, TENSOR_UP, TENSOR_UP_BIAS},
    {"gate_up_proj", MLP, TENSOR_GATE_UP, TENSOR_GATE_UP_BIAS},
    {"down_proj|w2|fc_out|dense_4h_to_h|c_proj", MLP, TENSOR_DOWN, TENSOR_DOWN_BIAS},
    {"fc2", NULL, TENSOR_DOWN, TENSOR_DOWN_BIAS},
    {"gate|router|wg|layer|moe_statics", MLP, TENSOR_ROUTER, TENSOR_ROUTER},
    {"conv1d|conv_1d|q_conv1d|k_conv1d|v_conv1d|conv", NULL, TENSOR_CONVOLUTION, TENSOR_CONVOLUTION},
    {"in_proj|out_proj", "conv", TENSOR_CONVOLUTION, TENSOR_CONVOLUTION},
    {"A_log|dt_bias|f_a_proj|f_b_proj|g_a_proj|g_b_proj", NULL, TENSOR_STATE_SPACE, TENSOR_STATE_SPACE},
    {"b_proj", "self_attn", TENSOR_STATE_SPACE, TENSOR_STATE_SPACE}, /* Kimi's */
    {"D|dt_proj|x_proj|b_proj|a_proj|f_proj|g_proj", RECURRENT, TENSOR_STATE_SPACE, TENSOR_STATE_SPACE},
    {"in_proj|out_proj|in_proj_a|in_proj_b|in_proj_ba|in_proj_qkv|in_proj_qkvz|in_proj_z|linear_x|linear_y|linear_out",
     RECURRENT, TENSOR_STATE_SPACE, TENSOR_STATE_SPACE},
    {"input_gate_weight|input_gate_bias|recurrent_gate_weight|recurrent_gate_bias|recurrent_param", "rg_lru",
     TENSOR_STATE_SPACE, TENSOR_STATE_SPACE},
    /* norms by what they do */
    {"input_layernorm|ln_1|ln_attn|norm_1|attention_layernorm|attention_layer_norm|attention_norm|attn_norm|"
     "self_attn_layer_norm|operator_norm|temporal_pre_norm",
     NULL, TENSOR_ATTENTION_NORM, TENSOR_ATTENTION_NORM},
    {"pre_feedforward_layernorm|pre_ff_layernorm|pre_mlp_layernorm|post_attention_layernorm|feedforward_layernorm|"
     "feedforward_layer_norm|ffn_norm|ln_2|ln_mlp|norm_2|final_layer_norm|channel_pre_norm",
     NULL, TENSOR_MLP_NORM, TENSOR_MLP_NORM},
    {"post_self_attn_layernorm|post_operator_norm|post_norm1|post_attn_norm", NULL,
     TENSOR_POST_ATTENTION_NORM, TENSOR_POST_ATTENTION_NORM},
    {"post_feedforward_layernorm|post_mlp_layernorm|post_ffn_norm|post_norm2", NULL, TENSOR_POST_MLP_NORM,
     TENSOR_POST_MLP_NORM},
};

/* Outside the layers. */
static const Rule WHOLE[] = {
    {"embed_tokens|embed|wte|word_embeddings|embed_in|embeddings|tok_embeddings", NULL, TENSOR_EMBEDDING,
     TENSOR_OTHER},
    {"lm_head|embed_out|output|head", NULL, TENSOR_HEAD, TENSOR_HEAD_BIAS},
    {"wpe|embed_positions|position_embeddings", NULL, TENSOR_POSITION, TENSOR_OTHER},
    {"norm|ln_f|norm_f|final_layernorm|final_norm|final_layer_norm|embedding_norm|layer_norm", NULL,
     TENSOR_FINAL_NORM, TENSOR_FINAL_NORM},
};

/* What an expert's matrix is. */
static const Rule PARTS[] = {
    {"gate_proj|w1", NULL, TENSOR_GATE, TENSOR_GATE},
    {"up_proj|w3|v1|linear_v", NULL, TENSOR_UP, TENSOR_UP},
    {"gate_up_proj|gate_up_proj_bias|input_linear", NULL, TENSOR_GATE_UP, TENSOR_GATE_UP},
    {"down_proj|down_proj_bias|w2|output_linear", NULL, TENSOR_DOWN, TENSOR_DOWN},
};

/* What one of attention is. */
static const Rule ATTENTION_PARTS[] = {
    {"input_linear", NULL, TENSOR_Q, TENSOR_Q},
    {"output_linear|experts", NULL, TENSOR_O, TENSOR_O}, /* a bias is that of all experts together */
};

/* Parts of names that put a tensor into a tower beside the text model. */
static const struct {
    const char *word;
    bool whole; /* the part is this word; else it has it somewhere */
    TensorRole role;
} TOWERS[] = {
    {"vision", false, TENSOR_VISION},      {"visual", false, TENSOR_VISION},
    {"image", false, TENSOR_VISION},       {"vit", true, TENSOR_VISION},
    {"multi_modal", false, TENSOR_VISION}, {"mm_projector", true, TENSOR_VISION},
    {"projector", false, TENSOR_VISION},   {"connector", false, TENSOR_VISION},
    {"audio", false, TENSOR_AUDIO},
};

static const char
    LAYERS[] = "layers|h|blocks|block|layer",
    SHARED[] = "shared_expert|shared_experts|shared_mlp",
    /* predicts further tokens with layers of its own numbering, or chooses what attention looks at */
    ASIDE[] = "mtp|indexer|compressor|altup|laurel|encoder",
    POST_NORMS[] =
        "pre_feedforward_layernorm|post_feedforward_layernorm|pre_mlp_layernorm|"
        "post_mlp_layernorm|post_ffn_norm",
    ADAPTERS[] = "lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector|lora_a|lora_b",
    BUFFERS[] = "inv_freq|masked_bias|position_ids|rotary_emb|causal_mask";

/* ---- names as parts ---- */

enum { PARTS_LIMIT = 32, LAYER_LIMIT = 10000 }; /* deeper names, and further layers, are no model's */

typedef struct Part {
    const char *text;
    size_t bytes;
} Part;

typedef struct Parts {
    Part list[PARTS_LIMIT];
    size_t count; /* 0: too many, or none */
} Parts;

static Parts split(const char *name) {
    Parts parts = {0};
    for (const char *at = name;;) {
        size_t bytes = strcspn(at, ".");
        if (parts.count == PARTS_LIMIT) return (Parts){0};
        parts.list[parts.count++] = (Part){at, bytes};
        if (at[bytes] == '\0') return parts;
        at += bytes + 1;
    }
}

/* Whether the part is one of the words. */
static bool is_one_of(Part part, const char *words) {
    for (const char *at = words;; at++) {
        size_t bytes = strcspn(at, "|");
        if (bytes == part.bytes && memcmp(at, part.text, bytes) == 0) return true;
        at += bytes;
        if (*at == '\0') return false;
    }
}

static bool has_word(Part part, const char *word) {
    size_t bytes = strlen(word);
    for (size_t i = 0; i + bytes <= part.bytes; i++)
        if (memcmp(part.text + i, word, bytes) == 0) return true;
    return false;
}

/* A number written in the one way: no sign, no leading zero, of an int. */
static bool read_number(Part part, int *number) {
    int64_t value = 0;
    if (part.bytes == 0 || part.bytes > 10 || (part.text[0] == '0' && part.bytes > 1)) return false;
    for (size_t i = 0; i < part.bytes; i++) {
        if (part.text[i] < '0' || part.text[i] > '9') return false;
        value = value * 10 + (part.text[i] - '0');
    }
    *number = value < INT32_MAX ? (int)value : -1;
    return *number >= 0;
}

static bool any_is_one_of(const Parts *parts, size_t first, size_t end, const char *words) {
    for (size_t i = first; i < end; i++)
        if (is_one_of(parts->list[i], words)) return true;
    return false;
}

/* Index of the part after the layer's number; 0 where there is none. */
static size_t find_layer(const Parts *parts, int *layer) {
    *layer = -1;
    for (size_t i = 0; i + 2 < parts->count; i++)
        if (is_one_of(parts->list[i], LAYERS) && read_number(parts->list[i + 1], layer) &&
            *layer < LAYER_LIMIT) /* tables have a row for each */
            return i + 2;
    *layer = -1;
    return 0;
}

size_t tensor_name_stem(const char *name) {
    Parts parts = split(name);
    int layer;
    size_t rest = find_layer(&parts, &layer);
    return rest >= 2 ? (size_t)(parts.list[rest - 2].text - name) : 0;
}

bool tensor_name_ends_with(const char *name, const char *ending) {
    size_t bytes = strlen(name), end = strlen(ending);
    return bytes >= end && strcmp(name + bytes - end, ending) == 0;
}

bool tensor_name_has_post_norms(const char *name) {
    Parts parts = split(name);
    return any_is_one_of(&parts, 0, parts.count, POST_NORMS);
}

/* ---- what they say ---- */

static TensorRole find_tower(const Parts *parts) {
    for (size_t i = 0; i < parts->count; i++)
        for (size_t j = 0; j < sizeof TOWERS / sizeof *TOWERS; j++)
            if (TOWERS[j].whole ? is_one_of(parts->list[i], TOWERS[j].word)
                                : has_word(parts->list[i], TOWERS[j].word))
                return TOWERS[j].role;
    return TENSOR_OTHER;
}

static TensorRole apply_rules(const Rule *rules, size_t count, const Parts *parts, size_t first,
                              size_t module, bool is_bias) {
    for (size_t i = 0; i < count; i++) {
        if (is_one_of(parts->list[module], rules[i].module) &&
            (rules[i].within == NULL || any_is_one_of(parts, first, module, rules[i].within)))
            return is_bias ? rules[i].bias : rules[i].role;
    }
    return TENSOR_OTHER;
}

/* "experts" before it, with a number after that or all of them as one. */
static bool read_expert(const Parts *parts, size_t first, size_t module, unsigned rank, TensorName *name) {
    static const char ALONE[] = "input_linear|output_linear"; /* Granite's experts are named like one */
    bool is_expert = rank >= 3 && is_one_of(parts->list[module], ALONE);
    for (size_t i = first; i <= module; i++) {
        if (!is_one_of(parts->list[i], "experts|switch_mlp")) continue; /* MLX has another word */
        is_expert = true;
        if (i < module) (void)read_number(parts->list[i + 1], &name->expert);
    }
    if (!is_expert) return false;
    bool attends = any_is_one_of(parts, first, module, "self_attention");
    name->part = attends ? apply_rules(ATTENTION_PARTS, sizeof ATTENTION_PARTS / sizeof *ATTENTION_PARTS,
                                       parts, first, module, false)
                         : apply_rules(PARTS, sizeof PARTS / sizeof *PARTS, parts, first, module, false);
    name->is_bias = name->is_bias || has_word(parts->list[module], "bias");
    name->role = name->is_bias ? TENSOR_EXPERT_BIAS : TENSOR_EXPERT;
    return true;
}

static void read_layered(const Parts *parts, size_t first, size_t module, unsigned rank, TensorName *name) {
    const Part last = parts->list[module];
    if (any_is_one_of(parts, 0, module, ASIDE)) return;
    if (has_word(last, "e_score_correction") || is_one_of(last, "expert_bias|shared_expert_gate") ||
        any_is_one_of(parts, first, module, "router")) {
        name->role = TENSOR_ROUTER; /* a bias of the choice, not of an expert */
    } else if (any_is_one_of(parts, first, module + 1, SHARED)) {
        name->role = TENSOR_SHARED_EXPERT;
        name->part = apply_rules(PARTS, sizeof PARTS / sizeof *PARTS, parts, first, module, false);
    } else if (!read_expert(parts, first, module, rank, name)) {
        name->role =
            apply_rules(LAYERED, sizeof LAYERED / sizeof *LAYERED, parts, first, module, name->is_bias);
        if (any_is_one_of(parts, first, module, "shared_transformer") && has_word(last, "layernorm"))
            name->role = TENSOR_NORM;    /* of a block beside the layer's own */
        bool is_alone = module == first; /* "backbone.layers.3.norm": Mamba's one norm */
        if (name->role == TENSOR_OTHER && (has_word(last, "norm") || has_word(last, "ln_")))
            name->role = is_alone && is_one_of(last, "norm") ? TENSOR_ATTENTION_NORM : TENSOR_NORM;
    }
}

TensorName tensor_name_read(const char *name, unsigned rank) {
    TensorName found = {.role = TENSOR_OTHER, .layer = -1, .expert = -1, .part = TENSOR_OTHER};
    Parts parts = split(name);
    if (parts.count == 0) return found;
    size_t module = parts.count - 1;
    found.is_bias = is_one_of(parts.list[module], "bias");
    if (any_is_one_of(&parts, 0, parts.count, ADAPTERS)) {
        (void)find_layer(&parts, &found.layer);
        found.role = TENSOR_ADAPTER;
        return found;
    }
    bool is_mask = found.is_bias && rank == 4; /* GPT-2's causal mask is called attn.bias */
    if (is_mask || any_is_one_of(&parts, 0, parts.count, BUFFERS)) {
        (void)find_layer(&parts, &found.layer);
        found.role = TENSOR_BUFFER;
        found.is_bias = false;
        return found;
    }
    if (module > 0 && (found.is_bias || is_one_of(parts.list[module], "weight"))) module--;
    if (module > 0 && is_one_of(parts.list[module], "linear|base_layer"))
        module--; /* Gemma 4 and PEFT wrap matrices */
    int head;
    if (module > 1 && read_number(parts.list[module], &head) && is_one_of(parts.list[module - 1], "norms"))
        module -= 2; /* StableLM has a norm for each head */
    found.role = find_tower(&parts);
    if (found.role != TENSOR_OTHER) return found;
    size_t first = find_layer(&parts, &found.layer);
    if (any_is_one_of(&parts, 0, parts.count, "mtp")) found.layer = -1;
    if (first > 0 && module >= first)
        read_layered(&parts, first, module, rank, &found);
    else if (first == 0 && !any_is_one_of(&parts, 0, module, ASIDE))
        found.role = apply_rules(WHOLE, sizeof WHOLE / sizeof *WHOLE, &parts, 0, module, found.is_bias);
    if (first == 0 && found.role == TENSOR_OTHER && has_word(parts.list[module], "norm"))
        found.role = TENSOR_NORM;
    return found;
}

/* ---- roles ---- */

const char *tensor_role_name(TensorRole role) {
    return ROLES[role].name;
}

bool tensor_role_find(const char *name, TensorRole *role) {
    for (int i = 0; i < TENSOR_ROLE_COUNT; i++) {
        *role = (TensorRole)i;
        if (strcmp(ROLES[i].name, name) == 0) return true;
    }
    return false;
}

bool tensor_role_is_layered(TensorRole role) {
    return ROLES[role].layered;
}
