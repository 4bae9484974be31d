#include "core/chat/chat_conversation.h"

#include "core/chat/chat_conversation_internal.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_form.h"
#include "core/chat/chat_json_read.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* Names of a message's thoughts: the first is the one that templates read. */
static const char *const THOUGHTS[] = {"reasoning_content", "thinking", "reasoning"};

static Status set_text(ChatRun *run, ChatDict *dict, const char *key, ChatValue value) {
    ChatValue name;
    CHAT_TRY(chat_value_keep(run, key, strlen(key), &name));
    return chat_dict_set(run, dict, name, value);
}

/* A message without what is null, and with its thoughts under both names. */
static Status take_message(ChatRun *run, const ChatDict *given, ChatDict **message) {
    const ChatValue *thought = NULL;
    CHAT_TRY(chat_dict_new(run, given->count, message));
    for (size_t i = 0; i < 3 && (thought == NULL || thought->type == CHAT_NONE); i++)
        thought = chat_dict_find_string(given, THOUGHTS[i]);
    bool has_thought = thought != NULL && thought->type != CHAT_NONE;
    if (has_thought) CHAT_TRY(set_text(run, *message, "thinking", *thought));
    for (size_t i = 0; i < given->count; i++) {
        if (given->entries[i].value.type == CHAT_NONE) continue;
        CHAT_TRY(chat_dict_set(run, *message, given->entries[i].key, given->entries[i].value));
    }
    return has_thought ? set_text(run, *message, "reasoning_content", *thought) : STATUS_OK;
}

static Status take_messages(ChatRun *run, const ChatDict *given, ChatConversation *conversation) {
    ChatList *list, **messages = &conversation->messages;
    CHAT_TRY(chat_form_read(run, given, &list, &conversation->prompt));
    if (list == NULL || list->count == 0)
        return chat_run_fail(run, STATUS_FORMAT, "\"messages\": expected a list of at least one message");
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, list->count, messages));
    for (size_t i = 0; i < list->count; i++) {
        ChatValue message = list->items[i];
        if (message.type != CHAT_DICT)
            return chat_run_fail(run, STATUS_FORMAT, "\"messages\": message %zu is a %s, expected an object",
                                 i + 1, chat_value_type_name(message));
        CHAT_TRY(take_message(run, message.as.dict, &message.as.dict));
        CHAT_TRY(chat_value_append(run, *messages, message));
    }
    return STATUS_OK;
}

/* A list of objects, or none; in a text of JSON too, as columns of tables have it. */
static Status take_list(ChatRun *run, const ChatDict *given, const char *key, ChatValue *list) {
    const ChatValue *found = chat_dict_find_string(given, key);
    *list = found != NULL ? *found : chat_value_none();
    if (list->type == CHAT_TEXT && list->as.text->length == 0) *list = chat_value_none();
    if (list->type == CHAT_TEXT)
        CHAT_TRY(chat_json_read(run, list->as.text->bytes, list->as.text->length, list));
    if (list->type == CHAT_NONE) return STATUS_OK;
    bool is_list = chat_value_is_list(*list, CHAT_LIST_LIST);
    for (size_t i = 0; is_list && i < list->as.list->count; i++)
        is_list = list->as.list->items[i].type == CHAT_DICT;
    return is_list ? STATUS_OK : chat_run_fail(run, STATUS_FORMAT, "\"%s\": expected a list of objects", key);
}

static Status take_bool(ChatRun *run, const ChatDict *given, const char *key, bool *truth) {
    const ChatValue *found = chat_dict_find_string(given, key);
    *truth = false;
    if (found == NULL || found->type == CHAT_NONE) return STATUS_OK;
    if (found->type != CHAT_BOOL)
        return chat_run_fail(run, STATUS_FORMAT, "\"%s\": expected true or false", key);
    *truth = found->as.truth;
    return STATUS_OK;
}

static Status take_variables(ChatRun *run, const ChatDict *given, ChatDict **variables) {
    static const char *const KEYS[] = {"template_kwargs", "chat_template_kwargs"};
    CHAT_TRY(chat_dict_new(run, 0, variables));
    for (size_t i = 0; i < 2; i++) {
        const ChatValue *found = chat_dict_find_string(given, KEYS[i]);
        if (found == NULL || found->type == CHAT_NONE) continue;
        if (found->type != CHAT_DICT)
            return chat_run_fail(run, STATUS_FORMAT, "\"%s\": expected an object", KEYS[i]);
        for (size_t j = 0; j < found->as.dict->count; j++)
            CHAT_TRY(chat_dict_set(run, *variables, found->as.dict->entries[j].key,
                                   found->as.dict->entries[j].value));
    }
    return STATUS_OK;
}

