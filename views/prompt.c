#include "views/prompt.h"

#include "core/memory.h"
#include "tui/format.h"
#include "tui/session_pair.h"
#include "tui/text.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_TOKENS = 16, TEXT_SIZE = 160 };

/* The width that Up and Down count lines by: that of the last drawing. */
static int drawn_columns = 80;

static Status open_prompt(Session *session, void **state, Error *error) {
    (void)session;
    PromptState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the prompt view");
    made->side = SESSION_FUSED;
    *state = made;
    return STATUS_OK;
}

/* ---- drawing ---- */

static void draw_source(const Session *session, Canvas *canvas, Rect area) {
    const SessionContinuation *continuation = session_continuation((Session *)(uintptr_t)session);
    char temperature[FORMAT_SIZE] = "greedy";
    if (continuation->temperature > 0.0)
        (void)snprintf(temperature, sizeof temperature, "T %.2f seed %llu", continuation->temperature,
                       (unsigned long long)continuation->seed);
    int example = session_current_example(session);
    int column = example >= 0 ? canvas_print(canvas, area, 0, 0, ROLE_DIM, "example %d of %zu", example + 1,
                                             session_example_count(session))
                              : canvas_write(canvas, area, 0, 0, ROLE_DIM, "typed prompt");
    size_t added = session_prompt_added(session);
    if (added > 0)
        column = canvas_print(canvas, area, 0, column, ROLE_FUSED, ", %zu tokens added by %s", added,
                              session_side_name(continuation->side));
    char next[96];
    (void)snprintf(next, sizeof next, "c: %zu more from %s, %s", continuation->tokens,
                   session_side_name(continuation->side), temperature);
    if (session_is_continuing(session)) (void)snprintf(next, sizeof next, "continuing…");
    (void)canvas_write_right(canvas, area, 0, area.columns, ROLE_DIM, next);
}

static void draw_prompt(void *opaque, Session *session, Canvas *canvas, Rect area) {
    PromptState *state = opaque;
    size_t count = session_prompt_tokens(session, NULL);
    drawn_columns = area.columns;
    if (count == 0) {
        const char *message = session_preview_message(session);
        (void)canvas_write_wrapped(canvas, area, 1, ROLE_TEXT, message == NULL ? "no prompt yet" : message);
        if (session_model(session) != NULL && session_tokenizer(session, NULL) != NULL)
            (void)canvas_write(canvas, area, 3, 0, ROLE_DIM, "i types a prompt, e takes an example");
        return;
    }
    if (state->position >= count) state->position = count - 1;
    draw_source(session, canvas, rect_cut_top(&area, 1));
    Rect text = area;
    text.rows = area.rows > 30 ? area.rows / 3 : area.rows / 2 - 2;
    int used = prompt_draw_tokens(state, session, canvas, text);
    (void)rect_cut_top(&area, used);
    const char *failure = session_preview_message(session);
    if (failure != NULL) {
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, failure);
        return;
    }
    if (state->shows_averages)
        prompt_draw_averages(session, canvas, area);
    else
        prompt_draw_panes(state, session, canvas, area);
}

/* ---- acting ---- */

static Reaction say_failure(Session *session, Status status, const Error *error) {
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error->message);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

/* Over the candidates that the filter lets pass. */
static Reaction move_candidate(PromptState *state, const Session *session, long step) {
    const EvaluationResult *result = session_preview(session, state->side);
    size_t count = result == NULL ? 0 : result->top_count, found = state->candidate;
    if (result == NULL || state->position >= result->count) return REACTION_NONE;
    const DistributionToken *top = result->top + state->position * count;
    for (size_t at = found; step != 0;) {
        if (step < 0 ? at == 0 : at + 1 >= count) break;
        at = step < 0 ? at - 1 : at + 1;
        if (!prompt_shows(state, session, top[at].id)) continue;
        found = at;
        step += step < 0 ? 1 : -1;
    }
    state->candidate = found;
    return REACTION_REDRAW;
}

/* At the first that passes. */
static void begin_candidates(PromptState *state, const Session *session) {
    const EvaluationResult *result = session_preview(session, state->side);
    state->candidate = 0;
    if (result == NULL || state->position >= result->count || result->top_count == 0) return;
    if (!prompt_shows(state, session, result->top[state->position * result->top_count].id))
        (void)move_candidate(state, session, 1);
}

static Reaction move_cursor(PromptState *state, const Session *session, long step) {
    long count = (long)session_prompt_tokens(session, NULL), position = (long)state->position + step;
    if (position > count - 1) position = count - 1;
    state->position = position < 0 ? 0 : (size_t)position;
    begin_candidates(state, session);
    return REACTION_REDRAW;
}

static Reaction set_filter(PromptState *state, const Session *session, const char *text) {
    (void)text_escape(text, strlen(text), TEXT_SHOW_SPACES, state->filter, sizeof state->filter);
    begin_candidates(state, session);
    return REACTION_REDRAW;
}

