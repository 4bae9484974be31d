#include "core/evaluation.h"
#include "core/json.h"
#include "core/memory.h"
#include "tui/command.h"
#include "tui/dials.h"

#include <stdlib.h>

/* So many settings share a pass over the files; more would cost memory for no less reading that matters. */
enum { PASS_SETTINGS = 16, MOST_POINTS = 10000 };

static const double DEFAULT_ALPHA = 0.5; /* of a sweep over rho */

typedef struct Sweep {
    Dials dials;
    Calibration *prompt;            /* without --calibration */
    const Calibration *calibration; /* what is measured on: that, or the dials' */
    Settings *settings;             /* [points] */
    DistributionAverages base, sft, *fused;
    size_t points;
} Sweep;

static Status open_rows(Batch *batch, Sweep *sweep, Error *error) {
    bool has_file = options_has(batch->options, OPTION_CALIBRATION);
    Status status = has_file ? dials_open_calibration(batch, &sweep->dials, error)
                             : batch_read_prompt(batch, &sweep->prompt, error);
    sweep->calibration = has_file ? sweep->dials.calibration : sweep->prompt;
    return status;
}

/* Every rho at every alpha: alpha varies within rho. */
static Status make_settings(Batch *batch, Sweep *sweep, Error *error) {
    OptionValue alpha = *options_value(batch->options, OPTION_ALPHA_RANGE);
    const OptionValue *rho = dials_rho(batch->options);
    if (!alpha.given && rho->count > 1) alpha = (OptionValue){.number = DEFAULT_ALPHA, .count = 1};
    if (alpha.count * rho->count > MOST_POINTS) /* each at most as many, so the product fits */
        return status_fail(error, STATUS_ARGUMENT, "expected at most %d points of --alpha times --rho",
                           MOST_POINTS);
    sweep->points = (size_t)(alpha.count * rho->count);
    sweep->settings = memory_allocate(sweep->points, sizeof *sweep->settings);
    sweep->fused = memory_allocate(sweep->points, sizeof *sweep->fused);
    if (sweep->settings == NULL || sweep->fused == NULL) return memory_fail(error, "a sweep");
    for (size_t i = 0; i < sweep->points; i++) {
        sweep->settings[i] = sweep->dials.settings;
        sweep->settings[i].alpha = option_range_value(&alpha, i % alpha.count);
        sweep->settings[i].rho = option_range_value(rho, i / alpha.count);
    }
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

/* A prompt alone has no response: then every position of it is measured. */
static Status measure_prompt(Batch *batch, Sweep *sweep, Error *error) {
    EvaluationRow *rows = calibration_list_positions(sweep->prompt, false);
    if (rows == NULL) return memory_fail(error, "a sweep");
    Evaluation *evaluation = NULL;
    EvaluationResult base = {0}, sft = {0};
    Status status = evaluation_create(batch->model, rows, sweep->prompt->count, 0, &evaluation, error);
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

static Status measure(Batch *batch, Sweep *sweep, Error *error) {
    if (sweep->prompt != NULL) return measure_prompt(batch, sweep, error);
    Status status = dials_evaluate(batch, &sweep->dials, error);
    if (status != STATUS_OK) return status;
    sweep->base = sweep->dials.base.averages;
    sweep->sft = sweep->dials.sft.averages;
    return measure_points(batch, sweep->dials.evaluation, sweep, error);
}

/* ---- output ---- */

static void add_row(Table *table, const char *model, const Settings *settings,
                    const DistributionAverages *averages) {
    const Ranking *ranking = settings->ranking;
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, settings->alpha);
    table_add_number(table, settings->rho);
    table_add_integer(table, ranking == NULL ? 0 : (int64_t)ranking_count(ranking, settings_cut(settings)));
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        table_add_number(table, distribution_figure(averages, i));
}

static Status make_table(const Sweep *sweep, Table **table, Error *error) {
    enum { BEFORE = 4 };
    const Settings base = {.alpha = 0.0}, sft = {.alpha = 1.0};
    TableColumn *columns = memory_allocate(DISTRIBUTION_FIGURE_COUNT + BEFORE, sizeof *columns);
    if (columns == NULL) return memory_fail(error, "a sweep");
    columns[0] = (TableColumn){"model", NULL, NULL, TABLE_TEXT, 0};
    columns[1] = (TableColumn){"alpha", NULL, NULL, TABLE_NUMBER, 3};
    columns[2] = (TableColumn){"rho", NULL, NULL, TABLE_NUMBER, 3};
    columns[3] = (TableColumn){"selected", NULL, NULL, TABLE_INTEGER, 0};
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        columns[i + BEFORE] = (TableColumn){.key = DISTRIBUTION_FIGURES[i].key, .type = TABLE_NUMBER};
    Status status = table_create(columns, DISTRIBUTION_FIGURE_COUNT + BEFORE, table, error);
    free(columns);
    if (status != STATUS_OK) return status;
    add_row(*table, "base", &base, &sweep->base);
    for (size_t i = 0; i < sweep->points; i++)
        add_row(*table, "fused", &sweep->settings[i], &sweep->fused[i]);
    add_row(*table, "sft", &sft, &sweep->sft);
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
                    dials_add_json(tree, &sweep->dials.settings, true) &&
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
    Status status = dials_check(options, error);
    if (status == STATUS_OK) status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = dials_read(batch, &sweep.dials, error);
    if (status == STATUS_OK) status = open_rows(batch, &sweep, error);
    if (status == STATUS_OK && dials_want_reset(options)) status = dials_rank(batch, &sweep.dials, error);
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
    calibration_free(sweep.prompt);
    dials_free(&sweep.dials);
    return status;
}

const Command command_sweep = {
    .name = "sweep",
    .operands = "BASE SFT",
    .summary =
        "What the dials do: every figure of the output space at a range of alphas, of rhos, or of both.",
    .details =
        "Measured on the response positions of --calibration (of a row without a response, on the last "
        "position "
        "of its prompt), or on every position of one prompt. A range of --alpha and one of --rho together are "
        "the plane: all alphas at the first rho, then at the next. All other dials stay as given.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  source     what was measured on\n"
        "  rows, positions, response_tokens  how many\n"
        "  dials      {omega, selector, ...}: those that do not vary; see preview --help\n"
        "  points     [{model: base|fused|sft, alpha, rho, selected (neurons reset), entropy, top1, confident, kl_base, kl_sft, loss, "
        "perplexity, same_top1_base, same_top1_sft, dp_base, dp_base_rms}]: see preview --help\n"
        "CSV: the points",
    .run = run,
};
