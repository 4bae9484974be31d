/*
 * config_file — a config.json of some members, read as a checkpoint's is: from a file, where whole numbers are told from
 * others.
 */
#ifndef REJUV_TESTS_CONFIG_FILE_H
#define REJUV_TESTS_CONFIG_FILE_H

#include "core/checkpoint/architecture.h"
#include "scratch.h"

/* `members` follow the type: "\"hidden_size\":16,\"vocab_size\":32". */
static inline Status config_file_read(const char *type, const char *members, ModelConfig *config,
                                      Error *error) {
    char text[2048];
    (void)snprintf(text, sizeof text, "{\"model_type\":\"%s\",%s}", type, members);
    scratch_write_text("config.json", text);
    char *path = scratch_path("config.json");
    cJSON *json;
    if (json_read_typed(path, sizeof text, &json, error) != STATUS_OK)
        fail_msg("%s: %s", text, error->message);
    Status status = architecture_read_config(json, "config.json", config, error);
    cJSON_Delete(json);
    free(path);
    return status;
}

static inline ModelConfig config_file_accept(const char *type, const char *members) {
    ModelConfig config;
    Error error = {0};
    if (config_file_read(type, members, &config, &error) != STATUS_OK)
        fail_msg("%s %s: %s", type, members, error.message);
    return config;
}

static inline void config_file_refuse(const char *type, const char *members, const char *words) {
    ModelConfig config;
    Error error = {0};
    if (config_file_read(type, members, &config, &error) == STATUS_OK)
        fail_msg("%s %s: expected to be refused", type, members);
    if (strstr(error.message, words) == NULL) fail_msg("%s %s: %s", type, members, error.message);
}

#endif
