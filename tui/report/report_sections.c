#include "tui/report/report_sections.h"

#include "core/support/memory.h"
#include "tui/report/report_call.h"
#include "tui/report/report_figures.h"
#include "tui/text/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

Table *report_sections_table(ReportDocument *document, const TableColumn *columns, size_t count) {
    Table *table = NULL;
    Error error;
    Status status = table_create(columns, count, &table, &error);
    report_document_note(document, status, &error);
    return table;
}

void report_sections_add_command(ReportDocument *document, const ReportData *data, CommandId command,
                                 const char *const *words, bool is_of_pair) {
    const ReportCall call = {.command = command, .words = words, .is_of_pair = is_of_pair};
    report_document_add_command(document, report_call_write(data->batch, &call));
}

/* ---- the pair ---- */

static void add_fact(Table *table, const char *what, const char *format, ...) STATUS_PRINTF(3, 4);

static void add_fact(Table *table, const char *what, const char *format, ...) {
    enum { TEXT_SIZE = 4096 };
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_add_row(table);
    table_add_text(table, what);
    table_add_text(table, text);
}

static void add_rows(Table *table, const Calibration *rows) {
    add_fact(table, "measured on", "%s", rows->source);
    add_fact(table, "rows", "%zu, of %zu tokens, %zu of them in responses", rows->count, rows->tokens,
             rows->response_tokens);
    if (rows->sha256[0] != '\0') add_fact(table, "SHA-256 of the rows", "%s", rows->sha256);
}

static void add_facts(Table *table, const ReportData *data) {
    const Pair *pair = data->batch->pair;
    const ModelConfig *config = data->batch->model == NULL ? NULL : data->batch->model->config;
    const Calibration *rows = report_data_dials(data)->calibration;
    char count[FORMAT_SIZE];
    add_fact(table, "base", "%s", pair->base->directory);
    add_fact(table, "SFT", "%s", pair->sft->directory);
    if (config != NULL)
        add_fact(table, "architecture",
                 "%s, %" PRIu64 " layers, width %" PRIu64 ", %" PRIu64 " heads, %" PRIu64
                 " MLP neurons a layer, vocabulary %" PRIu64,
                 architecture_name(config->architecture), config->layers, config->hidden_size, config->heads,
                 config->intermediate_size, config->vocabulary);
    add_fact(table, "parameters of SFT", "%s", format_count(pair->share.blended + pair->share.copied, count));
    add_fact(table, "blended", "%.4g %% of them, %zu tensors", pair_share_percent(&pair->share),
             pair->share.blended_tensors);
    if (rows != NULL) add_rows(table, rows);
    add_fact(table, "made by", "rejuv " REJUV_VERSION);
}

void report_sections_add_pair(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {{"what", NULL, NULL, TABLE_TEXT, 0},
                                          {"value", NULL, NULL, TABLE_TEXT, 0}};
    Table *table = report_sections_table(document, COLUMNS, 2);
    if (table == NULL) return;
    add_facts(table, data);
    report_document_add_table(document, "pair", table, "The two checkpoints, and what they were measured on");
}

/* ---- preflight ---- */

