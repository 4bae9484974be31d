#include "tui/session/session_blocks.h"
#include "views/layers/layers_internal.h"

#include <stdio.h>

/* ---- one figure ---- */

BlockSources layers_sources(const Layers *layers, const Session *session) {
    return session_block_sources(session, layers->list.tau, layers->list.gradient_tau);
}

static LayersSign sign_of(const DriftRow *row, size_t compared, size_t waiting) {
    if (waiting > 0) return LAYERS_WAITING;
    if (compared == 0) return LAYERS_NONE;
    if (row->base_nonfinite + row->sft_nonfinite > 0) return LAYERS_ODD;
    return row->equal_tensors == row->tensors ? LAYERS_EQUAL : LAYERS_PLAIN;
}

/* Of a cell, of all that it stands for. */
static double drift_figure(const Layers *layers, const Session *session, size_t tensor, LayersSign *sign) {
    const PairTensor *shown = &session_pair(session)->tensors[tensor];
    bool pools = !layers->listing && layers_grid_pools(session_pair(session), shown);
    DriftRow row = {0};
    size_t waiting = 0, compared = 0;
    if (pools)
        compared = drift_sum_cell(session_drift(session), session_pair(session), shown->role, shown->layer,
                                  &row, &waiting);
    else if (drift_table_row(session_drift(session), tensor, &row))
        compared = row.is_compared;
    else
        waiting = 1;
    *sign = sign_of(&row, compared, waiting);
    return drift_value(&row, layers->list.metric); /* NaN for a row that is not compared */
}

static double method_figure(const Layers *layers, const Session *session, const BlockSources *sources,
                            size_t tensor, LayersSign *sign) {
    const PairTensor *shown = &session_pair(session)->tensors[tensor];
    bool pools = !layers->listing && layers_grid_pools(session_pair(session), shown);
    BlockCell cell = {.count = 0};
    bool stated = session_block_of_weight(session, shown, pools, &cell) &&
                  block_metric_applies_to(layers->block_metric, &cell);
    double value = block_metric_cell(layers->block_metric, sources, &cell); /* NaN where it does not apply */
    if (!stated && session_neurons(session) != NULL)
        *sign = LAYERS_NONE;
    else if (!block_metric_is_known(layers->block_metric, sources))
        *sign = LAYERS_WAITING;
    else if (!colour_scale_is_known(value))
        *sign = LAYERS_ODD;
    return value;
}

double layers_value(const Layers *layers, const Session *session, const BlockSources *sources, size_t tensor,
                    LayersSign *sign) {
    *sign = LAYERS_PLAIN;
    if (layers->family == LAYERS_OF_GRADIENT) return layers_gradient_value(layers, session, tensor, sign);
    return layers->family == LAYERS_OF_METHOD ? method_figure(layers, session, sources, tensor, sign)
                                              : drift_figure(layers, session, tensor, sign);
}

void layers_format_method(BlockMetric metric, double value, char text[FORMAT_SIZE]) {
    bool rises = block_metric_facts(metric)->is_change && value > 0;
    (void)snprintf(text, FORMAT_SIZE, "%s%.3g%%", rises ? "+" : "", value * 100);
}

void layers_format(const Layers *layers, double value, char text[FORMAT_SIZE]) {
    if (layers->family == LAYERS_OF_METHOD)
        layers_format_method(layers->block_metric, value, text);
    else if (layers->family == LAYERS_OF_GRADIENT)
        layers_gradient_format(value, text);
    else
        drift_format_value(layers->list.metric, value, text, FORMAT_SIZE);
}

const char *layers_find_reason(const Session *session) {
    const char *message = session_model(session) == NULL ? session_model_error(session) : NULL;
    if (message == NULL) message = session_neurons_message(session);
    return message != NULL ? message : "measuring…";
}

/* ---- numbers ---- */

static void add_number(Table *table, const Layers *layers, const Session *session,
                       const BlockSources *sources, size_t tensor) {
    LayersSign sign = LAYERS_NONE;
    double value = 0;
    if (tensor != LAYERS_NO_TENSOR) value = layers_value(layers, session, sources, tensor, &sign);
    if (sign == LAYERS_NONE || sign == LAYERS_WAITING)
        table_add_empty(table);
    else
        table_add_number(table, value);
}

static const char *metric_key(const Layers *layers) {
    if (layers->family == LAYERS_OF_GRADIENT) return layers_gradient(layers)->key;
    return layers->family == LAYERS_OF_METHOD ? block_metric_facts(layers->block_metric)->key
                                              : drift_metric_facts(layers->list.metric)->key;
}

/* The map as it is on screen: a row a layer, and a last one for the tensors that belong to none. */
static Status make_map_table(const Layers *layers, const Session *session, Table **table, Error *error) {
    enum { FIXED = 2 };
    const LayersGrid *grid = &layers->grid;
    TableColumn columns[FIXED + TENSOR_ROLE_COUNT + LAYERS_STRIP_LIMIT] = {
        {"metric", NULL, NULL, TABLE_TEXT, 0}, {"layer", NULL, NULL, TABLE_INTEGER, 0}};
    size_t count = FIXED;
    BlockSources sources = layers_sources(layers, session);
    for (size_t i = 0; i < grid->columns; i++)
        columns[count++] = (TableColumn){tensor_role_name(grid->roles[i]), NULL, NULL, TABLE_NUMBER, 0};
    for (size_t i = 0; i < grid->strip_count; i++)
        columns[count++] = (TableColumn){grid->strip_labels[i], NULL, NULL, TABLE_NUMBER, 0};
    Status status = table_create(columns, count, table, error);
    if (status != STATUS_OK) return status;
    for (size_t row = 0; row <= layers_grid_last_row(grid); row++) {
        bool in_strip = row == grid->layers;
        table_add_row(*table);
        table_add_text(*table, metric_key(layers));
        if (in_strip)
            table_add_empty(*table);
        else
            table_add_integer(*table, (int64_t)row);
        for (size_t i = 0; i < grid->columns; i++)
            add_number(*table, layers, session, &sources,
                       in_strip ? LAYERS_NO_TENSOR : grid->cells[row * grid->columns + i]);
        for (size_t i = 0; i < grid->strip_count; i++)
            add_number(*table, layers, session, &sources, in_strip ? grid->strip[i] : LAYERS_NO_TENSOR);
    }
    return STATUS_OK;
}

Status layers_make_table(void *state, Session *session, Table **table, Error *error) {
    Layers *layers = state;
    if (layers->ladder.is_shown) return layers_ladder_make_table(layers, session, table, error);
    return layers->listing ? tensor_list_numbers(&layers->list, session, table, error)
                           : make_map_table(layers, session, table, error);
}
