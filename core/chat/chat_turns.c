#include "core/chat/chat_turns.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_form.h"
#include "core/chat/chat_json_read.h"
#include "core/chat/chat_json_write.h"
#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* All of it but itself lies in the arena, which only grows: turns are few, and drafts of them short-lived. */
struct ChatTurns {
    ChatArena arena;
    ChatDict *root;
    ChatList *messages; /* of root: dicts */
    ChatMessage *shown; /* [messages->count] */
};

static const char GENERATION[] = "add_generation_prompt";
static const char *const VARIABLES[] = {"chat_template_kwargs",
                                        "template_kwargs"}; /* the first goes before */

static ChatRun begin_run(ChatArena arena, Error *error) {
    return (ChatRun){.arena = arena, .limits = CHAT_LIMITS_DEFAULT, .name = NULL, .error = error};
}

static ChatRun begin_empty_run(Error *error) {
    return begin_run((ChatArena){.limit = CHAT_LIMITS_DEFAULT.memory}, error);
}

static Status set_member(ChatRun *run, ChatDict *dict, const char *key, ChatValue value) {
    ChatValue name;
    CHAT_TRY(chat_value_keep(run, key, strlen(key), &name));
    return chat_dict_set(run, dict, name, value);
}

static Status write_json(ChatRun *run, ChatValue value, bool is_indented, ChatValue *text) {
    static const ChatText INDENT = {"  ", 2, 2, false}, COMMA = {", ", 2, 2, false},
                          BARE = {",", 1, 1, false}, COLON = {": ", 2, 2, false};
    const ChatJsonStyle style = {
        .indent = is_indented ? &INDENT : NULL, .comma = is_indented ? &BARE : &COMMA, .colon = &COLON};
    return chat_json_write(run, value, &style, text);
}

/* ---- as people read them ---- */

static bool is_named(ChatValue key, const char *name) {
    return key.type == CHAT_TEXT && key.as.text->length == strlen(name) &&
           memcmp(key.as.text->bytes, name, key.as.text->length) == 0;
}

/* The text of a part {"type": "text", "text": …} of a content; NULL of any other. */
static const ChatText *text_of_part(ChatValue part) {
    const ChatValue *text = part.type == CHAT_DICT ? chat_dict_find_string(part.as.dict, "text") : NULL;
    return text != NULL && text->type == CHAT_TEXT ? text->as.text : NULL;
}

/* Adds the texts of a content; false where it has anything else. */
static bool add_content(ChatBuilder *builder, ChatValue content) {
    bool all = true;
    if (content.type == CHAT_TEXT) chat_builder_add_text(builder, content.as.text);
    if (content.type == CHAT_TEXT || content.type == CHAT_NONE) return true;
    if (!chat_value_is_list(content, CHAT_LIST_LIST)) return false;
    for (size_t i = 0; i < content.as.list->count; i++)
        all &= text_of_part(content.as.list->items[i]) != NULL;
    for (size_t i = 0; all && i < content.as.list->count; i++)
        chat_builder_add_text(builder, text_of_part(content.as.list->items[i]));
    return all;
}

/* "\nKEY: " and its value. */
static Status add_other(ChatBuilder *builder, ChatValue key, ChatValue value) {
    ChatValue json = value;
    if (value.type != CHAT_TEXT) CHAT_TRY(write_json(builder->run, value, false, &json));
    if (builder->length > 0) chat_builder_add_string(builder, "\n");
    if (key.type == CHAT_TEXT) chat_builder_add_text(builder, key.as.text);
    chat_builder_add_string(builder, ": ");
    chat_builder_add_text(builder, json.as.text);
    return STATUS_OK;
}

/* What is asked of a text ends with NUL. */
static Status finish_text(ChatBuilder *builder, const char **text, size_t *bytes) {
    ChatValue value;
    chat_builder_add(builder, "", 1);
    CHAT_TRY(chat_builder_finish(builder, &value));
    *text = value.as.text->bytes;
    *bytes = value.as.text->length - 1;
    return STATUS_OK;
}

