#include "tui/canvas/list_box.h"
#include "tui/session/session_blocks.h"
#include "views/layers/layers_internal.h"
#include "views/shared/tensor_facts.h"

#include <stdio.h>

enum { DRIFT_FROM_ROWS = 16 };

size_t layers_current_column(const Layers *layers) {
    return layers->row == layers->grid.layers ? layers->strip_column : layers->column;
}

bool layers_current(const Layers *layers, size_t *index) {
    if (layers->listing) return tensor_list_current(&layers->list, index);
    *index = layers_grid_tensor(&layers->grid, layers->row, layers_current_column(layers));
    return *index != LAYERS_NO_TENSOR;
}

/* What the method says of the neurons of one module, and of that module in all layers. */
static int draw_method(const Layers *layers, const Session *session, Canvas *canvas, Rect area,
                       const PairTensor *tensor) {
    Fact facts[BLOCK_METRIC_COUNT + 1];
    char texts[BLOCK_METRIC_COUNT + 1][FORMAT_SIZE];
    BlockSources sources = layers_sources(layers, session);
    BlockCell cell;
    bool pools = !layers->listing && layers_grid_pools(session_pair(session), tensor);
    if (!session_block_of_weight(session, tensor, pools, &cell)) {
        if (session_neurons(session) == NULL)
            return canvas_write_wrapped(canvas, area, 0, ROLE_STALE, layers_find_reason(session));
        return canvas_write_wrapped(canvas, area, 0, ROLE_DIM, "No neurons: not the weight of a module.");
    }
    facts[0] = (Fact){"neurons", format_count(block_cell_neurons(&cell), texts[0]), ROLE_VALUE};
    for (int i = 0; i < BLOCK_METRIC_COUNT; i++) {
        BlockMetric metric = (BlockMetric)i;
        char *text = texts[i + 1];
        double value = block_metric_cell(metric, &sources, &cell);
        if (!block_metric_applies_to(metric, &cell))
            (void)snprintf(text, FORMAT_SIZE, "–");
        else if (!block_metric_is_known(metric, &sources))
            (void)snprintf(text, FORMAT_SIZE, "·");
        else
            layers_format_method(metric, value, text);
        facts[i + 1] = (Fact){block_metric_facts(metric)->brief, text,
                              metric == layers->block_metric ? ROLE_TITLE : ROLE_VALUE};
    }
    return list_box_draw_facts(canvas, area, facts, sizeof facts / sizeof *facts);
}

/* All that the cell stands for. */
static int draw_cell_drift(const Session *session, Canvas *canvas, Rect area, const PairTensor *tensor) {
    size_t waiting;
    char title[64];
    DriftRow sum = {0};
    size_t count = drift_sum_cell(session_drift(session), session_pair(session), tensor->role, tensor->layer,
                                  &sum, &waiting);
    (void)snprintf(title, sizeof title, "%s of layer %d", tensor_role_name(tensor->role), tensor->layer);
    return tensor_facts_draw_sum(canvas, area, title, &sum, count);
}

/* Figures of another kind than drift, of a tensor or of a cell of several, and drift below where there is room. */
static void draw_other(const Layers *layers, const Session *session, Canvas *canvas, Rect area,
                       size_t index) {
    const PairTensor *tensor = &session_pair(session)->tensors[index];
    bool of_method = layers->family == LAYERS_OF_METHOD;
    bool pools = !layers->listing && layers_grid_pools(session_pair(session), tensor);
    if (pools) (void)rect_cut_top(&area, draw_cell_drift(session, canvas, area, tensor) + 1);
    if (!pools) (void)rect_cut_top(&area, tensor_facts_draw_head(canvas, area, session, index) + 1);
    int rows = of_method ? draw_method(layers, session, canvas, area, tensor)
                         : layers_gradient_draw_side(layers, session, canvas, area, tensor);
    (void)rect_cut_top(&area, rows + 1);
    if (!pools && area.rows > DRIFT_FROM_ROWS) (void)tensor_facts_draw_drift(canvas, area, session, index);
}

/* The tensor at the cursor, and below it what it is a part of. */
void layers_draw_side(const Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    const Pair *pair = session_pair(session);
    size_t index;
    char title[64];
    DriftRow sum = {0};
    canvas_fill_column(canvas, area, 0, 0, area.rows, ROLE_BORDER, "│");
    (void)rect_cut_left(&area, 2);
    if (!layers_current(layers, &index)) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "no tensor here");
        return;
    }
    const PairTensor *tensor = &pair->tensors[index];
    if (layers->family != LAYERS_OF_DRIFT) {
        draw_other(layers, session, canvas, area, index);
        return;
    }
    if (!layers->listing && layers_grid_pools(pair, tensor)) {
        (void)rect_cut_top(&area, draw_cell_drift(session, canvas, area, tensor) + 1);
    } else {
        (void)rect_cut_top(&area, tensor_facts_draw(canvas, area, session, index) + 1);
    }
    if (tensor->layer >= 0 && area.rows >= 3) {
        size_t count = drift_sum_layer(session_drift(session), tensor->layer, &sum);
        (void)snprintf(title, sizeof title, "layer %d", tensor->layer);
        (void)rect_cut_top(&area, tensor_facts_draw_sum(canvas, area, title, &sum, count) + 1);
    }
    if (tensor->layer >= 0 && tensor->role != TENSOR_OTHER && area.rows >= 3) {
        sum = (DriftRow){0};
        size_t count = drift_sum_role(session_drift(session), tensor->role, &sum);
        (void)snprintf(title, sizeof title, "%s of all layers", tensor_role_name(tensor->role));
        (void)rect_cut_top(&area, tensor_facts_draw_sum(canvas, area, title, &sum, count) + 1);
    }
}

/* Where there is no room for the pane: the figure at the cursor, in one row. */
void layers_draw_line(const Layers *layers, const Session *session, Canvas *canvas, Rect row) {
    static const char *const SIGNS[] = {
        [LAYERS_WAITING] = "not known yet", [LAYERS_EQUAL] = "equal", [LAYERS_NONE] = "no such figure"};
    size_t index;
    char place[64], value[FORMAT_SIZE];
    LayersSign sign;
    if (!layers_current(layers, &index)) return;
    BlockSources sources = layers_sources(layers, session);
    tensor_facts_place(&session_pair(session)->tensors[index], place, sizeof place);
    layers_format(layers, layers_value(layers, session, &sources, index, &sign), value);
    int column = canvas_write(canvas, row, 0, 0, ROLE_TITLE, place) + 2;
    bool figure = sign == LAYERS_PLAIN || sign == LAYERS_ODD;
    (void)canvas_write(canvas, row, 0, column, figure ? ROLE_VALUE : ROLE_DIM, figure ? value : SIGNS[sign]);
}
