#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <string.h>

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

/* ---- which layers ---- */

/* Whether a list of layers names this one; Python counts none from behind here. */
static bool is_listed(const cJSON *list, uint64_t layer) {
    const cJSON *item;
    uint64_t listed;
    if (!cJSON_IsArray(list)) return false;
    cJSON_ArrayForEach(item, list) {
        if (json_read_count(item, &listed) && listed == layer) return true;
    }
    return false;
}

static Status read_step(const ConfigReader *reader, const char *key, uint64_t *step, Error *error) {
    const char *from;
    return config_read_size(reader, key, 0, step, &from, error);
}

static Status read_types(const ConfigReader *reader, const ModelConfig *config, const cJSON *types,
                         uint64_t layer, bool *has, Error *error) {
    const cJSON *type = cJSON_GetArrayItem(types, (int)layer);
    bool is_dense = cJSON_IsString(type) && strcmp(type->valuestring, "dense") == 0;
    *has = cJSON_IsString(type) && strcmp(type->valuestring, "sparse") == 0;
    if ((uint64_t)cJSON_GetArraySize(types) != config->layers || (!is_dense && !*has))
        return refuse(reader, "mlp_layer_types", "\"dense\" or \"sparse\" for each layer", error);
    return STATUS_OK;
}

static Status read_from(const ConfigReader *reader, const ExpertRule *rule, uint64_t layer, bool *has,
                        Error *error) {
    const char *key = rule->dense_key;
    uint64_t first = rule->dense;
    ConfigEntry field;
    bool may_lack = key == NULL || (config_find_stated(reader, key) == NULL &&
                                    !config_class_find_entry(reader->class, CONFIG_FIELD, key, &field));
    Status status = may_lack ? STATUS_OK : config_read_count(reader, key, &first, error);
    *has = layer >= first;
    return status;
}

/* The end may be −1, the last layer; any other below 0 leaves no layer. */
static Status read_range(const ConfigReader *reader, uint64_t layer, bool *has, Error *error) {
    uint64_t step;
    double start = config_number(reader, "moe_layer_start_index", 1.0),
           end = config_number(reader, "moe_layer_end_index", -1.0);
    Status status = read_step(reader, "moe_layer_interval", &step, error);
    if (status != STATUS_OK) return status;
    *has = (layer + 1) % step == 0 && (double)layer >= start && (end == -1.0 || (double)layer <= end);
    return STATUS_OK;
}

static Status read_period(const ConfigReader *reader, const ExpertRule *rule, uint64_t layer, bool *has,
                          Error *error) {
    uint64_t period, offset, count;
    Status status =
        config_read_period(reader, "expert_layer_period", "expert_layer_offset", &period, &offset, error);
    if (status == STATUS_OK) status = config_read_count(reader, rule->count_key, &count, error);
    *has = status == STATUS_OK && layer % period == offset && count > 1;
    return status;
}

static Status find_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                         const LayerPlan *plan, bool *has, Error *error) {
    const ExpertRule *rule = config->architecture->experts;
    const cJSON *types = config_find(reader, "mlp_layer_types"), *list = config_find(reader, "moe_layers");
    uint64_t step;
    Status status = STATUS_OK;
    switch (rule->layers) {
    case EXPERT_LAYERS_ALL:
        *has = true;
        return STATUS_OK;
    case EXPERT_LAYERS_TYPES:
        if (types != NULL) return read_types(reader, config, types, layer, has, error);
        return read_from(reader, rule, layer, has, error);
    case EXPERT_LAYERS_FROM:
        return read_from(reader, rule, layer, has, error);
    case EXPERT_LAYERS_STEP:
        status = read_step(reader, "decoder_sparse_step", &step, error);
        *has = status == STATUS_OK && (layer + 1) % step == 0 &&
               !is_listed(config_find(reader, "mlp_only_layers"), layer);
        return status;
    case EXPERT_LAYERS_RANGE:
        return read_range(reader, layer, has, error);
    case EXPERT_LAYERS_MARKED:
        *has = plan->mlp == MLP_EXPERTS;
        return STATUS_OK;
    case EXPERT_LAYERS_PERIOD:
        return read_period(reader, rule, layer, has, error);
    case EXPERT_LAYERS_LIST:
        status = read_step(reader, "interleave_moe_layer_step", &step, error);
        *has = status == STATUS_OK && (list != NULL ? is_listed(list, layer) : (layer + 1) % step == 0);
        return status;
    }
    return status;
}

