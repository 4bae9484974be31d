#include "core/support/buffer.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/text/format.h"
#include "tui/text/text.h"
#include "views/prompt/prompt_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 20 };

/* Of a conversation: its template, and how many turns it has. */
static int draw_chat(const Session *session, Canvas *canvas, Rect area) {
    static const char *const THINKING[] = {
        [CHAT_SWITCH_UNSET] = "as the template has it", [CHAT_SWITCH_OFF] = "off", [CHAT_SWITCH_ON] = "on"};
    char name[64];
    const char *template = session_chat_name(session);
    const ChatTurns *turns = session_chat_turns(session);
    size_t count = turns == NULL ? 0 : chat_turns_count(turns);
    (void)text_escape(template, strlen(template), TEXT_PLAIN, name, sizeof name);
    text_shorten(name, sizeof name, NAME_WIDTH, canvas->theme.ascii);
    int column = canvas_print(canvas, area, 0, 0, ROLE_VALUE, "template %s", name);
    if (session_current_example(session) >= 0)
        column =
            canvas_print(canvas, area, 0, column, ROLE_DIM, ", example %d", session_current_example(session));
    column = canvas_print(canvas, area, 0, column, ROLE_DIM, ", %zu turn%s", count, count == 1 ? "" : "s");
    if (session_chat_switch(session) != NULL && session_chat_thinking(session) != CHAT_SWITCH_UNSET)
        column = canvas_print(canvas, area, 0, column, ROLE_VALUE, ", thinking %s",
                              THINKING[session_chat_thinking(session)]);
    return column;
}

/* Which text it is. */
static int draw_origin(const Session *session, Canvas *canvas, Rect area) {
    int example = session_current_example(session);
    if (session_chat_is_on(session)) return draw_chat(session, canvas, area);
    return example >= 0 ? canvas_print(canvas, area, 0, 0, ROLE_DIM, "example %d", example)
                        : canvas_write(canvas, area, 0, 0, ROLE_DIM, "typed prompt");
}

/* That it could be a conversation; "" where it is one, or there is no template. */
static const char *write_offer(const Session *session, char text[KEY_TEXT_SIZE + 4]) {
    char keys[KEY_TEXT_SIZE];
    text[0] = '\0';
    if (!session_chat_is_on(session) && session_chat_is_offered(session, NULL))
        (void)snprintf(text, KEY_TEXT_SIZE + 4, " (%s)",
                       key_text("prompt", "{template}: chat template", keys));
    return text;
}

/* What is measured on, in the columns before `end`, and before it the offer, where it takes nothing of that. */
static void draw_rows(const Session *session, Canvas *canvas, Rect area, int column, int end) {
    char rows[SESSION_ROWS_TEXT], shorter[SESSION_ROWS_TEXT], offer[KEY_TEXT_SIZE + 4];
    int room = end - column - 4;
    bool any = session_calibration(session, NULL) != NULL;
    session_describe_rows(session, room, rows);
    session_describe_rows(session, room - text_width(write_offer(session, offer)), shorter);
    if (text_width(offer) < room && (!any || strcmp(rows, shorter) == 0))
        column = canvas_write(canvas, area, 0, column, ROLE_DIM, offer);
    if (rows[0] != '\0' && any) (void)canvas_print(canvas, area, 0, column, ROLE_DIM, "; %s", rows);
}

