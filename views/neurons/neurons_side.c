#include "tui/canvas/chart.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"
#include "views/neurons/neurons_internal.h"
#include "views/shared/rows_hint.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    BINS_LIMIT = 128,
    SHARE_COLUMNS = 7,
    LAYER_COLUMNS = 6,
    HISTOGRAM_ROWS = 9,
    FACTS_ROWS = 13,
    ROUTER_LABEL = 15,
    ROUTER_ROWS = 7
};

/* The block at the cursor; where there is none, down of the first layer. */
static NeuronBlock current_block(const Neurons *neurons, const Session *session) {
    uint64_t neuron;
    if (neurons_current(neurons, session, &neuron)) return neurons_locate(session_neurons(session), neuron);
    return neurons_find_block(session_neurons(session), 0, NEURON_DOWN);
}

static const char *place_name(NeuronColumn dormancy, const NeuronBlock *block) {
    bool mlp = block->module == NEURON_GATE || block->module == NEURON_UP ||
               block->module == NEURON_GATE_UP || block->module == NEURON_DOWN;
    return mlp || dormancy == NEURON_COLUMN_GRADIENT ? "down" : "o";
}

/* ---- histogram ---- */

static void draw_threshold(Canvas *canvas, Rect row, double tau, size_t bins) {
    char text[FORMAT_SIZE], label[FORMAT_SIZE + 16];
    int at = (int)neuron_map_bin(tau, bins);
    (void)snprintf(label, sizeof label, " τ %s ", format_fit(tau, 6, text));
    int width = text_width(label), begin = at + 1;
    if (begin + width > row.columns) begin = at - width;
    (void)canvas_write(canvas, row, 0, at, ROLE_MARK, "▲");
    (void)canvas_write(canvas, row, 0, begin, ROLE_MARK, label);
}

static void draw_histogram(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    NeuronColumn dormancy = neuron_column_dormancy(neurons->list.column);
    NeuronBlock block = current_block(neurons, session);
    double tau = *neuron_list_tau(&neurons->list, dormancy), counts[BINS_LIMIT];
    char share[FORMAT_SIZE], title[96];
    size_t count;
    const double *scores = neuron_column_scores(session, dormancy, &block, &count);
    Rect head = rect_cut_top(&area, 1);
    (void)snprintf(title, sizeof title, "%s  %" PRIu64 ".%s", neuron_column_facts(dormancy)->label,
                   block.layer, place_name(dormancy, &block));
    int column = canvas_write(canvas, head, 0, 0, ROLE_TITLE, title);
    if (scores == NULL) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_STALE, "not known yet");
        (void)rows_hint_draw(session, "neurons", canvas, area, 1);
        return;
    }
    (void)canvas_print(canvas, head, 0, column + 2, ROLE_VALUE, "%s ≤ τ",
                       format_share(dormancy_share(scores, count, tau), share));
    size_t bins = area.columns < BINS_LIMIT ? (size_t)(area.columns > 0 ? area.columns : 0) : BINS_LIMIT;
    Rect mark = rect_cut_bottom(&area, area.rows > 2 ? 1 : 0);
    area.columns = (int)bins;
    mark.columns = (int)bins;
    neuron_map_histogram(scores, count, counts, bins);
    chart_draw_histogram(canvas, area, counts, bins, false, NULL, NULL, ROLE_BAR);
    (void)canvas_write(canvas, mark, 0, 0, ROLE_DIM, "≤.001");
    (void)canvas_write_right(canvas, mark, 0, mark.columns, ROLE_DIM, "≥10");
    draw_threshold(canvas, mark, tau, bins);
}

/* ---- shares ---- */

static const NeuronColumn MEASURES[] = {NEURON_COLUMN_BASE, NEURON_COLUMN_SFT, NEURON_COLUMN_FUSED,
                                        NEURON_COLUMN_GRADIENT};
enum { MEASURE_COUNT = sizeof MEASURES / sizeof *MEASURES };

static void draw_layer(Neurons *neurons, const Session *session, Canvas *canvas, Rect area, int row,
                       const NeuronBlock *block) {
    bool here = current_block(neurons, session).layer == block->layer;
    if (here) (void)canvas_write(canvas, area, row, 0, ROLE_MARK, "▸");
    (void)canvas_print(canvas, area, row, 2, here ? ROLE_VALUE : ROLE_DIM, "%" PRIu64, block->layer);
    for (int i = 0; i < MEASURE_COUNT; i++) {
        char text[FORMAT_SIZE] = "·";
        size_t count;
        const double *scores = neuron_column_scores(session, MEASURES[i], block, &count);
        double tau = *neuron_list_tau(&neurons->list, MEASURES[i]);
        bool stale = MEASURES[i] == NEURON_COLUMN_FUSED && session_dormancy_is_stale(session);
        double share = scores != NULL ? dormancy_share(scores, count, tau) : 0;
        if (scores != NULL && share == share)
            (void)format_share(share, text); /* NaN: not defined on these rows */
        int end = LAYER_COLUMNS + (i + 1) * (SHARE_COLUMNS + 1);
        (void)canvas_write_right(canvas, area, row, end,
                                 stale  ? ROLE_STALE
                                 : here ? ROLE_VALUE
                                        : ROLE_TEXT,
                                 text);
    }
}