/* ---- what they are ---- */

/* One number for all layers, or one for each. */
static Status read_chosen(const ConfigReader *reader, const char *key, uint64_t layer, uint64_t *chosen,
                          Error *error) {
    const cJSON *item = config_find(reader, key);
    if (cJSON_IsArray(item)) item = cJSON_GetArrayItem(item, (int)layer);
    if (json_read_count(item, chosen) && *chosen > 0 && *chosen <= CONFIG_LARGEST_SIZE) return STATUS_OK;
    return refuse(reader, key, "a count from 1", error);
}

static Status read_groups(const ConfigReader *reader, const ExpertRule *rule, ExpertPlan *plan,
                          Error *error) {
    const char *method = rule->method_key != NULL ? config_text(reader, rule->method_key) : NULL;
    bool is_limited = method != NULL && strcmp(method, "group_limited_greedy") == 0;
    plan->groups = plan->groups_chosen = 1;
    plan->group_best = rule->group_best;
    if (rule->method_key != NULL && !is_limited && (method == NULL || strcmp(method, "greedy") != 0))
        return refuse(reader, rule->method_key, "\"greedy\" or \"group_limited_greedy\"", error);
    if (!rule->has_groups || (rule->method_key != NULL && !is_limited)) return STATUS_OK;
    Status status = read_step(reader, "n_group", &plan->groups, error);
    if (status == STATUS_OK) status = read_step(reader, "topk_group", &plan->groups_chosen, error);
    if (status != STATUS_OK) return status;
    uint64_t size = plan->count / plan->groups;
    if (plan->count % plan->groups != 0 || size < plan->group_best || plan->groups_chosen > plan->groups ||
        plan->chosen > plan->groups_chosen * size)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected groups of which the experts can be chosen, found %" PRIu64
                           " of %" PRIu64 " experts, %" PRIu64 " of %" PRIu64 " groups",
                           reader->origin, plan->chosen, plan->count, plan->groups_chosen, plan->groups);
    return STATUS_OK;
}

static Status read_shared(const ConfigReader *reader, const ExpertRule *rule, ExpertPlan *plan,
                          Error *error) {
    uint64_t times = 0;
    Status status = STATUS_OK;
    if (rule->has_shared) plan->shared_width = plan->width;
    if (rule->shared_width_key != NULL)
        status = config_read_count(reader, rule->shared_width_key, &plan->shared_width, error);
    if (rule->shared_count_key != NULL) {
        status = config_read_count(reader, rule->shared_count_key, &times, error);
        plan->shared_width = times * plan->width; /* both are at most 2³⁰ */
    }
    if (status == STATUS_OK && plan->shared_width > CONFIG_LARGEST_SIZE)
        return refuse(reader, rule->shared_count_key, "a smaller count", error);
    return status;
}

static Status read_numbers(const ConfigReader *reader, const ExpertRule *rule, ExpertPlan *plan,
                           Error *error) {
    const struct {
        const char *key;
        double fallback, *value;
    } numbers[] = {
        {rule->scale_key, 1.0, &plan->scale},         {rule->least_sum_key, 0.0, &plan->least_sum},
        {rule->jitter_key, 0.0, &plan->mixer_jitter}, {rule->logit_cap_key, 0.0, &plan->logit_cap},
        {rule->glu_limit_key, 0.0, &plan->glu_limit}, {rule->glu_alpha_key, 0.0, &plan->glu_alpha},
        {rule->clamp_key, 0.0, &plan->clamp},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *key = numbers[i].key;
        *numbers[i].value =
            key == NULL ? numbers[i].fallback : config_number(reader, key, numbers[i].fallback);
        bool is_usable = *numbers[i].value >= 0.0 && *numbers[i].value <= CONFIG_LARGEST_SIZE;
        if (key != NULL && !is_usable) return refuse(reader, key, "a number from 0", error);
    }
    if (rule->glu_limit_key != NULL && plan->glu_limit == 0.0)
        return refuse(reader, rule->glu_limit_key, "a number above 0", error);
    return rule->clamp_key == NULL || plan->clamp > 0.0
               ? STATUS_OK
               : refuse(reader, rule->clamp_key, "a number above 0", error);
}