static Status take_object(ChatRun *run, const ChatDict *given, ChatConversation *conversation) {
    bool continues;
    CHAT_TRY(take_messages(run, given, conversation));
    CHAT_TRY(take_list(run, given, "tools", &conversation->tools));
    CHAT_TRY(take_list(run, given, "documents", &conversation->documents));
    CHAT_TRY(take_bool(run, given, "add_generation_prompt", &conversation->add_generation_prompt));
    CHAT_TRY(take_bool(run, given, "continue_final_message", &continues));
    if (continues)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "\"continue_final_message\" is not supported");
    return take_variables(run, given, &conversation->variables);
}

/* What a prompt asks for where it does not say. */
static void choose_asking(const ChatDict *given, ChatConversation *conversation) {
    const ChatValue *stated = chat_dict_find_string(given, "add_generation_prompt");
    size_t last = conversation->messages->count - 1;
    if (stated == NULL || stated->type == CHAT_NONE)
        conversation->add_generation_prompt = chat_conversation_turn(conversation, last) == CHAT_TURN_OTHER;
}

static Status take_all(ChatRun *run, const char *json, size_t length, bool is_prompt,
                       ChatConversation *conversation) {
    ChatValue root;
    CHAT_TRY(chat_json_read(run, json, length, &root));
    if (is_prompt && chat_value_is_list(root, CHAT_LIST_LIST)) {
        ChatDict *object;
        CHAT_TRY(chat_dict_new(run, 1, &object));
        CHAT_TRY(set_text(run, object, "messages", root));
        root = (ChatValue){.type = CHAT_DICT, .as.dict = object};
    }
    if (root.type != CHAT_DICT)
        return chat_run_fail(run, STATUS_FORMAT, "expected an object with \"messages\"%s",
                             is_prompt ? ", or a list of messages" : "");
    CHAT_TRY(take_object(run, root.as.dict, conversation));
    if (is_prompt) choose_asking(root.as.dict, conversation);
    return STATUS_OK;
}

static Status read_any(const char *json, size_t length, bool is_prompt, ChatConversation **conversation,
                       Error *error) {
    *conversation = NULL;
    ChatConversation *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a conversation");
    ChatRun run = {.arena = {.limit = CHAT_LIMITS_DEFAULT.memory},
                   .limits = CHAT_LIMITS_DEFAULT,
                   .name = NULL,
                   .error = error};
    Status status = take_all(&run, json, length, is_prompt, made);
    made->arena = run.arena;
    if (status == STATUS_OK)
        *conversation = made;
    else
        chat_conversation_free(made);
    return status;
}

Status chat_conversation_read(const char *json, size_t length, ChatConversation **conversation,
                              Error *error) {
    return read_any(json, length, false, conversation, error);
}

Status chat_conversation_read_prompt(const char *json, size_t length, ChatConversation **conversation,
                                     Error *error) {
    return read_any(json, length, true, conversation, error);
}

void chat_conversation_free(ChatConversation *conversation) {
    if (conversation == NULL) return;
    chat_arena_free(&conversation->arena);
    free(conversation);
}

size_t chat_conversation_count(const ChatConversation *conversation) {
    return conversation->messages->count;
}

bool chat_conversation_has_tools(const ChatConversation *conversation) {
    return conversation->tools.type != CHAT_NONE;
}

bool chat_conversation_asks(const ChatConversation *conversation) {
    return conversation->add_generation_prompt;
}

/* ---- what is learned ---- */

/* How trainers name the switch of a message: OpenAI and others, axolotl, ms-swift. */
static const char *const SWITCHES[] = {"weight", "train", "training", "loss"};

const char *chat_conversation_role(const ChatConversation *conversation, size_t index, size_t *bytes) {
    const ChatValue *role = chat_dict_find_string(conversation->messages->items[index].as.dict, "role");
    bool is_text = role != NULL && role->type == CHAT_TEXT;
    *bytes = is_text ? role->as.text->length : 0;
    return is_text ? role->as.text->bytes : "";
}

ChatTurn chat_conversation_turn(const ChatConversation *conversation, size_t index) {
    const ChatDict *message = conversation->messages->items[index].as.dict;
    size_t bytes;
    const char *role = chat_conversation_role(conversation, index, &bytes);
    if (bytes != 9 || memcmp(role, "assistant", 9) != 0) return CHAT_TURN_OTHER;
    ChatTurn turn = index < conversation->prompt ? CHAT_TURN_PASSED : CHAT_TURN_LEARNED;
    for (size_t i = 0; i < sizeof SWITCHES / sizeof *SWITCHES && turn == CHAT_TURN_LEARNED; i++) {
        const ChatValue *found = chat_dict_find_string(message, SWITCHES[i]);
        if (found == NULL) continue;
        double share = chat_value_is_number(*found) ? chat_value_number(*found) : -1.0;
        if (share == 0.0)
            turn = CHAT_TURN_PASSED;
        else if (share != 1.0)
            turn = CHAT_TURN_IN_PART;
    }
    return turn;
}
