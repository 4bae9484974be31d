/* The pane gradient: the gradient at hand-over of base, SFT and W, of the whole, by module and by layer. */
#include "core/checkpoint/tensor_name.h"
#include "tui/canvas/colour_scale.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_files.h"
#include "views/rollouts/rollouts_internal.h"

#include <stdio.h>

enum { NAME = 11, VALUE = 9, GAP = 2 };

static const char ABOUT[] =
    "‖∂L/∂W‖ of L = −(1/N) Σ A·ln p over all response tokens of the samples, A their advantage within their prompt: what "
    "one group-relative step would do to each tensor; and beside ‖W‖, the relative step that a fixed rate takes.";

/* A line: the whole, a module over all layers, a layer over all modules. */
typedef struct GradientLine {
    int layer;
    TensorRole role;
} GradientLine;

static size_t count_layers(const Session *session) {
    return (size_t)session_model(session)->config->layers;
}

/* Line `index`; false where there are fewer. Roles that the model has not are passed over. */
static bool find_line(const Session *session, size_t index, GradientLine *line) {
    *line = (GradientLine){GRADIENT_ALL, TENSOR_ROLE_COUNT};
    if (index-- == 0) return true;
    for (TensorRole role = 0; role < TENSOR_ROLE_COUNT; role++) {
        if (!session_rollouts_has_gradient(session, GRADIENT_ALL, role)) continue;
        *line = (GradientLine){GRADIENT_ALL, role};
        if (index-- == 0) return true;
    }
    *line = (GradientLine){(int)index, TENSOR_ROLE_COUNT};
    return index < count_layers(session);
}

static size_t count_lines(const Session *session) {
    size_t count = 1 + count_layers(session);
    for (TensorRole role = 0; role < TENSOR_ROLE_COUNT; role++)
        count += session_rollouts_has_gradient(session, GRADIENT_ALL, role);
    return count;
}

static void name_line(const GradientLine *line, char text[FORMAT_SIZE]) {
    if (line->role != TENSOR_ROLE_COUNT)
        (void)snprintf(text, FORMAT_SIZE, "%s", tensor_role_name(line->role));
    else if (line->layer >= 0)
        (void)snprintf(text, FORMAT_SIZE, "layer %d", line->layer);
    else
        (void)snprintf(text, FORMAT_SIZE, "whole");
}

static double value_of(const Session *session, const GradientLine *line, size_t column) {
    return session_rollouts_gradient(session, (Side)(column % SIDE_COUNT), line->layer, line->role,
                                     column >= SIDE_COUNT);
}

static void fill_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    Session *session = user;
    GradientLine line;
    char value[FORMAT_SIZE];
    if (!find_line(session, row, &line)) return;
    if (column == 0) {
        name_line(&line, value);
        *role = row == 0 ? ROLE_TITLE : ROLE_TEXT;
    } else {
        double number = value_of(session, &line, column - 1);
        *role = ROLE_VALUE;
        if (colour_scale_is_known(number))
            (void)format_number(number, 4, value);
        else
            (void)snprintf(value, sizeof value, "–");
    }
    (void)snprintf(text, LIST_CELL_SIZE, "%s", value);
}

static void draw_nothing(const SessionRollouts *shown, Canvas *canvas, Rect area) {
    char text[KEY_TEXT_SIZE];
    (void)rect_cut_top(&area, canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, ABOUT) + 1);
    if (shown->is_running && shown->is_gradient)
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "measuring…");
    else if (shown->wants_gradient)
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "comes after the samples and their scores");
    else
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_DIM,
            key_text("rollouts",
                     "{gradient} measures it of base, SFT and W: about four passes over the samples each",
                     text));
}

/* Where the answers to each prompt earn the same, there is no advantage: all of it is 0, and that is told below it. */
static void draw_reason(Session *session, const SessionRollouts *shown, Canvas *canvas, Rect *area) {
    static const GradientLine WHOLE = {GRADIENT_ALL, TENSOR_ROLE_COUNT};
    char text[KEY_TEXT_SIZE];
    for (size_t side = 0; side < SIDE_COUNT; side++)
        if (value_of(session, &WHOLE, side) != 0.0) return; /* nor is what is not measured */
    (void)key_text(
        "rollouts",
        shown->is_file
            ? "0: no prompt has answers that earn differently, so a step would learn nothing"
            : "0: no prompt has answers of W that earn differently, so a step would learn nothing; "
              "{samples} draws more to each",
        text);
    int rows = canvas_count_wrapped(area->columns, text);
    if (rows < area->rows / 2)
        (void)canvas_write_wrapped(canvas, rect_cut_bottom(area, rows), 0, ROLE_WARNING, text);
}

