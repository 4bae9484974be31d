#include "views/shared/tensor_list.h"

#include "core/method/dormancy.h"
#include "core/support/memory.h"
#include "tui/canvas/chart.h"
#include "tui/session/session_blocks.h"
#include "tui/session/session_elements.h"
#include "tui/tables/block_metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_COLUMNS = 14, SHAPE_COLUMNS = 16, VALUE_COLUMNS = 14, LIST_COLUMNS_MOST = 116 };

Status tensor_list_open(TensorList *list, const Session *session, Error *error) {
    *list = (TensorList){
        .metric = DRIFT_RELATIVE_NORM, .tau = DORMANCY_TAU, .gradient_tau = DORMANCY_GRADIENT_TAU};
    list->indexes = memory_allocate(drift_table_count(session_drift(session)), sizeof *list->indexes);
    return list->indexes != NULL ? STATUS_OK : memory_fail(error, "the list of tensors");
}

void tensor_list_close(TensorList *list) {
    free(list->indexes);
    list->indexes = NULL;
}

/* ---- metrics ---- */

DriftMetric tensor_list_step_metric(DriftMetric metric, int direction) {
    int next = (int)metric, count = (int)DRIFT_METRIC_COUNT;
    do next = (next + count + direction) % count;
    while (!drift_metric_facts((DriftMetric)next)->measures_drift);
    return (DriftMetric)next;
}

ColourScale tensor_list_metric_key(DriftMetric metric, bool logarithmic) {
    const DriftMetricFacts *facts = drift_metric_facts(metric);
    Ramp ramp = facts->scale == DRIFT_DIVERGING ? RAMP_DIVERGING : RAMP_SEQUENTIAL;
    /* where less is more drift (the cosine), tensors that did not move have 1 */
    return colour_scale_make(ramp, facts->larger_is_more ? facts->centre : 1, logarithmic);
}

/* ---- order ---- */

static void filter(TensorList *list, const Session *session) {
    size_t kept = 0;
    list->all = list->count;
    for (size_t i = 0; i < list->count; i++)
        if (tensor_filter_fits(list->filter, &session_pair(session)->tensors[list->indexes[i]]))
            list->indexes[kept++] = list->indexes[i];
    list->count = kept;
}

static void sort(TensorList *list, const Session *session) {
    const DriftTable *table = session_drift(session);
    list->count = drift_table_count(table);
    if (list->by_drift) {
        Error error;
        if (drift_rank(table, list->metric, list->indexes, &list->count, &error) != STATUS_OK)
            list->count = 0;
    } else {
        for (size_t i = 0; i < list->count; i++) list->indexes[i] = i;
    }
    filter(list, session);
    list->key = tensor_list_metric_key(list->metric, false);
    for (size_t i = 0; i < list->count; i++) {
        DriftRow row;
        if (drift_table_row(table, list->indexes[i], &row))
            colour_scale_include(&list->key, drift_value(&row, list->metric));
    }
}

void tensor_list_update(TensorList *list, const Session *session) {
    size_t ready = drift_table_ready(session_drift(session)), current = 0;
    if (list->is_listed && list->ready == ready && list->listed_metric == list->metric &&
        list->listed_by_drift == list->by_drift && strcmp(list->listed_filter, list->filter) == 0)
        return;
    bool keep = list->list.cursor > 0 && tensor_list_current(list, &current);
    sort(list, session);
    list->ready = ready;
    list->listed_metric = list->metric;
    list->listed_by_drift = list->by_drift;
    list->is_listed = true;
    memcpy(list->listed_filter, list->filter, sizeof list->filter);
    for (size_t i = 0; i < list->count && keep; i++)
        if (list->indexes[i] == current) list->list.cursor = i;
    if (list->list.cursor >= list->count) list->list.cursor = list->count > 0 ? list->count - 1 : 0;
}

CommandId tensor_list_twin(const TensorList *list, CommandLine *line) {
    if (list->by_drift)
        command_line_add_option(line, COMMAND_DRIFT, OPTION_SORT, "%s",
                                drift_metric_facts(list->metric)->key);
    return COMMAND_DRIFT;
}

bool tensor_list_value(const TensorList *list, const Session *session, char *text, size_t size) {
    size_t index;
    if (!tensor_list_current(list, &index)) return false;
    (void)snprintf(text, size, "%s", session_pair(session)->tensors[index].name);
    return true;
}