static Status read_score(const ConfigReader *reader, const ExpertRule *rule, ExpertPlan *plan, Error *error) {
    if (rule->score_key == NULL) return STATUS_OK;
    const char *score = config_text(reader, rule->score_key);
    bool is_root = score != NULL && strcmp(score, "sqrtsoftplus") == 0;
    plan->scoring = is_root ? EXPERTS_SOFTPLUS_ROOT : EXPERTS_SIGMOID;
    return is_root || (score != NULL && strcmp(score, "sigmoid") == 0)
               ? STATUS_OK
               : refuse(reader, rule->score_key, "\"sqrtsoftplus\" or \"sigmoid\"", error);
}

/* What is decided by a word, or by the order of a norm. */
static Status read_words(const ConfigReader *reader, const ExpertRule *rule, ExpertPlan *plan, Error *error) {
    const char *scoring = rule->scoring_key != NULL ? config_text(reader, rule->scoring_key) : NULL,
               *both = rule->average_key != NULL ? config_text(reader, rule->average_key) : NULL;
    bool is_sigmoid = scoring != NULL && strcmp(scoring, "sigmoid") == 0;
    if (rule->scoring_key != NULL && !is_sigmoid && (scoring == NULL || strcmp(scoring, "softmax") != 0))
        return refuse(reader, rule->scoring_key, "\"softmax\" or \"sigmoid\"", error);
    if (rule->scoring_key != NULL)
        plan->scoring = is_sigmoid ? EXPERTS_SIGMOID_CHOSEN : EXPERTS_SOFTMAX_CHOSEN;
    if (rule->scoring_key != NULL && !is_sigmoid) plan->normalises = false;
    if (rule->norm_key != NULL) {
        const cJSON *order = config_find_stated(reader, rule->norm_key);
        plan->normalises = !cJSON_IsNull(order);
        if (plan->normalises && order != NULL && (!cJSON_IsNumber(order) || order->valuedouble != 1.0))
            return refuse(reader, rule->norm_key, "1 or null", error);
    }
    if (rule->average_key == NULL) return STATUS_OK;
    bool is_mean = both != NULL && strcmp(both, "average") == 0;
    if (!is_mean && (both == NULL || strcmp(both, "sum") != 0))
        return refuse(reader, rule->average_key, "\"average\" or \"sum\"", error);
    if (is_mean) plan->shared_scale = 0.5;
    return STATUS_OK;
}

static Status read_plan(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                        ExpertPlan *plan, Error *error) {
    const ExpertRule *rule = config->architecture->experts;
    const char *from;
    *plan = (ExpertPlan){.scoring = rule->scoring,
                         .layout = rule->layout,
                         .normalises =
                             rule->normalises || (rule->normalise_key != NULL &&
                                                  config_is_truthy(config_find(reader, rule->normalise_key))),
                         .added_sum = rule->added_sum,
                         .scales_input = rule->scales_input,
                         .shared_scale = 1.0,
                         .is_plain = rule->is_plain,
                         .has_bias = rule->has_bias,
                         .is_interleaved = rule->glu_limit_key != NULL && !rule->glu_is_apart};
    Status status = rule->may_have_none
                        ? config_read_count(reader, rule->count_key, &plan->count, error)
                        : config_read_size(reader, rule->count_key, 0, &plan->count, &from, error);
    if (status == STATUS_OK && plan->count == 0) return read_shared(reader, rule, plan, error);
    if (status == STATUS_OK) status = read_chosen(reader, rule->chosen_key, layer, &plan->chosen, error);
    if (rule->scoring == EXPERTS_SPARSE_MIXER) plan->chosen = 2; /* whatever the key says */
    plan->width = config->intermediate_size;
    if (status == STATUS_OK && rule->width_key != NULL)
        status = config_read_size(reader, rule->width_key, 0, &plan->width, &from, error);
    if (status == STATUS_OK && plan->chosen > plan->count)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected at most as many experts a token as there are, found %" PRIu64
                           " of %" PRIu64,
                           reader->origin, plan->chosen, plan->count);
    if (status == STATUS_OK) status = read_numbers(reader, rule, plan, error);
    if (status == STATUS_OK) status = read_words(reader, rule, plan, error);
    if (status == STATUS_OK) status = read_score(reader, rule, plan, error);
    if (status == STATUS_OK) status = read_groups(reader, rule, plan, error);
    if (status == STATUS_OK) status = read_shared(reader, rule, plan, error);
    if (plan->shared_width > 0) plan->scale *= plan->shared_scale;
    return status;
}

