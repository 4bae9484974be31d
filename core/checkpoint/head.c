#include "core/checkpoint/head.h"

#include "core/checkpoint/tensor_values.h"

#include <string.h>

/* Types whose configuration class of transformers 5.24.0 ties where config.json is silent; all others do not. */
static const char *const TYING[] = {
    "bert",
    "biogpt",
    "bloom",
    "cohere",
    "cohere2",
    "cohere2_moe",
    "ctrl",
    "ernie4_5",
    "ernie4_5_moe",
    "falcon",
    "falcon_mamba",
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "gemma3n",
    "gemma3n_text",
    "gemma4",
    "gemma4_text",
    "gpt-sw3",
    "gpt2",
    "gpt_bigcode",
    "gpt_neo",
    "granite_swa",
    "internvl",
    "jetmoe",
    "lfm2",
    "lfm2_moe",
    "lfm2_vl",
    "lfm3",
    "lfm3_vl",
    "mamba",
    "minicpm3",
    "mistral3",
    "modernbert-decoder",
    "mpt",
    "mt5",
    "openai-gpt",
    "opt",
    "ovis2",
    "paligemma",
    "qwen3_vl_moe_text",
    "recurrent_gemma",
    "shieldgemma2",
    "smollm3",
    "starcoder2",
    "t5",
    "t5gemma",
    "t5gemma2",
    "umt5",
    "vaultgemma",
    "xglm",
    "xlm-roberta-xl",
    "xlnet",
    "youtu",
    "zamba",
    "zamba2",
    "zaya",
};

/* Types whose models have nothing that could be tied, whatever config.json says. */
static const char *const UNTYING[] = {"bailing_hybrid", "kimi_linear"};

static bool type_unties(const char *model_type) {
    for (size_t i = 0; i < sizeof UNTYING / sizeof *UNTYING; i++)
        if (strcmp(model_type, UNTYING[i]) == 0) return true;
    return false;
}

static bool type_ties(const char *model_type) {
    for (size_t i = 0; i < sizeof TYING / sizeof *TYING; i++)
        if (strcmp(model_type, TYING[i]) == 0) return true;
    return false;
}

const char *head_tie_key(const cJSON *config) {
    static const char *const TYPES[] = {"lfm2", "lfm2_moe", "lfm2_vl"}, KEY[] = "tie_embedding";
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        bool is_one = strcmp(json_get_text(config, "model_type", ""), TYPES[i]) == 0;
        if (is_one && json_find(config, KEY) != NULL) return KEY;
    }
    return "tie_word_embeddings";
}

/* The wrapper of a text model decides for both; where it is silent, the text model's word is all there is. */
bool head_config_ties(const cJSON *config, bool *is_stated) {
    const char *key = head_tie_key(config);
    const cJSON *stated = json_find(config, key);
    if (stated == NULL) stated = json_find(json_find(config, "text_config"), key);
    *is_stated = cJSON_IsBool(stated);
    if (type_unties(json_get_text(config, "model_type", ""))) return *is_stated = false;
    return *is_stated ? cJSON_IsTrue(stated) : type_ties(json_get_text(config, "model_type", ""));
}

static bool same_bytes(const Tensor *a, const Tensor *b) {
    return a->dtype == b->dtype && a->bytes == b->bytes && a->rows == b->rows &&
           memcmp(a->data, b->data, a->bytes) == 0;
}

enum { COMPARED = 4096 };

/* Of tensors that are computed. */
static bool same_computed(const Tensor *a, const Tensor *b) {
    float left[COMPARED], right[COMPARED];
    uint64_t elements = a->rows * a->columns;
    if (a->rows != b->rows || a->columns != b->columns) return false;
    for (uint64_t at = 0; at < elements; at += COMPARED) {
        size_t count = elements - at < COMPARED ? (size_t)(elements - at) : COMPARED;
        tensor_values_read(a, at, count, left);
        tensor_values_read(b, at, count, right);
        if (memcmp(left, right, count * sizeof *left) != 0) return false;
    }
    return true;
}

/* Of one checkpoint: the same codes have the same blocks, but perhaps other scales. */
static bool same_values(const Tensor *a, const Tensor *b) {
    if (a->data == NULL || b->data == NULL || a->change != NULL || b->change != NULL)
        return same_computed(a, b);
    if (!same_bytes(a, b) || (a->scale == NULL) != (b->scale == NULL)) return false;
    return a->scale == NULL || same_bytes(a->scale->tensor, b->scale->tensor);
}

void head_settle(Checkpoint *checkpoint) {
    const Tensor *own = checkpoint_find_role(checkpoint, TENSOR_HEAD, -1);
    const Tensor *embedding = checkpoint_find_role(checkpoint, TENSOR_EMBEDDING, -1);
    bool is_stated;
    checkpoint->head_differs = own != NULL && embedding != NULL &&
                               head_config_ties(checkpoint->config, &is_stated) &&
                               !same_values(own, embedding);
}

Head head_find(const Checkpoint *checkpoint) {
    const Tensor *own = checkpoint_find_role(checkpoint, TENSOR_HEAD, -1);
    Head head = {.matrix = own, .embedding = checkpoint_find_role(checkpoint, TENSOR_EMBEDDING, -1)};
    bool ties = head_config_ties(checkpoint->config, &head.is_stated);
    head.differs = checkpoint->head_differs;
    if (ties && !head.differs) {
        head.kind = own != NULL || head.embedding != NULL ? HEAD_TIED : HEAD_NONE;
        if (head.embedding == NULL) head.embedding = own;
        head.matrix = head.embedding;
    } else {
        head.kind = own != NULL ? HEAD_OWN : HEAD_NONE;
    }
    return head;
}