bool tensor_list_current(const TensorList *list, size_t *index) {
    if (list->list.cursor >= list->count) return false;
    *index = list->indexes[list->list.cursor];
    return true;
}

/* ---- drawing ---- */

typedef struct Drawing {
    const TensorList *list;
    const Session *session;
    bool ascii;
} Drawing;

static void write_value(const Drawing *drawing, size_t index, char *text, Role *role) {
    DriftRow row;
    if (!drift_table_row(session_drift(drawing->session), index, &row)) {
        (void)snprintf(text, LIST_CELL_SIZE, "%s",
                       session_drift_is_running(drawing->session) ? "scanning…" : "?");
        *role = ROLE_STALE;
    } else if (!row.is_compared) {
        (void)snprintf(text, LIST_CELL_SIZE, "copied");
        *role = ROLE_DIM;
    } else if (row.is_equal) {
        (void)snprintf(text, LIST_CELL_SIZE, "equal");
        *role = ROLE_GOOD;
    } else {
        drift_format_row(&row, drawing->list->metric, text, LIST_CELL_SIZE);
        *role = row.base_nonfinite + row.sft_nonfinite > 0 ? ROLE_ERROR : ROLE_VALUE;
    }
}

static void write_cell(void *user, size_t item, size_t column, char *text, Role *role) {
    const Drawing *drawing = user;
    size_t index = drawing->list->indexes[item];
    const PairTensor *tensor = &session_pair(drawing->session)->tensors[index];
    if (column == 0)
        (void)text_escape(tensor->name, strlen(tensor->name), TEXT_PLAIN, text, LIST_CELL_SIZE);
    else if (column == 1)
        write_value(drawing, index, text, role);
    else if (column == 3)
        checkpoint_format_shape(tensor->sft, drawing->ascii, text, LIST_CELL_SIZE);
}

/* Over the column that the list leaves blank for them, which ends `end` columns before the area does. */
static void draw_bars(const TensorList *list, const Session *session, Canvas *canvas, Rect area, int end) {
    for (int row = 1; row < area.rows; row++) {
        size_t item = list->list.top + (size_t)row - 1;
        DriftRow drift;
        if (item >= list->count || !drift_table_row(session_drift(session), list->indexes[item], &drift))
            continue;
        double share = colour_scale_share(&list->key, drift_value(&drift, list->metric));
        chart_draw_bar(canvas, area, row, area.columns - end - BAR_COLUMNS, BAR_COLUMNS - 1,
                       share < 0 ? -share : share, ROLE_BAR);
    }
}

void tensor_list_describe_filter(const TensorList *list, char *text, size_t size) {
    (void)snprintf(text, size, "only %s: %zu of %zu tensors", list->filter, list->count, list->all);
}

void tensor_list_draw(TensorList *list, const Session *session, Canvas *canvas, Rect area, bool focused) {
    enum {
        GAP = 2,
        NAME = 38,
        BARS_FROM = NAME + VALUE_COLUMNS + BAR_COLUMNS + 2 * GAP + 1,
        SHAPES_FROM = BARS_FROM + SHAPE_COLUMNS + GAP
    };
    const ListColumn columns[] = {{"tensor", 0, false, 0},
                                  {drift_metric_facts(list->metric)->label, VALUE_COLUMNS, true, 0},
                                  {"", BAR_COLUMNS, false, 0},
                                  {"shape", SHAPE_COLUMNS, true, 0}};
    size_t count = area.columns >= SHAPES_FROM ? 4 : area.columns >= BARS_FROM ? 3 : 2;
    Drawing drawing = {list, session, canvas->theme.ascii};
    tensor_list_update(list, session);
    if (list->filter[0] != '\0') {
        char text[LIST_CELL_SIZE];
        tensor_list_describe_filter(list, text, sizeof text);
        canvas_write_field(canvas, rect_cut_top(&area, 1), 0, 0, area.columns, false, ROLE_WARNING, text);
    }
    if (area.columns > LIST_COLUMNS_MOST) area.columns = LIST_COLUMNS_MOST; /* names and figures stay close */
    bool scrolls = list->count > (size_t)(area.rows > 0 ? area.rows - 1 : 0);
    list_box_draw(canvas, area, &list->list, list->count, columns, count, focused, write_cell, &drawing);
    if (count > 2)
        draw_bars(list, session, canvas, area, (scrolls ? 1 : 0) + (count == 4 ? SHAPE_COLUMNS + GAP : 0));
}

