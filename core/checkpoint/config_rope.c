#include "core/checkpoint/config_internal.h"

#include <math.h>
#include <string.h>

static const char *const KINDS[ROPE_KIND_COUNT] = {
    [ROPE_DEFAULT] = "default", [ROPE_LINEAR] = "linear", [ROPE_DYNAMIC] = "dynamic",
    [ROPE_YARN] = "yarn",       [ROPE_LLAMA3] = "llama3", [ROPE_PROPORTIONAL] = "proportional",
};

const char *architecture_rope_name(RopeKind kind) {
    return KINDS[kind];
}

/* Where rotary parameters stand, and what to call them. */
typedef enum Place { PLACE_SCALING, PLACE_PARAMETERS, PLACE_TOP } Place;
typedef enum Parameter { KEY_TYPE, KEY_OLD_TYPE, KEY_THETA, KEY_FACTOR, KEY_LENGTH, KEY_PARTIAL } Parameter;

#define EVERYWHERE(KEY)                                                                                      \
    { "rope_scaling." KEY, "rope_parameters." KEY, KEY }
static const char *const NAMES[][3] = {
    [KEY_TYPE] = EVERYWHERE("rope_type"),
    [KEY_OLD_TYPE] = EVERYWHERE("type"),
    [KEY_THETA] = EVERYWHERE("rope_theta"),
    [KEY_FACTOR] = EVERYWHERE("factor"),
    [KEY_LENGTH] = EVERYWHERE("original_max_position_embeddings"),
    [KEY_PARTIAL] = EVERYWHERE("partial_rotary_factor"),
};

typedef struct RopeSource {
    const cJSON *json, *inside; /* NULL: no object of parameters */
    Place place;                /* of `inside` */
    const char *origin;
} RopeSource;

/* One that says something replaces the other. */
static RopeSource find_source(const cJSON *json, const char *origin) {
    RopeSource source = {json, json_find_any(json, "rope_scaling"), PLACE_SCALING, origin};
    if (!cJSON_IsObject(source.inside) || source.inside->child == NULL) {
        source.inside = json_find_any(json, "rope_parameters");
        source.place = PLACE_PARAMETERS;
        if (!cJSON_IsObject(source.inside)) source.inside = NULL;
    }
    return source;
}

static const cJSON *find(const RopeSource *source, Parameter parameter, Place place) {
    return json_find_any(place == PLACE_TOP ? source->json : source->inside, NAMES[parameter][PLACE_TOP]);
}

static Status refuse(const RopeSource *source, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", source->origin, key, expected);
}

/* A positive number inside, else at the top if `outside`; false where there is neither: *value stays. */
static Status read_positive(const RopeSource *source, Parameter parameter, bool outside, double *value,
                            const char **from, bool *found, Error *error) {
    Place place = source->place;
    const cJSON *item = source->inside != NULL ? find(source, parameter, place) : NULL;
    if (item == NULL && outside) item = find(source, parameter, place = PLACE_TOP);
    *found = item != NULL;
    if (item == NULL) return STATUS_OK;
    const char *name = NAMES[parameter][place];
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && isfinite(item->valuedouble)))
        return refuse(source, name, "a positive number", error);
    *value = item->valuedouble;
    *from = name;
    return STATUS_OK;
}

static Status read_kind(const RopeSource *source, ModelConfig *config, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, source->inside) {
        if (cJSON_IsObject(item))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: rotary parameters for each kind of layer are not known", source->origin);
    }
    Parameter parameter = KEY_TYPE;
    item = find(source, KEY_TYPE, source->place);
    if (item == NULL) item = find(source, parameter = KEY_OLD_TYPE, source->place);
    if (item == NULL) return STATUS_OK; /* the default kind */
    if (!cJSON_IsString(item)) return refuse(source, NAMES[parameter][source->place], "a text", error);
    for (int kind = 0; kind < ROPE_KIND_COUNT; kind++) {
        if (strcmp(item->valuestring, KINDS[kind]) != 0) continue;
        config->rope.kind = (RopeKind)kind;
        config->from[CONFIG_ROPE_KIND] = NAMES[parameter][source->place];
        return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: rotary kind \"%.60s\" is not known", source->origin,
                       item->valuestring);
}

/* The default kind turns whole heads, whatever the key says; the others would turn a part, which heads of these types
 * do not fit. */
static Status read_part(const RopeSource *source, ModelConfig *config, Error *error) {
    const cJSON *item = source->inside != NULL ? find(source, KEY_PARTIAL, source->place) : NULL;
    if (item == NULL) item = json_find(source->json, NAMES[KEY_PARTIAL][PLACE_TOP]);
    config->rope.proportion = 1.0;
    if (item == NULL || config->rope.kind == ROPE_DEFAULT) return STATUS_OK;
    double dim = (double)config->head_dim, part = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    bool fits = config->rope.kind == ROPE_PROPORTIONAL
                    ? part >= 0 && floor(part * dim / 2.0) <= floor(dim / 2.0)
                    : trunc(part * dim) == dim;
    if (!fits)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: partial_rotary_factor %g is not known",
                           source->origin, part);
    config->rope.proportion = part;
    return STATUS_OK;
}

/* What stands at the top comes before what stands inside, and both before the longest context. */
static Status read_length(const RopeSource *source, ModelConfig *config, Error *error) {
    const RopeSource top = {source->json, NULL, PLACE_TOP, source->origin};
    double *length = &config->rope.original_length;
    const char **from = &config->from[CONFIG_ROPE_LENGTH];
    bool found, found_top;
    *length = (double)config->max_positions;
    *from = config->from[CONFIG_POSITIONS];
    Status status = read_positive(source, KEY_LENGTH, false, length, from, &found, error);
    if (status == STATUS_OK) status = read_positive(&top, KEY_LENGTH, true, length, from, &found_top, error);
    if (status == STATUS_OK && *length == 0.0)
        return refuse(source, "max_position_embeddings", "a count from 1", error);
    return status;
}

