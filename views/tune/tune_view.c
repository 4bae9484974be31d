#include "views/tune/tune_view.h"

#include "core/support/memory.h"
#include "tui/canvas/hit_area.h"
#include "tui/keys/key_text.h"
#include "tui/session/session.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_sweep.h"
#include "tui/text/text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RHO_POINTS = 17, WIDE_COLUMNS = 150, WIDE_ROWS = 30, LEFT_COLUMNS = 72, BELOW_ROWS = 17, GAP = 2 };

/* In the order that keys go through them. */
static const TunePane *const PANES[] = {&tune_headlines_pane, &tune_modules_pane, &tune_layers_pane,
                                        &tune_bookmarks_pane, &tune_reset_pane,   &tune_plane_pane};
enum { PANE_COUNT = sizeof PANES / sizeof *PANES };

static Status open_tune(Session *session, void **state, Error *error) {
    (void)session;
    TuneState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the tune view");
    *made = (TuneState){.plane = SESSION_PLANE_DEFAULT, .plane_row = TUNE_UNPLACED};
    *state = made;
    return STATUS_OK;
}

static void close_tune(void *opaque) {
    TuneState *state = opaque;
    if (state != NULL) free(state->layers_text);
    free(state);
}

/* ---- drawing: panes ---- */

/* A press brings the pane to the front. */
static void add_pane_area(TuneState *state, size_t index, Canvas *canvas, Rect area) {
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_GRID,
                                    .area = area,
                                    .across = {&state->pane, index, index + 1, area.columns}});
}

static void draw_names(TuneState *state, Canvas *canvas, Rect row) {
    int column = 0;
    for (size_t i = 0; i < PANE_COUNT; i++) {
        bool front = i == state->pane;
        int begin = column;
        column = canvas_print(canvas, row, 0, column, front ? ROLE_SELECTED : ROLE_DIM,
                              front ? "[%s]" : " %s ", PANES[i]->name);
        add_pane_area(state, i, canvas, rect_make(row.row, row.column + begin, 1, column - begin));
    }
    char keys[KEY_TEXT_SIZE];
    if (column + 2 + text_width(key_text("tune", PANES[state->pane]->keys, keys)) <= row.columns)
        (void)canvas_write_right(canvas, row, 0, row.columns, ROLE_DIM, keys);
}

static void draw_pane(TuneState *state, size_t index, Session *session, Canvas *canvas, Rect area) {
    const TunePane *pane = PANES[index];
    bool front = index == state->pane;
    const Rect whole = area;
    Rect head = rect_cut_top(&area, 1);
    int column = canvas_print(canvas, head, 0, 0, front ? ROLE_SELECTED : ROLE_TITLE, front ? "[%s]" : " %s ",
                              pane->name);
    char keys[KEY_TEXT_SIZE];
    if (front && column + 2 + text_width(key_text("tune", pane->keys, keys)) <= head.columns)
        (void)canvas_write(canvas, head, 0, column + 1, ROLE_DIM, keys);
    pane->draw(state, session, canvas, area);
    if (!front)
        add_pane_area(state, index, canvas, whole); /* over its parts: once in front, they are pressed */
}

static int sum_sizes(TuneSlot slot) {
    int sum = 0;
    for (size_t i = 0; i < PANE_COUNT; i++) sum += PANES[i]->slot == slot ? PANES[i]->size : 0;
    return sum;
}

static void draw_wide(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    Rect left = rect_cut_left(&area, LEFT_COLUMNS);
    (void)rect_cut_left(&area, GAP);
    Rect below = rect_cut_bottom(&area, BELOW_ROWS);
    int width = below.columns, shares = sum_sizes(TUNE_BELOW), rest = left.rows - sum_sizes(TUNE_LEFT);
    tune_draw_sweep(state, session, canvas, area);
    for (size_t i = 0; i < PANE_COUNT; i++) {
        const TunePane *pane = PANES[i];
        Rect place;
        if (pane->slot == TUNE_LEFT) {
            place = rect_cut_top(&left, pane->size > 0 ? pane->size : rest);
        } else {
            place = rect_cut_left(&below, width * pane->size / shares);
            (void)rect_cut_right(&place, GAP);
        }
        draw_pane(state, i, session, canvas, place);
    }
}

/* Cursors of another day (view.h) may be any numbers. */
static void keep_in_range(TuneState *state) {
    if (state->pane >= PANE_COUNT) state->pane = 0;
    if (state->figure >= DISTRIBUTION_FIGURE_COUNT) state->figure = 0;
}

