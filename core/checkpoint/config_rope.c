#include "core/checkpoint/config_internal.h"
#include "core/checkpoint/config_rope_source.h"

#include <math.h>
#include <string.h>

static const char *const KINDS[ROPE_KIND_COUNT] = {
    [ROPE_DEFAULT] = "default",   [ROPE_LINEAR] = "linear", [ROPE_DYNAMIC] = "dynamic",
    [ROPE_YARN] = "yarn",         [ROPE_LLAMA3] = "llama3", [ROPE_PROPORTIONAL] = "proportional",
    [ROPE_LONGROPE] = "longrope",
};

const char *architecture_rope_name(RopeKind kind) {
    return KINDS[kind];
}

/* What parameters are called, by where they stand. */
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

bool config_turns(const ModelConfig *config) {
    return config->architecture->rope != ROPE_RULE_NONE && config->alibi == ALIBI_NONE &&
           !config->is_unturned;
}

static const cJSON *find(const RopeSource *source, Parameter parameter, RopePlace place) {
    const char *name = NAMES[parameter][ROPE_PLACE_TOP];
    if (place == ROPE_PLACE_TOP && parameter == KEY_THETA) name = source->theta_key;
    if (name == NULL) return NULL;
    return place == ROPE_PLACE_TOP ? config_find_stated(source->reader, name)
                                   : json_find_any(source->inside, name);
}

static Status refuse(const RopeSource *source, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", source->origin, key, expected);
}

/* A positive number inside, else at the top if `outside`; false where there is neither: *value stays. */
static Status read_positive(const RopeSource *source, Parameter parameter, bool outside, double *value,
                            const char **from, bool *found, Error *error) {
    RopePlace place = source->place;
    const cJSON *item = source->inside != NULL ? find(source, parameter, place) : NULL;
    if (item == NULL && outside) item = find(source, parameter, place = ROPE_PLACE_TOP);
    *found = item != NULL;
    if (item == NULL) return STATUS_OK;
    const char *name = NAMES[parameter][place];
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && isfinite(item->valuedouble)))
        return refuse(source, name, "a positive number", error);
    *value = item->valuedouble;
    *from = place == ROPE_PLACE_TOP && parameter == KEY_THETA ? source->theta_key : name;
    return STATUS_OK;
}

/* Parameters of a layer type count where config.json has layers of that type. */
static bool is_declared(const RopeSource *source, const char *layer_type) {
    const cJSON *types = json_find(source->json, "layer_types"), *type;
    cJSON_ArrayForEach(type, types) {
        if (cJSON_IsString(type) && strcmp(type->valuestring, layer_type) == 0) return true;
    }
    return false;
}

static Status read_kind(const RopeSource *source, ModelConfig *config, Error *error) {
    Parameter parameter = KEY_TYPE;
    const cJSON *item = find(source, KEY_TYPE, source->place), *inner;
    if (item == NULL && !source->has_default) item = find(source, parameter = KEY_OLD_TYPE, source->place);
    cJSON_ArrayForEach(inner, source->inside) {
        bool is_read = item == NULL || json_find_any(source->inside, "rope_theta") == NULL;
        if (cJSON_IsObject(inner) && is_read && is_declared(source, inner->string))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: rotary parameters for each kind of layer are not known", source->origin);
    }
    if (item == NULL) return STATUS_OK; /* the default kind */
    if (!cJSON_IsString(item)) return refuse(source, NAMES[parameter][source->place], "a text", error);
    if (config->architecture->has_mrope && strcmp(item->valuestring, "mrope") == 0) return STATUS_OK;
    const char *name = item->valuestring;
    bool is_longrope = config->architecture->only_longrope;
    if (is_longrope && (strcmp(name, "su") == 0 || strcmp(name, "yarn") == 0)) name = KINDS[ROPE_LONGROPE];
    if (is_longrope && strcmp(name, KINDS[ROPE_LONGROPE]) != 0 && strcmp(name, KINDS[ROPE_DEFAULT]) != 0)
        return refuse(source, NAMES[parameter][source->place], "longrope, or default", error);
    for (int kind = 0; kind < ROPE_KIND_COUNT; kind++) {
        const char *other = kind == ROPE_YARN ? config->architecture->yarn_name : NULL;
        if (strcmp(name, KINDS[kind]) != 0 && (other == NULL || strcmp(name, other) != 0)) continue;
        source->rope->kind = (RopeKind)kind;
        config->from[CONFIG_ROPE_KIND] = NAMES[parameter][source->place];
        return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: rotary kind \"%.60s\" is not known", source->origin,
                       item->valuestring);
}

