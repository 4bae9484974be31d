#include "core/memory.h"
#include "core/spectrum.h"
#include "tui/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS = DRIFT_METRIC_COUNT + SPECTRUM_METRIC_COUNT, NAME_SIZE = 24, LABEL_SIZE = 128 };

typedef struct Layers {
    size_t metric; /* of drift, then of the spectrum */
    DriftTable *drift;
    SpectrumTable *spectrum;
    size_t layers, roles;
    TensorRole role[TENSOR_ROLE_COUNT]; /* [roles]: those that some layer has, in the order of TensorRole */
    double *values;                     /* [roles × layers] */
    char (*layer_text)[NAME_SIZE];      /* [layers] */
    const char **layer_names, *role_names[TENSOR_ROLE_COUNT];
} Layers;

static const DriftMetricFacts *facts_of(size_t metric) {
    return metric < DRIFT_METRIC_COUNT ? drift_metric_facts((DriftMetric)metric)
                                       : spectrum_metric_facts((SpectrumMetric)(metric - DRIFT_METRIC_COUNT));
}

static Status choose_metric(const Options *options, size_t *metric, Error *error) {
    const char *keys[METRICS], *key, *initial = drift_metric_facts(DRIFT_RELATIVE_NORM)->key;
    size_t count;
    for (size_t i = 0; i < METRICS; i++) keys[i] = facts_of(i)->key;
    Status status = figure_list_metrics(options, &initial, 1, 1, &key, &count, error);
    return status == STATUS_OK ? figure_find_metric(key, keys, METRICS, metric, error) : status;
}

static Status measure(Batch *batch, Layers *layers, Error *error) {
    if (layers->metric < DRIFT_METRIC_COUNT) {
        Status status = drift_table_create(batch->pair, &layers->drift, error);
        return status == STATUS_OK ? drift_scan(batch->pair, layers->drift, batch->job, error) : status;
    }
    Status status = spectrum_table_create(batch->pair, spectrum_default_settings(), &layers->spectrum, error);
    return status == STATUS_OK ? spectrum_scan(layers->spectrum, batch->job, error) : status;
}

static double value_of(const Layers *layers, size_t tensor) {
    DriftRow row;
    Spectrum spectrum;
    if (layers->drift != NULL)
        return drift_table_row(layers->drift, tensor, &row) ? drift_value(&row, (DriftMetric)layers->metric)
                                                            : (double)NAN;
    return spectrum_table_row(layers->spectrum, tensor, &spectrum)
               ? spectrum_value(&spectrum, (SpectrumMetric)(layers->metric - DRIFT_METRIC_COUNT))
               : (double)NAN;
}

/* Roles that some layer has a value for: with a spectrum, no norms and biases. */
static void survey(const Pair *pair, Layers *layers, bool present[TENSOR_ROLE_COUNT]) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        if (tensor->layer < 0 || !architecture_role_is_layered(tensor->role)) continue;
        if (layers->spectrum != NULL && !spectrum_is_defined(tensor)) continue;
        present[tensor->role] = true;
        if ((size_t)tensor->layer >= layers->layers) layers->layers = (size_t)tensor->layer + 1;
    }
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        if (!present[role]) continue;
        layers->role_names[layers->roles] = architecture_role_name((TensorRole)role);
        layers->role[layers->roles++] = (TensorRole)role;
    }
}

static Status arrange(const Pair *pair, Layers *layers, Error *error) {
    bool present[TENSOR_ROLE_COUNT] = {false};
    survey(pair, layers, present);
    /* a name may claim any layer number */
    if (layers->roles == 0 || layers->layers > pair->count)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: no tensors that are known modules of layers",
                           pair->sft->directory);
    size_t cells = layers->roles * layers->layers; /* fewer roles than fit a byte, and at most pair->count */
    layers->values = memory_allocate(cells, sizeof *layers->values);
    layers->layer_text = memory_allocate(layers->layers, sizeof *layers->layer_text);
    layers->layer_names = memory_allocate(layers->layers, sizeof *layers->layer_names);
    if (layers->values == NULL || layers->layer_text == NULL || layers->layer_names == NULL)
        return memory_fail(error, "a figure");
    for (size_t i = 0; i < cells; i++) layers->values[i] = (double)NAN;
    for (size_t i = 0; i < layers->layers; i++) {
        (void)snprintf(layers->layer_text[i], NAME_SIZE, "%zu", i);
        layers->layer_names[i] = layers->layer_text[i];
    }
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        for (size_t role = 0; role < layers->roles; role++)
            if (tensor->layer >= 0 && tensor->role == layers->role[role])
                layers->values[role * layers->layers + (size_t)tensor->layer] = value_of(layers, i);
    }
    return STATUS_OK;
}

/* Shares and norms from 0; what has two sides evenly to both; a cosine over what there is. */
static FigureScale colour_scale(const Layers *layers, const DriftMetricFacts *facts, bool is_log) {
    FigureScale scale = figure_scale_around(layers->values, layers->roles * layers->layers, is_log, 0.0);
    if (facts->scale == DRIFT_DIVERGING && !is_log) {
        double reach = fmax(fabs(scale.low - facts->centre), fabs(scale.high - facts->centre));
        scale.low = facts->centre - reach;
        scale.high = facts->centre + reach;
    } else if (facts->larger_is_more && !is_log) {
        scale.low = 0.0;
    }
    return scale;
}

static Status make(Batch *batch, const FigureSheet *sheet, Error *error) {
    Layers layers = {0};
    char label[LABEL_SIZE];
    bool is_log = options_has(batch->options, OPTION_LOG);
    Status status = choose_metric(batch->options, &layers.metric, error);
    if (status == STATUS_OK) status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = measure(batch, &layers, error);
    if (status == STATUS_OK) status = arrange(batch->pair, &layers, error);
    if (status == STATUS_OK) {
        const DriftMetricFacts *facts = facts_of(layers.metric);
        figure_write_label(facts->label, facts->unit, label, sizeof label);
        bool two_sided = facts->scale == DRIFT_DIVERGING && !is_log;
        const FigureHeatmap map = {.x = {"layer", layers.layer_names, layers.layers},
                                   .y = {"module", layers.role_names, layers.roles},
                                   .values = layers.values,
                                   .bar_label = label,
                                   .scale = colour_scale(&layers, facts, is_log),
                                   .ramp = two_sided ? FIGURE_DIVERGING : FIGURE_SEQUENTIAL};
        status = figure_write_heatmap(batch, &map, sheet, error);
    }
    free(layers.values);
    free(layers.layer_text);
    free(layers.layer_names);
    drift_table_free(layers.drift);
    spectrum_table_free(layers.spectrum);
    return status;
}

const FigureKind figure_layers = {
    .name = "layers",
    .summary =
        "Layer by module, without what belongs to no layer (embedding, last norm, head); the numbers are those of "
        "rejuv drift (--spectrum).",
    .width = 130.0,
    .height = 62.0,
    .options = {OPTION_METRIC, OPTION_LOG},
    .option_count = 2,
    .make = make,
};