/* A number that may be left out or null. */
static Status read_option(const RopeSource *source, const char *key, double *value, Error *error) {
    const cJSON *item = json_find(source->inside, key);
    if (item == NULL) return STATUS_OK;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) return refuse(source, key, "a number", error);
    *value = item->valuedouble;
    return STATUS_OK;
}

static double yarn_scale(double factor, double scale) {
    return factor <= 1.0 ? 1.0 : 0.1 * scale * log(factor) + 1.0;
}

static Status read_yarn(const RopeSource *source, ModelConfig *config, Error *error) {
    Rope *rope = &config->rope;
    double scale = 0.0, scale_all = 0.0, attention = NAN, fast = 0.0, slow = 0.0;
    const cJSON *truncate = json_find_any(source->inside, "truncate");
    struct {
        const char *key;
        double *value;
    } const options[] = {{"mscale", &scale},
                         {"mscale_all_dim", &scale_all},
                         {"attention_factor", &attention},
                         {"beta_fast", &fast},
                         {"beta_slow", &slow}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == STATUS_OK; i++)
        status = read_option(source, options[i].key, options[i].value, error);
    if (status != STATUS_OK) return status;
    rope->fast = fast != 0.0 ? fast : 32.0;
    rope->slow = slow != 0.0 ? slow : 1.0;
    rope->truncates = truncate == NULL || cJSON_IsTrue(truncate);
    if (truncate != NULL && !cJSON_IsBool(truncate) && !cJSON_IsNull(truncate))
        return refuse(source, "truncate", "true or false", error);
    if (!(rope->fast > 0 && rope->slow > 0) || rope->theta == 1.0)
        return refuse(source, "beta_fast\", \"beta_slow\" and \"rope_theta", "usable with yarn", error);
    bool both = scale != 0.0 && scale_all != 0.0;
    rope->attention_factor = !isnan(attention) ? attention
                             : both ? yarn_scale(rope->factor, scale) / yarn_scale(rope->factor, scale_all)
                                    : yarn_scale(rope->factor, 1.0);
    return STATUS_OK;
}

static Status read_llama3(const RopeSource *source, Rope *rope, Error *error) {
    Status status = read_option(source, "low_freq_factor", &rope->low_frequency, error);
    if (status == STATUS_OK) status = read_option(source, "high_freq_factor", &rope->high_frequency, error);
    if (status == STATUS_OK && !(rope->low_frequency > 0 && rope->high_frequency > rope->low_frequency))
        return refuse(source, "low_freq_factor\" and \"high_freq_factor",
                      "positive numbers, the second the larger", error);
    return status;
}

/* yarn may state a factor of null: then it is the ratio of the two lengths. */
static Status read_factor(const RopeSource *source, ModelConfig *config, Error *error) {
    Rope *rope = &config->rope;
    bool found;
    if (rope->kind == ROPE_YARN && cJSON_IsNull(find(source, KEY_FACTOR, source->place))) {
        rope->factor = (double)config->max_positions / rope->original_length;
        config->from[CONFIG_ROPE_FACTOR] = config->from[CONFIG_ROPE_LENGTH];
        return STATUS_OK;
    }
    Status status = read_positive(source, KEY_FACTOR, false, &rope->factor, &config->from[CONFIG_ROPE_FACTOR],
                                  &found, error);
    if (status == STATUS_OK && !found && rope->kind != ROPE_PROPORTIONAL)
        return status_fail(error, STATUS_FORMAT, "%s: rotary kind \"%s\" expects \"factor\", found none",
                           source->origin, KINDS[rope->kind]);
    return status;
}

/* transformers 4: "rope_theta" and "rope_scaling" (null, or an object with "rope_type" or "type"); transformers 5: both
 * inside "rope_parameters". Files have every mixture of them. */
Status config_read_rope(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const RopeSource source = find_source(json, origin);
    Rope *rope = &config->rope;
    *rope = (Rope){.theta = 10000.0, .factor = 1.0, .attention_factor = 1.0};
    bool found;
    const cJSON *scaling = json_find_any(json, "rope_scaling");
    if (!cJSON_IsObject(scaling) && config_is_truthy(scaling))
        return refuse(&source, "rope_scaling", "an object or null", error);
    Status status = source.inside == NULL ? STATUS_OK : read_kind(&source, config, error);
    if (status == STATUS_OK)
        status = read_positive(&source, KEY_THETA, true, &rope->theta, &config->from[CONFIG_ROPE_THETA],
                               &found, error);
    if (status == STATUS_OK) status = read_part(&source, config, error);
    if (status != STATUS_OK || rope->kind == ROPE_DEFAULT) return status;
    if (rope->kind == ROPE_YARN || rope->kind == ROPE_LLAMA3) status = read_length(&source, config, error);
    if (status == STATUS_OK) status = read_factor(&source, config, error);
    if (status == STATUS_OK && rope->kind == ROPE_YARN) status = read_yarn(&source, config, error);
    if (status == STATUS_OK && rope->kind == ROPE_LLAMA3) status = read_llama3(&source, rope, error);
    if (status == STATUS_OK && rope->kind == ROPE_DYNAMIC) {
        rope->longest = config->max_positions;
        if (config->head_dim <= 2)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: rotary kind \"dynamic\" for heads of %u",
                               origin, 2U);
    }
    return status;
}