/* The default kind turns whole heads, whatever the key says, unless the type heeds it; the others turn a part, which heads
 * of most types do not fit. */
static Status read_part(const RopeSource *source, const ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    Rope *rope = source->rope;
    const cJSON *item = source->inside != NULL ? find(source, KEY_PARTIAL, source->place) : NULL;
    const char *beside =
        architecture->partial_key != NULL ? architecture->partial_key : NAMES[KEY_PARTIAL][ROPE_PLACE_TOP];
    if (item == NULL && !architecture->partial_is_inside) item = config_find(source->reader, beside);
    uint64_t head_dim = config->latent.turned > 0 ? config->latent.turned : source->head_dim;
    double dim = (double)head_dim, part = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    const cJSON *channels = item == NULL && architecture->rotary_dim_key != NULL
                                ? config_find(source->reader, architecture->rotary_dim_key)
                                : NULL;
    rope->proportion = 1.0;
    rope->dims = head_dim;
    rope->is_interleaved = architecture->is_interleaved || config->latent.is_interleaved;
    rope->is_reversed = architecture->is_reversed;
    if (cJSON_IsNumber(channels))
        part = channels->valuedouble / dim;
    else if (item == NULL && architecture->default_partial > 0.0 &&
             (rope->kind == ROPE_DEFAULT || !architecture->partial_is_of_default))
        part = architecture->default_partial;
    else if (item == NULL || (rope->kind == ROPE_DEFAULT && !architecture->is_partial))
        return STATUS_OK;
    bool fits = rope->kind == ROPE_PROPORTIONAL ? part >= 0 && floor(part * dim / 2.0) <= floor(dim / 2.0)
                : architecture->is_partial ? part > 0 && trunc(part * dim) <= dim && trunc(part * dim) >= 2
                                           : trunc(part * dim) == dim;
    if (fits && rope->kind != ROPE_PROPORTIONAL) rope->dims = (uint64_t)trunc(part * dim);
    if (!fits || rope->dims % 2 != 0)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: partial_rotary_factor %g is not known",
                           source->origin, part);
    rope->proportion = part;
    return STATUS_OK;
}

/* The longest context, as the class knows it when it settles rotary parameters: by its field's own name. What stands under
 * another name comes later. */
static double declared_length(const RopeSource *source, const ModelConfig *config) {
    static const char KEY[] = "max_position_embeddings";
    const cJSON *stated = json_find_any(source->json, KEY),
                *declared = json_find(source->reader->defaults, KEY);
    const cJSON *item = stated != NULL ? stated : declared;
    uint64_t length = config->max_positions;
    if (declared != NULL && !json_read_count(item, &length)) length = 0;
    return (double)length;
}