static Status show_message(ChatRun *run, const ChatDict *message, ChatMessage *turn) {
    ChatBuilder role = {.run = run}, text = {.run = run};
    *turn = (ChatMessage){.is_plain = true};
    const ChatValue *content = chat_dict_find_string(message, "content");
    bool is_shown = content == NULL || add_content(&text, *content);
    turn->is_plain = content != NULL && content->type == CHAT_TEXT;
    for (size_t i = 0; i < message->count; i++) {
        ChatValue key = message->entries[i].key, value = message->entries[i].value;
        if (is_named(key, "role") && value.type == CHAT_TEXT) {
            chat_builder_add_text(&role, value.as.text);
            continue;
        }
        if (value.type == CHAT_NONE || (is_named(key, "content") && is_shown)) continue;
        turn->is_plain = false;
        CHAT_TRY(add_other(&text, key, value));
    }
    CHAT_TRY(finish_text(&role, &turn->role, &turn->role_bytes));
    return finish_text(&text, &turn->text, &turn->bytes);
}

static Status show_messages(ChatRun *run, const ChatList *messages, ChatMessage **shown) {
    void *block;
    CHAT_TRY(chat_run_take(run, messages->count, sizeof **shown, &block));
    *shown = block;
    for (size_t i = 0; i < messages->count; i++)
        CHAT_TRY(show_message(run, messages->items[i].as.dict, &(*shown)[i]));
    return STATUS_OK;
}

size_t chat_turns_count(const ChatTurns *turns) {
    return turns->messages->count;
}

ChatMessage chat_turns_get(const ChatTurns *turns, size_t index) {
    return turns->shown[index];
}

bool chat_turns_has_role(const ChatTurns *turns, size_t index, const char *role) {
    return index < turns->messages->count && strcmp(turns->shown[index].role, role) == 0;
}

/* ---- reading and writing ---- */