void report_sections_add_preflight(ReportDocument *document, const ReportData *data) {
    size_t errors = data->severities[SEVERITY_ERROR], warnings = data->severities[SEVERITY_WARNING],
           notes = data->severities[SEVERITY_NOTE];
    Error error;
    report_document_add(document, REPORT_PARAGRAPH, "The two can be fused%s; %zu warning%s, %zu note%s.",
                        pair_share_is_whole(&data->batch->pair->share)
                            ? ""
                            : ", but not whole: some tensors have no counterpart",
                        warnings, warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s");
    if (errors + warnings + notes > 0) {
        Table *table = NULL;
        size_t severities[3];
        Status status = batch_make_findings(&data->batch->pair->findings, &table, severities, &error);
        report_document_note(document, status, &error);
        report_document_add_table(document, "findings", table, "What a person should know before fusing");
    }
    report_sections_add_command(document, data, COMMAND_CHECK, NULL, true);
}

/* ---- drift ---- */

static const DriftMetric SHOWN[] = {DRIFT_RELATIVE_NORM, DRIFT_COSINE, DRIFT_CHANGED, DRIFT_SIGN_FLIPS,
                                    DRIFT_TOP1_SHARE};
enum { SHOWN_COUNT = sizeof SHOWN / sizeof *SHOWN, TENSORS_MOST = 12 };

static void add_drift_row(Table *table, const char *name, const DriftRow *row) {
    table_add_row(table);
    table_add_text(table, name);
    for (size_t i = 0; i < SHOWN_COUNT; i++)
        table_add_figure(table, drift_value(row, SHOWN[i]), drift_is_undefined(row, SHOWN[i]));
}

/* All as one, then those that moved most. */
static Status fill_drift(Table *table, const ReportData *data, Error *error) {
    DriftRow row;
    size_t count = 0, *indexes = memory_allocate(drift_table_count(data->drift), sizeof *indexes);
    if (indexes == NULL) return memory_fail(error, "a report");
    Status status = drift_rank(data->drift, DRIFT_RELATIVE_NORM, indexes, &count, error);
    (void)drift_sum_all(data->drift, &row); /* how many went in is in the row */
    add_drift_row(table, "all tensors as one", &row);
    for (size_t i = 0; i < count && i < TENSORS_MOST && status == STATUS_OK; i++)
        if (drift_table_row(data->drift, indexes[i], &row)) add_drift_row(table, row.tensor->name, &row);
    free(indexes);
    return status;
}

void report_sections_add_drift(ReportDocument *document, const ReportData *data) {
    static const char *const WORDS[] = {"--sort", "relative_norm", NULL};
    TableColumn columns[SHOWN_COUNT + 1] = {{"tensor", NULL, NULL, TABLE_TEXT, 0}};
    Error error;
    for (size_t i = 0; i < SHOWN_COUNT; i++) {
        const DriftMetricFacts *facts = drift_metric_facts(SHOWN[i]);
        columns[i + 1] =
            (TableColumn){facts->key, facts->label, NULL, TABLE_NUMBER, SHOWN[i] == DRIFT_COSINE ? 6 : 4};
    }
    report_document_add(
        document, REPORT_PARAGRAPH,
        "Δ is SFT less base, element by element. A weight that moved far need not matter to the output, "
        "and one that hardly moved may.");
    report_figures_add(document, data, REPORT_FIGURE_DRIFT);
    Table *table = report_sections_table(document, columns, SHOWN_COUNT + 1);
    if (table == NULL) return;
    report_document_note(document, fill_drift(table, data, &error), &error);
    report_document_add_table(document, "drift", table, "All weights, and the tensors that moved most");
    report_sections_add_command(document, data, COMMAND_DRIFT, WORDS, true);
}

/* ---- spectra ---- */

static void add_spectrum(Table *table, const Spectrum *spectrum) {
    table_add_row(table);
    table_add_text(table, spectrum->tensor->name);
    table_add_text(table, spectrum_method_name(spectrum->method));
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++)
        table_add_figure(table, spectrum_value(spectrum, metric), spectrum_is_undefined(spectrum, metric));
    bool is_still = spectrum_is_undefined(spectrum, SPECTRUM_EFFECTIVE_RANK);
    table_add_figure(table, spectrum_energy(spectrum, 1), is_still);
    table_add_figure(table, spectrum_energy(spectrum, SPECTRUM_LEADING), is_still);
}

/* Whether any has all its values, and enough. */
static bool has_shapes(const ReportData *data) {
    for (size_t i = 0; i < data->spectrum_count; i++)
        if (!isnan(data->shapes[i].tail.of_noise)) return true;
    return false;
}

/* Blank where it is undefined. */
static void add_known(Table *table, double value) {
    if (isnan(value))
        table_add_empty(table);
    else
        table_add_number(table, value);
}

