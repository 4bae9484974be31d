#include "tui/session/session_turns.h"

#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 16 << 20 };

static const char SYSTEM[] = "system", USER[] = "user", ASSISTANT[] = "assistant";

/* ---- drafts ---- */

/* The user's last turn; `count` where there is none. */
static size_t last_user(const ChatTurns *turns, size_t count) {
    for (size_t i = count; i-- > 0;)
        if (chat_turns_has_role(turns, i, USER)) return i;
    return count;
}

/* With the template off the text on screen is what the user says, of the conversation that ends so, or of a new one. */
static Status say_prompt(const Session *session, ChatTurns *turns, Error *error) {
    size_t bytes, count = chat_turns_count(turns), last = last_user(turns, count);
    const char *text = session_prompt_text(session, &bytes);
    if (text == NULL) return STATUS_OK;
    if (last < count) {
        ChatMessage turn = chat_turns_get(turns, last);
        if (turn.bytes == bytes && memcmp(turn.text, text, bytes) == 0) return STATUS_OK;
    }
    size_t kept = chat_turns_has_role(turns, 0, SYSTEM);
    while (chat_turns_count(turns) > kept) chat_turns_remove(turns, chat_turns_count(turns) - 1);
    return chat_turns_insert(turns, kept, USER, text, bytes, error);
}

static Status check_offer(const Session *session, Error *error) {
    const char *message;
    if (session_chat_is_offered(session, &message)) return STATUS_OK;
    if (session_model_error(session) != NULL) message = session_model_error(session);
    return status_fail(error, STATUS_UNSUPPORTED, "%s", message);
}

static Status begin_draft(const Session *session, SessionChatDraft *draft, Error *error) {
    *draft = (SessionChatDraft){0};
    Status status = check_offer(session, error);
    if (status == STATUS_OK) status = session_chat_begin(session, draft, error);
    if (status == STATUS_OK && !session_chat_is_on(session)) {
        status = say_prompt(session, draft->turns, error);
        if (status != STATUS_OK) session_chat_drop(draft);
    }
    return status;
}

/* Renders and shows what was drafted, where that went well. */
static Status end_draft(Session *session, Status drafted, SessionChatDraft *draft, int example,
                        Error *error) {
    if (drafted != STATUS_OK) {
        session_chat_drop(draft);
        return drafted;
    }
    Status status = session_chat_render(session, draft, error);
    return status == STATUS_OK ? session_show_chat(session, draft, example, error) : status;
}

/* ---- turns ---- */

static Status put_system(ChatTurns *turns, const char *text, size_t bytes, Error *error) {
    bool is_there = chat_turns_has_role(turns, 0, SYSTEM);
    if (bytes > 0 && is_there) return chat_turns_replace(turns, 0, SYSTEM, text, bytes, error);
    if (bytes > 0) return chat_turns_insert(turns, 0, SYSTEM, text, bytes, error);
    if (is_there) chat_turns_remove(turns, 0);
    return STATUS_OK;
}

static Status put_turn(ChatTurns *turns, const char *role, const char *text, size_t bytes, Error *error) {
    if (strcmp(role, SYSTEM) == 0) return put_system(turns, text, bytes, error);
    if (bytes == 0) return status_fail(error, STATUS_ARGUMENT, "a turn of %s has to say something", role);
    size_t count = chat_turns_count(turns);
    bool replaces = (strcmp(role, USER) == 0 || strcmp(role, ASSISTANT) == 0) && count > 0 &&
                    chat_turns_has_role(turns, count - 1, role);
    return replaces ? chat_turns_replace(turns, count - 1, role, text, bytes, error)
                    : chat_turns_insert(turns, count, role, text, bytes, error);
}

Status session_type_turn(Session *session, const char *role, const char *text, size_t bytes, Error *error) {
    SessionChatDraft draft;
    Status status = begin_draft(session, &draft, error);
    if (status != STATUS_OK) return status;
    status = put_turn(draft.turns, role, text, bytes, error);
    int example = strcmp(role, USER) == 0 ? -1 : session_current_example(session);
    return end_draft(session, status, &draft, example, error);
}

Status session_type_prompt(Session *session, const char *text, size_t bytes, Error *error) {
    return session_chat_is_on(session) ? session_type_turn(session, USER, text, bytes, error)
                                       : session_set_prompt(session, text, bytes, error);
}

const char *session_typed_turn(const Session *session, const char *role) {
    const ChatTurns *turns = session_chat_turns(session);
    if (!session_chat_is_on(session))
        return strcmp(role, USER) == 0 ? session_prompt_text(session, NULL) : NULL;
    if (turns == NULL || chat_turns_count(turns) == 0) return NULL;
    bool is_system = strcmp(role, SYSTEM) == 0,
         is_tool = !is_system && strcmp(role, USER) != 0 && strcmp(role, ASSISTANT) != 0;
    size_t index = is_system ? 0 : chat_turns_count(turns) - 1;
    return !is_tool && chat_turns_has_role(turns, index, role) ? chat_turns_get(turns, index).text : NULL;
}