static void draw_tune(void *opaque, Session *session, Canvas *canvas, Rect area) {
    TuneState *state = opaque;
    keep_in_range(state);
    tune_draw_head(session, PANES[state->pane]->dial, canvas, rect_cut_top(&area, TUNE_HEAD_ROWS));
    state->is_wide = area.columns >= WIDE_COLUMNS && area.rows >= WIDE_ROWS && !view_is_zoomed();
    if (state->is_wide) {
        draw_wide(state, session, canvas, area);
        return;
    }
    draw_names(state, canvas, rect_cut_top(&area, 1));
    PANES[state->pane]->draw(state, session, canvas, area);
}

/* ---- acting ---- */

static const Reaction TURNED = (Reaction)(REACTION_REDRAW | REACTION_REFRESH);

static Reaction start_sweep(const TuneState *state, Session *session) {
    if (state->alpha.points == 0)
        session_start_dial_sweep(session);
    else
        session_start_sweep(session, false, state->alpha.from, state->alpha.to, state->alpha.points);
    return TURNED;
}

static Reaction set_range(TuneState *state, Session *session, const char *text) {
    static const RangeLimits LIMITS = {
        .most = 1.0, .least_points = 2, .most_points = SESSION_SWEEP_LARGEST, .has_to_climb = true};
    if (!range_read_list(text, &LIMITS, 1, &state->alpha)) {
        session_say(
            session, SESSION_WARNING,
            "expected FROM:TO:POINTS, such as 0:1:21, rising within 0 to 1 and of 2 to %d points, found "
            "\"%s\"",
            (int)SESSION_SWEEP_LARGEST, text);
        return REACTION_REDRAW;
    }
    return start_sweep(state, session);
}

static Reaction turn_pane(TuneState *state, int step) {
    int pane = ((int)state->pane + step % PANE_COUNT + PANE_COUNT) % PANE_COUNT;
    state->pane = (size_t)pane;
    return REACTION_REDRAW;
}

static const char *pane_name(size_t index) {
    return PANES[index]->name;
}

static Reaction go_to_pane(TuneState *state, Session *session, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < PANE_COUNT; i++) {
        if (length == 0 || strncmp(pane_name(i), text, length) != 0) continue;
        state->pane = i;
        return REACTION_REDRAW;
    }
    session_say(session, SESSION_WARNING, "there is no pane of that name");
    return REACTION_REDRAW;
}

static Reaction turn_figure(TuneState *state, int step) {
    long count = (long)DISTRIBUTION_FIGURE_COUNT, at = ((long)state->figure + step % count + count) % count;
    state->figure = (size_t)at;
    return REACTION_REDRAW;
}

static Reaction read_alphas(Session *session, const char *text,
                            Status (*read)(Session *session, const char *text, Error *error)) {
    Error error;
    if (read(session, text, &error) == STATUS_OK) return TURNED;
    session_say(session, SESSION_WARNING, "%s", error.message);
    return REACTION_REDRAW;
}

static Reaction start_plane(TuneState *state, Session *session, const char *text) {
    Error error;
    if (text != NULL && session_plane_read_range(text, &state->plane, &error) != STATUS_OK)
        session_say(session, SESSION_WARNING, "%s", error.message);
    else
        session_start_plane(session, &state->plane);
    return TURNED;
}

static Reaction act_on_tune(void *opaque, Session *session, Action action, const ActionArgument *argument) {
    TuneState *state = opaque;
    switch (action) {
    case ACTION_PANE_NEXT:
        return turn_pane(state, argument->count);
    case ACTION_PANE_PREVIOUS:
        return turn_pane(state, -argument->count);
    case ACTION_PANE:
        return go_to_pane(state, session, argument->text);
    case ACTION_METRIC_NEXT:
        return turn_figure(state, argument->count);
    case ACTION_METRIC_PREVIOUS:
        return turn_figure(state, -argument->count);
    case ACTION_ALPHA_LAYERS:
        return read_alphas(session, argument->text, session_read_layers);
    case ACTION_ALPHA_KIND:
        return read_alphas(session, argument->text, session_read_kinds);
    case ACTION_PROTECT:
        return read_alphas(session, argument->text, session_read_protection);
    case ACTION_SWEEP:
        return start_sweep(state, session);
    case ACTION_SWEEP_RHO:
        session_start_sweep(session, true, 0.0, TUNE_MOST_RHO, RHO_POINTS);
        return TURNED;
    case ACTION_SWEEP_RANGE:
        return set_range(state, session, argument->text);
    case ACTION_PLANE:
        return start_plane(state, session, NULL);
    case ACTION_PLANE_RANGE:
        return start_plane(state, session, argument->text);
    case ACTION_SELECTOR_NEXT:
        session_set_selector(session, (Selector)((session_reset(session).selector + 1) % SELECTOR_LIST));
        return TURNED;
    case ACTION_TARGETS:
        session_set_targets(session, argument->number);
        return TURNED;
    case ACTION_MEASURE:
        session_measure_method(session); /* the headlines too */
        return TURNED;
    default:
        return PANES[state->pane]->act(state, session, action, argument);
    }
}

