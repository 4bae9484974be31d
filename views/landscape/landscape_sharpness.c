/* The pane sharpness of Landscape: how the loss rises around base, SFT and W, as a table with bars. */
#include "tui/canvas/chart.h"
#include "views/landscape/landscape_internal.h"

#include <stdio.h>

enum { LABEL_COLUMNS = 26, FIGURE_COLUMNS = 12, BAR_LABEL = 22, BAR_NAME = 5, BAR_MOST = 60 };

typedef double (*SharpnessFigure)(const LandscapeSharpness *sharpness);

static double loss_of(const LandscapeSharpness *sharpness) {
    return sharpness->loss;
}

static double mean_rise_of(const LandscapeSharpness *sharpness) {
    return sharpness->mean_rise;
}

static double worst_rise_of(const LandscapeSharpness *sharpness) {
    return sharpness->worst_rise;
}

static double curvature_of(const LandscapeSharpness *sharpness) {
    return sharpness->mean_curvature;
}

static double curvature_error_of(const LandscapeSharpness *sharpness) {
    return sharpness->curvature_error;
}

static double rounding_of(const LandscapeSharpness *sharpness) {
    return sharpness->rounding;
}

static const struct {
    const char *key, *label;
    SharpnessFigure figure;
    bool has_bars;
} FIGURES[] = {{"loss", "loss of responses (nat)", loss_of, false},
               {"mean_rise", "mean rise (nat)", mean_rise_of, true},
               {"worst_rise", "worst rise (nat)", worst_rise_of, true},
               {"mean_curvature", "mean curvature (nat)", curvature_of, true},
               {"curvature_error", "  ± standard error", curvature_error_of, false},
               {"curvature_rounding", "  ± rounding, about", rounding_of, false}};
enum { FIGURE_COUNT = sizeof FIGURES / sizeof *FIGURES };

static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
static const char *const KEYS[SIDE_COUNT] = {"base", "sft", "fused"};
static const Role ROLES[SIDE_COUNT] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};

/* ---- drawing ---- */

static Role value_role(const SessionLandscape *shown, Side side) {
    return side == SIDE_FUSED && shown->is_stale ? ROLE_STALE : ROLE_VALUE;
}

static void draw_table(const LandscapeState *state, const SessionLandscape *shown, Canvas *canvas,
                       Rect area) {
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        char name[8];
        (void)snprintf(name, sizeof name, "%s%s", NAMES[side],
                       side == SIDE_FUSED && shown->is_stale ? "~" : "");
        (void)canvas_write_right(canvas, area, 0, LABEL_COLUMNS + ((int)side + 1) * FIGURE_COLUMNS,
                                 ROLES[side], name);
    }
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        (void)canvas_write(canvas, area, (int)i + 1, 1, i == state->figure ? ROLE_SELECTED : ROLE_TEXT,
                           FIGURES[i].label);
        for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
            char text[FORMAT_SIZE];
            bool is_known = side < shown->ready;
            landscape_format(is_known ? FIGURES[i].figure(&shown->sharpness[side]) : 0.0, is_known, text);
            if (is_known && FIGURES[i].figure == rounding_of) /* no more of it is known */
                (void)format_number(shown->sharpness[side].rounding, 1, text);
            (void)canvas_write_right(canvas, area, (int)i + 1,
                                     LABEL_COLUMNS + ((int)side + 1) * FIGURE_COLUMNS,
                                     value_role(shown, side), text);
        }
    }
}

/* The longest bar is the largest of the three; a fall of the loss has none. */
static void draw_bars(const SessionLandscape *shown, size_t figure, Canvas *canvas, Rect area) {
    double values[SIDE_COUNT], most = 0.0;
    Rect labels = rect_cut_left(&area, BAR_LABEL), names = rect_cut_left(&area, BAR_NAME);
    int columns = area.columns < BAR_MOST ? area.columns : BAR_MOST;
    (void)canvas_write(canvas, labels, 0, 1, ROLE_TEXT, FIGURES[figure].label);
    for (Side side = SIDE_BASE; side < shown->ready; side++) {
        values[side] = FIGURES[figure].figure(&shown->sharpness[side]);
        if (values[side] > most) most = values[side];
    }
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        (void)canvas_write(canvas, names, (int)side, 0, ROLES[side], NAMES[side]);
        if (side >= shown->ready || !(most > 0.0)) continue;
        chart_draw_bar(canvas, area, (int)side, 0, columns, values[side] / most, ROLES[side]);
    }
}

