/*
 * config_internal — what the files that read config.json share. Not for others.
 */
#ifndef REJUV_CORE_CONFIG_INTERNAL_H
#define REJUV_CORE_CONFIG_INTERNAL_H

#include "core/checkpoint/architecture.h"

/* Model types as a set: which of them have a field. */
typedef enum ConfigFamily {
    FAMILY_LLAMA = 1,
    FAMILY_MISTRAL = 2,
    FAMILY_QWEN2 = 4,
    FAMILY_QWEN3 = 8,
    FAMILY_QWEN = FAMILY_QWEN2 | FAMILY_QWEN3,
    FAMILY_ALL = FAMILY_LLAMA | FAMILY_MISTRAL | FAMILY_QWEN
} ConfigFamily;

/* What Python takes for true: a number other than 0, anything that is not empty (config_types.c). */
bool config_is_truthy(const cJSON *item);

/* Every field that the type's configuration class declares has a type that it takes (config_types.c). */
Status config_check_types(const cJSON *json, ConfigFamily family, const char *origin, Error *error);

/* Fills config->rope; sizes and max_positions are known (config_rope.c). */
Status config_read_rope(const cJSON *json, const char *origin, ModelConfig *config, Error *error);

#endif
