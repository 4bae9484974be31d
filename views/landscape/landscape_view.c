#include "views/landscape/landscape_view.h"

#include "core/support/memory.h"
#include "tui/canvas/colour_scale.h"
#include "tui/canvas/hit_area.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_calibration.h"
#include "views/landscape/landscape_internal.h"
#include "views/shared/rows_hint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE_COLUMNS = 150, WIDE_ROWS = 30, LEFT_COLUMNS = 72, GAP = 2 };

/* Of each kind of measurement, in their order. */
static const LandscapePane *const PANES[SESSION_LANDSCAPE_COUNT] = {
    &landscape_line_pane, &landscape_plane_pane, &landscape_sharpness_pane};

#define TRIANGLE                                                                                                     \
    "The loss of responses over the plane through base (0, 0), SFT (1, 0) and a third checkpoint, such as one that " \
    "reinforcement learning made: whether it went on from SFT, back towards base, or somewhere else."

#define PLANE                                                                                                             \
    "The loss of responses around W at the dials, along two random directions in which every row of a matrix moves by a " \
    "share of its own length. A flat valley is one that reinforcement learning can move about in."

static const char *const ABOUT[SESSION_LANDSCAPE_COUNT] = {
    "The loss of responses along the line through base (α = 0) and SFT (α = 1), and beyond both.", PLANE,
    "How the loss of base, SFT and W rises after small steps along random directions, both ways, and its curvature."};

static Status open_landscape(Session *session, void **state, Error *error) {
    (void)session;
    LandscapeState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the landscape view");
    *made = (LandscapeState){.point = LANDSCAPE_UNPLACED, .plane_row = LANDSCAPE_UNPLACED};
    *state = made;
    return STATUS_OK;
}

/* Cursors of another day (view.h) may be any numbers. */
static SessionLandscapeKind front(const LandscapeState *state) {
    return state->pane < SESSION_LANDSCAPE_COUNT ? (SessionLandscapeKind)state->pane : SESSION_LANDSCAPE_LINE;
}

/* ---- drawing ---- */

/* What the next would be measured with. */
static void describe_choice(const Session *session, SessionLandscapeKind kind, char *text, size_t size) {
    SessionLandscapeChoice choice = session_landscape_choice(session);
    char range[LANDSCAPE_TEXT / 2];
    if (kind != SESSION_LANDSCAPE_SHARPNESS)
        range_write(session_landscape_range(&choice, kind), false, range, sizeof range);
    if (kind == SESSION_LANDSCAPE_LINE)
        (void)snprintf(text, size, "α %s", range);
    else if (kind == SESSION_LANDSCAPE_PLANE && choice.third != NULL)
        (void)snprintf(text, size, "%s through %s", range, landscape_name_third(choice.third));
    else if (kind == SESSION_LANDSCAPE_PLANE)
        (void)snprintf(text, size, "%s, seed %llu", range, (unsigned long long)choice.seed);
    else
        (void)snprintf(text, size, "σ %.4g, %zu directions, seed %llu", choice.sigma, choice.directions,
                       (unsigned long long)choice.seed);
}

/* What is measured next, when it is asked for, and how long that takes. */
static int draw_offer(const Session *session, SessionLandscapeKind kind, const char *before, Canvas *canvas,
                      Rect area) {
    char keys[KEY_TEXT_SIZE], choice[2 * LANDSCAPE_TEXT], count[FORMAT_SIZE], time[FORMAT_SIZE], text[512];
    double seconds = session_landscape_seconds(session, kind);
    bool is_known = colour_scale_is_known(seconds);
    describe_choice(session, kind, choice, sizeof choice);
    (void)snprintf(text, sizeof text, "%s%s measures %s: %s losses%s%s", before,
                   key_text("landscape", "{measure}", keys), choice,
                   format_count(session_landscape_points(session, kind), count), is_known ? ", up to " : "",
                   is_known ? format_duration(seconds, time) : "");
    return canvas_write_wrapped(canvas, area, 0, ROLE_DIM, text);
}

