/* The pane modules of Tune: α of each kind of tensors, and which kinds are kept as one of the models has them. */
#include "core/support/memory.h"
#include "tui/canvas/dial_bar.h"
#include "tui/canvas/hit_area.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_neurons.h"
#include "tui/text/text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>

enum { KIND_COLUMNS = 8, END_COLUMNS = 4, VALUE_COLUMNS = 9 };

/* ---- drawing ---- */

/* Its place on the dial as text: "0.300", "at SFT", "= 0.500" where it follows α. */
static void format_alpha(const SettingsOwn *own, SettingsKind kind, double alpha, char text[FORMAT_SIZE]) {
    if (own->is_set && settings_text_is_protectable(kind) && (own->alpha == 1.0 || own->alpha == 0.0))
        (void)snprintf(text, FORMAT_SIZE, "at %s", own->alpha == 1.0 ? "SFT" : "base");
    else
        (void)snprintf(text, FORMAT_SIZE, "%s%.3f", own->is_set ? "" : "= α ", alpha);
}

/* Why a kind has no dial to show; NULL where it has. */
static const char *explain_kind(const Session *session, SettingsKind kind) {
    const Settings *settings = session_settings(session);
    bool is_layered = kind != SETTINGS_EMBEDDING && kind != SETTINGS_POSITION && kind != SETTINGS_HEAD &&
                      kind != SETTINGS_VISION && kind != SETTINGS_AUDIO;
    if (!session_has_kind(session, kind))
        return kind == SETTINGS_HEAD ? "tied: it is the embedding, which embed is for" : "none in this model";
    return !settings->kinds[kind].is_set && settings->curve != NULL && is_layered ? "= its layer's α" : NULL;
}

static void draw_kind(TuneState *state, const Session *session, SettingsKind kind, size_t place,
                      Canvas *canvas, Rect area, int row) {
    bool cursor = place == state->kind;
    const SettingsOwn *own = &session_settings(session)->kinds[kind];
    const char *reason = explain_kind(session, kind);
    char text[FORMAT_SIZE];
    double alpha = session_kind_alpha(session, kind);
    (void)canvas_write(canvas, area, row, 0, ROLE_MARK, cursor ? "▸" : " ");
    (void)rect_cut_left(&area, 2);
    if (reason != NULL) {
        canvas_write_field(canvas, area, row, 0, KIND_COLUMNS, false, cursor ? ROLE_SELECTED : ROLE_DIM,
                           settings_kind_name(kind));
        (void)canvas_write(canvas, area, row, KIND_COLUMNS + 1, ROLE_DIM, reason);
        return;
    }
    format_alpha(own, kind, alpha, text);
    const Dial dial = {.label = settings_kind_name(kind),
                       .low_label = "base",
                       .high_label = "SFT",
                       .value_text = text,
                       .high = 1.0,
                       .value = alpha,
                       .ticks = 10,
                       .selected = cursor,
                       .action = ACTION_ALPHA_KIND,
                       .action_name = settings_kind_name(kind),
                       .cursor = &state->kind,
                       .item = place,
                       .label_columns = KIND_COLUMNS,
                       .end_columns = END_COLUMNS,
                       .value_columns = VALUE_COLUMNS};
    dial_bar_draw(canvas, area, row, &dial);
}

/* The kinds of this model, and lm_head even where it is tied: that is said. */
static size_t list_kinds(const Session *session, SettingsKind kinds[SETTINGS_KIND_COUNT]) {
    size_t count = 0;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++)
        if (i == SETTINGS_HEAD || session_has_kind(session, (SettingsKind)i))
            kinds[count++] = (SettingsKind)i;
    return count;
}

/* The kind under the cursor. */
static SettingsKind chosen_kind(TuneState *state, const Session *session) {
    SettingsKind kinds[SETTINGS_KIND_COUNT];
    size_t count = list_kinds(session, kinds);
    if (state->kind >= count) state->kind = count - 1;
    return kinds[state->kind];
}

static void draw_modules(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    SettingsKind kinds[SETTINGS_KIND_COUNT];
    int count = (int)list_kinds(session, kinds);
    int shown = area.rows < count ? area.rows : count;
    int first = (int)state->kind >= shown ? (int)state->kind - shown + 1 : 0;
    char options[SETTINGS_TEXT_KINDS_SIZE];
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_GRID,
                                    .area = rect_make(area.row, area.column, shown, area.columns),
                                    .down = {&state->kind, (size_t)first, (size_t)count, 1}});
    for (int row = 0; row < shown; row++)
        draw_kind(state, session, kinds[first + row], (size_t)first + (size_t)row, canvas, area, row);
    (void)rect_cut_top(&area, count + 1);
    settings_text_write_kinds(session_settings(session), options);
    int row = 0;
    if (options[0] != '\0')
        row = canvas_print(canvas, area, 0, 0, ROLE_DIM, "--alpha-kind %s", options) > 0 ? 1 : 0;
    (void)canvas_write_wrapped(
        canvas, area, row, ROLE_DIM,
        session_settings(session)->curve != NULL
            ? "A kind's own α goes before its layer's, and that before the common one."
            : "A kind's own α goes before the common one. A bias goes with its weight.");
}

