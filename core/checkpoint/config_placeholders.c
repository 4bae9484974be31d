#include "core/checkpoint/config_internal.h"
#include "core/files/json.h"

#include <inttypes.h>

/*
 * Tokens that stand for what is no text. Of most models around a text model they are ordinary where nothing comes with them,
 * and transformers 5.24 embeds them by their own rows. Gemma 4's forward() puts padding in their place, also as what layers
 * have of a token; Gemma 3n's takes from a number on rows of its pictures' and sounds' own embeddings.
 */

/* By the file's word, else the default of the class of the model around. */
static Status read_ids(const ConfigReader *reader, const Architecture *around, ModelConfig *config,
                       Error *error) {
    const char *const *keys = around->placeholder_keys;
    ConfigReader outer;
    uint64_t id; /* a negative one never comes */
    if (keys[0] == NULL) return STATUS_OK;
    Status status =
        config_open_reader(reader->whole, reader->whole, around->model_type, reader->origin, &outer, error);
    for (size_t i = 0; status == STATUS_OK && i < MODEL_MAX_PLACEHOLDERS && keys[i] != NULL; i++)
        if (json_read_count(config_find(&outer, keys[i]), &id) && id <= INT32_MAX)
            config->placeholders[config->placeholder_count++] = (int32_t)id;
    if (status == STATUS_OK) config_close_reader(&outer);
    const cJSON *padding = config_find(reader, "pad_token_id");
    config->has_placeholder_row =
        json_read_count(padding, &config->placeholder_row) && config->placeholder_row < config->vocabulary;
    return status;
}

static Status read_aside(const ConfigReader *reader, const AsideKey *keys, ModelConfig *config,
                         Error *error) {
    for (size_t i = 0; i < ARCHITECTURE_MOST_ASIDE && keys[i].object != NULL; i++) {
        const cJSON *item = json_find_any(json_find_any(reader->whole, keys[i].object), keys[i].key);
        uint64_t from = keys[i].fallback;
        if (item != NULL && (!json_read_count(item, &from) || from == 0))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: expected \"%s\" of \"%s\" to be a count from 1", reader->origin,
                               keys[i].key, keys[i].object);
        if (config->aside_from == 0 || from < config->aside_from) config->aside_from = from;
    }
    return STATUS_OK;
}

Status config_read_placeholders(const ConfigReader *reader, const Architecture *around, ModelConfig *config,
                                Error *error) {
    if (around == NULL) return STATUS_OK;
    Status status = read_ids(reader, around, config, error);
    return status == STATUS_OK ? read_aside(reader, around->aside_keys, config, error) : status;
}

static bool is_placeholder(const ModelConfig *config, int32_t id) {
    for (size_t i = 0; i < config->placeholder_count; i++)
        if (config->placeholders[i] == id) return true;
    return false;
}

uint64_t architecture_embedding_rows(const ModelConfig *config) {
    return config->vocabulary + config->architecture->further_rows;
}

size_t architecture_embedded(const ModelConfig *config, int32_t id) {
    return is_placeholder(config, id) ? (size_t)config->placeholder_row : (size_t)id;
}

Status architecture_check_token(const ModelConfig *config, int32_t id, Error *error) {
    if (config->aside_from > 0 && (uint64_t)id >= config->aside_from)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "token id %" PRId32 " stands for a picture or a sound, as all from %" PRIu64
                           " on do (\"vocab_offset\"), and only text is run",
                           id, config->aside_from);
    if (is_placeholder(config, id) && !config->has_placeholder_row)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "token id %" PRId32
                           " stands for a picture or a sound, and config.json names no "
                           "padding (\"pad_token_id\") to put in its place",
                           id);
    return STATUS_OK;
}
