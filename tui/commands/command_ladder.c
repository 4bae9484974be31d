#include "core/files/json.h"
#include "tui/commands/batch_ladder.h"
#include "tui/commands/command.h"
#include "tui/tables/ladder_table.h"
#include "tui/tables/table_write.h"

#include <string.h>

/* Every figure of the output space, of the rung on rows or the prompt; null where it was not measured. */
static bool add_averages(cJSON *object, const char *key, const LadderFigures *figures, LadderPart part,
                         size_t number) {
    const LadderRung *rung = &figures->rungs[number > 0 ? number : 1];
    const DistributionAverages *sides = part == LADDER_PROMPT ? rung->prompt : rung->rows;
    if (!rung->has[part]) return json_add(object, key, cJSON_CreateNull());
    cJSON *averages = cJSON_AddObjectToObject(object, key);
    return averages != NULL && batch_json_add_averages(averages, &sides[number > 0 ? SIDE_SFT : SIDE_BASE]);
}

static bool add_layers(cJSON *object, const LadderFigures *figures, size_t number, LadderTaus taus) {
    cJSON *list = cJSON_AddArrayToObject(object, "layers");
    bool complete = list != NULL;
    size_t layers = ladder_figures_layers(figures);
    for (size_t layer = 0; layer < layers && complete; layer++) {
        cJSON *item = cJSON_CreateObject();
        complete =
            item != NULL && cJSON_AddItemToArray(list, item) && json_add_number(item, "layer", (double)layer);
        for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT && complete; figure++) {
            const LadderFigureFacts *facts = ladder_figure_facts(figure);
            if (!facts->has_layers) continue;
            complete = ladder_figure_is_there(figures, figure, number)
                           ? json_add_number(item, facts->key,
                                             ladder_layer_figure(figures, figure, number, layer, taus))
                           : json_add(item, facts->key, cJSON_CreateNull());
        }
    }
    return complete;
}

/* The table's rows, with what a table does not hold. */
static bool add_rungs(cJSON *tree, const BatchLadder *ladder, const Table *table, LadderTaus taus) {
    cJSON *item;
    size_t number = 0;
    if (!batch_json_add_table(tree, "rungs", table)) return false;
    cJSON_ArrayForEach(item, json_find(tree, "rungs")) {
        if (!add_averages(item, "averages", &ladder->figures, LADDER_ROWS, number) ||
            !add_averages(item, "prompt_averages", &ladder->figures, LADDER_PROMPT, number) ||
            !add_layers(item, &ladder->figures, number, taus))
            return false;
        number++;
    }
    return true;
}

static Status write_json(Batch *batch, const BatchLadder *ladder, const Table *table, LadderTaus taus,
                         Error *error) {
    const Calibration *rows = ladder->method.calibration;
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", ladder->ladder.base);
    if (complete && rows != NULL)
        complete = json_add_text(tree, "source", rows->source) &&
                   batch_json_add_count(tree, "rows", rows->count) && batch_json_add_end(tree, batch, rows);
    complete = complete && json_add_number(tree, "tau", taus.tau) &&
               json_add_number(tree, "gradient_tau", taus.gradient_tau) &&
               add_rungs(tree, ladder, table, taus);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status write(Batch *batch, const BatchLadder *ladder, Error *error) {
    LadderTaus taus = batch_ladder_taus(batch->options);
    Table *table;
    Status status = ladder_table_create(&ladder->ladder, &ladder->figures, taus,
                                        batch->format == TABLE_AS_CSV, &table, error);
    if (status != STATUS_OK) return status;
    status = batch->format == TABLE_AS_JSON ? write_json(batch, ladder, table, taus, error)
                                            : batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    BatchLadder ladder = {.cache = NULL};
    Status status = batch_ladder_measure(batch, options->operands, options->operand_count, &ladder, error);
    if (status == STATUS_OK) status = write(batch, &ladder, error);
    batch_ladder_free(&ladder);
    return status;
}

const Command command_ladder = {
    .details =
        "The SFT are rungs, checkpoints of one training in its order: epochs of SFT, and perhaps what RL made of the last. "
        "Every rung has to fit BASE, and is opened before anything is measured.\n"
        "Without --calibration and prompt only drift is measured: that takes no model that can be run. Loss and entropy are "
        "means over the response positions of the rows, dormancy is that of the MLP's neurons on the whole rows; "
        "prompt_entropy is the mean over every position of the prompt. Rows and prompt are read with the last rung's "
        "tokenizer. rejuv drift with the same rungs has every metric of every tensor.\n"
        "\n"
        "JSON: an object with\n"
        "  base       its directory\n"
        "  source, rows, end_token  with --calibration: what was measured on, as in sweep --help\n"
        "  tau, gradient_tau  the thresholds\n"
        "  rungs      [{rung (0: base), directory, FIGURES, averages, prompt_averages, layers}]\n"
        "  FIGURES    relative_norm, |D|/|BASE| from base; step_relative_norm from the rung before; last_relative_norm of "
        "the last rung from this one; dormant, gradient_dormant, shares; loss, entropy, prompt_entropy; null where "
        "it is not measured, \"NaN\" where it is not defined\n"
        "  averages   on the rows: {positions, response_tokens, and all of the figures of preview --help, where sft is the "
        "rung, and of base the first rung}; prompt_averages on the prompt; null without\n"
        "  layers     [{layer, the first five of FIGURES}]\n"
        "CSV: the rungs, each followed by its layers; layer is empty for the whole",
    .run = run,
};