static void add_count(Table *table, size_t count, bool is_known) {
    if (is_known)
        table_add_integer(table, (int64_t)count);
    else
        table_add_empty(table);
}

static void add_shape(Table *table, const Spectrum *spectrum, const SpectrumShape *shape) {
    const SpectrumNoise *noise = &shape->noise;
    const SpectrumTail *tail = &shape->tail;
    bool has_edge = !isnan(noise->edge);
    table_add_row(table);
    table_add_text(table, spectrum->tensor->name);
    add_known(table, noise->edge);
    add_count(table, noise->above, has_edge);
    add_known(table, has_edge ? spectrum_energy(spectrum, noise->above) : (double)NAN);
    add_known(table, noise->distance);
    add_known(table, tail->exponent);
    add_known(table, tail->error);
    add_known(table, tail->of_noise);
    add_count(table, tail->count, tail->count > 0);
}

/* Noise and tails: what a figure of singular values is read for, and what it cannot say. */
static void add_shapes(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {{"tensor", NULL, NULL, TABLE_TEXT, 0},
                                          {"noise_edge", "edge of noise", NULL, TABLE_NUMBER, 4},
                                          {"above_noise", "values above", NULL, TABLE_INTEGER, 0},
                                          {"energy_above", "their share", NULL, TABLE_NUMBER, 3},
                                          {"noise_distance", "distance from noise", NULL, TABLE_NUMBER, 2},
                                          {"tail_exponent", "tail exponent", NULL, TABLE_NUMBER, 3},
                                          {"tail_error", "± its error", NULL, TABLE_NUMBER, 2},
                                          {"tail_of_noise", "of noise", NULL, TABLE_NUMBER, 3},
                                          {"tail_values", "values in it", NULL, TABLE_INTEGER, 0}};
    if (!has_shapes(data)) {
        report_document_add(
            document, REPORT_PARAGRAPH,
            "Noise and tails are of all singular values, at least %d of them: here only the largest are "
            "known (matrices whose shorter side is above %d), or there are fewer.",
            SPECTRUM_SHAPE_LEAST, SPECTRUM_EXACT_LIMIT);
        return;
    }
    Table *table = report_sections_table(document, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    if (table == NULL) return;
    for (size_t i = 0; i < data->spectrum_count; i++) add_shape(table, &data->spectra[i], &data->shapes[i]);
    report_document_add_table(document, "shapes", table, "Against noise, and how heavy the tail is");
    report_document_add(
        document, REPORT_PARAGRAPH,
        "The edge is where the singular values of equal, independent noise would end (Marchenko and Pastur), scaled to the "
        "median value; values are counted above it where 99 of 100 such matrices have none. Those are directions, no noise of "
        "this kind; that those below are noise does not follow. The distance, from 0 to 1, tells whether the law fits at all: "
        "where it is above about 0.1, as where rows differ in how far they moved, the edge means little. A change of low rank "
        "has no edge.");
    report_document_add(
        document, REPORT_PARAGRAPH,
        "The tail exponent is that of a power law through the largest squared values (Clauset, Shalizi and Newman; "
        "WeightWatcher's alpha, of Δ in place of a weight). Any list of values has one: noise of the same shape has that "
        "beside it, and only one well below tells of a heavy tail. The error takes values for independent draws, which "
        "they are not. How well a model learns or generalises, it does not say.");
}

void report_sections_add_spectra(ReportDocument *document, const ReportData *data) {
    static const char *const WORDS[] = {"--spectrum", NULL};
    enum { COLUMNS = 2 + SPECTRUM_METRIC_COUNT + 2 };
    TableColumn columns[COLUMNS] = {{"tensor", NULL, NULL, TABLE_TEXT, 0},
                                    {"method", NULL, NULL, TABLE_TEXT, 0}};
    if (data->spectrum_count == 0) {
        report_document_add(document, REPORT_PARAGRAPH, "No matrix differs between base and SFT.");
        return;
    }
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++)
        columns[2 + metric] = (TableColumn){spectrum_metric_facts(metric)->key,
                                            spectrum_metric_facts(metric)->label, NULL, TABLE_NUMBER, 4};
    columns[COLUMNS - 2] = (TableColumn){"energy_1", "share of the largest", NULL, TABLE_NUMBER, 3};
    columns[COLUMNS - 1] = (TableColumn){"energy_16", "of the 16 largest", NULL, TABLE_NUMBER, 3};
    report_document_add(
        document, REPORT_PARAGRAPH,
        "A low rank means that fine-tuning turned a few directions; a high one, all of them. Shares are of "
        "‖Δ‖².");
    report_figures_add(document, data, REPORT_FIGURE_SPECTRA);
    Table *table = report_sections_table(document, columns, COLUMNS);
    if (table == NULL) return;
    for (size_t i = 0; i < data->spectrum_count; i++) add_spectrum(table, &data->spectra[i]);
    report_document_add_table(document, "spectra", table, "Ranks of the change");
    add_shapes(document, data);
    report_sections_add_command(document, data, COMMAND_DRIFT, WORDS, true);
}

