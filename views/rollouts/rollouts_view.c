#include "views/rollouts/rollouts_view.h"

#include "core/support/memory.h"
#include "tui/canvas/hit_area.h"
#include "tui/keys/key_text.h"
#include "tui/text/text.h"
#include "views/rollouts/rollouts_internal.h"
#include "views/shared/rollouts_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE_COLUMNS = 150, WIDE_ROWS = 30, RIGHT_COLUMNS = 80, FIGURES_ROWS = 26, GAP = 2, NAME = 96 };

/* In the order that keys go through them. */
static const RolloutsPane *const PANES[] = {&rollouts_prompts_pane, &rollouts_figures_pane,
                                            &rollouts_gradient_pane};
enum { PANE_COUNT = sizeof PANES / sizeof *PANES };

static const char ABOUT[] =
    "Answers sampled from base, SFT and W to prompts whose answers are known: how many are right, how often one of K "
    "is, and which prompts have right and wrong ones, the only ones that a group-relative step of reinforcement learning "
    "learns from. Each can be read token by token; of them the gradient at hand-over is measured.";

static Status open_rollouts(Session *session, void **state, Error *error) {
    (void)session;
    *state = memory_allocate(1, sizeof(RolloutsState));
    return *state == NULL ? memory_fail(error, "the rollouts view") : STATUS_OK;
}

/* Cursors of another day (view.h) may be any numbers. */
static void keep_in_range(RolloutsState *state, const SessionRollouts *shown) {
    if (state->pane >= PANE_COUNT) state->pane = 0;
    if (state->figure >= SESSION_ROLLOUTS_FIGURES) state->figure = 0;
    if (shown->columns == 0) state->is_reading = false;
}

static const RolloutsPane *front(const RolloutsState *state) {
    if (state->is_reading) return &rollouts_reader;
    return PANES[state->pane < PANE_COUNT ? state->pane : 0];
}

/* ---- what they are, and how they come ---- */

static void name_file(const char *path, char text[NAME]) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL || slash[1] == '\0' ? path : slash + 1;
    (void)text_escape(name, strlen(name), TEXT_PLAIN, text, NAME);
}

/* "4 answers of up to 256 tokens": with what they are drawn. */
static void describe_drawing(const SessionRolloutsChoice *choice, char *text, size_t size) {
    char cut[64] = "";
    if (choice->sampling.top_k > 0) (void)snprintf(cut, sizeof cut, ", top-k %zu", choice->sampling.top_k);
    if (choice->sampling.top_p < 1.0) {
        size_t used = strlen(cut);
        (void)snprintf(cut + used, sizeof cut - used, ", top-p %.4g", choice->sampling.top_p);
    }
    (void)snprintf(text, size, "up to %zu tokens, temperature %.4g%s, seed %llu", choice->most_tokens,
                   choice->sampling.temperature, cut, (unsigned long long)choice->seed);
}

/* "64 calibration rows × 8; reward: number; …" */
static void write_source(const Session *session, const SessionRollouts *shown, char *text, size_t size) {
    char from[NAME] = "", how[ROLLOUTS_TEXT], rule[SESSION_ROLLOUTS_RULE];
    const char *given = session_rollouts_rule(session, &shown->choice), *s = shown->groups == 1 ? "" : "s";
    if (shown->path != NULL) name_file(shown->path, from);
    (void)text_escape(given, strlen(given), TEXT_PLAIN, rule, sizeof rule);
    describe_drawing(&shown->choice, how, sizeof how);
    if (shown->is_file)
        (void)snprintf(text, size, "%zu samples of %zu prompt%s in %s; reward: %s", shown->column[0].total,
                       shown->groups, s, from, rule);
    else if (shown->path != NULL)
        (void)snprintf(text, size, "%zu prompt%s of %s × %zu; reward: %s; %s", shown->groups, s, from,
                       shown->choice.samples, rule, how);
    else
        (void)snprintf(text, size, "%zu calibration row%s × %zu; reward: %s; %s", shown->groups, s,
                       shown->choice.samples, rule, how);
}

/* In full where the view has the rows. */
static void draw_source(const Session *session, const SessionRollouts *shown, Canvas *canvas, Rect *area) {
    enum { MOST = 3, TALL = 16 };
    char text[SESSION_ROLLOUTS_RULE + NAME + 2 * ROLLOUTS_TEXT];
    write_source(session, shown, text, sizeof text);
    int rows = area->rows < TALL ? 1 : canvas_count_wrapped(area->columns, text);
    Rect head = rect_cut_top(area, rows < MOST ? rows : MOST);
    if (rows == 1)
        (void)canvas_write(canvas, head, 0, 0, ROLE_DIM, text);
    else
        (void)canvas_write_wrapped(canvas, head, 0, ROLE_DIM, text);
}

