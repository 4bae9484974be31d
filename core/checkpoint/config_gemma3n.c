#include "core/checkpoint/config_internal.h"

#include <math.h>

/* What is Gemma 3n's own: streams beside the layers', and gates of which only what is far above the mean is taken. */

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

Status config_prepare_gemma3n(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char ACTIVE[] = "altup_active_idx", STREAMS[] = "altup_num_inputs",
                      SHARED[] = "num_kv_shared_layers";
    const struct {
        const char *key;
        uint64_t *value;
    } sizes[] = {{STREAMS, &config->streams},
                 {"laurel_rank", &config->laurel_rank},
                 {"hidden_size_per_layer_input", &config->layer_input_size},
                 {"vocab_size_per_layer_input", &config->layer_vocabulary}};
    const char *from;
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++)
        status = config_read_size(reader, sizes[i].key, 0, sizes[i].value, &from, error);
    if (status != STATUS_OK) return status;
    if (config->streams < 2 || config->streams > MODEL_MAX_STREAMS)
        return refuse(reader, STREAMS, "2 to 4", error);
    if (config->layer_input_size > CONFIG_LARGEST_SIZE / MODEL_MAX_LAYERS)
        return refuse(reader, "hidden_size_per_layer_input", "a smaller count", error);
    if (config_number(reader, ACTIVE, 0.0) != 0.0)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" other than 0 is not known", reader->origin,
                           ACTIVE);
    status = config_read_count(reader, SHARED, &config->shared_layers, error);
    return status != STATUS_OK || config->shared_layers < config->layers
               ? status
               : refuse(reader, SHARED, "less than there are layers", error);
}

/* How many deviations above the mean the share `share` of a normal distribution ends. */
static double normal_quantile(double share) {
    double low = -10.0, high = 10.0;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2.0;
        if (0.5 * erfc(-middle / sqrt(2.0)) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2.0;
}

/* Where nothing says, the first ten layers of more than ten. */
static Status read_share(const ConfigReader *reader, const ModelConfig *config, uint64_t layer, double *share,
                         Error *error) {
    static const char SPARSITY[] = "activation_sparsity_pattern";
    const cJSON *shares = config_find(reader, SPARSITY);
    *share = config->layers > 10 && layer < 10 ? 0.95 : 0.0;
    if (shares == NULL) return STATUS_OK;
    const cJSON *item = cJSON_IsArray(shares) ? cJSON_GetArrayItem(shares, (int)layer) : NULL;
    bool are_all = (uint64_t)cJSON_GetArraySize(shares) == config->layers;
    if (are_all && cJSON_IsNumber(item)) *share = item->valuedouble;
    return are_all && cJSON_IsNumber(item) && *share >= 0.0 && *share < 1.0
               ? STATUS_OK
               : refuse(reader, SPARSITY, "a share from 0, below 1, for each layer", error);
}

Status config_read_gemma3n_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                 LayerPlan *plan, Error *error) {
    static const char WIDTH[] = "intermediate_size";
    const cJSON *widths = config_find(reader, WIDTH);
    const cJSON *width = cJSON_IsArray(widths) ? cJSON_GetArrayItem(widths, (int)layer) : NULL;
    double share;
    if (width != NULL && !json_read_count(width, &plan->intermediate_size))
        return refuse(reader, WIDTH, "a count for each layer", error);
    Status status = read_share(reader, config, layer, &share, error);
    plan->cutoff =
        status == STATUS_OK && share > 0.0 ? (double)(float)normal_quantile((double)(float)share) : NAN;
    return status;
}
