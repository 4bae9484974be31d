#include "tui/session/session_chat.h"

#include "core/chat/chat_conversation.h"
#include "core/support/memory.h"
#include "tui/session/session_internal.h"

#include <stdlib.h>
#include <string.h>

/* The UI thread's. */
struct SessionChatPart {
    bool is_on;
    SessionChatDraft taken; /* its text is the prompt's: it is not kept here */
    SessionAnswer answer;
    Error refusal; /* of the last draft */
};

/* A template is rendered between two keys: what takes longer is refused. Real ones take some thousand steps a turn. */
static const ChatLimits LIMITS = {
    .memory = (size_t)1 << 26, .output = (size_t)1 << 24, .steps = 4000000, .depth = 500};

/* What templates call it: Qwen and those after it; DeepSeek and Granite. */
static const char *const SWITCHES[] = {"enable_thinking", "thinking"};

/* ---- what there is ---- */

bool session_chat_is_offered(const Session *session, const char **message) {
    const char *why;
    const ChatSource *source = session_files_chat_source(session, &why);
    if (message != NULL) *message = why;
    return source != NULL && session->model != NULL && session_tokenizer(session, NULL) != NULL;
}

bool session_chat_is_on(const Session *session) {
    return session->chat->is_on;
}

const char *session_chat_choice(const Session *session) {
    return session->chat->taken.choice;
}

const ChatTurns *session_chat_turns(const Session *session) {
    return session->chat->taken.turns;
}

Status session_chat_write_text(const Session *session, char **json, Error *error) {
    const ChatTurns *turns = session->chat->taken.turns;
    size_t bytes;
    *json = NULL;
    if (!session->chat->is_on || turns == NULL || chat_turns_count(turns) == 0) return STATUS_OK;
    return chat_turns_write(turns, false, json, &bytes, error);
}

const char *session_chat_file(const Session *session) {
    return session->chat->taken.file;
}

const char *session_chat_refusal(const Session *session) {
    const Error *refusal = &session->chat->refusal;
    return refusal->status == STATUS_OK ? NULL : refusal->message;
}

SessionAnswer session_chat_answer(const Session *session) {
    return session->chat->answer;
}

bool session_chat_is_answered(const Session *session) {
    const ChatTurns *turns = session->chat->taken.turns;
    if (!session->chat->is_on || turns == NULL || session->chat->answer == SESSION_ANSWER_OPEN) return false;
    size_t count = chat_turns_count(turns);
    return count > 0 && chat_turns_has_role(turns, count - 1, "assistant");
}

/* ---- the template ---- */

const char *session_chat_name(const Session *session) {
    const SessionChatDraft *taken = &session->chat->taken;
    const char *message, *name = "default";
    const ChatSource *source = session_files_chat_source(session, &message);
    ChatSourceEntry entry;
    if (source == NULL || taken->choice != NULL) return source == NULL ? "" : taken->choice;
    for (size_t i = 0; taken->has_tools && chat_source_entry(source, i, &entry); i++)
        if (strcmp(entry.name, "tool_use") == 0) name = entry.name;
    return name;
}

const char *session_chat_switch(const Session *session) {
    const ChatTemplate *template = session->chat->taken.template;
    for (size_t i = 0; template != NULL && i < sizeof SWITCHES / sizeof *SWITCHES; i++)
        if (chat_reads(template, SWITCHES[i])) return SWITCHES[i];
    return NULL;
}

ChatSwitch session_chat_thinking(const Session *session) {
    const char *name = session_chat_switch(session);
    const ChatTurns *turns = session->chat->taken.turns;
    return name == NULL || turns == NULL ? CHAT_SWITCH_UNSET : chat_turns_switch(turns, name);
}

/* ---- drafts ---- */

void session_chat_drop(SessionChatDraft *draft) {
    chat_turns_free(draft->turns);
    free(draft->choice);
    free(draft->file);
    free(draft->text);
    *draft = (SessionChatDraft){0};
}

/* A copy of a text, or of none. */
static Status copy_name(const char *name, char **copy, Error *error) {
    *copy = name == NULL ? NULL : memory_copy_text(name, strlen(name));
    return name == NULL || *copy != NULL ? STATUS_OK : memory_fail(error, "a conversation");
}

Status session_chat_begin(const Session *session, SessionChatDraft *draft, Error *error) {
    const SessionChatDraft *taken = &session->chat->taken;
    *draft = (SessionChatDraft){0};
    Status status = copy_name(taken->choice, &draft->choice, error);
    if (status == STATUS_OK)
        status = taken->turns == NULL ? chat_turns_create(&draft->turns, error)
                                      : chat_turns_copy(taken->turns, &draft->turns, error);
    if (status != STATUS_OK) session_chat_drop(draft);
    return status;
}

static Status render(const ChatSource *source, SessionChatDraft *draft, const char *json, size_t bytes,
                     ChatRendering *rendering, Error *error) {
    ChatConversation *conversation;
    Status status = chat_conversation_read(json, bytes, &conversation, error);
    if (status != STATUS_OK) return status;
    ChatRequest request = {.conversation = conversation, .limits = &LIMITS};
    request.variables = chat_source_variables(source, &request.variable_count);
    chat_set_time(&request);
    draft->has_tools = chat_conversation_has_tools(conversation);
    status = chat_source_choose(source, draft->choice, draft->has_tools, &draft->template, error);
    if (status == STATUS_OK) status = chat_render(draft->template, &request, rendering, error);
    chat_conversation_free(conversation);
    return status;
}

