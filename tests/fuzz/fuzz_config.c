/* Any JSON as a config.json: what is accepted is a model whose sizes can be multiplied and divided. */
#include "core/checkpoint/architecture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Whatever a layer asks for has elements, and heads that attend share keys. */
static void check_plan(const ModelConfig *config, const LayerPlan *plan) {
    uint64_t rows, columns;
    if (architecture_attends(plan) && (plan->kv_heads == 0 || plan->heads % plan->kv_heads != 0)) abort();
    if (plan->rope >= (int)config->rope_count) abort();
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        architecture_layer_shape(config, plan, (TensorRole)role, &rows, &columns);
        if (architecture_has(plan, (TensorRole)role) && rows == 0) abort();
    }
    for (int part = 0; part < TENSOR_PART_COUNT; part++) {
        architecture_part_shape(config, plan, (TensorPart)part, &rows, &columns);
        if (architecture_needs(plan, (TensorPart)part) && rows == 0) abort();
    }
}

static void check(const ModelConfig *config) {
    if (config->layers == 0 || config->layers > MODEL_MAX_LAYERS || config->vocabulary == 0) abort();
    for (size_t i = 0; i < config->rope_count; i++) {
        const Rope *rope = &config->ropes[i];
        if (!(rope->theta > 0.0 && rope->factor > 0.0) || rope->dims % 2 != 0 ||
            rope->dims > config->head_dim)
            abort();
    }
    if (!(config->norm_epsilon >= 0.0 && config->rope_count <= MODEL_MAX_ROPES)) abort();
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        if (plan < config->plans || plan >= config->plans + config->plan_count) abort();
    }
    for (size_t i = 0; i < config->plan_count; i++) check_plan(config, &config->plans[i]);
    if (config->eos_count > MODEL_MAX_EOS) abort();
    for (size_t i = 0; i < config->eos_count; i++) {
        if (config->eos[i] < 0) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Error error = {0};
    cJSON *json = NULL;
    ModelConfig config;
    if (json_parse((const char *)bytes, count, "input", &json, &error) != STATUS_OK) return 0;
    Status status = architecture_read_config(json, "input", &config, &error);
    if (status == STATUS_OK)
        check(&config);
    else if (error.message[0] == '\0')
        abort();
    cJSON_Delete(json);
    return 0;
}