static void draw_shares(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    NeuronBlock block = current_block(neurons, session);
    NeuronColumn dormancy = neuron_column_dormancy(neurons->list.column);
    char text[FORMAT_SIZE];
    Rect head = rect_cut_top(&area, 1);
    int end = canvas_print(canvas, head, 0, 0, ROLE_TITLE, "dormant inputs of %s ≤ %s",
                           place_name(dormancy, &block), format_fit(neurons->list.tau, 6, text));
    if (head.columns > end + 14)
        (void)canvas_print(canvas, head, 0, end, ROLE_DIM, ", grad ≤ %s",
                           format_fit(neurons->list.gradient_tau, 6, text));
    head = rect_cut_top(&area, 1);
    (void)canvas_write(canvas, head, 0, 0, ROLE_HEADER, "layer");
    for (int i = 0; i < MEASURE_COUNT; i++) {
        bool stale = MEASURES[i] == NEURON_COLUMN_FUSED && session_dormancy_is_stale(session);
        (void)canvas_write_right(canvas, head, 0, LAYER_COLUMNS + (i + 1) * (SHARE_COLUMNS + 1), ROLE_HEADER,
                                 stale ? "~W" : neuron_column_facts(MEASURES[i])->title);
    }
    if (area.rows <= 0) return;
    uint64_t layers = session_neurons(session)->layers, rows = (uint64_t)area.rows, top = 0;
    if (layers > rows && block.layer > rows / 2) top = block.layer - rows / 2;
    if (layers > rows && top + rows > layers) top = layers - rows;
    for (uint64_t layer = top; layer < layers && layer - top < rows; layer++) {
        NeuronBlock other = neurons_find_block(session_neurons(session), layer, block.module);
        draw_layer(neurons, session, canvas, area, (int)(layer - top), &other);
    }
}

/* ---- routing ---- */

static double count_unused(const Routing *routing, uint64_t layer) {
    return (double)routing_count_unused(routing, layer);
}

/* A figure of a layer's router in one state; figure NULL: the overlap of its choices with SFT's. False: not known. */
static bool find_figure(const Session *session, Side side, double (*figure)(const Routing *, uint64_t),
                        uint64_t layer, double *value) {
    const Dormancy *dormancy = session_dormancy(session, side), *sft = session_dormancy(session, SIDE_SFT);
    if (dormancy == NULL || (figure == NULL && sft == NULL)) return false;
    *value = figure != NULL ? figure(&dormancy->routing, layer)
                            : routing_overlap(&sft->routing, &dormancy->routing, layer);
    return *value == *value; /* not of choices that are too many to keep */
}

static void draw_router_row(const Session *session, Canvas *canvas, Rect area, int row, const char *label,
                            double (*figure)(const Routing *, uint64_t), bool is_share, uint64_t layer) {
    (void)canvas_write(canvas, area, row, 0, ROLE_DIM, label);
    for (int side = 0; side < SIDE_COUNT; side++) {
        char text[FORMAT_SIZE] = "·";
        double value = 0;
        if (find_figure(session, (Side)side, figure, layer, &value))
            (void)(is_share ? format_share(value, text) : format_fit(value, SHARE_COLUMNS, text));
        bool stale = side == SIDE_FUSED && session_dormancy_is_stale(session);
        (void)canvas_write_right(canvas, area, row, ROUTER_LABEL + (side + 1) * (SHARE_COLUMNS + 1),
                                 stale ? ROLE_STALE : ROLE_TEXT, text);
    }
}

/* Of the layer at the cursor; nothing where it has no experts, or there is no room. */
static void draw_routing(const Neurons *neurons, const Session *session, Canvas *canvas, Rect *area) {
    NeuronBlock block = current_block(neurons, session);
    if (!neurons_has_experts(session_neurons(session), block.layer) || area->rows < 2 * ROUTER_ROWS) return;
    Rect part = rect_cut_top(area, ROUTER_ROWS);
    (void)canvas_print(canvas, part, 0, 0, ROLE_TITLE, "routing of layer %" PRIu64, block.layer);
    for (int side = 0; side < SIDE_COUNT; side++)
        (void)canvas_write_right(canvas, part, 0, ROUTER_LABEL + (side + 1) * (SHARE_COLUMNS + 1),
                                 ROLE_HEADER, neuron_column_facts(MEASURES[side])->title);
    draw_router_row(session, canvas, part, 1, "unused experts", count_unused, false, block.layer);
    draw_router_row(session, canvas, part, 2, "load entropy", routing_load_entropy, false, block.layer);
    draw_router_row(session, canvas, part, 3, "weight entropy", routing_weight_entropy, false, block.layer);
    draw_router_row(session, canvas, part, 4, "largest share", routing_largest_share, true, block.layer);
    draw_router_row(session, canvas, part, 5, "as SFT chooses", NULL, true, block.layer);
}