Status session_chat_render(Session *session, SessionChatDraft *draft, Error *error) {
    const char *message;
    const ChatSource *source = session_files_chat_source(session, &message);
    char *json = NULL;
    size_t bytes;
    ChatRendering rendering;
    Status status = source == NULL ? status_fail(error, STATUS_UNSUPPORTED, "%s", message)
                                   : chat_turns_write(draft->turns, false, &json, &bytes, error);
    if (status == STATUS_OK) {
        status = render(source, draft, json, bytes, &rendering, &session->chat->refusal);
        if (status != STATUS_OK) (void)status_fail(error, status, "%s", session->chat->refusal.message);
    }
    free(json);
    if (status != STATUS_OK) {
        session_chat_drop(draft);
        return status;
    }
    free(draft->text);
    draft->text = rendering.text;
    draft->bytes = rendering.bytes;
    rendering.text = NULL;
    chat_rendering_free(&rendering);
    return STATUS_OK;
}

Status session_chat_open_text(Session *session, const char *json, size_t bytes, const char *file,
                              SessionChatDraft *draft, Error *error) {
    *draft = (SessionChatDraft){0};
    Status status = copy_name(session->chat->taken.choice, &draft->choice, error);
    if (status == STATUS_OK) status = copy_name(file, &draft->file, error);
    if (status == STATUS_OK) status = chat_turns_read(json, bytes, &draft->turns, error);
    if (status == STATUS_OK) return session_chat_render(session, draft, error);
    session_chat_drop(draft);
    return status;
}

Status session_chat_begin_user(Session *session, const char *text, size_t bytes, SessionChatDraft *draft,
                               Error *error) {
    Status status = session_chat_begin(session, draft, error);
    if (status != STATUS_OK) return status;
    size_t kept = chat_turns_has_role(draft->turns, 0, "system");
    while (chat_turns_count(draft->turns) > kept)
        chat_turns_remove(draft->turns, chat_turns_count(draft->turns) - 1);
    status = chat_turns_insert(draft->turns, kept, "user", text, bytes, error);
    if (status == STATUS_OK) return session_chat_render(session, draft, error);
    session_chat_drop(draft);
    return status;
}

void session_chat_take(Session *session, SessionChatDraft *draft) {
    struct SessionChatPart *part = session->chat;
    session_chat_drop(&part->taken);
    free(draft->text);
    draft->text = NULL;
    part->taken = *draft;
    part->refusal = (Error){0};
    part->answer = SESSION_ANSWER_NONE;
    part->is_on = true;
    *draft = (SessionChatDraft){0};
}

/* ---- for the other parts ---- */

void session_chat_turn_off(Session *session) {
    session->chat->is_on = false;
    session->chat->refusal = (Error){0};
    free(session->chat->taken.choice);
    (void)copy_name(session_chat_template(session), &session->chat->taken.choice, NULL);
}

Status session_chat_turn_on(Session *session, const char *choice, Error *error) {
    char *copy;
    const char *message;
    const ChatTemplate *template;
    const ChatSource *source = session_files_chat_source(session, &message);
    Status status = source == NULL ? status_fail(error, STATUS_UNSUPPORTED, "%s", message)
                                   : chat_source_choose(source, choice, false, &template, error);
    if (status == STATUS_OK) status = copy_name(choice, &copy, error);
    if (status != STATUS_OK) return status;
    session_chat_drop(&session->chat->taken);
    session->chat->taken.choice = copy;
    session->chat->answer = SESSION_ANSWER_NONE;
    session->chat->is_on = true;
    return STATUS_OK;
}

Status session_chat_hear(Session *session, const char *text, size_t bytes, bool has_ended, Error *error) {
    struct SessionChatPart *part = session->chat;
    ChatTurns *turns = part->taken.turns;
    size_t count = chat_turns_count(turns);
    Status status = part->answer == SESSION_ANSWER_NONE
                        ? chat_turns_insert(turns, count, "assistant", text, bytes, error)
                        : chat_turns_replace(turns, count - 1, "assistant", text, bytes, error);
    if (status != STATUS_OK) return status;
    part->answer = has_ended ? SESSION_ANSWER_ENDED : SESSION_ANSWER_OPEN;
    free(part->taken.file);
    part->taken.file = NULL;
    return STATUS_OK;
}

Status session_chat_name_file(Session *session, const char *file, Error *error) {
    char *copy;
    Status status = copy_name(file, &copy, error);
    if (status != STATUS_OK) return status;
    free(session->chat->taken.file);
    session->chat->taken.file = copy;
    return STATUS_OK;
}

Status session_chat_open(Session *session, const SessionOptions *options, Error *error) {
    session->chat = memory_allocate(1, sizeof *session->chat);
    if (session->chat == NULL) return memory_fail(error, "the session");
    const char *choice = options->prompt_template != NULL ? options->prompt_template : options->chat_template;
    return copy_name(choice, &session->chat->taken.choice, error);
}

void session_chat_free(Session *session) {
    if (session->chat == NULL) return;
    session_chat_drop(&session->chat->taken);
    free(session->chat);
}