/* ---- acting ---- */

void tensor_list_show(Session *session, size_t index) {
    session_show_tensor(session, index);
    view_request("tensor");
}

void tensor_list_go_layer(Session *session, double layer) {
    const Pair *pair = session_pair(session);
    const PairTensor *here = &pair->tensors[session_tensor(session)];
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        if (tensor->role != here->role || tensor->layer < 0 || (double)tensor->layer != layer) continue;
        if (tensor->role == TENSOR_OTHER) continue; /* which of them is the same, nobody knows */
        tensor_list_show(session, i);
        return;
    }
    session_say(session, SESSION_NOTE, "layer %g has no %s", layer, tensor_role_name(here->role));
}

void tensor_list_go(Session *session, const char *text) {
    const Pair *pair = session_pair(session);
    const PairTensor *exact = pair_find_tensor(pair, text);
    size_t first = session_tensor(session) + 1;
    if (exact != NULL) {
        tensor_list_show(session, (size_t)(exact - pair->tensors));
        return;
    }
    for (size_t i = 0; i < pair->count; i++) {
        size_t index = (first + i) % pair->count;
        if (!text_find(pair->tensors[index].name, text)) continue;
        tensor_list_show(session, index);
        return;
    }
    session_say(session, SESSION_WARNING, "no tensor's name contains \"%s\"", text);
}

static Reaction set_filter(TensorList *list, Session *session, const char *text) {
    (void)text_escape(text, strlen(text), TEXT_PLAIN, list->filter, sizeof list->filter);
    if (strspn(list->filter, " ") == strlen(list->filter)) list->filter[0] = '\0';
    tensor_list_update(list, session);
    return REACTION_REDRAW;
}

Reaction tensor_list_act(TensorList *list, Session *session, Action action, const ActionArgument *argument) {
    size_t index;
    tensor_list_update(list, session);
    switch (action) {
    case ACTION_ENTER:
        if (tensor_list_current(list, &index)) tensor_list_show(session, index);
        return REACTION_REDRAW;
    case ACTION_TENSOR:
        tensor_list_go(session, argument->text);
        return REACTION_REDRAW;
    case ACTION_RESUME_SCAN:
        session_resume_drift(session);
        return REACTION_REFRESH;
    case ACTION_METRIC_NEXT:
        list->metric = tensor_list_step_metric(list->metric, 1);
        return REACTION_REDRAW;
    case ACTION_METRIC_PREVIOUS:
        list->metric = tensor_list_step_metric(list->metric, -1);
        return REACTION_REDRAW;
    case ACTION_FILTER:
        return set_filter(list, session, argument->text);
    case ACTION_FILTER_OFF:
        return set_filter(list, session, "");
    case ACTION_ORDER:
        list->by_drift = !list->by_drift;
        return REACTION_REDRAW;
    default:
        return list_box_act(&list->list, list->count, action, argument);
    }
}

bool tensor_list_find(TensorList *list, const Session *session, const char *text, int direction, bool stay) {
    const PairTensor *tensors = session_pair(session)->tensors;
    tensor_list_update(list, session);
    for (size_t i = stay ? 0 : 1; i < list->count + (stay ? 0 : 1); i++) {
        size_t step = i % list->count;
        size_t place = (list->list.cursor + (direction > 0 ? step : list->count - step)) % list->count;
        if (!text_find(tensors[list->indexes[place]].name, text)) continue;
        list->list.cursor = place;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

enum { FIXED_COLUMNS = 7, NUMBER_COLUMNS = FIXED_COLUMNS + DRIFT_METRIC_COUNT + BLOCK_METRIC_COUNT };

static void add_numbers(Table *table, const Session *session, const BlockSources *sources,
                        const PairTensor *tensor, const DriftRow *row) {
    bool known = row != NULL && row->is_compared;
    BlockCell cell;
    table_add_row(table);
    table_add_text(table, tensor->name);
    if (tensor->layer >= 0)
        table_add_integer(table, tensor->layer);
    else
        table_add_empty(table);
    table_add_text(table, tensor_role_name(tensor->role));
    table_add_text(table, checkpoint_dtype_text(tensor->sft));
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
    block_metric_add_cells(table, sources,
                           session_block_of_weight(session, tensor, false, &cell) ? &cell : NULL);
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