/* ---- acting ---- */

static Reaction turn(TuneState *state, Session *session, double step) {
    SettingsKind kind = chosen_kind(state, session);
    if (!session_has_kind(session, kind))
        session_say(session, SESSION_NOTE, "%s: %s", settings_kind_name(kind), explain_kind(session, kind));
    else
        session_set_kind_alpha(session, kind, session_kind_alpha(session, kind) + step);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction protect(TuneState *state, Session *session) {
    SettingsKind kind = chosen_kind(state, session);
    if (!session_has_kind(session, kind)) return turn(state, session, 0);
    if (!session_turn_protection(session, kind))
        session_say(session, SESSION_NOTE,
                    "%s cannot be kept at one model: it has its α; embed, norm and lm_head can",
                    settings_kind_name(kind));
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction move(TuneState *state, const Session *session, long step) {
    SettingsKind kinds[SETTINGS_KIND_COUNT];
    long row = (long)state->kind + step, last = (long)list_kinds(session, kinds) - 1;
    state->kind = (size_t)(row < 0 ? 0 : row > last ? last : row);
    return REACTION_REDRAW;
}

static Reaction act_on_modules(TuneState *state, Session *session, Action action,
                               const ActionArgument *argument) {
    switch (action) {
    case ACTION_MOVE_LEFT:
        return turn(state, session, -0.01 * argument->count);
    case ACTION_MOVE_RIGHT:
        return turn(state, session, 0.01 * argument->count);
    case ACTION_PAGE_UP:
        return turn(state, session, 0.1 * argument->count);
    case ACTION_PAGE_DOWN:
        return turn(state, session, -0.1 * argument->count);
    case ACTION_MOVE_UP:
        return move(state, session, -argument->count);
    case ACTION_MOVE_DOWN:
        return move(state, session, argument->count);
    case ACTION_FIRST:
        return move(state, session, -SETTINGS_KIND_COUNT);
    case ACTION_LAST:
        return move(state, session, SETTINGS_KIND_COUNT);
    case ACTION_ALPHA_CLEAR:
        session_clear_kind_alpha(session, chosen_kind(state, session));
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_PROTECT_NEXT:
        return protect(state, session);
    default:
        return REACTION_IGNORED;
    }
}

static const char *kind_name(const void *kinds, size_t place) {
    return settings_kind_name(((const SettingsKind *)kinds)[place]);
}

static bool find_kind(TuneState *state, Session *session, const char *text, int direction, bool stay) {
    SettingsKind kinds[SETTINGS_KIND_COUNT];
    size_t count = list_kinds(session, kinds);
    size_t at = tune_find(count, state->kind, direction, stay, text, kind_name, kinds);
    if (at < count) state->kind = at;
    return at < count;
}

static Status list_modules(TuneState *state, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"kind", NULL, NULL, TABLE_TEXT, 0},
                                          {"alpha", NULL, NULL, TABLE_NUMBER, 0},
                                          {"from", NULL, NULL, TABLE_TEXT, 0}};
    (void)state;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (int i = 0; i < SETTINGS_KIND_COUNT && status == STATUS_OK; i++) {
        SettingsKind kind = (SettingsKind)i;
        if (!session_has_kind(session, kind)) continue;
        table_add_row(*table);
        table_add_text(*table, settings_kind_name(kind));
        table_add_number(*table, session_kind_alpha(session, kind));
        table_add_text(*table, session_settings(session)->kinds[kind].is_set ? "own"
                               : explain_kind(session, kind) != NULL         ? "layers"
                                                                             : "alpha");
    }
    return status;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,  ACTION_MOVE_LEFT,   ACTION_MOVE_UP,      ACTION_MOVE_DOWN,
                               ACTION_MOVE_RIGHT, ACTION_ALPHA_CLEAR, ACTION_PROTECT_NEXT, ACTION_ALPHA_KIND};

const TunePane tune_modules_pane = {
    .name = "modules",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "←→ turns  {alpha-clear} follows α  {protect-next} keeps",
    .slot = TUNE_BELOW,
    .size = 26,
    .draw = draw_modules,
    .act = act_on_modules,
    .find = find_kind,
    .numbers = list_modules,
};
