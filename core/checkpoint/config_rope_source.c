#include "core/checkpoint/config_rope_source.h"

#include <stdlib.h>
#include <string.h>

static double default_theta(const ConfigReader *reader, const char *name) {
    ConfigEntry entry;
    char text[32];
    if (!config_class_find_entry(reader->class, CONFIG_CONSTANT, name, &entry) ||
        entry.value_bytes >= sizeof text)
        return 10000.0;
    memcpy(text, entry.value, entry.value_bytes);
    text[entry.value_bytes] = '\0';
    return strtod(text, NULL);
}

/* A class may have a field for it. */
static double declared_theta(const ConfigReader *reader) {
    const cJSON *declared = json_find(reader->defaults, "rope_theta");
    return cJSON_IsNumber(declared) ? declared->valuedouble : default_theta(reader, "theta");
}

/* One that says something replaces the other. */
RopeSource config_rope_source_find(const ConfigReader *reader, const ModelConfig *config, Rope *rope) {
    const char *theta_key = config->architecture->theta_key;
    RopeSource source = {.reader = reader,
                         .json = reader->json,
                         .inside = json_find_any(reader->json, "rope_scaling"),
                         .place = ROPE_PLACE_SCALING,
                         .origin = reader->origin,
                         .theta = declared_theta(reader),
                         .theta_key = theta_key != NULL ? theta_key : "rope_theta",
                         .head_dim = config->head_dim,
                         .rope = rope};
    if (!cJSON_IsObject(source.inside) || source.inside->child == NULL) {
        source.inside = json_find_any(reader->json, "rope_parameters");
        source.place = ROPE_PLACE_PARAMETERS;
        if (source.inside == NULL || cJSON_IsNull(source.inside))
            source.inside = json_find_any(reader->defaults, "rope_parameters"); /* of the row */
        if (!cJSON_IsObject(source.inside)) source.inside = NULL;
    }
    return source;
}

/* Layers of one type have parameters of their own; older files state those of sliding layers by one key at the top, and
 * all others by those of a model with one kind of layers. */
RopeSource config_rope_source_of_type(const ConfigReader *reader, const ModelConfig *config, bool is_sliding,
                                      Rope *rope) {
    RopeSource source = config_rope_source_find(reader, config, rope);
    const cJSON *all = json_find(reader->json, "rope_parameters");
    if (all == NULL) all = json_find(reader->defaults, "rope_parameters");
    source.head_dim = is_sliding ? config->sliding.head_dim : config->whole.head_dim;
    const cJSON *own = json_find(all, is_sliding ? "sliding_attention" : "full_attention");
    if (is_sliding) {
        source.theta = default_theta(reader, "local_theta");
        source.theta_key = config->architecture->local_theta_key;
    }
    source.has_default =
        source.place == ROPE_PLACE_SCALING; /* it is put over parameters of the default kind */
    if (is_sliding || source.place == ROPE_PLACE_PARAMETERS) {
        source.place = ROPE_PLACE_PARAMETERS;
        source.inside = cJSON_IsObject(own) ? own : NULL;
    }
    return source;
}