static Reaction use_example(PromptState *state, Session *session, int step) {
    int count = (int)session_example_count(session), current = session_current_example(session);
    if (count == 0) {
        const char *message;
        (void)session_calibration(session, &message);
        session_say(session, SESSION_WARNING, "no examples: %s", message);
        return REACTION_REDRAW;
    }
    int wanted = current < 0 ? 0 : ((current + step) % count + count) % count;
    Error error;
    Status status = session_use_example(session, (size_t)wanted, &error);
    if (status == STATUS_OK)
        *state = (PromptState){.side = state->side, .shows_averages = state->shows_averages};
    return say_failure(session, status, &error);
}

static Reaction set_prompt(PromptState *state, Session *session, const char *text) {
    Error error;
    Status status = session_set_prompt(session, text, strlen(text), &error);
    if (status == STATUS_OK) {
        size_t count = session_prompt_tokens(session, NULL);
        *state = (PromptState){.side = state->side, .shows_averages = state->shows_averages};
        state->position = count > 0 ? count - 1 : 0; /* what comes next is what one wants to see first */
    }
    return say_failure(session, status, &error);
}

static void pin(Session *session, int32_t id) {
    if (!session_toggle_pin(session, id))
        session_say(session, SESSION_WARNING, "%d tokens are pinned: take one off first", (int)SESSION_PINS);
}

static Reaction pin_candidate(const PromptState *state, Session *session) {
    const EvaluationResult *result = session_preview(session, state->side);
    if (result == NULL || state->position >= result->count || state->candidate >= result->top_count)
        return REACTION_NONE;
    int32_t id = result->top[state->position * result->top_count + state->candidate].id;
    if (!prompt_shows(state, session, id)) return REACTION_NONE; /* none is under the cursor */
    pin(session, id);
    return REACTION_REDRAW;
}

/* Pins the first token of a text: any of the vocabulary, however unlikely. */
static Reaction pin_text(Session *session, const char *text) {
    const char *message;
    const Tokenizer *tokenizer = session_tokenizer(session, &message);
    TokenList list = {0};
    Error error = {0};
    Status status = tokenizer == NULL ? status_fail(&error, STATUS_UNSUPPORTED, "%s", message)
                                      : tokenizer_encode(tokenizer, text, strlen(text), false, &list, &error);
    if (status == STATUS_OK && list.count > 1)
        session_say(session, SESSION_NOTE, "that is %zu tokens: the first is pinned", list.count);
    if (status == STATUS_OK && list.count > 0) pin(session, list.ids[0]);
    tokens_free(&list);
    return say_failure(session, status, &error);
}

static Reaction select_side(PromptState *state, Session *session, SessionSide side) {
    state->side = side;
    begin_candidates(state, session);
    session_continuation(session)->side = side;
    return REACTION_REDRAW;
}

static Reaction set_continuation(Session *session, Action action, double number) {
    SessionContinuation *continuation = session_continuation(session);
    bool sensible = number >= (action == ACTION_TOKENS ? 1.0 : 0.0) && number <= 1e6;
    if (!sensible) {
        session_say(session, SESSION_WARNING, "%s: a number from %d to a million", action_info(action)->name,
                    action == ACTION_TOKENS);
        return REACTION_REDRAW;
    }
    if (action == ACTION_TOKENS) continuation->tokens = (size_t)number;
    if (action == ACTION_TEMPERATURE) continuation->temperature = number;
    if (action == ACTION_SEED) continuation->seed = (uint64_t)number;
    return REACTION_REDRAW;
}

static Reaction continue_text(Session *session, const ActionArgument *argument) {
    SessionContinuation *continuation = session_continuation(session);
    if (argument->has_count && argument->count > 0) continuation->tokens = (size_t)argument->count;
    Error error;
    return say_failure(session, session_continue(session, &error), &error);
}