/* How it stands, in the last row: what is under way, what went wrong, what the next would be. */
static void draw_state(const Session *session, SessionLandscapeKind kind, const SessionLandscape *shown,
                       Canvas *canvas, Rect row) {
    static const char *const UNITS[] = {"points", "points", "models"};
    char keys[KEY_TEXT_SIZE];
    const char *message = session_landscape_message(session, kind);
    SessionLandscapeChoice choice = session_landscape_choice(session);
    if (shown->error != NULL)
        (void)canvas_write(canvas, row, 0, 0, ROLE_ERROR, shown->error);
    else if (shown->is_waiting)
        (void)canvas_write(canvas, row, 0, 0, ROLE_DIM,
                           "waits: base, SFT and W at the dials, and what runs already, go first");
    else if (shown->is_running)
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "measuring: %zu of %zu %s; %s", shown->ready,
                           shown->total, UNITS[kind], key_text("landscape", "{cancel} stops it", keys));
    else if (message != NULL)
        (void)canvas_write(canvas, row, 0, 0, ROLE_WARNING, message);
    else if (shown->is_stale)
        (void)draw_offer(session, kind, "~ of other dials; ", canvas, row);
    else if (shown->ready < shown->total)
        (void)draw_offer(session, kind, "cancelled; ", canvas, row);
    else if (session_landscape_differs(shown, kind, &choice))
        (void)draw_offer(session, kind, "of other numbers; ", canvas, row);
}

static const char *about(const Session *session, SessionLandscapeKind kind) {
    bool is_triangle = kind == SESSION_LANDSCAPE_PLANE && session_landscape_choice(session).third != NULL;
    return is_triangle ? TRIANGLE : ABOUT[kind];
}

/* In place of a pane that has nothing to show yet. */
static void draw_nothing(const Session *session, SessionLandscapeKind kind, const SessionLandscape *shown,
                         Canvas *canvas, Rect area) {
    const char *message = session_landscape_message(session, kind);
    bool has_rows = session_calibration(session, NULL) != NULL;
    (void)rect_cut_top(&area, canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, about(session, kind)) + 1);
    if (shown->is_running) {
        draw_state(session, kind, shown, canvas, area);
        return;
    }
    if (shown->error != NULL) message = shown->error;
    if (message != NULL)
        (void)rect_cut_top(
            &area,
            canvas_write_wrapped(canvas, area, 0, shown->error != NULL ? ROLE_ERROR : ROLE_WARNING, message));
    if (has_rows)
        (void)draw_offer(session, kind, "", canvas, area);
    else
        (void)rows_hint_draw(session, "landscape", canvas, area, 0);
}

static void draw_body(LandscapeState *state, SessionLandscapeKind kind, Session *session, Canvas *canvas,
                      Rect area) {
    SessionLandscape shown = session_landscape(session, kind);
    if (shown.total == 0) {
        draw_nothing(session, kind, &shown, canvas, area);
        return;
    }
    Rect row = rect_cut_bottom(&area, area.rows > 2 ? 1 : 0);
    PANES[kind]->draw(state, session, &shown, canvas, area);
    draw_state(session, kind, &shown, canvas, row);
}

/* A press brings the pane to the front. */
static void add_pane_area(LandscapeState *state, SessionLandscapeKind kind, Canvas *canvas, Rect area) {
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_GRID,
                                    .area = area,
                                    .across = {&state->pane, kind, (size_t)kind + 1, area.columns}});
}

static void draw_names(LandscapeState *state, Canvas *canvas, Rect row) {
    int column = 0;
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) {
        bool is_front = kind == front(state);
        int begin = column;
        column = canvas_print(canvas, row, 0, column, is_front ? ROLE_SELECTED : ROLE_DIM,
                              is_front ? "[%s]" : " %s ", PANES[kind]->name);
        add_pane_area(state, kind, canvas, rect_make(row.row, row.column + begin, 1, column - begin));
    }
}

static void draw_pane(LandscapeState *state, SessionLandscapeKind kind, Session *session, Canvas *canvas,
                      Rect area) {
    bool is_front = kind == front(state);
    const Rect whole = area;
    (void)canvas_print(canvas, rect_cut_top(&area, 1), 0, 0, is_front ? ROLE_SELECTED : ROLE_TITLE,
                       is_front ? "[%s]" : " %s ", PANES[kind]->name);
    draw_body(state, kind, session, canvas, area);
    if (!is_front)
        add_pane_area(state, kind, canvas, whole); /* over its parts: once in front, they are pressed */
}

static void draw_wide(LandscapeState *state, Session *session, Canvas *canvas, Rect area) {
    Rect left = rect_cut_left(&area, LEFT_COLUMNS);
    (void)rect_cut_left(&area, GAP);
    Rect line = rect_cut_top(&left, left.rows / 2);
    draw_pane(state, SESSION_LANDSCAPE_LINE, session, canvas, line);
    draw_pane(state, SESSION_LANDSCAPE_SHARPNESS, session, canvas, left);
    draw_pane(state, SESSION_LANDSCAPE_PLANE, session, canvas, area);
}

