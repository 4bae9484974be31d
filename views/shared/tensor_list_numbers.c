/* The rows of a tensor list as a table. */
#include "tui/session/session_blocks.h"
#include "tui/tables/block_metric.h"
#include "views/shared/tensor_list.h"

enum { FIXED_COLUMNS = 7, NUMBER_COLUMNS = FIXED_COLUMNS + DRIFT_METRIC_COUNT + BLOCK_METRIC_COUNT };

static void add_numbers(Table *table, const Session *session, const BlockSources *sources,
                        const PairTensor *tensor, const DriftRow *row) {
    bool known = row != NULL && row->is_compared;
    NeuronBlock block;
    table_add_row(table);
    table_add_text(table, tensor->name);
    if (tensor->layer >= 0)
        table_add_integer(table, tensor->layer);
    else
        table_add_empty(table);
    table_add_text(table, architecture_role_name(tensor->role));
    table_add_text(table, dtype_name(tensor->sft->dtype));
    table_add_integer(table, (int64_t)tensor->sft->rows);
    table_add_integer(table, (int64_t)tensor->sft->columns);
    if (known)
        table_add_bool(table, row->is_equal);
    else
        table_add_empty(table);
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        if (known)
            table_add_number(table, drift_value(row, metric));
        else
            table_add_empty(table);
    }
    block_metric_add_cells(table, sources, session_block_of_weight(session, tensor, &block) ? &block : NULL);
}

Status tensor_list_numbers(TensorList *list, const Session *session, Table **table, Error *error) {
    TableColumn columns[NUMBER_COLUMNS] = {
        {"tensor", NULL, NULL, TABLE_TEXT, 0},  {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"module", NULL, NULL, TABLE_TEXT, 0},  {"dtype", NULL, NULL, TABLE_TEXT, 0},
        {"rows", NULL, NULL, TABLE_INTEGER, 0}, {"columns", NULL, NULL, TABLE_INTEGER, 0},
        {"equal", NULL, NULL, TABLE_BOOL, 0}};
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++)
        columns[FIXED_COLUMNS + metric] =
            (TableColumn){drift_metric_facts(metric)->key, NULL, NULL, TABLE_NUMBER, 0};
    block_metric_columns(columns + FIXED_COLUMNS + DRIFT_METRIC_COUNT);
    Status status = table_create(columns, NUMBER_COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    tensor_list_update(list, session);
    BlockSources sources = session_block_sources(session, list->tau, list->gradient_tau);
    for (size_t i = 0; i < list->count; i++) {
        DriftRow row;
        bool ready = drift_table_row(session_drift(session), list->indexes[i], &row);
        add_numbers(*table, session, &sources, &session_pair(session)->tensors[list->indexes[i]],
                    ready ? &row : NULL);
    }
    return STATUS_OK;
}