/* What the next would be, and which key begins. */
static void write_offer(const Session *session, char *text, size_t size) {
    char key[KEY_TEXT_SIZE], from[NAME] = "the calibration rows", how[ROLLOUTS_TEXT];
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    SessionRolloutsNext next = session_rollouts_next(session);
    (void)key_text("rollouts", "{measure}", key);
    describe_drawing(&choice, how, sizeof how);
    if (next.path != NULL) name_file(next.path, from);
    if (next.is_file)
        (void)snprintf(text, size, "%s reads the samples of %s", key, from);
    else
        (void)snprintf(text, size,
                       "%s samples %zu answers to each of %s%zu prompts of %s from base, SFT and W: %s", key,
                       choice.samples, next.path != NULL ? "up to " : "", next.prompts, from, how);
}

/* The same below samples that are there. */
static void draw_again(const Session *session, const char *why, Canvas *canvas, Rect row) {
    char key[KEY_TEXT_SIZE], how[ROLLOUTS_TEXT];
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    SessionRolloutsNext next = session_rollouts_next(session);
    (void)key_text("rollouts", "{measure}", key);
    describe_drawing(&choice, how, sizeof how);
    if (next.is_file)
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "%s; %s reads the file", why, key);
    else
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "%s; %s samples %zu × %zu, %s", why, key,
                           next.prompts, choice.samples, how);
}

static void draw_running(const SessionRollouts *shown, Canvas *canvas, Rect row) {
    char keys[KEY_TEXT_SIZE];
    (void)key_text("rollouts", "{cancel} stops it", keys);
    if (shown->is_waiting)
        (void)canvas_write(canvas, row, 0, 0, ROLE_DIM,
                           "waits for what it needs: rows, and the neurons that ρ resets");
    else if (shown->is_gradient)
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "measuring the gradient; %s", keys);
    else {
        int column = 0;
        for (size_t c = 0; c < shown->columns; c++)
            column =
                canvas_print(canvas, row, 0, column, ROLE_DIM, "%s %zu/%zu  ", rollouts_column_name(shown, c),
                             shown->column[c].ready, shown->column[c].total);
        (void)canvas_print(canvas, row, 0, column, ROLE_DIM, "%s", keys);
    }
}

static bool are_whole(const SessionRollouts *shown) {
    for (size_t c = 0; c < shown->columns; c++)
        if (shown->column[c].ready < shown->column[c].total || shown->column[c].scores == NULL) return false;
    return true;
}

/* Rows of it: what is wrong is told in full. */
static int state_rows(const Session *session, const SessionRollouts *shown, int rows, int columns) {
    enum { MOST = 3 };
    const char *text = shown->error != NULL ? shown->error : session_rollouts_message(session);
    if (rows <= 3) return 0;
    if (shown->is_running || text == NULL || columns <= 0 || rows < 4 * MOST) return 1;
    int needed = 1 + text_width(text) / columns;
    return needed < MOST ? needed : MOST;
}

/* How it stands, in the last row: what is under way, what went wrong, what the next would be. */
static void draw_state(const Session *session, const SessionRollouts *shown, Canvas *canvas, Rect row) {
    const char *message = session_rollouts_message(session);
    if (shown->is_running)
        draw_running(shown, canvas, row);
    else if (shown->error != NULL)
        (void)canvas_write_wrapped(canvas, row, 0, ROLE_ERROR, shown->error);
    else if (message != NULL)
        (void)canvas_write_wrapped(canvas, row, 0, ROLE_WARNING, message);
    else if (!are_whole(shown))
        draw_again(session, "cancelled", canvas, row);
    else if (shown->is_stale)
        draw_again(session, "~ of other dials", canvas, row);
    else if (session_rollouts_differs(session))
        draw_again(session, "of other settings", canvas, row);
    else if (shown->note[0] != '\0')
        (void)canvas_write(canvas, row, 0, 0, ROLE_DIM, shown->note);
}