/* A member that one of the other forms has, which are written as messages. */
static bool is_of_form(ChatValue key) {
    static const char *const NAMES[] = {"conversation",  "prompt", "completion",  "response",
                                        "conversations", "system", "instruction", "input",
                                        "output",        "history"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (is_named(key, NAMES[i])) return true;
    return false;
}

static Status convert_root(ChatRun *run, const ChatDict *given, ChatList *messages, ChatDict **root) {
    bool is_plain = chat_dict_find_string(given, "messages") != NULL;
    CHAT_TRY(chat_dict_new(run, given->count + 1, root));
    if (!is_plain) CHAT_TRY(set_member(run, *root, "messages", chat_value_list(messages)));
    for (size_t i = 0; i < given->count; i++) {
        ChatValue key = given->entries[i].key, value = given->entries[i].value;
        if (is_named(key, "messages")) value = chat_value_list(messages);
        if (is_plain || !is_of_form(key)) CHAT_TRY(chat_dict_set(run, *root, key, value));
    }
    return STATUS_OK;
}

/* An object with a list of objects as messages, in any form that there is. */
static Status take_tree(ChatRun *run, const char *json, size_t length, ChatTurns *turns) {
    ChatValue root;
    size_t prompt;
    ChatList *messages = NULL;
    CHAT_TRY(chat_json_read(run, json, length, &root));
    if (root.type == CHAT_DICT) CHAT_TRY(chat_form_read(run, root.as.dict, &messages, &prompt));
    bool is_list = messages != NULL;
    for (size_t i = 0; is_list && i < messages->count; i++) is_list = messages->items[i].type == CHAT_DICT;
    if (!is_list) return chat_run_fail(run, STATUS_FORMAT, "expected an object with \"messages\"");
    CHAT_TRY(convert_root(run, root.as.dict, messages, &turns->root));
    turns->messages = messages;
    return show_messages(run, messages, &turns->shown);
}

static Status make(const char *json, size_t length, ChatTurns **turns, Error *error) {
    *turns = NULL;
    ChatTurns *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a conversation");
    ChatRun run = begin_empty_run(error);
    Status status = take_tree(&run, json, length, made);
    made->arena = run.arena;
    if (status == STATUS_OK)
        *turns = made;
    else
        chat_turns_free(made);
    return status;
}

Status chat_turns_create(ChatTurns **turns, Error *error) {
    static const char NONE[] = "{\"messages\": []}";
    return make(NONE, sizeof NONE - 1, turns, error);
}

Status chat_turns_read(const char *json, size_t length, ChatTurns **turns, Error *error) {
    ChatConversation *conversation; /* it says what is wrong */
    *turns = NULL;
    Status status = chat_conversation_read(json, length, &conversation, error);
    if (status != STATUS_OK) return status;
    chat_conversation_free(conversation);
    return make(json, length, turns, error);
}

void chat_turns_free(ChatTurns *turns) {
    if (turns == NULL) return;
    chat_arena_free(&turns->arena);
    free(turns);
}

/* The object without what is null. */
static Status choose_members(ChatRun *run, const ChatDict *root, ChatDict **chosen) {
    CHAT_TRY(chat_dict_new(run, root->count, chosen));
    for (size_t i = 0; i < root->count; i++) {
        if (root->entries[i].value.type == CHAT_NONE) continue;
        CHAT_TRY(chat_dict_set(run, *chosen, root->entries[i].key, root->entries[i].value));
    }
    return STATUS_OK;
}

static Status write_root(ChatRun *run, const ChatTurns *turns, bool is_whole, bool is_indented,
                         ChatValue *text) {
    ChatDict *root;
    CHAT_TRY(choose_members(run, turns->root, &root));
    size_t count = turns->messages->count;
    bool asks = count > 0 && !chat_turns_has_role(turns, count - 1, "assistant");
    if (is_whole && chat_dict_find_string(root, GENERATION) == NULL)
        CHAT_TRY(set_member(run, root, GENERATION, chat_value_bool(asks)));
    return write_json(run, (ChatValue){.type = CHAT_DICT, .as.dict = root}, is_indented, text);
}

static Status write_text(const ChatTurns *turns, bool is_whole, bool is_indented, char **json, size_t *bytes,
                         Error *error) {
    ChatValue text;
    ChatRun run = begin_empty_run(error); /* the turns themselves are only read */
    *json = NULL;
    Status status = write_root(&run, turns, is_whole, is_indented, &text);
    if (status == STATUS_OK) {
        *bytes = text.as.text->length;
        *json = memory_copy_text(text.as.text->bytes, *bytes);
        if (*json == NULL) status = memory_fail(error, "a conversation");
    }
    chat_arena_free(&run.arena);
    return status;
}

Status chat_turns_write(const ChatTurns *turns, bool is_indented, char **json, size_t *bytes, Error *error) {
    return write_text(turns, true, is_indented, json, bytes, error);
}

Status chat_turns_copy(const ChatTurns *turns, ChatTurns **copy, Error *error) {
    char *json;
    size_t bytes;
    *copy = NULL;
    Status status = write_text(turns, false, false, &json, &bytes, error);
    if (status == STATUS_OK) status = make(json, bytes, copy, error);
    free(json);
    return status;
}

/* ---- changing ---- */

static Status make_message(ChatRun *run, const char *role, const char *text, size_t bytes,
                           ChatValue *message) {
    ChatValue value;
    ChatDict *dict;
    CHAT_TRY(chat_dict_new(run, 2, &dict));
    CHAT_TRY(chat_value_copy(run, role, strlen(role), &value));
    CHAT_TRY(set_member(run, dict, "role", value));
    CHAT_TRY(chat_value_copy(run, text, bytes, &value));
    *message = (ChatValue){.type = CHAT_DICT, .as.dict = dict};
    return set_member(run, dict, "content", value);
}

/* Whether a generation prompt is added follows from the messages again. */
static Status forget_generation(ChatRun *run, ChatDict *root) {
    if (chat_dict_find_string(root, GENERATION) == NULL) return STATUS_OK;
    return set_member(run, root, GENERATION, chat_value_none());
}

/* The messages are changed as a copy, which takes their place once it can be shown. */
static Status put(ChatRun *run, ChatTurns *turns, size_t index, bool replaces, ChatValue message) {
    ChatList *changed;
    ChatMessage *shown;
    const ChatList *old = turns->messages;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, old->count + 1, &changed));
    for (size_t i = 0; i <= old->count; i++) {
        if (i == index) CHAT_TRY(chat_value_append(run, changed, message));
        if (i < old->count && !(replaces && i == index))
            CHAT_TRY(chat_value_append(run, changed, old->items[i]));
    }
    CHAT_TRY(show_messages(run, changed, &shown));
    CHAT_TRY(forget_generation(run, turns->root));
    CHAT_TRY(set_member(run, turns->root, "messages", chat_value_list(changed)));
    turns->messages = changed;
    turns->shown = shown;
    return STATUS_OK;
}

