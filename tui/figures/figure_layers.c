#include "tui/figures/figure_layers.h"

#include "core/drift/spectrum.h"
#include "core/support/memory.h"
#include "tui/figures/figure.h"
#include "tui/figures/figure_method.h"
#include "tui/figures/figure_options.h"
#include "tui/figures/figure_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All of them in a row: drift's, the spectrum's, the method's. */
enum {
    FIRST_SPECTRUM = DRIFT_METRIC_COUNT,
    FIRST_METHOD = FIRST_SPECTRUM + SPECTRUM_METRIC_COUNT,
    METRICS = FIRST_METHOD + BLOCK_METRIC_COUNT
};
enum { NAME_SIZE = 24, LABEL_SIZE = 128 };

typedef struct Layers {
    size_t metric;
    DriftTable *drift;
    SpectrumTable *spectrum;
    FigureMethod method;
    size_t layers, roles;
    TensorRole role[TENSOR_ROLE_COUNT]; /* [roles]: those that some layer has, in the order of TensorRole */
    double *values;                     /* [roles × layers] */
    char (*layer_text)[NAME_SIZE];      /* [layers] */
    const char **layer_names, *role_names[TENSOR_ROLE_COUNT];
} Layers;

static bool is_of_method(size_t metric) {
    return metric >= FIRST_METHOD;
}

/* Of drift's and the spectrum's. */
static const DriftMetricFacts *facts_of(size_t metric) {
    return metric < FIRST_SPECTRUM ? drift_metric_facts((DriftMetric)metric)
                                   : spectrum_metric_facts((SpectrumMetric)(metric - FIRST_SPECTRUM));
}

static const char *key_of(size_t metric) {
    return is_of_method(metric) ? block_metric_facts((BlockMetric)(metric - FIRST_METHOD))->key
                                : facts_of(metric)->key;
}

static Status choose_metric(const Options *options, size_t *metric, Error *error) {
    const char *keys[METRICS], *key, *initial = drift_metric_facts(DRIFT_RELATIVE_NORM)->key;
    size_t count;
    for (size_t i = 0; i < METRICS; i++) keys[i] = key_of(i);
    Status status = figure_options_list_metrics(options, &initial, 1, 1, &key, &count, error);
    if (status == STATUS_OK) status = figure_options_find_metric(key, keys, METRICS, metric, error);
    if (status != STATUS_OK) return status;
    BlockMetric of_method =
        is_of_method(*metric) ? (BlockMetric)(*metric - FIRST_METHOD) : BLOCK_METRIC_COUNT;
    return figure_method_check(options, of_method, error);
}

static Status measure(Batch *batch, Layers *layers, Error *error) {
    if (is_of_method(layers->metric)) {
        layers->method.metric = (BlockMetric)(layers->metric - FIRST_METHOD);
        return figure_method_measure(batch, &layers->method, error);
    }
    Status status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status != STATUS_OK) return status;
    if (layers->metric < FIRST_SPECTRUM) {
        status = drift_table_create(batch->pair, &layers->drift, error);
        return status == STATUS_OK ? drift_scan(batch->pair, layers->drift, batch->job, error) : status;
    }
    status = spectrum_table_create(batch->pair, spectrum_default_settings(), &layers->spectrum, error);
    return status == STATUS_OK ? spectrum_scan(layers->spectrum, batch->job, error) : status;
}

static double value_of(const Pair *pair, const Layers *layers, size_t tensor) {
    DriftRow row;
    Spectrum spectrum;
    double value = (double)NAN;
    if (is_of_method(layers->metric))
        return figure_method_value(&layers->method, &pair->tensors[tensor], &value) ? value : (double)NAN;
    if (layers->drift != NULL) { /* experts, a norm and its bias, as one */
        const PairTensor *shown = &pair->tensors[tensor];
        size_t waiting;
        size_t count = drift_sum_cell(layers->drift, pair, shown->role, shown->layer, &row, &waiting);
        return count > 0 ? drift_value(&row, (DriftMetric)layers->metric) : (double)NAN;
    }
    return spectrum_table_row(layers->spectrum, tensor, &spectrum)
               ? spectrum_value(&spectrum, (SpectrumMetric)(layers->metric - FIRST_SPECTRUM))
               : (double)NAN;
}

/* Roles that some layer has a value for: of a spectrum, no norms and biases; of the method, its modules. */
static void survey(const Pair *pair, Layers *layers, bool present[TENSOR_ROLE_COUNT]) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        if (tensor->layer < 0 || !tensor_role_is_layered(tensor->role)) continue;
        if (layers->spectrum != NULL && !spectrum_is_defined(tensor)) continue;
        double value;
        if (is_of_method(layers->metric) && !figure_method_value(&layers->method, tensor, &value)) continue;
        present[tensor->role] = true;
        if ((size_t)tensor->layer >= layers->layers) layers->layers = (size_t)tensor->layer + 1;
    }
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        if (!present[role]) continue;
        layers->role_names[layers->roles] = tensor_role_name((TensorRole)role);
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
                layers->values[role * layers->layers + (size_t)tensor->layer] = value_of(pair, layers, i);
    }
    return STATUS_OK;
}