/* What stands at the top comes before what stands inside, and both before the longest context. */
static Status read_length(const RopeSource *source, ModelConfig *config, Error *error) {
    RopeSource top = *source;
    double *length = &source->rope->original_length;
    const char **from = &config->from[CONFIG_ROPE_LENGTH];
    bool found, found_top = false;
    const cJSON *declared = json_find(source->reader->defaults, "original_max_position_embeddings");
    top.inside = NULL;
    *length = declared_length(source, config);
    *from = config->from[CONFIG_POSITIONS];
    Status status = read_positive(source, KEY_LENGTH, false, length, from, &found, error);
    bool heeds_top = config->architecture->rope != ROPE_RULE_COMPRESSED;
    if (status == STATUS_OK && heeds_top)
        status = read_positive(&top, KEY_LENGTH, true, length, from, &found_top, error);
    if (!found_top && cJSON_IsNumber(declared)) *length = declared->valuedouble; /* a field of the class */
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

static Status read_yarn(const RopeSource *source, Error *error) {
    Rope *rope = source->rope;
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
    Rope *rope = source->rope;
    bool found;
    if (rope->kind == ROPE_YARN && cJSON_IsNull(find(source, KEY_FACTOR, source->place))) {
        rope->factor = (double)config->max_positions / rope->original_length;
        config->from[CONFIG_ROPE_FACTOR] = config->from[CONFIG_ROPE_LENGTH];
        return STATUS_OK;
    }
    Status status = read_positive(source, KEY_FACTOR, false, &rope->factor, &config->from[CONFIG_ROPE_FACTOR],
                                  &found, error);
    if (!found && rope->kind == ROPE_LONGROPE)
        rope->factor = (double)config->max_positions / rope->original_length;
    if (status == STATUS_OK && !found && rope->kind != ROPE_PROPORTIONAL && rope->kind != ROPE_LONGROPE)
        return status_fail(error, STATUS_FORMAT, "%s: rotary kind \"%s\" expects \"factor\", found none",
                           source->origin, KINDS[rope->kind]);
    return status;
}

/* One of the two lists: a factor for each pair that turns. */
static Status read_factors(const RopeSource *source, const char *key, float factors[ROPE_MOST_FACTORS],
                           Error *error) {
    const cJSON *list = json_find(source->inside, key), *item;
    uint64_t count = 0, expected = source->rope->dims / 2;
    if (!cJSON_IsArray(list) || expected > ROPE_MOST_FACTORS)
        return refuse(source, key, "a list of a factor for each pair of a head", error);
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && isfinite(item->valuedouble)) ||
            count == expected)
            return refuse(source, key, "a list of a factor for each pair of a head", error);
        factors[count++] = (float)item->valuedouble;
    }
    return count == expected ? STATUS_OK
                             : refuse(source, key, "a list of a factor for each pair of a head", error);
}

static Status read_longrope(const RopeSource *source, Error *error) {
    Rope *rope = source->rope;
    double attention = NAN;
    Status status = read_factors(source, "short_factor", rope->factors[0], error);
    if (status == STATUS_OK) status = read_factors(source, "long_factor", rope->factors[1], error);
    if (status == STATUS_OK) status = read_option(source, "attention_factor", &attention, error);
    if (status == STATUS_OK && !(rope->original_length > 1.0))
        return refuse(source, "original_max_position_embeddings", "a count from 2 with longrope", error);
    rope->longest = (uint64_t)rope->original_length;
    rope->attention_factor = !isnan(attention) ? attention
                             : rope->factor <= 1.0
                                 ? 1.0
                                 : sqrt(1.0 + log(rope->factor) / log(rope->original_length));
    return status;
}

static Status read_dynamic(const RopeSource *source, const ModelConfig *config, Error *error) {
    source->rope->longest = config->max_positions;
    if (source->rope->dims > 2) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "%s: rotary kind \"dynamic\" for heads of %u",
                       source->origin, 2U);
}

/* HunYuan's: a stretched θ, whatever the text's length. */
static Status read_alpha(const RopeSource *source, Error *error) {
    Rope *rope = source->rope;
    const cJSON *alpha = json_find(source->inside, "alpha");
    double dims = (double)rope->dims;
    if (!config_is_truthy(alpha)) return STATUS_OK;
    if (!cJSON_IsNumber(alpha) || !(alpha->valuedouble > 0.0) || rope->dims <= 2)
        return refuse(source, "alpha", "a positive number", error);
    rope->kind = ROPE_DEFAULT;
    rope->theta *= pow(alpha->valuedouble, dims / (dims - 2.0));
    return STATUS_OK;
}

