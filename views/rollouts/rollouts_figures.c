/* Figures of samples, and the pane that has them over all prompts, with pass@k as a curve. */
#include "core/support/memory.h"
#include "tui/canvas/chart.h"
#include "tui/canvas/colour_scale.h"
#include "views/rollouts/rollouts_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEANING_COLUMNS = 26, VALUE_COLUMNS = 17, VALUE = 6, CHART_LEAST = 5 };

void rollouts_name_figure(const SessionRollouts *shown, size_t figure, char text[FORMAT_SIZE]) {
    const char *label = SESSION_ROLLOUTS_FIGURE[figure].label;
    size_t k = shown->columns > 0 && shown->column[0].figures != NULL ? shown->column[0].figures->fewest
                                                                      : shown->choice.samples;
    if (label[strlen(label) - 1] == '@')
        (void)snprintf(text, FORMAT_SIZE, "%s%zu", label, k);
    else
        (void)snprintf(text, FORMAT_SIZE, "%s", label);
}

void rollouts_format(double value, int columns, char text[FORMAT_SIZE]) {
    if (colour_scale_is_known(value))
        (void)format_fit(value, columns, text);
    else
        (void)snprintf(text, FORMAT_SIZE, "·");
}

void rollouts_format_estimate(SampleEstimate estimate, char text[ROLLOUTS_ESTIMATE]) {
    char value[FORMAT_SIZE], error[FORMAT_SIZE];
    if (!colour_scale_is_known(estimate.value)) {
        (void)snprintf(text, ROLLOUTS_ESTIMATE, "·");
        return;
    }
    (void)format_column(estimate.value, VALUE, value);
    if (colour_scale_is_known(estimate.error))
        (void)snprintf(text, ROLLOUTS_ESTIMATE, "%s ± %s", value, format_number(estimate.error, 2, error));
    else
        (void)snprintf(text, ROLLOUTS_ESTIMATE, "%s", value);
}

/* ---- columns and places ---- */

const char *const ROLLOUTS_STATES[SIDE_COUNT] = {"base", "SFT", "W"};
const char *const ROLLOUTS_STATE_KEYS[SIDE_COUNT] = {"base", "sft", "fused"};
const Role ROLLOUTS_ROLES[SIDE_COUNT] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};

const char *rollouts_column_name(const SessionRollouts *shown, size_t column) {
    Side side = shown->column[column].side;
    if (side >= SIDE_COUNT) return "file";
    return side == SIDE_FUSED && shown->is_stale ? "W~" : ROLLOUTS_STATES[side];
}

const char *rollouts_column_key(const SessionRollouts *shown, size_t column) {
    Side side = shown->column[column].side;
    return side >= SIDE_COUNT ? "file" : ROLLOUTS_STATE_KEYS[side];
}

Role rollouts_column_role(const SessionRollouts *shown, size_t column) {
    Side side = shown->column[column].side;
    return side >= SIDE_COUNT ? ROLE_VALUE : ROLLOUTS_ROLES[side];
}

size_t rollouts_most_samples(const SessionRollouts *shown) {
    size_t most = 0;
    for (size_t g = 0; g < shown->groups && shown->columns > 0; g++) {
        size_t samples = shown->column[0].set->groups[g].sample_count;
        if (samples > most) most = samples;
    }
    return most;
}

RolloutsPlace rollouts_find_place(const RolloutsState *state, const SessionRollouts *shown) {
    size_t most = rollouts_most_samples(shown);
    RolloutsPlace place = {0};
    if (most == 0 || shown->groups == 0) return place;
    place.group = state->prompts.cursor < shown->groups ? state->prompts.cursor : shown->groups - 1;
    place.column = state->place / most < shown->columns ? state->place / most : shown->columns - 1;
    size_t samples = shown->column[place.column].set->groups[place.group].sample_count;
    place.sample = state->place % most < samples ? state->place % most : samples - 1; /* a group has one */
    return place;
}

const Sample *rollouts_sample(const SessionRollouts *shown, const RolloutsPlace *place) {
    if (shown->groups == 0) return NULL;
    const Sample *sample = &shown->column[place->column].set->groups[place->group].samples[place->sample];
    return sample->ids != NULL ? sample : NULL;
}