static Status put_text(ChatTurns *turns, size_t index, bool replaces, const char *role, const char *text,
                       size_t bytes, Error *error) {
    ChatValue message;
    if (!chat_text_is_valid(text, bytes) || !chat_text_is_valid(role, strlen(role)))
        return status_fail(error, STATUS_ARGUMENT, "a turn's text is not UTF-8");
    ChatRun run = begin_run(turns->arena, error);
    Status status = make_message(&run, role, text, bytes, &message);
    if (status == STATUS_OK) status = put(&run, turns, index, replaces, message);
    turns->arena = run.arena;
    return status;
}

Status chat_turns_insert(ChatTurns *turns, size_t index, const char *role, const char *text, size_t bytes,
                         Error *error) {
    return put_text(turns, index, false, role, text, bytes, error);
}

Status chat_turns_replace(ChatTurns *turns, size_t index, const char *role, const char *text, size_t bytes,
                          Error *error) {
    return put_text(turns, index, true, role, text, bytes, error);
}

void chat_turns_remove(ChatTurns *turns, size_t index) {
    ChatList *list = turns->messages;
    for (size_t i = index + 1; i < list->count; i++) {
        list->items[i - 1] = list->items[i];
        turns->shown[i - 1] = turns->shown[i];
    }
    list->count--;
    for (size_t i = 0; i < turns->root->count; i++)
        if (is_named(turns->root->entries[i].key, GENERATION))
            turns->root->entries[i].value = chat_value_none();
}

/* ---- variables ---- */

static ChatDict *find_variables(const ChatTurns *turns, size_t index) {
    const ChatValue *found = chat_dict_find_string(turns->root, VARIABLES[index]);
    return found != NULL && found->type == CHAT_DICT ? found->as.dict : NULL;
}

ChatSwitch chat_turns_switch(const ChatTurns *turns, const char *name) {
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++) {
        const ChatDict *variables = find_variables(turns, i);
        const ChatValue *found = variables == NULL ? NULL : chat_dict_find_string(variables, name);
        if (found == NULL) continue;
        if (found->type != CHAT_BOOL) return CHAT_SWITCH_UNSET;
        return found->as.truth ? CHAT_SWITCH_ON : CHAT_SWITCH_OFF;
    }
    return CHAT_SWITCH_UNSET;
}

/* The variables under one of the names without `name`, or with it last where `value` is not none. */
static Status change_variables(ChatRun *run, ChatTurns *turns, size_t index, const char *name,
                               ChatValue value) {
    const ChatDict *old = find_variables(turns, index);
    ChatDict *changed;
    CHAT_TRY(chat_dict_new(run, 1, &changed));
    for (size_t i = 0; old != NULL && i < old->count; i++) {
        if (is_named(old->entries[i].key, name)) continue;
        CHAT_TRY(chat_dict_set(run, changed, old->entries[i].key, old->entries[i].value));
    }
    if (value.type != CHAT_NONE) CHAT_TRY(set_member(run, changed, name, value));
    ChatValue dict = {.type = CHAT_DICT, .as.dict = changed};
    if (old == NULL && changed->count == 0) return STATUS_OK;
    return set_member(run, turns->root, VARIABLES[index], changed->count > 0 ? dict : chat_value_none());
}

Status chat_turns_set_switch(ChatTurns *turns, const char *name, ChatSwitch to, Error *error) {
    ChatRun run = begin_run(turns->arena, error);
    ChatValue value = to == CHAT_SWITCH_UNSET ? chat_value_none() : chat_value_bool(to == CHAT_SWITCH_ON);
    Status status = change_variables(&run, turns, 0, name, chat_value_none());
    if (status == STATUS_OK) status = change_variables(&run, turns, 1, name, value);
    turns->arena = run.arena;
    return status;
}