/* In place of samples that are not there yet. */
static void draw_nothing(const Session *session, const SessionRollouts *shown, Canvas *canvas, Rect area) {
    char keys[KEY_TEXT_SIZE], offer[1024];
    const char *message = session_rollouts_message(session);
    (void)rect_cut_top(&area, canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, ABOUT) + 1);
    if (shown->is_running) {
        draw_running(shown, canvas, area);
        return;
    }
    if (shown->error != NULL)
        (void)rect_cut_top(&area, canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, shown->error) + 1);
    write_offer(session, offer, sizeof offer);
    (void)rect_cut_top(&area, canvas_write_wrapped(canvas, area, 0, message != NULL ? ROLE_WARNING : ROLE_DIM,
                                                   message != NULL ? message : offer) +
                                  1);
    (void)rect_cut_top(
        &area, canvas_write_wrapped(
                   canvas, area, 0, ROLE_DIM,
                   key_text("rollouts",
                            "{samples-file} reads samples made elsewhere (vLLM, verl), {prompts-file} "
                            "takes the prompts of a file: lines of JSON with prompt and answer",
                            keys)));
    (void)canvas_write_wrapped(
        canvas, area, 0, ROLE_DIM,
        key_text(
            "rollouts",
            "{reward} says what is right, {reward-command} a program of your own; {samples} how many answers",
            keys));
}

/* ---- drawing ---- */

/* A press brings the pane to the front. */
static void add_pane_area(RolloutsState *state, size_t index, Canvas *canvas, Rect area) {
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_GRID,
                                    .area = area,
                                    .across = {&state->pane, index, index + 1, area.columns}});
}

static void draw_names(RolloutsState *state, Canvas *canvas, Rect row) {
    int column = 0;
    for (size_t i = 0; i < PANE_COUNT; i++) {
        bool is_front = i == state->pane;
        int begin = column;
        column = canvas_print(canvas, row, 0, column, is_front ? ROLE_SELECTED : ROLE_DIM,
                              is_front ? "[%s]" : " %s ", PANES[i]->name);
        add_pane_area(state, i, canvas, rect_make(row.row, row.column + begin, 1, column - begin));
    }
}

static void draw_pane(RolloutsState *state, size_t index, Session *session, const SessionRollouts *shown,
                      Canvas *canvas, Rect area) {
    bool is_front = index == state->pane;
    const Rect whole = area;
    (void)canvas_print(canvas, rect_cut_top(&area, 1), 0, 0, is_front ? ROLE_SELECTED : ROLE_TITLE,
                       is_front ? "[%s]" : " %s ", PANES[index]->name);
    PANES[index]->draw(state, session, shown, canvas, area);
    if (!is_front)
        add_pane_area(state, index, canvas, whole); /* over its parts: once in front, they are pressed */
}

static void draw_wide(RolloutsState *state, Session *session, const SessionRollouts *shown, Canvas *canvas,
                      Rect area) {
    Rect right = rect_cut_right(&area, RIGHT_COLUMNS);
    (void)rect_cut_right(&area, GAP);
    Rect figures =
        rect_cut_top(&right, FIGURES_ROWS < right.rows * 2 / 3 ? FIGURES_ROWS : right.rows * 2 / 3);
    draw_pane(state, 0, session, shown, canvas, area);
    draw_pane(state, 1, session, shown, canvas, figures);
    draw_pane(state, 2, session, shown, canvas, right);
}

static void draw_rollouts(void *opaque, Session *session, Canvas *canvas, Rect area) {
    RolloutsState *state = opaque;
    SessionRollouts shown = session_rollouts(session);
    keep_in_range(state, &shown);
    if (shown.columns == 0) {
        draw_nothing(session, &shown, canvas, area);
        return;
    }
    draw_source(session, &shown, canvas, &area);
    Rect row = rect_cut_bottom(&area, state_rows(session, &shown, area.rows, area.columns));
    draw_state(session, &shown, canvas, row);
    if (state->is_reading) {
        rollouts_reader.draw(state, session, &shown, canvas, area);
        return;
    }
    if (area.columns >= WIDE_COLUMNS && area.rows >= WIDE_ROWS && !view_is_zoomed()) {
        draw_wide(state, session, &shown, canvas, area);
        return;
    }
    draw_names(state, canvas, rect_cut_top(&area, 1));
    PANES[state->pane]->draw(state, session, &shown, canvas, area);
}

/* ---- acting ---- */

static const Reaction CHANGED = (Reaction)(REACTION_REDRAW | REACTION_REFRESH);

static Reaction turn_pane(RolloutsState *state, int step) {
    int count = PANE_COUNT, pane = ((int)state->pane + step % count + count) % count;
    state->pane = (size_t)pane;
    return REACTION_REDRAW;
}

