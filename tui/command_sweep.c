#include "core/evaluation.h"
#include "core/json.h"
#include "core/memory.h"
#include "tui/command.h"

#include <stdlib.h>

/* So many settings share a pass over the files; more would cost memory for no less reading that matters. */
enum { PASS_SETTINGS = 16 };

typedef struct Sweep {
    Calibration *calibration;
    Settings *settings; /* [points] */
    DistributionAverages base, sft, *fused;
    size_t points;
} Sweep;

static Status open_rows(Batch *batch, Sweep *sweep, Error *error) {
    const char *path = options_text(batch->options, OPTION_CALIBRATION);
    if (path == NULL) return batch_read_prompt(batch, &sweep->calibration, error);
    return calibration_read(path, batch->tokenizer, batch->model->config, 0, batch->job, &sweep->calibration,
                            error);
}

static Status make_settings(Batch *batch, Sweep *sweep, Error *error) {
    const OptionValue *range = options_value(batch->options, OPTION_ALPHA_RANGE);
    sweep->points = (size_t)range->count;
    sweep->settings = memory_allocate(sweep->points, sizeof *sweep->settings);
    sweep->fused = memory_allocate(sweep->points, sizeof *sweep->fused);
    if (sweep->settings == NULL || sweep->fused == NULL) return memory_fail(error, "a sweep");
    for (size_t i = 0; i < sweep->points; i++) sweep->settings[i].alpha = option_range_value(range, i);
    return STATUS_OK;
}

static Status measure_points(Batch *batch, const Evaluation *evaluation, Sweep *sweep, Error *error) {
    EvaluationResult results[PASS_SETTINGS];
    batch->progress.parts = (sweep->points + PASS_SETTINGS - 1) / PASS_SETTINGS;
    for (size_t at = 0; at < sweep->points; at += PASS_SETTINGS) {
        size_t count = sweep->points - at < PASS_SETTINGS ? sweep->points - at : PASS_SETTINGS;
        batch->progress.part = at / PASS_SETTINGS;
        Status status =
            evaluation_measure(evaluation, sweep->settings + at, count, results, batch->job, error);
        if (status != STATUS_OK) return status;
        for (size_t i = 0; i < count; i++) {
            sweep->fused[at + i] = results[i].averages;
            evaluation_free_result(&results[i]);
        }
    }
    return STATUS_OK;
}

static Status measure(Batch *batch, Sweep *sweep, Error *error) {
    /* a prompt alone has no response: then every position of it is measured */
    bool responses = options_has(batch->options, OPTION_CALIBRATION);
    EvaluationRow *rows = calibration_list_positions(sweep->calibration, responses);
    if (rows == NULL) return memory_fail(error, "a sweep");
    Evaluation *evaluation = NULL;
    EvaluationResult base = {0}, sft = {0};
    Status status = evaluation_create(batch->model, rows, sweep->calibration->count, 0, &evaluation, error);
    if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, batch->job, error);
    if (status == STATUS_OK) {
        sweep->base = base.averages;
        sweep->sft = sft.averages;
        status = measure_points(batch, evaluation, sweep, error);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    free(rows);
    return status;
}

/* ---- output ---- */

static void add_row(Table *table, const char *model, double alpha, const DistributionAverages *averages) {
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, alpha);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        table_add_number(table, distribution_figure(averages, i));
}

static Status make_table(const Sweep *sweep, Table **table, Error *error) {
    TableColumn *columns = memory_allocate(DISTRIBUTION_FIGURE_COUNT + 2, sizeof *columns);
    if (columns == NULL) return memory_fail(error, "a sweep");
    columns[0] = (TableColumn){"model", NULL, NULL, TABLE_TEXT, 0};
    columns[1] = (TableColumn){"alpha", NULL, NULL, TABLE_NUMBER, 3};
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        columns[i + 2] = (TableColumn){.key = DISTRIBUTION_FIGURES[i].key, .type = TABLE_NUMBER};
    Status status = table_create(columns, DISTRIBUTION_FIGURE_COUNT + 2, table, error);
    free(columns);
    if (status != STATUS_OK) return status;
    add_row(*table, "base", 0.0, &sweep->base);
    for (size_t i = 0; i < sweep->points; i++)
        add_row(*table, "fused", sweep->settings[i].alpha, &sweep->fused[i]);
    add_row(*table, "sft", 1.0, &sweep->sft);
    return STATUS_OK;
}

static Status write_json(Batch *batch, const Sweep *sweep, const Table *table, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
                    json_add_text(tree, "sft", batch->pair->sft->directory) &&
                    json_add_text(tree, "source", sweep->calibration->source) &&
                    batch_json_add_count(tree, "rows", sweep->calibration->count) &&
                    batch_json_add_count(tree, "positions", sweep->base.positions) &&
                    batch_json_add_count(tree, "response_tokens", sweep->base.response_tokens) &&
                    batch_json_add_table(tree, "points", table);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    Sweep sweep = {0};
    Table *table = NULL;
    if (!options_has(options, OPTION_CALIBRATION) && !options_has(options, OPTION_PROMPT) &&
        !options_has(options, OPTION_PROMPT_FILE) && !options_has(options, OPTION_IDS))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected what to measure on: --calibration, --prompt, --prompt-file or --ids");
    Status status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = open_rows(batch, &sweep, error);
    if (status == STATUS_OK) status = make_settings(batch, &sweep, error);
    if (status == STATUS_OK) status = measure(batch, &sweep, error);
    if (status == STATUS_OK) status = make_table(&sweep, &table, error);
    if (status == STATUS_OK)
        status = batch->format == REPORT_JSON ? write_json(batch, &sweep, table, error)
                                              : batch_write_table(batch, table, error);
    if (status == STATUS_OK && batch->format == REPORT_TEXT) {
        batch_print("%s", "");
        batch_print("Means over %zu positions of %zu row%s.", sweep.base.positions, sweep.calibration->count,
                    sweep.calibration->count == 1 ? "" : "s");
    }
    table_free(table);
    free(sweep.settings);
    free(sweep.fused);
    calibration_free(sweep.calibration);
    return status;
}

const Command command_sweep = {
    .name = "sweep",
    .operands = "BASE SFT",
    .summary = "What the fusion weight does: every figure of the output space at a range of alphas.",
    .details =
        "Measured on the response positions of --calibration (of a row without a response, on the last "
        "position "
        "of its prompt), or on every position of one prompt.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  source     what was measured on\n"
        "  rows, positions, response_tokens  how many\n"
        "  points     [{model: base|fused|sft, alpha, entropy, top1, confident, kl_base, kl_sft, loss, "
        "perplexity, same_top1_base, same_top1_sft, dp_base, dp_base_rms}]: see preview --help\n"
        "CSV: the points",
    .run = run,
};
