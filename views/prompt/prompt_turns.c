#include "tui/session/session_turns.h"
#include "tui/text/text.h"
#include "views/prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

static size_t count_turns(const Session *session) {
    const ChatTurns *turns = session_chat_turns(session);
    return turns == NULL ? 0 : chat_turns_count(turns);
}

/* ---- the turns ---- */

enum {
    ROLE_WIDTH = 10,
    TURN_TEXT = 4096,
    STRIP_ROWS = 3,
    STRIP_LEAST = 14,
    REFUSAL_ROWS = 4,
    WIDE_LEAST = 120
};

static Role role_of(const ChatMessage *turn) {
    static const struct {
        const char *name;
        Role role;
    } ROLES[] = {{"system", ROLE_DIM}, {"user", ROLE_TITLE}, {"assistant", ROLE_FUSED}, {"tool", ROLE_MARK}};
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++)
        if (strcmp(turn->role, ROLES[i].name) == 0) return ROLES[i].role;
    return ROLE_VALUE;
}

/* Of an answer that may go on, with an ellipsis behind it. */
static void write_turn(const Session *session, size_t index, unsigned flags, char text[TURN_TEXT]) {
    const ChatTurns *turns = session_chat_turns(session);
    ChatMessage turn = chat_turns_get(turns, index);
    size_t needed = text_escape(turn.text, turn.bytes, flags, text, TURN_TEXT - 4);
    bool is_open =
        session_chat_answer(session) == SESSION_ANSWER_OPEN && index + 1 == chat_turns_count(turns);
    if (is_open || needed >= TURN_TEXT - 4) text_append(text, TURN_TEXT, "…");
}

static unsigned text_flags(const Canvas *canvas, unsigned newlines) {
    return newlines | (canvas->theme.ascii ? TEXT_ASCII : 0U);
}

/* Returns the rows used, at least one; drawn out of sight it only measures. */
static int draw_turn(const Session *session, size_t index, Canvas *canvas, Rect area) {
    char text[TURN_TEXT], name[32];
    ChatMessage turn = chat_turns_get(session_chat_turns(session), index);
    (void)text_escape(turn.role, turn.role_bytes, text_flags(canvas, TEXT_PLAIN), name, sizeof name);
    write_turn(session, index, text_flags(canvas, TEXT_KEEP_NEWLINES), text);
    canvas_write_field(canvas, area, 0, 0, ROLE_WIDTH - 1, false, role_of(&turn), name);
    (void)rect_cut_left(&area, ROLE_WIDTH);
    int rows = canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, text);
    return rows > 0 ? rows : 1;
}

/* A row a turn, shortened. */
static void draw_strip(const Session *session, Canvas *canvas, Rect area) {
    size_t count = count_turns(session), first = count > (size_t)area.rows ? count - (size_t)area.rows : 0;
    for (size_t i = first; i < count; i++) {
        char text[TURN_TEXT], name[32];
        ChatMessage turn = chat_turns_get(session_chat_turns(session), i);
        int row = (int)(i - first);
        (void)text_escape(turn.role, turn.role_bytes, text_flags(canvas, TEXT_PLAIN), name, sizeof name);
        write_turn(session, i, text_flags(canvas, TEXT_SHOW_NEWLINES), text);
        canvas_write_field(canvas, area, row, 0, ROLE_WIDTH - 1, false, role_of(&turn), name);
        text_shorten(text, sizeof text, area.columns - ROLE_WIDTH, canvas->theme.ascii);
        (void)canvas_write(canvas, area, row, ROLE_WIDTH, ROLE_TEXT, text);
    }
}

/* The first turn to show so that the last have room, and whether the first row says how many are before it. */
static size_t choose_first(const Session *session, Canvas *canvas, Rect area, bool *tells) {
    size_t count = count_turns(session), first = count;
    Rect beyond = rect_make(canvas->rows, 0, 1 << 12, area.columns);
    int room = area.rows;
    while (first > 0) {
        int rows = draw_turn(session, first - 1, canvas, beyond);
        if (first < count && rows > room) break; /* the last is shown from its beginning, however long */
        room -= rows;
        first--;
    }
    if (first > 0 && room < 1 && first + 1 < count) first++;
    *tells = first > 0 && first < count;
    return first;
}