/* ---- tensors ---- */

static void need_tensors(const ConfigReader *reader, const ExpertRule *rule, LayerPlan *plan) {
    static const TensorRole MLP[] = {TENSOR_GATE,      TENSOR_UP,           TENSOR_GATE_UP, TENSOR_DOWN,
                                     TENSOR_GATE_BIAS, TENSOR_GATE_UP_BIAS, TENSOR_UP_BIAS, TENSOR_DOWN_BIAS};
    bool has_shared = plan->experts.shared_width > 0;
    for (size_t i = 0; i < sizeof MLP / sizeof *MLP; i++) plan->roles &= ~(UINT64_C(1) << MLP[i]);
    plan->roles |= (uint64_t)rule->has_output_bias << TENSOR_DOWN_BIAS;
    part_set_add(&plan->parts, TENSOR_PART_ROUTER, plan->experts.count > 0);
    part_set_add(&plan->parts, TENSOR_PART_ROUTER_BIAS, rule->has_bias);
    bool is_asked = rule->correction_key != NULL && config_bool(reader, rule->correction_key);
    part_set_add(&plan->parts, TENSOR_PART_CORRECTION,
                 (rule->has_correction || is_asked) && !plan->is_hashed);
    part_set_add(&plan->parts, TENSOR_PART_EXPERT_TABLE, plan->is_hashed);
    part_set_add(&plan->parts, TENSOR_PART_SHARED_GATE,
                 has_shared && !rule->shared_is_fused && !rule->is_plain);
    part_set_add(&plan->parts, TENSOR_PART_SHARED_UP, has_shared && !rule->shared_is_fused);
    part_set_add(&plan->parts, TENSOR_PART_SHARED_GATE_UP, has_shared && rule->shared_is_fused);
    part_set_add(&plan->parts, TENSOR_PART_SHARED_DOWN, has_shared);
    part_set_add(&plan->parts, TENSOR_PART_SHARED_SWITCH, has_shared && rule->shared_has_switch);
}

Status config_read_experts(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                           LayerPlan *plan, Error *error) {
    const ExpertRule *rule = config->architecture->experts;
    const char *from;
    bool has = false;
    uint64_t count = 1;
    if (rule == NULL) return STATUS_OK;
    Status status = find_layer(reader, config, layer, plan, &has, error);
    if (status == STATUS_OK && rule->layers == EXPERT_LAYERS_STEP)
        status = config_read_count(reader, rule->count_key, &count,
                                   error); /* without experts all layers are dense */
    if (status != STATUS_OK) return status;
    if (!has || count == 0) {
        if (rule->dense_width_key == NULL) return STATUS_OK;
        /* a class that takes null has the other width then */
        const cJSON *own = json_find(reader->defaults, rule->dense_width_key);
        uint64_t otherwise = cJSON_IsNull(own) ? config->intermediate_size : 0;
        return config_read_size(reader, rule->dense_width_key, otherwise, &plan->intermediate_size, &from,
                                error);
    }
    status = read_plan(reader, config, layer, &plan->experts, error);
    if (status != STATUS_OK) return status;
    if (plan->experts.shared_width > 0 && config_rule(reader, config->architecture->mlp_bias))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: biases of a shared expert (\"%s\") are not known",
                           reader->origin, config->architecture->mlp_bias.key);
    plan->mlp = MLP_EXPERTS;
    plan->intermediate_size = plan->experts.shared_width;
    need_tensors(reader, rule, plan);
    return STATUS_OK;
}
