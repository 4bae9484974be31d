#include "views/prompt/prompt_view.h"

#include "core/support/memory.h"
#include "tui/keys/key_text.h"
#include "tui/session/session.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_turns.h"
#include "tui/text/text.h"
#include "views/prompt/prompt_internal.h"
#include "views/shared/rows_hint.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_TOKENS = 16, TEXT_SIZE = 160 };

static void close_prompt(void *state) {
    PromptState *prompt = state;
    free(prompt->places);
    free(prompt);
}

/* Another text: from its beginning, with what was chosen of how it is shown. */
static void begin_text(PromptState *state) {
    state->position = state->line = state->candidate = 0;
}

static Status open_prompt(Session *session, void **state, Error *error) {
    (void)session;
    PromptState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the prompt view");
    made->side = SIDE_FUSED;
    *state = made;
    return STATUS_OK;
}

/* ---- drawing ---- */

static void draw_prompt(void *opaque, Session *session, Canvas *canvas, Rect area) {
    PromptState *state = opaque;
    size_t count = session_prompt_tokens(session, NULL);
    state->has_template = session_chat_is_offered(session, NULL);
    state->is_chat = session_chat_is_on(session);
    if (count == 0) {
        const char *message = session_preview_message(session);
        char keys[KEY_TEXT_SIZE];
        (void)canvas_write_wrapped(canvas, area, 1, ROLE_TEXT, message == NULL ? "no prompt yet" : message);
        if (session_model(session) == NULL || session_tokenizer(session, NULL) == NULL) return;
        bool has_rows = !session_calibration_is_wanted(session);
        (void)canvas_write(canvas, area, 3, 0, ROLE_DIM,
                           key_text("prompt",
                                    has_rows ? "{prompt} types a prompt, {example-next} takes an example"
                                             : "{prompt} types a prompt",
                                    keys));
        (void)rows_hint_draw(session, "prompt", canvas, area, 5);
        return;
    }
    if (state->position >= count) state->position = count - 1;
    prompt_draw_source(session, canvas, rect_cut_top(&area, 1));
    prompt_draw_refusal(session, canvas, &area);
    Rect text = area;
    text.rows = area.rows > 30 ? area.rows / 3 : area.rows / 2 - 2;
    Rect side = prompt_cut_turns(state, session, canvas, &text, &area);
    SessionTargets targets = session_targets(session);
    int used = prompt_draw_tokens(state, &targets, session, canvas, text);
    used = prompt_draw_side(session, canvas, side, used);
    (void)rect_cut_top(&area, used);
    const char *failure = session_preview_message(session);
    if (failure != NULL) {
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, failure);
        return;
    }
    if (state->shows_turns && state->is_chat) {
        (void)prompt_draw_turns(session, canvas, area);
        return;
    }
    prompt_draw_target_legend(&targets, session, canvas, rect_cut_top(&area, area.rows > 4 ? 1 : 0));
    if (state->shows_averages)
        prompt_draw_averages(session, canvas, area);
    else
        prompt_draw_panes(state, &targets, session, canvas, area);
}

/* ---- acting ---- */

/* Over the candidates that the filter lets pass. */
static Reaction move_candidate(PromptState *state, const Session *session, long step) {
    const EvaluationResult *result = prompt_result(session, state->side);
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
    const EvaluationResult *result = prompt_result(session, state->side);
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
    if (status == STATUS_OK) begin_text(state);
    return prompt_say_failure(session, status, &error);
}

/* What comes next is what one wants to see first. */
static void end_text(PromptState *state, const Session *session) {
    size_t count = session_prompt_tokens(session, NULL);
    begin_text(state);
    state->position = count > 0 ? count - 1 : 0;
}

static Reaction set_prompt(PromptState *state, Session *session, const char *text) {
    Error error;
    Status status = session_type_prompt(session, text, strlen(text), &error);
    if (status == STATUS_OK) end_text(state, session);
    return prompt_say_failure(session, status, &error);
}

