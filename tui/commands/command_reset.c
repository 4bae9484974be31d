#include "core/fusion/reset_set.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/tables/table_write.h"
#include "tui/text/format.h"

#include <inttypes.h>

enum { COLUMN_COUNT = NEURON_MODULE_COUNT + 2 };

/* A row of counts: of one layer, or of all. */
typedef struct Counts {
    uint64_t of[NEURON_MODULE_COUNT];
} Counts;

static void add_counts(Table *table, const Counts *counts, size_t modules) {
    uint64_t all = 0;
    for (size_t i = 0; i < modules; i++) {
        table_add_integer(table, (int64_t)counts->of[i]);
        all += counts->of[i];
    }
    table_add_integer(table, (int64_t)all);
}

static Status make_counts(const Settings *settings, Table **table, Error *error) {
    const Ranking *ranking = settings->ranking;
    TableColumn columns[COLUMN_COUNT] = {{"layer", NULL, NULL, TABLE_TEXT, 0}};
    Counts all = {{0}};
    NeuronModule modules[NEURON_MODULE_COUNT];
    size_t count = neurons_list_modules(&ranking->table, modules);
    for (size_t i = 0; i < count; i++)
        columns[i + 1] = (TableColumn){.key = neurons_module_name(modules[i]), .type = TABLE_INTEGER};
    columns[count + 1] = (TableColumn){.key = "all", .type = TABLE_INTEGER};
    Status status = table_create(columns, count + 2, table, error);
    if (status != STATUS_OK) return status;
    for (uint64_t layer = 0; layer < ranking->table.layers; layer++) {
        char name[FORMAT_SIZE];
        Counts counts;
        for (size_t i = 0; i < count; i++) {
            NeuronBlock block = neurons_find_block(&ranking->table, layer, modules[i]);
            counts.of[i] = ranking_count_block(ranking, &block, settings_cut(settings));
            all.of[i] += counts.of[i];
        }
        table_add_row(*table);
        (void)snprintf(name, sizeof name, "%" PRIu64, layer);
        table_add_text(*table, name);
        add_counts(*table, &counts, count);
    }
    table_add_row(*table);
    table_add_text(*table, "all");
    add_counts(*table, &all, count);
    return STATUS_OK;
}

static Status write_counts(Batch *batch, const Settings *settings, Error *error) {
    Table *table = NULL;
    char reset[256];
    Status status = make_counts(settings, &table, error);
    if (status == STATUS_OK) status = batch_write_table(batch, table, error);
    table_free(table);
    if (status != STATUS_OK || batch->format != TABLE_AS_TEXT) return status;
    batch_method_describe_reset(settings, reset, sizeof reset);
    batch_print("%s", "");
    batch_print("%s", reset);
    return STATUS_OK;
}

static Status write_set(Batch *batch, const Settings *settings, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    if (tree != NULL && reset_set_add(tree, settings->ranking, settings_cut(settings)))
        return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status run(Batch *batch, Error *error) {
    BatchMethod method = {0};
    Status status = dial_options_check(batch->options, error);
    if (status == STATUS_OK) status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &method, error);
    if (status == STATUS_OK) status = batch_method_rank(batch, &method, error);
    if (status == STATUS_OK)
        status = batch->format == TABLE_AS_JSON ? write_set(batch, &method.settings, error)
                                                : write_counts(batch, &method.settings, error);
    batch_method_free(&method);
    return status;
}

const Command command_reset = {
    .details =
        "A neuron is an output of q, k, v, gate or up, or an input of o or down. For each target all M neurons "
        "of the SFT model are ranked by attribution, and the first round(rho M) selected; the set is the union "
        "over the targets. With another --select there is one ranking in place of one for each target. The set "
        "does not depend on --alpha and --omega, which are taken so that one list of options serves every "
        "command.\n"
        "\n"
        "JSON: an object with\n"
        "  neurons     M\n"
        "  per_target  round(rho M), halves up\n"
        "  selected    how many there are in the set\n"
        "  set         {LAYER.MODULE: [index, ...]}, of experts {LAYER.EXPERT.MODULE: [index, ...]}, as in 3.17.down and "
        "3.shared.down: rows of q, k, v (or qkv), gate and up (or gate_up), columns of o and down\n"
        "CSV: how many there are in each layer and module",
    .run = run,
};
