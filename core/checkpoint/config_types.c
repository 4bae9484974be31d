#include "core/checkpoint/config_internal.h"

#include <stdio.h>
#include <string.h>

/* Types a field may have. A list is of whole numbers, or of texts. */
enum {
    IS_NULL = 1,
    IS_BOOL = 2,
    IS_INTEGER = 4,
    IS_FLOAT = 8,
    IS_TEXT = 16,
    IS_OBJECT = 32,
    IS_INTEGERS = 64,
    IS_TEXTS = 128
};

static const struct {
    unsigned type;
    const char *name;
} TYPES[] = {
    {IS_BOOL, "true or false"},
    {IS_INTEGER, "a whole number"},
    {IS_FLOAT, "a number with a point or an exponent"},
    {IS_TEXT, "a text"},
    {IS_OBJECT, "an object"},
    {IS_INTEGERS, "a list of whole numbers"},
    {IS_TEXTS, "a list of texts"},
    {IS_NULL, "null"},
};

/* The fields of the configuration classes of transformers 5.24, which are checked strictly when a file is read: a null
 * where none is allowed, or 1 for 1.0, and the model does not load. Other keys may be anything, and so may those that all
 * models have ("dtype", "architectures"): their types are not looked at. */
static const struct {
    const char *key;
    unsigned families, types;
} FIELDS[] = {
    {"output_hidden_states", FAMILY_ALL, (unsigned)~IS_TEXT},
    {"vocab_size", FAMILY_ALL, IS_INTEGER},
    {"hidden_size", FAMILY_ALL, IS_INTEGER},
    {"intermediate_size", FAMILY_ALL, IS_INTEGER},
    {"num_hidden_layers", FAMILY_ALL, IS_INTEGER},
    {"num_attention_heads", FAMILY_ALL, IS_INTEGER},
    {"num_key_value_heads", FAMILY_LLAMA | FAMILY_QWEN, IS_NULL | IS_INTEGER},
    {"num_key_value_heads", FAMILY_MISTRAL, IS_INTEGER},
    {"head_dim", FAMILY_LLAMA | FAMILY_MISTRAL, IS_NULL | IS_INTEGER},
    {"head_dim", FAMILY_QWEN, IS_INTEGER}, /* qwen2 declares none, and fails on another later */
    {"hidden_act", FAMILY_ALL, IS_TEXT},
    {"max_position_embeddings", FAMILY_ALL, IS_INTEGER},
    {"initializer_range", FAMILY_ALL, IS_FLOAT},
    {"rms_norm_eps", FAMILY_ALL, IS_FLOAT},
    {"use_cache", FAMILY_ALL, IS_BOOL},
    {"pad_token_id", FAMILY_ALL, IS_NULL | IS_INTEGER},
    {"bos_token_id", FAMILY_ALL, IS_NULL | IS_INTEGER},
    {"eos_token_id", FAMILY_ALL, IS_NULL | IS_INTEGER | IS_INTEGERS},
    {"pretraining_tp", FAMILY_LLAMA, IS_NULL | IS_INTEGER},
    {"tie_word_embeddings", FAMILY_ALL, IS_BOOL},
    {"rope_parameters", FAMILY_ALL, IS_NULL | IS_OBJECT},
    {"attention_bias", FAMILY_LLAMA | FAMILY_QWEN3, IS_BOOL},
    {"mlp_bias", FAMILY_LLAMA, IS_BOOL},
    {"attention_dropout", FAMILY_LLAMA, IS_NULL | IS_INTEGER | IS_FLOAT},
    {"attention_dropout", FAMILY_MISTRAL | FAMILY_QWEN, IS_INTEGER | IS_FLOAT},
    {"sliding_window", FAMILY_MISTRAL | FAMILY_QWEN, IS_NULL | IS_INTEGER},
    {"use_sliding_window", FAMILY_QWEN, IS_BOOL},
    {"max_window_layers", FAMILY_QWEN, IS_INTEGER},
    {"layer_types", FAMILY_ALL, IS_NULL | IS_TEXTS},
};

bool config_is_truthy(const cJSON *item) {
    if (item == NULL || cJSON_IsNull(item) || cJSON_IsFalse(item)) return false;
    if (cJSON_IsNumber(item)) return item->valuedouble != 0.0;
    if (cJSON_IsString(item)) return *item->valuestring != '\0';
    return cJSON_IsTrue(item) || item->child != NULL;
}

static unsigned type_of(const cJSON *item) {
    if (cJSON_IsNull(item)) return IS_NULL;
    if (cJSON_IsBool(item)) return IS_BOOL;
    if (cJSON_IsString(item)) return IS_TEXT;
    if (cJSON_IsObject(item)) return IS_OBJECT;
    if (cJSON_IsNumber(item))
        return (json_may_be_integer(item) ? IS_INTEGER : 0U) | (json_may_be_float(item) ? IS_FLOAT : 0U);
    unsigned types = IS_INTEGERS | IS_TEXTS;
    const cJSON *element;
    cJSON_ArrayForEach(element, item) {
        unsigned type = type_of(element);
        if ((type & IS_INTEGER) == 0) types &= ~(unsigned)IS_INTEGERS;
        if ((type & IS_TEXT) == 0) types &= ~(unsigned)IS_TEXTS;
    }
    return types;
}

static const char *describe(const cJSON *item) {
    unsigned type = type_of(item);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if ((type & TYPES[i].type) != 0) return TYPES[i].name;
    }
    return "a list of other things";
}

static Status refuse(const char *key, unsigned types, const cJSON *item, const char *origin, Error *error) {
    char expected[160] = "";
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if ((types & TYPES[i].type) == 0) continue;
        size_t used = strlen(expected);
        (void)snprintf(expected + used, sizeof expected - used, "%s%s", used > 0 ? " or " : "",
                       TYPES[i].name);
    }
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected \"%s\" to be %s, found %s: transformers 5 does not load it", origin, key,
                       expected, describe(item));
}

Status config_check_types(const cJSON *json, ConfigFamily family, const char *origin, Error *error) {
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        if ((FIELDS[i].families & family) == 0) continue;
        const cJSON *item = json_find_any(json, FIELDS[i].key);
        if (item != NULL && (type_of(item) & FIELDS[i].types) == 0)
            return refuse(FIELDS[i].key, FIELDS[i].types, item, origin, error);
    }
    return STATUS_OK;
}