void rollouts_move_place(RolloutsState *state, const SessionRollouts *shown, long step) {
    size_t most = rollouts_most_samples(shown);
    RolloutsPlace place = rollouts_find_place(state, shown);
    if (most == 0) return;
    for (; step != 0; step += step > 0 ? -1 : 1) {
        size_t samples = shown->column[place.column].set->groups[place.group].sample_count;
        if (step > 0 && place.sample + 1 < samples)
            place.sample++;
        else if (step > 0 && place.column + 1 < shown->columns)
            place = (RolloutsPlace){place.group, place.column + 1, 0};
        else if (step < 0 && place.sample > 0)
            place.sample--;
        else if (step < 0 && place.column > 0)
            place = (RolloutsPlace){place.group, place.column - 1, samples - 1};
        else
            break;
    }
    state->place = place.column * most + place.sample;
}

/* ---- the pane ---- */

static void write_estimate(Canvas *canvas, Rect row, int end, Role role, SampleEstimate estimate) {
    char text[ROLLOUTS_ESTIMATE];
    rollouts_format_estimate(estimate, text);
    (void)canvas_write_right(canvas, row, 0, end, role, text);
}

static int column_end(size_t column) {
    return MEANING_COLUMNS + ((int)column + 1) * VALUE_COLUMNS;
}

static Role value_role(const SessionRollouts *shown, size_t side) {
    return side == SIDE_FUSED && shown->is_stale ? ROLE_STALE : ROLE_VALUE;
}

static void draw_estimates(const RolloutsState *state, const SessionRollouts *shown, Canvas *canvas,
                           Rect *area) {
    Rect head = rect_cut_top(area, 1);
    for (size_t c = 0; c < shown->columns; c++) {
        char name[2 * FORMAT_SIZE];
        const SampleFigures *figures = shown->column[c].figures;
        (void)snprintf(name, sizeof name, "%s", rollouts_column_name(shown, c));
        if (figures != NULL && figures->prompt_count < shown->groups)
            (void)snprintf(name, sizeof name, "%s, %zu of %zu", rollouts_column_name(shown, c),
                           figures->prompt_count, shown->groups);
        (void)canvas_write_right(canvas, head, 0, column_end(c), rollouts_column_role(shown, c), name);
    }
    for (size_t i = 0; i < SESSION_ROLLOUTS_FIGURES; i++) {
        char name[FORMAT_SIZE];
        Rect row = rect_cut_top(area, 1);
        rollouts_name_figure(shown, i, name);
        canvas_write_field(canvas, row, 0, 1, 9, false, i == state->figure ? ROLE_SELECTED : ROLE_TEXT, name);
        canvas_write_field(canvas, row, 0, 11, MEANING_COLUMNS - 11, false, ROLE_DIM,
                           SESSION_ROLLOUTS_FIGURE[i].meaning);
        for (size_t c = 0; c < shown->columns; c++)
            write_estimate(canvas, row, column_end(c), value_role(shown, shown->column[c].side),
                           SESSION_ROLLOUTS_FIGURE[i].of_all(&shown->column[c]));
    }
}

/* The samples that a step of RL would see, under all three. */
static void draw_states(const SessionRollouts *shown, Canvas *canvas, Rect *area) {
    const SessionRolloutsColumn *column = &shown->column[shown->columns - 1];
    Rect head = rect_cut_top(area, 1), rows[2] = {rect_cut_top(area, 1), rect_cut_top(area, 1)};
    (void)canvas_write(canvas, head, 0, 0, ROLE_TITLE,
                       shown->is_file ? "The file's samples under" : "The samples of W under");
    (void)canvas_write(canvas, rows[0], 0, 1, ROLE_TEXT, "entropy (nat)");
    (void)canvas_write(canvas, rows[1], 0, 1, ROLE_TEXT, "ln p a token (nat)");
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        (void)canvas_write_right(canvas, head, 0, column_end(side), ROLLOUTS_ROLES[side],
                                 side == SIDE_FUSED && shown->is_stale ? "W~" : ROLLOUTS_STATES[side]);
        write_estimate(canvas, rows[0], column_end(side), value_role(shown, side),
                       session_rollouts_entropy(column, (Side)side));
        write_estimate(canvas, rows[1], column_end(side), value_role(shown, side),
                       session_rollouts_log_probability(column, (Side)side));
    }
}