Status session_remove_turn(Session *session, Error *error) {
    SessionChatDraft draft;
    if (!session_chat_is_on(session) || session_chat_turns(session) == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no turn to take off");
    if (chat_turns_count(session_chat_turns(session)) < 2)
        return status_fail(error, STATUS_ARGUMENT, "it is the only turn: type another in its place");
    Status status = session_chat_begin(session, &draft, error);
    if (status != STATUS_OK) return status;
    chat_turns_remove(draft.turns, chat_turns_count(draft.turns) - 1);
    return end_draft(session, STATUS_OK, &draft, session_current_example(session), error);
}

/* ---- the template ---- */

/* The user's last turn as the prompt; a conversation that has none leaves the prompt's text. */
static Status turn_off(Session *session, Error *error) {
    const ChatTurns *turns = session_chat_turns(session);
    size_t count = turns == NULL ? 0 : chat_turns_count(turns), last = count;
    if (!session_chat_is_on(session)) return STATUS_OK;
    if (count > 0) last = last_user(turns, count);
    if (last == count) {
        session_chat_turn_off(session);
        return STATUS_OK;
    }
    ChatMessage turn = chat_turns_get(turns, last);
    return session_set_prompt(session, turn.text, turn.bytes, error);
}

static Status copy_choice(const char *name, char **choice, Error *error) {
    free(*choice);
    *choice = name == NULL ? NULL : memory_copy_text(name, strlen(name));
    return name == NULL || *choice != NULL ? STATUS_OK : memory_fail(error, "the template's name");
}

/* `name` may be NULL: that of the options, or as suits the conversation. */
static Status turn_on(Session *session, const char *name, Error *error) {
    SessionChatDraft draft;
    if (name == NULL) name = session_chat_template(session);
    Status status = begin_draft(session, &draft, error);
    if (status != STATUS_OK) return status;
    if (chat_turns_count(draft.turns) > 0)
        return end_draft(session, copy_choice(name, &draft.choice, error), &draft,
                         session_current_example(session), error);
    session_chat_drop(&draft);
    return session_chat_turn_on(session, name, error);
}

Status session_use_template(Session *session, const char *word, Error *error) {
    bool is_toggle = strcmp(word, "toggle") == 0, is_on = session_chat_is_on(session);
    if (strcmp(word, "off") == 0 || (is_toggle && is_on)) return turn_off(session, error);
    return turn_on(session, strcmp(word, "on") == 0 || is_toggle ? NULL : word, error);
}

/* ---- the switch ---- */

static bool read_switch(const char *word, ChatSwitch now, ChatSwitch *to) {
    static const char *const WORDS[] = {
        [CHAT_SWITCH_UNSET] = "default", [CHAT_SWITCH_OFF] = "off", [CHAT_SWITCH_ON] = "on"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (strcmp(word, WORDS[i]) != 0) continue;
        *to = (ChatSwitch)i;
        return true;
    }
    *to = (ChatSwitch)((now + 1) % (sizeof WORDS / sizeof *WORDS));
    return strcmp(word, "toggle") == 0;
}

Status session_use_thinking(Session *session, const char *word, Error *error) {
    SessionChatDraft draft;
    ChatSwitch to;
    const char *name = session_chat_switch(session);
    if (!session_chat_is_on(session) || session_chat_turns(session) == NULL)
        return status_fail(error, STATUS_ARGUMENT, "the chat template is off");
    if (name == NULL)
        return status_fail(
            error, STATUS_ARGUMENT,
            "the chat template %s has no switch for thinking: it reads neither enable_thinking nor "
            "thinking",
            session_chat_name(session));
    if (!read_switch(word, session_chat_thinking(session), &to))
        return status_fail(error, STATUS_ARGUMENT, "thinking is on, off or default, not \"%s\"", word);
    Status status = session_chat_begin(session, &draft, error);
    if (status != STATUS_OK) return status;
    status = chat_turns_set_switch(draft.turns, name, to, error);
    return end_draft(session, status, &draft, session_current_example(session), error);
}

/* ---- files ---- */

Status session_open_chat(Session *session, const char *path, Error *error) {
    SessionChatDraft draft;
    char *json = NULL;
    size_t bytes;
    Status status = check_offer(session, error);
    if (status != STATUS_OK) return status;
    status = json_read_text(path, LARGEST_FILE, &json, &bytes, error);
    if (status != STATUS_OK) return status;
    status = session_chat_open_text(session, json, bytes, path, &draft, error);
    if (status == STATUS_OK) status = session_show_chat(session, &draft, -1, error);
    free(json);
    return status == STATUS_OK ? status : status_add_context(error, "%s", path);
}

Status session_write_chat(Session *session, const char *path, Error *error) {
    const ChatTurns *turns = session_chat_turns(session);
    char *json, *text;
    size_t bytes;
    if (turns == NULL || chat_turns_count(turns) == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "there is no conversation to write: it begins with the chat template on");
    Status status = chat_turns_write(turns, true, &json, &bytes, error);
    if (status != STATUS_OK) return status;
    text = memory_format("%s\n", json);
    status =
        text == NULL ? memory_fail(error, "a conversation") : disk_write_new(path, text, bytes + 1, error);
    free(text);
    free(json);
    return status == STATUS_OK ? session_chat_name_file(session, path, error) : status;
}
