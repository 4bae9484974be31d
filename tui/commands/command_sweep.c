#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/command.h"
#include "tui/commands/sweep.h"
#include "tui/tables/table_write.h"

#include <stdlib.h>

static void add_row(Table *table, const char *model, const Settings *settings,
                    const DistributionAverages *averages) {
    const Ranking *ranking = settings->ranking;
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, settings->alpha);
    table_add_number(table, settings->rho);
    table_add_integer(table, ranking == NULL ? 0 : (int64_t)ranking_count(ranking, settings_cut(settings)));
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        table_add_figure(table, distribution_figure(averages, i),
                         distribution_figure_is_undefined(averages, i));
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
                    batch_json_add_end(tree, batch, sweep->calibration) &&
                    batch_method_add_json(tree, &sweep->dials.settings, true) &&
                    batch_json_add_table(tree, "points", table);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status run(Batch *batch, Error *error) {
    Sweep sweep = {0};
    Table *table = NULL;
    Status status = sweep_measure(batch, &sweep, error);
    if (status == STATUS_OK) status = make_table(&sweep, &table, error);
    if (status == STATUS_OK)
        status = batch->format == TABLE_AS_JSON ? write_json(batch, &sweep, table, error)
                                                : batch_write_table(batch, table, error);
    if (status == STATUS_OK && batch->format == TABLE_AS_TEXT) {
        batch_print("%s", "");
        batch_print("Means over %zu positions of %zu row%s.", sweep.base.positions, sweep.calibration->count,
                    sweep.calibration->count == 1 ? "" : "s");
    }
    table_free(table);
    sweep_free(&sweep);
    return status;
}

const Command command_sweep = {
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
        "  end_token  {id, text, from}: what was put behind responses, and which key names it; null where nothing was\n"
        "  dials      {omega, selector, ...}: those that do not vary; see preview --help\n"
        "  points     [{model: base|fused|sft, alpha, rho, selected (neurons reset), entropy, top1, confident, kl_base, kl_sft, loss, "
        "perplexity, same_top1_base, same_top1_sft, dp_base, dp_base_rms}]: see preview --help\n"
        "CSV: the points",
    .is_dealt = true,
    .run = run,
};