/* ---- dormancy ---- */

static void add_dormancy(Table *table, const char *model, const Dormancy *dormancy, double tau,
                         double gradient_tau) {
    size_t layers = (size_t)dormancy->layers; /* what was allocated: the products fit */
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, dormancy_share(dormancy->mlp_scores, layers * dormancy->mlp, tau));
    table_add_number(table, dormancy_share(dormancy->channel_scores, layers * dormancy->channels, tau));
    if (dormancy->gradient_scores != NULL)
        table_add_figure(table,
                         dormancy_share(dormancy->gradient_scores, layers * dormancy->mlp, gradient_tau),
                         dormancy->response_tokens == 0);
    else
        table_add_empty(table);
}

static bool has_dormant(const Dormancy *dormancy, double tau) {
    size_t layers = (size_t)dormancy->layers;
    return dormancy_share(dormancy->mlp_scores, layers * dormancy->mlp, tau) > 0.0 ||
           dormancy_share(dormancy->channel_scores, layers * dormancy->channels, tau) > 0.0;
}

void report_sections_add_dormancy(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {
        {"model", NULL, NULL, TABLE_TEXT, 0},
        {"mlp", "dormant MLP neurons", NULL, TABLE_NUMBER, 4},
        {"channels", "dormant attention channels", NULL, TABLE_NUMBER, 4},
        {"gradient", "gradient-dormant MLP neurons", NULL, TABLE_NUMBER, 4}};
    static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
    const Dormancy *dormancy = report_data_dials(data)->dormancy;
    double tau = options_value(data->batch->options, OPTION_TAU)->number;
    double gradient_tau = options_value(data->batch->options, OPTION_TAU_GRADIENT)->number;
    report_document_add(
        document, REPORT_PARAGRAPH,
        "A neuron is dormant where it speaks at most τ = %.4g of its layer's mean, gradient-dormant where "
        "its gradient is at most %.4g of that mean (of SFT alone). Shares are over all layers.",
        tau, gradient_tau);
    if (data->absences[REPORT_PART_DORMANCY_GRADIENT] != NULL)
        report_document_add(document, REPORT_PARAGRAPH, "There is no share of gradients: %s.",
                            data->absences[REPORT_PART_DORMANCY_GRADIENT]);
    if (has_dormant(&dormancy[SIDE_BASE], tau) || has_dormant(&dormancy[SIDE_SFT], tau))
        report_figures_add(document, data, REPORT_FIGURE_DORMANCY);
    else
        report_document_add(document, REPORT_PARAGRAPH,
                            "No neuron of base or SFT is dormant at this τ, so there is no figure of it.");
    Table *table = report_sections_table(document, COLUMNS, 4);
    if (table == NULL) return;
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++)
        add_dormancy(table, NAMES[side], &dormancy[side], tau, gradient_tau);
    report_document_add_table(document, "dormancy", table, "Shares of dormant neurons");
    report_sections_add_command(document, data, COMMAND_NEURONS, NULL, false);
}