static void draw_landscape(void *opaque, Session *session, Canvas *canvas, Rect area) {
    LandscapeState *state = opaque;
    char rows[SESSION_ROWS_TEXT];
    Rect head = rect_cut_top(&area, 1);
    session_describe_rows(session, head.columns, rows);
    (void)canvas_write(canvas, head, 0, 0, ROLE_DIM, rows);
    if (area.columns >= WIDE_COLUMNS && area.rows >= WIDE_ROWS && !view_is_zoomed()) {
        draw_wide(state, session, canvas, area);
        return;
    }
    draw_names(state, canvas, rect_cut_top(&area, 1));
    draw_body(state, front(state), session, canvas, area);
}

/* ---- acting ---- */

static const Reaction CHANGED = (Reaction)(REACTION_REDRAW | REACTION_REFRESH);

static Reaction turn_pane(LandscapeState *state, int step) {
    int count = SESSION_LANDSCAPE_COUNT, pane = ((int)front(state) + step % count + count) % count;
    state->pane = (size_t)pane;
    return REACTION_REDRAW;
}

static Reaction go_to_pane(LandscapeState *state, Session *session, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < SESSION_LANDSCAPE_COUNT; i++) {
        if (length == 0 || strncmp(PANES[i]->name, text, length) != 0) continue;
        state->pane = i;
        return REACTION_REDRAW;
    }
    session_say(session, SESSION_WARNING, "there is no pane of that name");
    return REACTION_REDRAW;
}

static Reaction set_grid(const LandscapeState *state, Session *session, const char *text) {
    static const RangeLimits LIMITS[] = {{.least = -10.0,
                                          .most = 10.0,
                                          .least_points = 2,
                                          .most_points = SESSION_LANDSCAPE_LINE_MOST,
                                          .has_to_climb = true},
                                         {.least = -10.0,
                                          .most = 10.0,
                                          .least_points = 2,
                                          .most_points = SESSION_LANDSCAPE_PLANE_MOST,
                                          .has_to_climb = true}};
    SessionLandscapeChoice choice = session_landscape_choice(session);
    SessionLandscapeKind kind = front(state);
    if (kind == SESSION_LANDSCAPE_SHARPNESS) {
        session_say(session, SESSION_WARNING, "sharpness has no grid: the line and the plane have");
        return REACTION_REDRAW;
    }
    Range *range = kind == SESSION_LANDSCAPE_LINE ? &choice.line
                   : choice.third != NULL         ? &choice.triangle
                                                  : &choice.plane;
    if (range_read_list(text, &LIMITS[kind], 1, range) && session_landscape_choose(session, &choice))
        return REACTION_REDRAW;
    session_say(
        session, SESSION_WARNING,
        "expected FROM:TO:POINTS, such as %s, rising within -10 to 10 and of 2 to %zu points, found \"%s\"",
        kind == SESSION_LANDSCAPE_LINE ? "-0.25:1.25:13" : "-0.25:0.25:11", LIMITS[kind].most_points, text);
    return REACTION_REDRAW;
}

/* That names a plane, which is measured at once: a directory that cannot be opened is told so. */
static Reaction set_third(LandscapeState *state, Session *session, const char *directory) {
    SessionLandscapeChoice choice = session_landscape_choice(session);
    state->pane = SESSION_LANDSCAPE_PLANE;
    choice.third = directory;
    if (!session_landscape_choose(session, &choice)) {
        session_say(session, SESSION_WARNING, "out of memory for a plane");
        return REACTION_REDRAW;
    }
    if (directory == NULL) return REACTION_REDRAW;
    session_start_landscape(session, SESSION_LANDSCAPE_PLANE);
    return CHANGED;
}

/* A whole number within the two. */
static bool is_count(double number, double least, double most) {
    return number >= least && number <= most && (double)(uint64_t)number == number;
}

static Reaction set_number(Session *session, Action action, double number) {
    static const double SEED_MOST = 9007199254740991.0; /* whole numbers up to there are exact */
    SessionLandscapeChoice choice = session_landscape_choice(session);
    const char *expected = NULL;
    if (action == ACTION_SIGMA) {
        if (number >= 1e-6 && number <= 10.0)
            choice.sigma = number;
        else
            expected = "σ from 1e-6 to 10, such as 0.1";
    } else if (action == ACTION_DIRECTIONS) {
        if (is_count(number, 1.0, SESSION_LANDSCAPE_DIRECTIONS_MOST))
            choice.directions = (size_t)number;
        else
            expected = "1 to 4096 directions";
    } else if (is_count(number, 0.0, SEED_MOST)) {
        choice.seed = (uint64_t)number;
    } else {
        expected = "a seed that is a whole number, 0 or more";
    }
    if (expected != NULL || !session_landscape_choose(session, &choice))
        session_say(session, SESSION_WARNING, "expected %s", expected);
    return REACTION_REDRAW;
}