static void draw_sharpness(LandscapeState *state, Session *session, const SessionLandscape *shown,
                           Canvas *canvas, Rect area) {
    (void)session;
    Rect note = rect_cut_bottom(&area, 1), table = rect_cut_top(&area, FIGURE_COUNT + 1);
    if (state->figure >= FIGURE_COUNT) state->figure = 0;
    draw_table(state, shown, canvas, table);
    for (size_t i = 0; i < FIGURE_COUNT && area.rows >= SIDE_COUNT; i++)
        if (FIGURES[i].has_bars) draw_bars(shown, i, canvas, rect_cut_top(&area, SIDE_COUNT));
    (void)canvas_print(canvas, note, 0, 0, ROLE_DIM,
                       "steps of ±%.4g of the weights' length, along %zu directions of seed %llu",
                       shown->choice.sigma, shown->choice.directions, (unsigned long long)shown->choice.seed);
}

/* ---- acting ---- */

static Reaction act_on_sharpness(LandscapeState *state, Session *session, const SessionLandscape *shown,
                                 Action action, const ActionArgument *argument) {
    (void)session;
    (void)shown;
    switch (action) {
    case ACTION_MOVE_UP:
        state->figure = landscape_move(state->figure, -(long)argument->count, FIGURE_COUNT);
        return REACTION_REDRAW;
    case ACTION_MOVE_DOWN:
        state->figure = landscape_move(state->figure, argument->count, FIGURE_COUNT);
        return REACTION_REDRAW;
    case ACTION_FIRST:
    case ACTION_PAGE_UP:
        state->figure = 0;
        return REACTION_REDRAW;
    case ACTION_LAST:
    case ACTION_PAGE_DOWN:
        state->figure = FIGURE_COUNT - 1;
        return REACTION_REDRAW;
    default:
        return REACTION_IGNORED;
    }
}

static Status list_sharpness(const SessionLandscape *shown, Table **table, Error *error) {
    enum { BEFORE = 4 };
    TableColumn columns[BEFORE + FIGURE_COUNT] = {{"model", NULL, NULL, TABLE_TEXT, 0},
                                                  {"sigma", NULL, NULL, TABLE_NUMBER, 0},
                                                  {"directions", NULL, NULL, TABLE_INTEGER, 0},
                                                  {"seed", NULL, NULL, TABLE_NUMBER, 0}};
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        columns[BEFORE + i] = (TableColumn){FIGURES[i].key, NULL, "nat", TABLE_NUMBER, 6};
    Status status = table_create(columns, BEFORE + FIGURE_COUNT, table, error);
    for (Side side = SIDE_BASE; side < shown->ready && status == STATUS_OK; side++) {
        table_add_row(*table);
        table_add_text(*table, KEYS[side]);
        table_add_number(*table, shown->choice.sigma);
        table_add_integer(*table, (int64_t)shown->choice.directions);
        table_add_number(*table, (double)shown->choice.seed);
        for (size_t i = 0; i < FIGURE_COUNT; i++)
            table_add_number(*table, FIGURES[i].figure(&shown->sharpness[side]));
    }
    return status;
}

static void twin_sharpness(const SessionLandscapeChoice *choice, CommandLine *line) {
    command_line_add_number(line, COMMAND_LANDSCAPE, OPTION_SHARPNESS, choice->sigma);
    command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_DIRECTIONS, "%zu", choice->directions);
    command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_SEED_DIRECTIONS, "%llu",
                            (unsigned long long)choice->seed);
}

/* The figure's name and the three: tabs between them, as a spreadsheet takes them. */
static bool copy_figure(const LandscapeState *state, Session *session, const SessionLandscape *shown,
                        char *text, size_t size) {
    (void)session;
    size_t figure = state->figure < FIGURE_COUNT ? state->figure : 0;
    if (shown->ready < SIDE_COUNT) return false;
    SharpnessFigure of = FIGURES[figure].figure;
    (void)snprintf(text, size, "%s\t%.9g\t%.9g\t%.9g", FIGURES[figure].key, of(&shown->sharpness[SIDE_BASE]),
                   of(&shown->sharpness[SIDE_SFT]), of(&shown->sharpness[SIDE_FUSED]));
    return true;
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_MEASURE,    ACTION_MOVE_UP, ACTION_MOVE_DOWN,
                               ACTION_SIGMA,     ACTION_DIRECTIONS, ACTION_SEED};

const LandscapePane landscape_sharpness_pane = {
    .name = "sharpness",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_sharpness,
    .act = act_on_sharpness,
    .numbers = list_sharpness,
    .twin = twin_sharpness,
    .value = copy_figure,
};
