#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>

/* ---- sizes ---- */

static const char *choose_key(const ConfigReader *reader, const char *const keys[2]) {
    const cJSON *stated = keys[0] != NULL ? config_find_stated(reader, keys[0]) : NULL;
    return stated != NULL ? keys[0] : keys[1];
}

/* The class does not know the type of what is no field of its own, but no model is made of "4.0". */
static Status read_size(const ConfigReader *reader, const char *const keys[2], uint64_t otherwise,
                        uint64_t *value, Error *error) {
    const char *key = choose_key(reader, keys), *from;
    const cJSON *stated = config_find_stated(reader, key);
    if (cJSON_IsNumber(stated) && !json_may_be_integer(stated))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a whole number", reader->origin,
                           key);
    return config_read_size(reader, key, otherwise, value, &from, error);
}

static Status read_sizes(const ConfigReader *reader, const DeltaRule *rule, ModelConfig *config,
                         Error *error) {
    RecurrentSizes *sizes = &config->recurrent;
    const bool is_open = rule->sizes_may_be_null;
    uint64_t heads = is_open ? config->heads : 0;
    Status status = read_size(reader, rule->keys[0], heads, &sizes->key_heads, error);
    /* Python cuts it to a whole number */
    uint64_t dim = is_open && status == STATUS_OK ? 3 * config->hidden_size / (4 * sizes->key_heads) : 0;
    if (status == STATUS_OK) status = read_size(reader, rule->keys[1], dim, &sizes->key_dim, error);
    if (status == STATUS_OK) status = read_size(reader, rule->keys[2], heads, &sizes->value_heads, error);
    dim = is_open ? 2 * sizes->key_dim : 0;
    if (status == STATUS_OK) status = read_size(reader, rule->keys[3], dim, &sizes->value_dim, error);
    if (status == STATUS_OK) status = read_size(reader, rule->keys[4], 0, &sizes->taps, error);
    if (status == STATUS_OK)
        status = config_read_taps(reader, choose_key(reader, rule->keys[4]), &sizes->taps, error);
    sizes->rank = rule->gate_has_rank || rule->step_has_rank ? sizes->key_dim : 0;
    return status;
}

static Status check_sizes(const ConfigReader *reader, const DeltaRule *rule, const RecurrentSizes *sizes,
                          Error *error) {
    enum { MOST_DIM = 1 << 16 };
    if (sizes->value_heads % sizes->key_heads != 0)
        return status_fail(
            error, STATUS_FORMAT, "%s: expected %s (%" PRIu64 ") to be a multiple of %s (%" PRIu64 ")",
            reader->origin, rule->keys[2][1], sizes->value_heads, rule->keys[0][1], sizes->key_heads);
    if (sizes->key_dim > MOST_DIM || sizes->key_heads * sizes->key_dim > CONFIG_LARGEST_SIZE / 4 ||
        sizes->value_heads * sizes->value_dim > CONFIG_LARGEST_SIZE / 4)
        return status_fail(error, STATUS_FORMAT, "%s: linear attention: expected at most %d channels",
                           reader->origin, CONFIG_LARGEST_SIZE);
    return STATUS_OK;
}

/* ---- switches ---- */

static Status read_bound(const ConfigReader *reader, const DeltaRule *rule, DeltaSwitches *delta,
                         Error *error) {
    if (rule->bounded_key == NULL || !config_bool(reader, rule->bounded_key)) return STATUS_OK;
    delta->least_decay = config_number(reader, rule->bound_key, 0.0);
    return delta->least_decay < 0.0 && isfinite(delta->least_decay)
               ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a number below 0",
                             reader->origin, rule->bound_key);
}

Status config_read_delta(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const DeltaRule *rule = config->architecture->delta;
    const cJSON *object = rule->object_key != NULL ? config_find_stated(reader, rule->object_key) : NULL;
    if (object != NULL && !cJSON_IsObject(object))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be an object", reader->origin,
                           rule->object_key);
    bool doubles = rule->doubled_key != NULL && config_bool(reader, rule->doubled_key);
    config->delta = (DeltaSwitches){.decays_channels = rule->decays_channels,
                                    .gate = rule->gate,
                                    .norm_epsilon = rule->norm_epsilon,
                                    .write_scale = doubles ? 2.0 : 1.0};
    Status status = read_sizes(reader, rule, config, error);
    if (status == STATUS_OK) status = check_sizes(reader, rule, &config->recurrent, error);
    return status == STATUS_OK ? read_bound(reader, rule, &config->delta, error) : status;
}

/* ---- tensors ---- */

void config_need_delta(const ModelConfig *config, LayerPlan *plan) {
    const DeltaRule *rule = config->architecture->delta;
    bool is_fused = rule->layout == DELTA_FUSED, is_parted = rule->layout == DELTA_PARTED;
    const struct {
        TensorPart part;
        bool is_needed;
    } parts[] = {{TENSOR_PART_DELTA_IN, rule->layout == DELTA_JOINED},
                 {TENSOR_PART_DELTA_GATE, !is_fused && !rule->gate_has_rank},
                 {TENSOR_PART_DELTA_WRITE, !is_fused},
                 {TENSOR_PART_DELTA_STEP, !is_fused && !rule->step_has_rank},
                 {TENSOR_PART_DELTA_CONVOLUTION, !is_parted},
                 {TENSOR_PART_DELTA_DECAY, true},
                 {TENSOR_PART_DELTA_STEP_BIAS, true},
                 {TENSOR_PART_DELTA_NORM, true},
                 {TENSOR_PART_DELTA_OUT, true},
                 {TENSOR_PART_DELTA_FUSED, is_fused},
                 {TENSOR_PART_DELTA_STEPS, is_fused},
                 {TENSOR_PART_DELTA_QUERY, is_parted},
                 {TENSOR_PART_DELTA_KEY, is_parted},
                 {TENSOR_PART_DELTA_VALUE, is_parted},
                 {TENSOR_PART_DELTA_QUERY_CONVOLUTION, is_parted},
                 {TENSOR_PART_DELTA_KEY_CONVOLUTION, is_parted},
                 {TENSOR_PART_DELTA_VALUE_CONVOLUTION, is_parted},
                 {TENSOR_PART_DELTA_GATE_LEFT, rule->gate_has_rank},
                 {TENSOR_PART_DELTA_GATE_RIGHT, rule->gate_has_rank},
                 {TENSOR_PART_DELTA_STEP_LEFT, rule->step_has_rank},
                 {TENSOR_PART_DELTA_STEP_RIGHT, rule->step_has_rank}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        part_set_add(&plan->parts, parts[i].part, parts[i].is_needed);
}