static Reaction go_to_pane(RolloutsState *state, Session *session, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < PANE_COUNT; i++) {
        if (length == 0 || strncmp(PANES[i]->name, text, length) != 0) continue;
        state->pane = i;
        state->is_reading = false;
        return REACTION_REDRAW;
    }
    session_say(session, SESSION_WARNING, "there is no pane of that name");
    return REACTION_REDRAW;
}

static Reaction turn_figure(RolloutsState *state, int step) {
    int count = SESSION_ROLLOUTS_FIGURES, figure = ((int)state->figure + step % count + count) % count;
    state->figure = (size_t)figure;
    return REACTION_REDRAW;
}

/* What is no whole number, or too large for one, becomes 0: for most that is none of the numbers that are expected. */
static size_t whole(double number) {
    return number >= 0.0 && number <= 9007199254740991.0 && (double)(uint64_t)number == number
               ? (size_t)number
               : SIZE_MAX;
}

static Reaction choose(Session *session, Action action, const ActionArgument *argument) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error;
    if (action == ACTION_SAMPLES_EACH) choice.samples = whole(argument->number);
    if (action == ACTION_PROMPTS) choice.prompts = whole(argument->number);
    if (action == ACTION_TOKENS) choice.most_tokens = whole(argument->number);
    if (action == ACTION_TOP_K) choice.sampling.top_k = whole(argument->number);
    if (action == ACTION_SEED) choice.seed = whole(argument->number);
    if (action == ACTION_TEMPERATURE) choice.sampling.temperature = argument->number;
    if (action == ACTION_TOP_P) choice.sampling.top_p = argument->number;
    if (action == ACTION_REWARD || action == ACTION_REWARD_COMMAND) {
        const char *before = action == ACTION_REWARD ? "" : SESSION_ROLLOUTS_COMMAND;
        int length = snprintf(choice.reward, sizeof choice.reward, "%s%s", before, argument->text);
        if (length < 0 || (size_t)length >= sizeof choice.reward) {
            session_say(session, SESSION_WARNING, "expected a rule of less than %zu bytes",
                        sizeof choice.reward);
            return REACTION_REDRAW;
        }
    }
    if (session_rollouts_choose(session, &choice, &error) != STATUS_OK)
        session_say(session, SESSION_WARNING, "%s", error.message);
    return REACTION_REDRAW;
}