/* ---- searching, numbers, arguments ---- */

static bool find_in_tune(void *opaque, Session *session, const char *text, int direction, bool stay) {
    TuneState *state = opaque;
    const TunePane *pane = PANES[state->pane];
    return pane->find != NULL && pane->find(state, session, text, direction, stay);
}

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    TuneState *state = opaque;
    return PANES[state->pane]->numbers(state, session, table, error);
}

static const char *start_argument(void *opaque, Session *session, Action action) {
    TuneState *state = opaque;
    state->text[0] = '\0';
    if (action == ACTION_ALPHA_LAYERS) {
        free(state->layers_text);
        return state->layers_text = settings_text_format_layers(session_settings(session)->curve);
    }
    if (action == ACTION_ALPHA_KIND) settings_text_write_kinds(session_settings(session), state->text);
    if (action == ACTION_PLANE_RANGE)
        session_plane_write_range(&state->plane, state->text, sizeof state->text);
    return state->text;
}

/* A pane that only turns dials stands for the headlines at these. */
static CommandId twin_tune(void *opaque, Session *session, CommandLine *line) {
    const TuneState *state = opaque;
    const TunePane *pane = PANES[state->pane]->twin != NULL ? PANES[state->pane] : &tune_headlines_pane;
    return pane->twin(state, session, line);
}

/* A headline's name and figures: tabs between them, as a spreadsheet takes them. */
static bool copy_value(void *opaque, Session *session, char *text, size_t size) {
    const TuneState *state = opaque;
    const DistributionAverages *sides[] = {session_headline_base(session), session_headline_sft(session),
                                           session_headline_fused(session)};
    if (sides[0] == NULL || sides[1] == NULL || sides[2] == NULL) return false;
    (void)snprintf(text, size, "%s\t%.9g\t%.9g\t%.9g", DISTRIBUTION_FIGURES[state->figure].key,
                   distribution_figure(sides[0], state->figure), distribution_figure(sides[1], state->figure),
                   distribution_figure(sides[2], state->figure));
    return true;
}

static size_t list_places(void *opaque, ViewPlace *places) {
    TuneState *state = opaque;
    places[0] = (ViewPlace){"pane", &state->pane};
    places[1] = (ViewPlace){"figure", &state->figure};
    places[2] = (ViewPlace){"bookmark", &state->bookmarks.cursor};
    return 3;
}

static ViewHints list_hints(void *opaque) {
    const TuneState *state = opaque;
    const TunePane *pane = PANES[state->pane < PANE_COUNT ? state->pane : 0];
    return (ViewHints){pane->hints, pane->hint_count};
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_SWEEP, ACTION_PLANE, ACTION_MEASURE};

const View tune_view = {
    .name = "tune",
    .title = "Tune",
    .help =
        "W = α·SFT + (1 − α)·base; on the neurons that ρ selects, α is (1 − ω)·α. The table follows the dial at once after a sweep over α: ≈W is interpolated "
        "between its points, each figure with its error (± where there is room; … where that is more than a "
        "hundredth of it), until the forward pass is done. Without such a sweep the column W~ is older than the dial. α* says that some kinds or layers have their own α: panes modules and layers. A sweep or plane marked ~ was measured at "
        "other dials.",
    .parts = SESSION_PART_HEADLINE | SESSION_PART_SWEEP | SESSION_PART_METHOD,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_tune,
    .draw = draw_tune,
    .act = act_on_tune,
    .find = find_in_tune,
    .numbers = list_numbers,
    .twin = twin_tune,
    .value = copy_value,
    .places = list_places,
    .initial = start_argument,
    .close = close_tune,
};