int prompt_draw_turns(const Session *session, Canvas *canvas, Rect area) {
    bool tells;
    size_t count = count_turns(session);
    int top = area.row;
    if (area.rows < 1 || area.columns <= ROLE_WIDTH) return 0;
    if (count > (size_t)area.rows) {
        draw_strip(session, canvas, area);
        return area.rows;
    }
    size_t first = choose_first(session, canvas, area, &tells);
    if (tells)
        (void)canvas_print(canvas, rect_cut_top(&area, 1), 0, 0, ROLE_DIM, "%zu earlier turn%s", first,
                           first == 1 ? "" : "s");
    for (size_t i = first; i < count && area.rows > 0; i++)
        (void)rect_cut_top(&area, draw_turn(session, i, canvas, area));
    return area.row - top;
}

Rect prompt_cut_turns(const PromptState *state, const Session *session, Canvas *canvas, Rect *text,
                      Rect *area) {
    const Rect none = rect_make(area->row, area->column, 0, 0);
    size_t count = count_turns(session);
    if (!session_chat_is_on(session) || state->shows_turns || count == 0) return none;
    if (area->columns >= WIDE_LEAST) return rect_cut_right(text, text->columns * 2 / 5);
    if (area->rows < STRIP_LEAST) return none;
    draw_strip(session, canvas, rect_cut_top(area, count < STRIP_ROWS ? (int)count : STRIP_ROWS));
    text->row = area->row;
    return none;
}

int prompt_draw_side(const Session *session, Canvas *canvas, Rect side, int rows) {
    Rect turns = side;
    if (side.rows == 0) return rows;
    (void)rect_cut_left(&turns, 3);
    int used = prompt_draw_turns(session, canvas, turns);
    if (used < rows) used = rows;
    canvas_fill_column(canvas, side, 0, 1, used < side.rows ? used : side.rows, ROLE_BORDER, "│");
    return used;
}

void prompt_draw_refusal(const Session *session, Canvas *canvas, Rect *area) {
    char text[ERROR_MESSAGE_SIZE * 2];
    const char *refusal = session_chat_refusal(session);
    if (refusal == NULL || area->rows < STRIP_LEAST) return;
    (void)text_escape(refusal, strlen(refusal), text_flags(canvas, TEXT_SHOW_NEWLINES), text, sizeof text);
    Rect beyond = rect_make(canvas->rows, 0, 1 << 12, area->columns);
    int rows = canvas_write_wrapped(canvas, beyond, 0, ROLE_ERROR, text);
    Rect shown = rect_cut_top(area, rows < REFUSAL_ROWS ? rows : REFUSAL_ROWS);
    (void)canvas_write_wrapped(canvas, shown, 0, ROLE_ERROR, text);
}

/* ---- acting ---- */

static const struct {
    Action action;
    const char *role;
} ROLES[] = {
    {ACTION_SYSTEM, "system"}, {ACTION_USER, "user"}, {ACTION_ASSISTANT, "assistant"}, {ACTION_TOOL, "tool"}};

static const char *find_role(Action action) {
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++)
        if (ROLES[i].action == action) return ROLES[i].role;
    return NULL;
}

static Status act(Session *session, Action action, const char *text, Error *error) {
    const char *role = find_role(action);
    if (role != NULL) return session_type_turn(session, role, text, strlen(text), error);
    if (action == ACTION_TEMPLATE) return session_use_template(session, text[0] == '\0' ? "on" : text, error);
    if (action == ACTION_THINKING) return session_use_thinking(session, text, error);
    return session_open_chat(session, text, error);
}

Reaction prompt_act_on_turns(Session *session, Action action, const ActionArgument *argument, bool *changed) {
    Error error;
    bool is_other = find_role(action) == NULL && action != ACTION_TEMPLATE && action != ACTION_THINKING &&
                    action != ACTION_OPEN_CHAT;
    if (action == ACTION_WRITE_CHAT) {
        Status status = session_write_chat(session, argument->text, &error);
        if (status == STATUS_OK)
            session_say(session, SESSION_GOOD, "the conversation is written to %s", argument->text);
        return prompt_say_failure(session, status, &error);
    }
    if (is_other) return REACTION_IGNORED;
    Status status = act(session, action, argument->text, &error);
    *changed = status == STATUS_OK;
    return prompt_say_failure(session, status, &error);
}

const char *prompt_initial_turn(const Session *session, Action action) {
    const char *role = action == ACTION_PROMPT ? "user" : find_role(action);
    if (action == ACTION_TEMPLATE && session_chat_is_on(session)) return "off";
    if (action == ACTION_TEMPLATE) return "on";
    return role == NULL ? NULL : session_typed_turn(session, role);
}