static Reaction act_on_landscape(void *opaque, Session *session, Action action,
                                 const ActionArgument *argument) {
    LandscapeState *state = opaque;
    SessionLandscape shown = session_landscape(session, front(state));
    switch (action) {
    case ACTION_PANE_NEXT:
        return turn_pane(state, argument->count);
    case ACTION_PANE_PREVIOUS:
        return turn_pane(state, -argument->count);
    case ACTION_PANE:
        return go_to_pane(state, session, argument->text);
    case ACTION_MEASURE:
        session_start_landscape(session, front(state));
        return CHANGED;
    case ACTION_GRID:
        return set_grid(state, session, argument->text);
    case ACTION_THIRD:
        return set_third(state, session, argument->text);
    case ACTION_THIRD_OFF:
        return set_third(state, session, NULL);
    case ACTION_SIGMA:
    case ACTION_DIRECTIONS:
    case ACTION_SEED:
        return set_number(session, action, argument->number);
    default:
        return PANES[front(state)]->act(state, session, &shown, action, argument);
    }
}

/* ---- numbers, the command, arguments ---- */

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    SessionLandscape shown = session_landscape(session, front(opaque));
    if (shown.ready == 0)
        return status_fail(error, STATUS_UNSUPPORTED, "the %s is not measured yet",
                           PANES[front(opaque)]->name);
    return PANES[front(opaque)]->numbers(&shown, table, error);
}

static CommandId twin_landscape(void *opaque, Session *session, CommandLine *line) {
    SessionLandscape shown = session_landscape(session, front(opaque));
    PANES[front(opaque)]->twin(&shown.choice, line);
    return COMMAND_LANDSCAPE;
}

static bool copy_value(void *opaque, Session *session, char *text, size_t size) {
    SessionLandscape shown = session_landscape(session, front(opaque));
    return PANES[front(opaque)]->value(opaque, session, &shown, text, size);
}

static const char *start_argument(void *opaque, Session *session, Action action) {
    LandscapeState *state = opaque;
    SessionLandscapeChoice choice = session_landscape_choice(session);
    state->text[0] = '\0';
    if (action == ACTION_GRID)
        range_write(session_landscape_range(&choice, front(state) == SESSION_LANDSCAPE_LINE
                                                         ? SESSION_LANDSCAPE_LINE
                                                         : SESSION_LANDSCAPE_PLANE),
                    false, state->text, sizeof state->text);
    if (action == ACTION_THIRD && choice.third != NULL)
        (void)snprintf(state->text, sizeof state->text, "%s", choice.third);
    if (action == ACTION_SIGMA) (void)snprintf(state->text, sizeof state->text, "%.6g", choice.sigma);
    if (action == ACTION_DIRECTIONS)
        (void)snprintf(state->text, sizeof state->text, "%zu", choice.directions);
    if (action == ACTION_SEED)
        (void)snprintf(state->text, sizeof state->text, "%llu", (unsigned long long)choice.seed);
    return state->text;
}

static size_t list_places(void *opaque, ViewPlace *places) {
    LandscapeState *state = opaque;
    places[0] = (ViewPlace){"pane", &state->pane};
    places[1] = (ViewPlace){"figure", &state->figure};
    return 2;
}

static ViewHints list_hints(void *opaque) {
    const LandscapePane *pane = PANES[front(opaque)];
    return (ViewHints){pane->hints, pane->hint_count};
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_MEASURE, ACTION_GRID, ACTION_SEED};

const View landscape_view = {
    .name = "landscape",
    .title = "Landscape",
    .help =
        "The mean loss of the calibration rows' responses around base, SFT and W. Each of the three panes is many "
        "passes over the rows, and is measured when asked for. The plane goes along random directions around W, or through base, SFT "
        "and a third checkpoint (:third). Where the dials have been turned since, a plane and "
        "the column W are marked ~.",
    .parts = SESSION_PART_HEADLINE | SESSION_PART_LANDSCAPE,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_landscape,
    .draw = draw_landscape,
    .act = act_on_landscape,
    .numbers = list_numbers,
    .twin = twin_landscape,
    .value = copy_value,
    .places = list_places,
    .initial = start_argument,
    .close = free,
};