static Reaction act_on_prompt(void *opaque, Session *session, Action action, const ActionArgument *argument) {
    PromptState *state = opaque;
    switch (action) {
    case ACTION_MOVE_LEFT:
        return move_cursor(state, session, -argument->count);
    case ACTION_MOVE_RIGHT:
        return move_cursor(state, session, argument->count);
    case ACTION_PAGE_UP:
        return move_cursor(state, session, -PAGE_TOKENS * (long)argument->count);
    case ACTION_PAGE_DOWN:
        return move_cursor(state, session, PAGE_TOKENS * (long)argument->count);
    case ACTION_FIRST:
        return move_cursor(state, session, -(long)state->position);
    case ACTION_LAST:
        return move_cursor(state, session, (long)session_prompt_tokens(session, NULL));
    case ACTION_MOVE_UP:
        return move_candidate(state, session, -argument->count);
    case ACTION_MOVE_DOWN:
        return move_candidate(state, session, argument->count);
    case ACTION_LINE_UP:
        return move_cursor(state, session,
                           (long)prompt_line_step(state, session, drawn_columns, -1) - (long)state->position);
    case ACTION_LINE_DOWN:
        return move_cursor(state, session,
                           (long)prompt_line_step(state, session, drawn_columns, 1) - (long)state->position);
    case ACTION_FILTER:
        return set_filter(state, session, argument->text);
    case ACTION_FILTER_OFF:
        return set_filter(state, session, "");
    case ACTION_PROMPT:
        return set_prompt(state, session, argument->text);
    case ACTION_EXAMPLE_NEXT:
        return use_example(state, session, argument->count);
    case ACTION_EXAMPLE_PREVIOUS:
        return use_example(state, session, -argument->count);
    case ACTION_PIN:
        return pin_candidate(state, session);
    case ACTION_PIN_TEXT:
        return pin_text(session, argument->text);
    case ACTION_SIDE_BASE:
        return select_side(state, session, SESSION_BASE);
    case ACTION_SIDE_SFT:
        return select_side(state, session, SESSION_SFT);
    case ACTION_SIDE_FUSED:
        return select_side(state, session, SESSION_FUSED);
    case ACTION_CONTINUE:
        return continue_text(session, argument);
    case ACTION_TOKENS:
    case ACTION_TEMPERATURE:
    case ACTION_SEED:
        return set_continuation(session, action, argument->number);
    case ACTION_REMOVE_CONTINUATION:
        session_remove_continuation(session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_AVERAGES:
        state->shows_averages = !state->shows_averages;
        return REACTION_REDRAW;
    default:
        return REACTION_IGNORED;
    }
}

static const char *initial_text(void *opaque, Session *session, Action action) {
    const PromptState *state = opaque;
    if (action == ACTION_FILTER) return state->filter;
    return action == ACTION_PROMPT ? session_prompt_text(session, NULL) : NULL;
}

static bool find_token(void *opaque, Session *session, const char *text, int direction, bool stay) {
    PromptState *state = opaque;
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    for (size_t step = stay ? 0 : 1; step < count + (stay ? 0 : 1); step++) {
        size_t at = (state->position + (direction > 0 ? step : count - step % count)) % count;
        char token[TEXT_SIZE];
        prompt_token_text(session, ids[at], false, token, sizeof token);
        if (!text_find(token, text)) continue;
        state->position = at;
        begin_candidates(state, session);
        return true;
    }
    return false;
}

/* Every position: what was said, and how sure each model is of what comes next. */
static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"position", NULL, NULL, TABLE_INTEGER, 0},   {"id", NULL, NULL, TABLE_INTEGER, 0},
        {"token", NULL, NULL, TABLE_TEXT, 0},         {"model", NULL, NULL, TABLE_TEXT, 0},
        {"alpha", NULL, NULL, TABLE_NUMBER, 0},       {"entropy", NULL, "nat", TABLE_NUMBER, 0},
        {"top1", NULL, NULL, TABLE_NUMBER, 0},        {"top1_id", NULL, NULL, TABLE_INTEGER, 0},
        {"kl_base", NULL, "nat", TABLE_NUMBER, 0},    {"kl_sft", NULL, "nat", TABLE_NUMBER, 0},
        {"log_p_next", NULL, "nat", TABLE_NUMBER, 0}, {"dp_base", NULL, NULL, TABLE_NUMBER, 0}};
    (void)opaque;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    for (size_t i = 0; i < count; i++) {
        char token[TEXT_SIZE];
        size_t bytes = session_token_bytes(session, ids[i], token, sizeof token);
        for (int side = 0; side < SESSION_SIDES; side++) {
            const EvaluationResult *result = session_preview(session, (SessionSide)side);
            if (result == NULL || i >= result->count) continue;
            const DistributionPosition *position = &result->positions[i];
            table_add_row(*table);
            table_add_integer(*table, (int64_t)i);
            table_add_integer(*table, ids[i]);
            table_add_bytes(*table, token, bytes);
            table_add_text(*table, session_side_name((SessionSide)side));
            table_add_number(*table, result->settings.alpha);
            table_add_number(*table, position->entropy);
            table_add_number(*table, position->top1);
            table_add_integer(*table, position->top);
            table_add_number(*table, position->kl_base);
            table_add_number(*table, position->kl_sft);
            table_add_number(*table, position->next_log_probability);
            table_add_number(*table, position->dp_base);
        }
    }
    return STATUS_OK;
}

static const Action HINTS[] = {ACTION_PROMPT,   ACTION_EXAMPLE_NEXT, ACTION_MOVE_RIGHT, ACTION_PIN,
                               ACTION_CONTINUE, ACTION_SIDE_FUSED,   ACTION_AVERAGES};

const View prompt_view = {
    .name = "prompt",
    .title = "Prompt",
    .help =
        "Each token stands over the entropy gap H(base) − H(SFT) of the distribution after it: + where SFT became "
        "surer, - where less sure. Below, what base, SFT and W say comes next at the cursor.",
    .parts = SESSION_PART_PROMPT,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_prompt,
    .draw = draw_prompt,
    .act = act_on_prompt,
    .find = find_token,
    .numbers = list_numbers,
    .initial = initial_text,
    .close = free,
};