/* ---- together ---- */

void neurons_draw_side(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    uint64_t neuron;
    char name[FORMAT_SIZE * 2];
    canvas_fill_column(canvas, area, 0, 0, area.rows, ROLE_BORDER, "│");
    (void)rect_cut_left(&area, 2);
    if (!neurons->opened && neurons_current(neurons, session, &neuron) &&
        area.rows > HISTOGRAM_ROWS + FACTS_ROWS) {
        Rect part = rect_cut_top(&area, FACTS_ROWS);
        NeuronScores facts;
        session_neuron(session, neuron, &facts);
        neuron_column_name(&facts, name);
        (void)canvas_write(canvas, rect_cut_top(&part, 1), 0, 0, ROLE_TITLE, name);
        (void)neurons_draw_facts(session, neuron, canvas, part);
    }
    draw_histogram(neurons, session, canvas, rect_cut_top(&area, HISTOGRAM_ROWS));
    (void)rect_cut_top(&area, 1);
    draw_routing(neurons, session, canvas, &area);
    draw_shares(neurons, session, canvas, area);
}

void neurons_draw_panel(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    Rect right = rect_cut_right(&area, area.columns >= 76 ? 40 : 0);
    (void)rect_cut_right(&area, 2);
    draw_histogram(neurons, session, canvas, area);
    if (!rect_is_empty(right)) draw_shares(neurons, session, canvas, right);
}

/* ---- the reset ---- */

/* What was measured on, at the right, as fully as there is room. */
static void draw_rows(const Session *session, Canvas *canvas, Rect row, int column) {
    char text[SESSION_ROWS_TEXT];
    if (session_calibration(session, NULL) == NULL) return; /* the message says why */
    session_describe_rows(session, row.columns - column - 2, text);
    (void)canvas_write_right(canvas, row, 0, row.columns, ROLE_DIM, text);
}

/* Alone at the foot, in as many rows as it takes. False: one row does. */
static bool draw_long_message(Canvas *canvas, Rect *area, const char *message) {
    enum { ROWS_MOST = 4 };
    int rows = canvas_count_wrapped(area->columns, message);
    if (rows < 2 || area->rows < 3 * ROWS_MOST) return false;
    Rect foot = rect_cut_bottom(area, rows < ROWS_MOST ? rows : ROWS_MOST);
    (void)canvas_write_wrapped(canvas, foot, 0, ROLE_WARNING, message);
    return true;
}

void neurons_draw_foot(const Session *session, Canvas *canvas, Rect *area) {
    const char *message = session_neurons_message(session);
    SessionReset reset = session_reset(session);
    char target[FORMAT_SIZE], selected[FORMAT_SIZE], all[FORMAT_SIZE], keys[KEY_TEXT_SIZE];
    int column = 0;
    if (message != NULL && !reset.is_ready && draw_long_message(canvas, area, message)) return;
    Rect row = rect_cut_bottom(area, 1);
    if (reset.is_ready) {
        column = canvas_print(canvas, row, 0, 0, ROLE_TEXT,
                              "● ρ %.3g %% by %s: ", session_settings(session)->rho * 100,
                              ranking_selector_name(reset.selector));
        if (reset.selector == SELECTOR_ATTRIBUTION)
            column = canvas_print(canvas, row, 0, column, ROLE_VALUE, "%s a target, ",
                                  format_count(reset.per_target, target));
        column = canvas_print(canvas, row, 0, column, ROLE_VALUE, "%s of %s",
                              format_count(reset.selected, selected), format_count(reset.neurons, all)) +
                 2;
    }
    if (message != NULL)
        column = canvas_print(canvas, row, 0, column, ROLE_WARNING, "%s%s", message,
                              session_calibration(session, NULL) != NULL
                                  ? key_text("neurons", " ({measure} measures)", keys)
                                  : "");
    else if (!reset.is_ready)
        column = canvas_write(canvas, row, 0, column, ROLE_STALE, "attribution is being measured…");
    else if (session_dormancy(session, SIDE_SFT) == NULL)
        column = canvas_write(canvas, row, 0, column, ROLE_STALE, "dormancy is being measured…");
    else if (session_dormancy_is_stale(session))
        column = canvas_write(canvas, row, 0, column, ROLE_STALE, "~ W is being measured…");
    draw_rows(session, canvas, row, column);
}
