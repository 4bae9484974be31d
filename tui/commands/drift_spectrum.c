#include "tui/commands/drift_spectrum.h"

#include "core/drift/spectrum_shape.h"
#include "core/files/json.h"
#include "tui/commands/batch.h"
#include "tui/tables/table_write.h"

static const char *const ERROR_KEYS[SPECTRUM_METRIC_COUNT] = {
    [SPECTRUM_NORM] = "spectral_norm_error",
    [SPECTRUM_STABLE_RANK] = "stable_rank_error",
    [SPECTRUM_EFFECTIVE_RANK] = "effective_rank_error",
};

size_t drift_spectrum_columns(TableFormat format, TableColumn *columns) {
    size_t count = 0;
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++) {
        columns[count++] = (TableColumn){.key = spectrum_metric_facts(metric)->key, .type = TABLE_NUMBER};
        if (format != TABLE_AS_TEXT)
            columns[count++] = (TableColumn){.key = ERROR_KEYS[metric], .type = TABLE_NUMBER};
    }
    if (format != TABLE_AS_TEXT)
        columns[count++] = (TableColumn){.key = "spectrum_method", .type = TABLE_TEXT};
    return count;
}

void drift_spectrum_add_cells(Table *table, TableFormat format, const Spectrum *spectrum) {
    bool has_none = spectrum->method == SPECTRUM_NONE;
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++) {
        for (int is_error = 0; is_error <= (format != TABLE_AS_TEXT); is_error++) {
            if (has_none)
                table_add_empty(table);
            else
                table_add_figure(table,
                                 is_error ? spectrum_value_error(spectrum, metric)
                                          : spectrum_value(spectrum, metric),
                                 spectrum_is_undefined(spectrum, metric));
        }
    }
    if (format != TABLE_AS_TEXT) table_add_text(table, spectrum_method_name(spectrum->method));
}

static bool add_shape(cJSON *object, const SpectrumShape *shape) {
    const SpectrumNoise *noise = &shape->noise;
    const SpectrumTail *tail = &shape->tail;
    cJSON *of_noise = cJSON_AddObjectToObject(object, "noise"),
          *of_tail = cJSON_AddObjectToObject(object, "tail");
    return of_noise != NULL && of_tail != NULL && json_add_number(of_noise, "variance", noise->variance) &&
           json_add_number(of_noise, "edge", noise->edge) &&
           json_add_number(of_noise, "limit", noise->limit) &&
           batch_json_add_count(of_noise, "above", noise->above) &&
           json_add_number(of_noise, "distance", noise->distance) &&
           json_add_number(of_tail, "exponent", tail->exponent) &&
           json_add_number(of_tail, "error", tail->error) &&
           json_add_number(of_tail, "of_noise", tail->of_noise) &&
           json_add_number(of_tail, "distance", tail->distance) &&
           batch_json_add_count(of_tail, "values", tail->count);
}

bool drift_spectrum_add_values(cJSON *object, const Spectrum *spectrum) {
    SpectrumShape shape;
    if (spectrum_shape_measure(spectrum, &shape, NULL) != STATUS_OK || !add_shape(object, &shape))
        return false;
    cJSON *values = cJSON_CreateArray();
    for (size_t i = 0; i < spectrum->count && i < SPECTRUM_LEADING && values != NULL; i++) {
        cJSON *value = cJSON_CreateNumber(spectrum->values[i]);
        if (cJSON_AddItemToArray(values, value)) continue;
        cJSON_Delete(value);
        cJSON_Delete(values);
        return false;
    }
    return json_add(object, "singular_values", values);
}

bool drift_spectrum_add_settings(cJSON *tree, SpectrumSettings settings) {
    cJSON *object = cJSON_CreateObject();
    return json_add(tree, "spectrum", object) && batch_json_add_count(object, "seed", settings.seed) &&
           batch_json_add_count(object, "exact_limit", settings.exact_limit);
}