static Status read_rope(const RopeSource *source, ModelConfig *config, Error *error) {
    Rope *rope = source->rope;
    *rope = (Rope){.theta = source->theta, .factor = 1.0, .attention_factor = 1.0};
    bool found;
    Status status = source->inside == NULL ? STATUS_OK : read_kind(source, config, error);
    if (status == STATUS_OK)
        status = read_positive(source, KEY_THETA, true, &rope->theta, &config->from[CONFIG_ROPE_THETA],
                               &found, error);
    if (status == STATUS_OK) status = read_part(source, config, error);
    if (status == STATUS_OK && rope->kind == ROPE_DYNAMIC && config->architecture->rope_has_alpha)
        status = read_alpha(source, error);
    if (status != STATUS_OK || rope->kind == ROPE_DEFAULT) return status;
    status = read_option(source, "mscale_all_dim", &rope->scale_all, error);
    if (status != STATUS_OK) return status;
    bool has_length = rope->kind == ROPE_YARN || rope->kind == ROPE_LLAMA3 || rope->kind == ROPE_LONGROPE;
    if (has_length) status = read_length(source, config, error);
    if (status == STATUS_OK) status = read_factor(source, config, error);
    if (status == STATUS_OK && rope->kind == ROPE_YARN) status = read_yarn(source, error);
    if (status == STATUS_OK && rope->kind == ROPE_LLAMA3) status = read_llama3(source, rope, error);
    if (status == STATUS_OK && rope->kind == ROPE_LONGROPE) status = read_longrope(source, error);
    if (status == STATUS_OK && rope->kind == ROPE_DYNAMIC) status = read_dynamic(source, config, error);
    return status;
}

Status config_read_rope(const ConfigReader *reader, ModelConfig *config, const cJSON *object, Rope *rope,
                        Error *error) {
    RopeSource source = config_rope_source_find(reader, config, rope);
    source.inside = object;
    source.place = ROPE_PLACE_PARAMETERS;
    return read_rope(&source, config, error);
}

/* GPT-J: nothing but how much of a head turns. */
static Status read_dims(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *key = config->architecture->rotary_dims_key, *from;
    Rope *rope = &config->ropes[0];
    *rope = (Rope){.theta = 10000.0,
                   .factor = 1.0,
                   .attention_factor = 1.0,
                   .proportion = 1.0,
                   .is_interleaved = config->architecture->is_interleaved};
    config->rope_count = 1;
    Status status = config_read_size(reader, key, 0, &rope->dims, &from, error);
    if (status != STATUS_OK || (rope->dims % 2 == 0 && rope->dims <= config->head_dim)) return status;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be even and at most the size of a head",
                       reader->origin, key);
}

/* The bases that "layer_rope_theta" names, each once; without it that of all. */
static Status read_thetas(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *list = config_find(reader, "layer_rope_theta"), *item;
    const Rope rope = config->ropes[0];
    if (list == NULL) return STATUS_OK;
    config->rope_count = 0;
    cJSON_ArrayForEach(item, list) {
        double theta = cJSON_IsNumber(item) ? item->valuedouble : cJSON_IsNull(item) ? 0.0 : NAN;
        if (!(theta >= 0.0 && isfinite(theta)))
            return status_fail(error, STATUS_FORMAT,
                               "%s: expected \"layer_rope_theta\" to be positive numbers or 0",
                               reader->origin);
        size_t i = 0;
        while (i < config->rope_count && config->ropes[i].theta != theta) i++;
        if (theta == 0.0 || i < config->rope_count) continue;
        if (i == MODEL_MAX_ROPES)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: \"layer_rope_theta\": more than %d different ones", reader->origin,
                               MODEL_MAX_ROPES);
        config->ropes[i] = rope;
        config->ropes[i].theta = theta;
        config->rope_count++;
    }
    config->from[CONFIG_ROPE_THETA] = "layer_rope_theta";
    return STATUS_OK;
}

