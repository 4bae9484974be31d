/* config_rope_source — where a config.json states rotary parameters: of all layers, or of those of one type. For config_rope.c. */
#ifndef REJUV_CORE_CONFIG_ROPE_SOURCE_H
#define REJUV_CORE_CONFIG_ROPE_SOURCE_H

#include "core/checkpoint/config_internal.h"

typedef enum RopePlace { ROPE_PLACE_SCALING, ROPE_PLACE_PARAMETERS, ROPE_PLACE_TOP } RopePlace;

typedef struct RopeSource {
    const ConfigReader *reader;
    const cJSON *json, *inside; /* NULL: no object of parameters */
    RopePlace place;            /* of `inside` */
    const char *origin;
    double theta;          /* where nothing says */
    bool has_default;      /* whatever "type" says: only "rope_type" counts */
    const char *theta_key; /* of the top: sliding layers have one of their own */
    uint64_t head_dim;
    Rope *rope;
} RopeSource;

/* "rope_scaling" or "rope_parameters", else what the row has; parameters go to `rope`. */
RopeSource config_rope_source_find(const ConfigReader *reader, const ModelConfig *config, Rope *rope);

/* The same of sliding layers, or of all others, where layers of one type have parameters of their own. */
RopeSource config_rope_source_of_type(const ConfigReader *reader, const ModelConfig *config, bool is_sliding,
                                      Rope *rope);

#endif