/* Of a conversation the last turn, else the added tokens or the response. */
static Reaction take_off(PromptState *state, Session *session) {
    Error error;
    if (!session_chat_is_on(session)) {
        session_remove_continuation(session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    }
    Status status = session_remove_turn(session, &error);
    if (status == STATUS_OK) end_text(state, session);
    return prompt_say_failure(session, status, &error);
}

static Reaction go_to_target(PromptState *state, Session *session, int steps) {
    Error error;
    size_t position = state->position;
    Status status = session_go_to_target(session, steps, &position, &error);
    if (status == STATUS_OK) {
        state->position = position;
        state->candidate = 0;
    }
    return prompt_say_failure(session, status, &error);
}

static Reaction toggle_response(PromptState *state, Session *session) {
    Error error;
    if (session_chat_is_answered(session)) return take_off(state, session);
    if (session_prompt_response(session) == 0)
        return prompt_say_failure(session, session_show_response(session, &error), &error);
    while (session_prompt_response(session) > 0) session_remove_continuation(session);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static void pin(Session *session, int32_t id) {
    if (!session_toggle_pin(session, id))
        session_say(session, SESSION_WARNING, "%d tokens are pinned: take one off first", (int)SESSION_PINS);
}

static Reaction pin_candidate(const PromptState *state, Session *session) {
    const EvaluationResult *result = prompt_result(session, state->side);
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
    token_list_free(&list);
    return prompt_say_failure(session, status, &error);
}

static Reaction select_side(PromptState *state, Session *session, Side side) {
    state->side = side;
    begin_candidates(state, session);
    session_continuation(session)->side = side;
    return REACTION_REDRAW;
}

static Reaction act_on_turns(PromptState *state, Session *session, Action action,
                             const ActionArgument *argument) {
    bool changed = false;
    Reaction reaction = prompt_act_on_turns(session, action, argument, &changed);
    if (changed) end_text(state, session);
    return reaction;
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
        return move_cursor(state, session, (long)prompt_line_step(state, -1) - (long)state->position);
    case ACTION_LINE_DOWN:
        return move_cursor(state, session, (long)prompt_line_step(state, 1) - (long)state->position);
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
        return select_side(state, session, SIDE_BASE);
    case ACTION_SIDE_SFT:
        return select_side(state, session, SIDE_SFT);
    case ACTION_SIDE_FUSED:
        return select_side(state, session, SIDE_FUSED);
    case ACTION_CONTINUE:
        return prompt_continue(session, argument);
    case ACTION_TOKENS:
    case ACTION_TEMPERATURE:
    case ACTION_SEED:
        return prompt_set_continuation(session, action, argument);
    case ACTION_TARGET_NEXT:
        return go_to_target(state, session, argument->count);
    case ACTION_TARGET_PREVIOUS:
        return go_to_target(state, session, -argument->count);
    case ACTION_RESPONSE:
        return toggle_response(state, session);
    case ACTION_REMOVE_CONTINUATION:
        return take_off(state, session);
    case ACTION_AVERAGES:
        state->shows_averages = !state->shows_averages;
        state->shows_turns = false;
        return REACTION_REDRAW;
    case ACTION_TURNS:
        state->shows_turns = !state->shows_turns;
        return REACTION_REDRAW;
    default:
        return act_on_turns(state, session, action, argument);
    }
}

static const char *initial_text(void *opaque, Session *session, Action action) {
    const PromptState *state = opaque;
    if (action == ACTION_FILTER) return state->filter;
    return prompt_initial_turn(session, action);
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

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    (void)opaque;
    return prompt_make_table(session, table, error);
}

static CommandId twin_prompt(void *opaque, Session *session, CommandLine *line) {
    (void)opaque;
    return prompt_twin(session, line);
}

/* The token at the cursor, as its own bytes. */
static bool copy_token(void *opaque, Session *session, char *text, size_t size) {
    const PromptState *state = opaque;
    const int32_t *ids;
    if (state->position >= session_prompt_tokens(session, &ids)) return false;
    return session_token_bytes(session, ids[state->position], text, size) > 0;
}

static size_t list_places(void *opaque, ViewPlace *places) {
    PromptState *state = opaque;
    places[0] = (ViewPlace){"position", &state->position};
    return 1;
}

static const Action HINTS[] = {ACTION_PROMPT, ACTION_EXAMPLE_NEXT, ACTION_MOVE_RIGHT, ACTION_TARGET_NEXT,
                               ACTION_PIN,    ACTION_CONTINUE,     ACTION_SIDE_FUSED, ACTION_AVERAGES};

/* Where there is a chat template; and where it is on. */
static const Action OFFER_HINTS[] = {ACTION_PROMPT,     ACTION_EXAMPLE_NEXT, ACTION_TEMPLATE,
                                     ACTION_MOVE_RIGHT, ACTION_TARGET_NEXT,  ACTION_CONTINUE,
                                     ACTION_PIN,        ACTION_SIDE_FUSED,   ACTION_AVERAGES};
static const Action CHAT_HINTS[] = {ACTION_PROMPT,  ACTION_CONTINUE,   ACTION_TEMPLATE,
                                    ACTION_SYSTEM,  ACTION_TURNS,      ACTION_REMOVE_CONTINUATION,
                                    ACTION_PIN,     ACTION_MOVE_RIGHT, ACTION_SIDE_FUSED,
                                    ACTION_AVERAGES};

static ViewHints list_hints(void *opaque) {
    const PromptState *state = opaque;
    if (state->is_chat) return (ViewHints){CHAT_HINTS, sizeof CHAT_HINTS / sizeof *CHAT_HINTS};
    if (state->has_template) return (ViewHints){OFFER_HINTS, sizeof OFFER_HINTS / sizeof *OFFER_HINTS};
    return (ViewHints){HINTS, sizeof HINTS / sizeof *HINTS};
}

const View prompt_view = {
    .name = "prompt",
    .title = "Prompt",
    .help =
        "Each token stands over the entropy gap H(base) − H(SFT) of the distribution after it: + where SFT became "
        "surer, - where less sure. `★` is a target of attribution, chosen by the largest gaps of all calibration "
        "rows; `☆` what the same rule would choose of a text that is none of them. Below, what base, SFT and W say comes next at the cursor; after a sweep over α, W follows the dial at once, ≈ and with its error, until it is measured. Where the SFT model has a chat template, "
        "`:template on` makes the prompt a conversation: what is typed is the user's turn, and a continuation the "
        "assistant's.",
    .parts = SESSION_PART_PROMPT | SESSION_PART_METHOD,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_prompt,
    .draw = draw_prompt,
    .act = act_on_prompt,
    .find = find_token,
    .numbers = list_numbers,
    .twin = twin_prompt,
    .value = copy_token,
    .places = list_places,
    .initial = initial_text,
    .close = close_prompt,
};