static void draw_gradient(RolloutsState *state, Session *session, const SessionRollouts *shown,
                          Canvas *canvas, Rect area) {
    ListColumn columns[1 + 2 * SIDE_COUNT] = {{"", NAME, false, 0}};
    if (!shown->has_gradient) {
        draw_nothing(shown, canvas, area);
        return;
    }
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        bool is_stale = side == SIDE_FUSED && shown->is_stale;
        columns[1 + side] = (ListColumn){is_stale ? "W~" : ROLLOUTS_STATES[side], VALUE, true, 0};
        columns[1 + SIDE_COUNT + side] =
            (ListColumn){is_stale ? "W~" : ROLLOUTS_STATES[side], VALUE, true, 0};
    }
    bool has_relative = area.columns > NAME + 2 * SIDE_COUNT * (VALUE + GAP); /* and a scroll mark */
    draw_reason(session, shown, canvas, &area);
    Rect head = rect_cut_top(&area, area.rows > 2 ? 1 : 0);
    (void)canvas_write(canvas, head, 0, NAME + GAP, ROLE_TITLE, "‖∂L/∂W‖");
    if (has_relative)
        (void)canvas_write(canvas, head, 0, NAME + GAP + SIDE_COUNT * (VALUE + GAP), ROLE_TITLE,
                           "‖∂L/∂W‖ / ‖W‖");
    list_box_draw(canvas, area, &state->gradient, count_lines(session), columns,
                  1 + (has_relative ? 2 : 1) * SIDE_COUNT, true, fill_cell, session);
}

static Reaction act_on_gradient(RolloutsState *state, Session *session, const SessionRollouts *shown,
                                Action action, const ActionArgument *argument) {
    size_t lines = shown->has_gradient ? count_lines(session) : 0;
    return list_box_act(&state->gradient, lines, action, argument);
}

static Status list_gradient(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                            Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"part", NULL, NULL, TABLE_TEXT, 0},
                                          {"gradient_base", NULL, NULL, TABLE_NUMBER, 4},
                                          {"gradient_sft", NULL, NULL, TABLE_NUMBER, 4},
                                          {"gradient_fused", NULL, NULL, TABLE_NUMBER, 4},
                                          {"relative_base", NULL, NULL, TABLE_NUMBER, 3},
                                          {"relative_sft", NULL, NULL, TABLE_NUMBER, 3},
                                          {"relative_fused", NULL, NULL, TABLE_NUMBER, 3}};
    (void)state;
    if (!shown->has_gradient)
        return status_fail(error, STATUS_UNSUPPORTED, "the gradient is not measured yet");
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < count_lines(session) && status == STATUS_OK; i++) {
        GradientLine line;
        char name[FORMAT_SIZE];
        (void)find_line(session, i, &line);
        name_line(&line, name);
        table_add_row(*table);
        table_add_text(*table, name);
        for (size_t column = 0; column < 2 * SIDE_COUNT; column++)
            table_add_number(*table, value_of(session, &line, column));
    }
    return status;
}

static bool copy_line(const RolloutsState *state, Session *session, const SessionRollouts *shown, char *text,
                      size_t size) {
    GradientLine line;
    char name[FORMAT_SIZE];
    if (!shown->has_gradient || !find_line(session, state->gradient.cursor, &line)) return false;
    name_line(&line, name);
    (void)snprintf(text, size, "%s", name);
    for (size_t column = 0; column < 2 * SIDE_COUNT; column++) {
        char value[FORMAT_SIZE];
        (void)snprintf(value, sizeof value, "\t%.9g", value_of(session, &line, column));
        text_append(text, size, value);
    }
    return true;
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_GRADIENT, ACTION_MEASURE, ACTION_MOVE_UP,
                               ACTION_MOVE_DOWN};

const RolloutsPane rollouts_gradient_pane = {
    .name = "gradient",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_gradient,
    .act = act_on_gradient,
    .numbers = list_gradient,
    .value = copy_line,
};