/* pass@k over k, of as many samples as the fewest that a prompt of any column has. */
static void draw_curve(const SessionRollouts *shown, Canvas *canvas, Rect area) {
    static const char *const GLYPHS[SIDE_COUNT] = {"B", "S", "W"};
    ChartSeries series[SIDE_COUNT];
    size_t most = 0, count = 0;
    for (size_t c = 0; c < shown->columns; c++)
        if (session_rollouts_fewest(&shown->column[c]) > most)
            most = session_rollouts_fewest(&shown->column[c]);
    double *x = memory_allocate(most + 1, (1 + SIDE_COUNT) * sizeof *x);
    for (size_t k = 0; k < most && x != NULL; k++) x[k] = (double)(k + 1);
    for (size_t c = 0; c < shown->columns && x != NULL && most > 1; c++) {
        double *y = x + most * (c + 1);
        session_rollouts_list_pass(&shown->column[c], y, most);
        if (session_rollouts_fewest(&shown->column[c]) == 0) continue;
        series[count++] = (ChartSeries){y, rollouts_column_name(shown, c), shown->is_file ? NULL : GLYPHS[c],
                                        rollouts_column_role(shown, c)};
    }
    const Chart chart = {.x = x,
                         .count = most,
                         .series = series,
                         .series_count = count,
                         .title = "pass@k",
                         .x_label = "k",
                         .mark = -1.0};
    if (count > 0)
        chart_draw(canvas, area, &chart);
    else
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM,
                           most == 1 ? "pass@k: one sample of a prompt gives no curve" : "pass@k: …");
    free(x);
}

static void draw_figures(RolloutsState *state, Session *session, const SessionRollouts *shown, Canvas *canvas,
                         Rect area) {
    (void)session;
    draw_estimates(state, shown, canvas, &area);
    draw_states(shown, canvas, &area);
    if (area.rows >= CHART_LEAST) draw_curve(shown, canvas, area);
}

static Reaction act_on_figures(RolloutsState *state, Session *session, const SessionRollouts *shown,
                               Action action, const ActionArgument *argument) {
    (void)session;
    (void)shown;
    ListState list = {.cursor = state->figure, .page = SESSION_ROLLOUTS_FIGURES};
    Reaction reaction = list_box_act(&list, SESSION_ROLLOUTS_FIGURES, action, argument);
    state->figure = list.cursor;
    return reaction;
}

static void add_estimate(Table *table, const char *state, const char *figure, SampleEstimate estimate) {
    table_add_row(table);
    table_add_text(table, state);
    table_add_text(table, figure);
    table_add_number(table, estimate.value);
    table_add_number(table, estimate.error);
}

static Status list_figures(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                           Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"state", NULL, NULL, TABLE_TEXT, 0},
                                          {"figure", NULL, NULL, TABLE_TEXT, 0},
                                          {"value", NULL, NULL, TABLE_NUMBER, 4},
                                          {"error", "± its error", NULL, TABLE_NUMBER, 2}};
    (void)state;
    (void)session;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t c = 0; c < shown->columns && status == STATUS_OK; c++) {
        const SessionRolloutsColumn *column = &shown->column[c];
        const char *key = rollouts_column_key(shown, c);
        for (size_t i = 0; i < SESSION_ROLLOUTS_FIGURES; i++)
            add_estimate(*table, key, SESSION_ROLLOUTS_FIGURE[i].key,
                         SESSION_ROLLOUTS_FIGURE[i].of_all(column));
        for (size_t k = 0; k < session_rollouts_fewest(column); k++) {
            char name[FORMAT_SIZE];
            (void)snprintf(name, sizeof name, "pass_at_%zu", k + 1);
            add_estimate(*table, key, name, column->figures->pass[k]);
        }
    }
    return status;
}

/* The figure's key and the columns' values: tabs between them, as a spreadsheet takes them. */
static bool copy_figure(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                        char *text, size_t size) {
    (void)session;
    const SessionRolloutsFigure *figure =
        &SESSION_ROLLOUTS_FIGURE[state->figure < SESSION_ROLLOUTS_FIGURES ? state->figure : 0];
    (void)snprintf(text, size, "%s", figure->key);
    for (size_t c = 0; c < shown->columns; c++) {
        char value[FORMAT_SIZE];
        (void)snprintf(value, sizeof value, "\t%.9g", figure->of_all(&shown->column[c]).value);
        text_append(text, size, value);
    }
    return shown->columns > 0;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,    ACTION_MEASURE, ACTION_MOVE_UP,     ACTION_MOVE_DOWN,
                               ACTION_SAMPLES_EACH, ACTION_TOKENS,  ACTION_TEMPERATURE, ACTION_SEED};

const RolloutsPane rollouts_figures_pane = {
    .name = "figures",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_figures,
    .act = act_on_figures,
    .numbers = list_figures,
    .value = copy_figure,
};