/* Queries that grow with their position: by a key among the rotary parameters, against the original length. */
static Status read_growth(const RopeSource *source, ModelConfig *config, Error *error) {
    const char *key = config->architecture->growth_key;
    if (key == NULL) return STATUS_OK;
    Status status = read_option(source, key, &config->query_growth, error);
    if (status == STATUS_OK)
        status = read_option(source, NAMES[KEY_LENGTH][ROPE_PLACE_TOP], &config->query_growth_length, error);
    if (status == STATUS_OK &&
        (json_find(source->inside, key) == NULL || !(config->query_growth_length > 0.0)))
        return refuse(source, key, "a number, beside original_max_position_embeddings", error);
    return status;
}

static bool states_both(const ConfigReader *reader) {
    const cJSON *all = json_find_any(reader->json, "rope_parameters");
    if (config_is_truthy(json_find_any(reader->json, "rope_scaling"))) return false;
    if (all == NULL || cJSON_IsNull(all)) return true;
    return cJSON_IsObject(json_find(all, "sliding_attention")) &&
           cJSON_IsObject(json_find(all, "full_attention"));
}

/* Of a type that has no rotary embedding, parameters of one that are stated all the same: transformers minds some. */
static Status refuse_kinds(const ConfigReader *reader, Error *error) {
    static const char *const KEYS[] = {"rope_scaling", "rope_parameters"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const cJSON *object = json_find_any(reader->json, KEYS[i]), *kind = json_find(object, "rope_type");
        if (kind == NULL) kind = json_find(object, "type");
        if (kind == NULL || (cJSON_IsString(kind) && strcmp(kind->valuestring, KINDS[ROPE_DEFAULT]) == 0))
            continue;
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\": the type has no rotary embedding",
                           reader->origin, KEYS[i]);
    }
    return STATUS_OK;
}

/* transformers 4: "rope_theta" and "rope_scaling" (null, or an object with "rope_type" or "type"); transformers 5: both
 * inside "rope_parameters". Files have every mixture of them. */
Status config_read_ropes(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *scaling = json_find_any(reader->json, "rope_scaling");
    RopeSource source = config_rope_source_find(reader, config, &config->ropes[0]);
    RopeRule rule = config->architecture->rope;
    if (rule == ROPE_RULE_NONE) return refuse_kinds(reader, error);
    if (!config_turns(config)) return STATUS_OK;
    if (config->architecture->rotary_dims_key != NULL) return read_dims(reader, config, error);
    if (!cJSON_IsObject(scaling) && config_is_truthy(scaling))
        return refuse(&source, "rope_scaling", "an object or null", error);
    config->rope_count = 1;
    if (rule != ROPE_RULE_TYPES) {
        Status read = read_rope(&source, config, error);
        if (read == STATUS_OK) read = read_growth(&source, config, error);
        return read == STATUS_OK && rule == ROPE_RULE_THETAS ? read_thetas(reader, config, error) : read;
    }
    if (config->architecture->states_ropes_by_type && !states_both(reader))
        return refuse(&source, "rope_parameters", "an object for each kind of layer", error);
    config->rope_count = 2;
    if (cJSON_IsObject(scaling) && cJSON_IsObject(json_find(reader->json, "rope_parameters")))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: \"rope_scaling\" beside \"rope_parameters\" by layer type is not known",
                           reader->origin);
    source = config_rope_source_of_type(reader, config, true, &config->ropes[1]);
    Status status = read_rope(&source, config, error);
    source = config_rope_source_of_type(reader, config, false, &config->ropes[0]);
    return status == STATUS_OK ? read_rope(&source, config, error) : status;
}