typedef struct Look {
    char label[LABEL_SIZE], note[LABEL_SIZE];
    bool two_sided, from_zero;
    double centre; /* of two sides */
} Look;

static Look look_of(const Layers *layers) {
    Look look = {.from_zero = true};
    if (is_of_method(layers->metric)) {
        const BlockMetricFacts *block = block_metric_facts(layers->method.metric);
        figure_write_label(block->label, block->unit, look.label, sizeof look.label);
        figure_method_write_note(&layers->method, look.note, sizeof look.note);
        look.two_sided = block->is_change;
        return look;
    }
    const DriftMetricFacts *facts = facts_of(layers->metric);
    figure_write_label(facts->label, facts->unit, look.label, sizeof look.label);
    look.two_sided = facts->scale == DRIFT_DIVERGING;
    look.from_zero = facts->larger_is_more;
    look.centre = facts->centre;
    return look;
}

/* Shares and norms from 0; what has two sides evenly to both; a cosine over what there is. */
static FigureScale make_colour_scale(const Layers *layers, const Look *look, bool is_log) {
    FigureScale scale = figure_scale_around(layers->values, layers->roles * layers->layers, is_log, 0.0);
    if (look->two_sided && !is_log) {
        double reach = fmax(fabs(scale.low - look->centre), fabs(scale.high - look->centre));
        scale.low = look->centre - reach;
        scale.high = look->centre + reach;
    } else if (look->from_zero && !is_log) {
        scale.low = 0.0;
    }
    return scale;
}

static Status draw(Batch *batch, const Layers *layers, const FigureSheet *sheet, Error *error) {
    bool is_log = options_has(batch->options, OPTION_LOG);
    const Look look = look_of(layers);
    FigureSheet described = *sheet;
    char *text = NULL;
    Status status = figure_method_describe(&layers->method, sheet->description, &text, error);
    if (status != STATUS_OK) return status;
    described.description = text;
    const FigureHeatmap map = {.x = {"layer", layers->layer_names, layers->layers},
                               .y = {"module", layers->role_names, layers->roles},
                               .values = layers->values,
                               .bar_label = look.label,
                               .scale = make_colour_scale(layers, &look, is_log),
                               .ramp = look.two_sided && !is_log ? FIGURE_DIVERGING : FIGURE_SEQUENTIAL,
                               .notes = {look.note},
                               .note_count = look.note[0] != '\0'};
    status = figure_write_heatmap(batch, &map, &described, error);
    free(text);
    return status;
}

/* What was measured stays: it is borrowed from whoever did. */
static Status draw_borrowed(Batch *batch, Layers *layers, const FigureSheet *sheet, Error *error) {
    Status status = arrange(batch->pair, layers, error);
    if (status == STATUS_OK) status = draw(batch, layers, sheet, error);
    free(layers->values);
    free(layers->layer_text);
    free(layers->layer_names);
    return status;
}

Status figure_layers_draw_drift(Batch *batch, DriftMetric metric, DriftTable *drift, const FigureSheet *sheet,
                                Error *error) {
    Layers layers = {.metric = metric, .drift = drift};
    return draw_borrowed(batch, &layers, sheet, error);
}

Status figure_layers_draw_method(Batch *batch, const FigureMethod *method, const FigureSheet *sheet,
                                 Error *error) {
    Layers layers = {.metric = FIRST_METHOD + (size_t)method->metric, .method = *method};
    return draw_borrowed(batch, &layers, sheet, error);
}

static Status make(Batch *batch, const FigureSheet *sheet, Error *error) {
    Layers layers = {0};
    Status status = choose_metric(batch->options, &layers.metric, error);
    if (status == STATUS_OK) status = measure(batch, &layers, error);
    if (status == STATUS_OK) status = draw_borrowed(batch, &layers, sheet, error);
    drift_table_free(layers.drift);
    spectrum_table_free(layers.spectrum);
    figure_method_free(&layers.method);
    return status;
}

const FigureKind figure_layers = {
    .name = "layers",
    .summary =
        "Layer by module, without what belongs to no layer (embedding, last norm, head); the numbers are those of "
        "rejuv drift (--spectrum), or those of the blocks of rejuv neurons.",
    .width = 130.0,
    .height = 62.0,
    .options = {OPTION_METRIC, OPTION_LOG, OPTION_CALIBRATION, OPTION_TOKENIZER_FILE, OPTION_TAU,
                OPTION_TAU_GRADIENT, OPTION_TARGETS, OPTION_RHO_RANGE, OPTION_SELECT, OPTION_SEED_DIRECTIONS},
    .option_count = 10,
    .make = make,
};