void prompt_draw_source(Session *session, Canvas *canvas, Rect area) {
    const SessionContinuation *continuation = session_continuation(session);
    char temperature[48] = "greedy";
    if (continuation->temperature > 0.0)
        (void)snprintf(temperature, sizeof temperature, "T %.2f seed %llu", continuation->temperature,
                       (unsigned long long)continuation->seed);
    int column = draw_origin(session, canvas, area);
    size_t added = session_prompt_added(session);
    if (session_prompt_response(session) > 0)
        column = canvas_write(canvas, area, 0, column, ROLE_VALUE, " and response");
    if (added > 0)
        column = canvas_print(canvas, area, 0, column, ROLE_FUSED, ", %zu added by %s", added,
                              session_side_name(continuation->side));
    const char *differing = session_pair(session)->differing; /* each model is computed with its own */
    if (differing != NULL) column = canvas_print(canvas, area, 0, column, ROLE_WARNING, " ≠ %s", differing);
    char next[KEY_TEXT_SIZE + 96], keys[KEY_TEXT_SIZE];
    (void)snprintf(next, sizeof next, "%s: %zu more from %s, %s", key_text("prompt", "{continue}", keys),
                   continuation->tokens, session_side_name(continuation->side), temperature);
    if (session_chat_is_answered(session))
        (void)snprintf(next, sizeof next, "%s", key_text("prompt", "{prompt}: the next turn", keys));
    if (session_is_continuing(session)) (void)snprintf(next, sizeof next, "continuing…");
    if (column + text_width(next) + 1 > area.columns && column > 0)
        next[0] = '\0'; /* what the text is comes first */
    (void)canvas_write_right(canvas, area, 0, area.columns, ROLE_DIM, next);
    draw_rows(session, canvas, area, column, area.columns - text_width(next));
}

Reaction prompt_say_failure(Session *session, Status status, const Error *error) {
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error->message);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

/* Of any size: a number of the other kind holds 53 bits. */
static Reaction set_seed(Session *session, const char *text) {
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    end += strspn(end, " ");
    if (errno == 0 && end != text && *end == '\0' && strchr(text, '-') == NULL)
        session_continuation(session)->seed = seed;
    else
        session_say(session, SESSION_WARNING, "seed: a whole number from 0 to %llu", ULLONG_MAX);
    return REACTION_REDRAW;
}

Reaction prompt_set_continuation(Session *session, Action action, const ActionArgument *argument) {
    double number = argument->number;
    SessionContinuation *continuation = session_continuation(session);
    if (action == ACTION_SEED) return set_seed(session, argument->text);
    bool sensible = number >= (action == ACTION_TOKENS ? 1.0 : 0.0) && number <= 1e6;
    if (!sensible) {
        session_say(session, SESSION_WARNING, "%s: a number from %d to a million", action_info(action)->name,
                    action == ACTION_TOKENS);
        return REACTION_REDRAW;
    }
    if (action == ACTION_TOKENS) continuation->tokens = (size_t)number;
    if (action == ACTION_TEMPERATURE) continuation->temperature = number;
    return REACTION_REDRAW;
}

Reaction prompt_continue(Session *session, const ActionArgument *argument) {
    SessionContinuation *continuation = session_continuation(session);
    if (argument->has_count && argument->count > 0) continuation->tokens = (size_t)argument->count;
    Error error;
    return prompt_say_failure(session, session_continue(session, &error), &error);
}

static void add_ids(const Session *session, CommandLine *line) {
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    Buffer text = {0};
    for (size_t i = 0; i < count; i++) buffer_add_format(&text, "%s%" PRId32, i > 0 ? "," : "", ids[i]);
    if (text.failed)
        line->failed = true;
    else
        command_line_add_option(line, COMMAND_PREVIEW, OPTION_IDS, "%s", text.text);
    buffer_free(&text);
}

/* The conversation on screen is one that a command can read, with the template that suits it. */
static bool is_in_file(const Session *session) {
    return session_chat_is_on(session) && session_chat_file(session) != NULL &&
           session_prompt_added(session) == 0 && session_chat_choice(session) == NULL;
}

CommandId prompt_twin(const Session *session, CommandLine *line) {
    const char *text = session_prompt_text(session, NULL);
    if (text == NULL || session_prompt_tokens(session, NULL) == 0) return COMMAND_COUNT;
    if (is_in_file(session))
        command_line_add_option(line, COMMAND_PREVIEW, OPTION_CHAT, "%s", session_chat_file(session));
    else if (session_prompt_added(session) + session_prompt_response(session) > 0 ||
             session_chat_is_on(session)) /* its ids are those of its text without special tokens */
        add_ids(session, line);
    else
        command_line_add_option(line, COMMAND_PREVIEW, OPTION_PROMPT, "%s", text);
    command_line_add_option(line, COMMAND_PREVIEW, OPTION_TOP, "%d", (int)SESSION_TOP);
    command_line_add(line, "--all-positions");
    return COMMAND_PREVIEW;
}