static Reaction take_file(Session *session, Action action, const ActionArgument *argument) {
    Error error;
    const char *path = action == ACTION_PROMPTS_ROWS ? NULL : argument->text;
    if (session_rollouts_take_file(session, path, action == ACTION_SAMPLES_FILE, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
    return CHANGED;
}

static Reaction save(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                     const char *path) {
    Error error;
    RolloutsPlace place = rollouts_find_place(state, shown);
    if (session_rollouts_save(session, place.column, path, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
    else
        session_say(session, SESSION_GOOD, "the samples of %s are in %s",
                    rollouts_column_name(shown, place.column), path);
    return REACTION_REDRAW;
}

static Reaction act_on_rollouts(void *opaque, Session *session, Action action,
                                const ActionArgument *argument) {
    RolloutsState *state = opaque;
    SessionRollouts shown = session_rollouts(session);
    keep_in_range(state, &shown);
    switch (action) {
    case ACTION_MEASURE:
        session_start_rollouts(session);
        return CHANGED;
    case ACTION_GRADIENT:
        session_start_rollouts_gradient(session);
        return CHANGED;
    case ACTION_SAMPLES_EACH:
    case ACTION_PROMPTS:
    case ACTION_TOKENS:
    case ACTION_TEMPERATURE:
    case ACTION_TOP_P:
    case ACTION_TOP_K:
    case ACTION_SEED:
    case ACTION_REWARD:
    case ACTION_REWARD_COMMAND:
        return choose(session, action, argument);
    case ACTION_SAMPLES_FILE:
    case ACTION_PROMPTS_FILE:
    case ACTION_PROMPTS_ROWS:
        return take_file(session, action, argument);
    case ACTION_SAMPLES_SAVE:
        return save(state, session, &shown, argument->text);
    case ACTION_PANE:
        return go_to_pane(state, session, argument->text);
    case ACTION_METRIC_NEXT:
    case ACTION_METRIC_PREVIOUS:
        return turn_figure(state, action == ACTION_METRIC_NEXT ? argument->count : -argument->count);
    default:
        break;
    }
    if (!state->is_reading && action == ACTION_PANE_NEXT) return turn_pane(state, argument->count);
    if (!state->is_reading && action == ACTION_PANE_PREVIOUS) return turn_pane(state, -argument->count);
    return shown.columns == 0 ? REACTION_IGNORED
                              : front(state)->act(state, session, &shown, action, argument);
}

/* ---- searching, numbers, the command, arguments ---- */

/* A prompt that has the text. */
static bool find_prompt(void *opaque, Session *session, const char *text, int direction, bool stay) {
    RolloutsState *state = opaque;
    SessionRollouts shown = session_rollouts(session);
    for (size_t i = stay ? 0 : 1; shown.columns > 0 && i < shown.groups + (stay ? 0 : 1); i++) {
        size_t step = direction > 0 ? i % shown.groups : shown.groups - i % shown.groups;
        size_t g = (state->prompts.cursor + step) % shown.groups;
        const char *prompt = shown.column[0].set->groups[g].prompt;
        if (prompt == NULL || !text_find(prompt, text)) continue;
        state->prompts.cursor = g;
        return true;
    }
    return false;
}

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    SessionRollouts shown = session_rollouts(session);
    if (shown.columns == 0) return status_fail(error, STATUS_UNSUPPORTED, "there are no samples yet");
    return front(opaque)->numbers(opaque, session, &shown, table, error);
}

static CommandId twin_rollouts(void *opaque, Session *session, CommandLine *line) {
    const RolloutsState *state = opaque;
    bool has_gradient = PANES[state->pane < PANE_COUNT ? state->pane : 0] == &rollouts_gradient_pane;
    return rollouts_command_add(session, has_gradient, line);
}

static bool copy_value(void *opaque, Session *session, char *text, size_t size) {
    SessionRollouts shown = session_rollouts(session);
    return shown.columns > 0 && front(opaque)->value(opaque, session, &shown, text, size);
}

static const char *start_argument(void *opaque, Session *session, Action action) {
    RolloutsState *state = opaque;
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    char *text = state->text;
    const size_t size = sizeof state->text;
    text[0] = '\0';
    if (action == ACTION_SAMPLES_EACH) (void)snprintf(text, size, "%zu", choice.samples);
    if (action == ACTION_PROMPTS) (void)snprintf(text, size, "%zu", choice.prompts);
    if (action == ACTION_TOKENS) (void)snprintf(text, size, "%zu", choice.most_tokens);
    if (action == ACTION_TEMPERATURE) (void)snprintf(text, size, "%.6g", choice.sampling.temperature);
    if (action == ACTION_TOP_P) (void)snprintf(text, size, "%.6g", choice.sampling.top_p);
    if (action == ACTION_TOP_K) (void)snprintf(text, size, "%zu", choice.sampling.top_k);
    if (action == ACTION_SEED) (void)snprintf(text, size, "%llu", (unsigned long long)choice.seed);
    if (action == ACTION_REWARD) (void)snprintf(text, size, "%s", choice.reward);
    const char *command = session_rollouts_command(choice.reward);
    if (action == ACTION_REWARD_COMMAND && command != NULL) (void)snprintf(text, size, "%s", command);
    return text;
}

static size_t list_places(void *opaque, ViewPlace *places) {
    RolloutsState *state = opaque;
    places[0] = (ViewPlace){"pane", &state->pane};
    places[1] = (ViewPlace){"prompt", &state->prompts.cursor};
    places[2] = (ViewPlace){"figure", &state->figure};
    return 3;
}

static ViewHints list_hints(void *opaque) {
    const RolloutsPane *pane = front(opaque);
    return (ViewHints){pane->hints, pane->hint_count};
}

static const Action HINTS[] = {ACTION_MEASURE, ACTION_PANE_NEXT, ACTION_ENTER, ACTION_GRADIENT};

const View rollouts_view = {
    .name = "rollouts",
    .title = "Rollouts",
    .help =
        "Answers of base, SFT and W to prompts with known answers, or samples of a file: ● is right, · wrong, + some of "
        "many. Figures are over the prompts that have all their samples, ± the standard error of the bootstrap over "
        "prompts. A sample opens with Enter. What is of W is marked ~ where the dials have been turned since.",
    .parts = SESSION_PART_ROLLOUTS,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_rollouts,
    .draw = draw_rollouts,
    .act = act_on_rollouts,
    .find = find_prompt,
    .numbers = list_numbers,
    .twin = twin_rollouts,
    .value = copy_value,
    .places = list_places,
    .initial = start_argument,
    .close = free,
};
