#include "core/chat/chat_form.h"

#include "core/chat/chat_dict.h"
#include "core/chat/chat_json_read.h"

#include <string.h>

typedef struct Form {
    ChatRun *run;
    const ChatDict *given;
    ChatList *messages;
    size_t prompt;
} Form;

/* A member that is there and not null; or NULL. */
static const ChatValue *find(const ChatDict *dict, const char *key) {
    const ChatValue *found = chat_dict_find_string(dict, key);
    return found != NULL && found->type != CHAT_NONE ? found : NULL;
}

static bool is_list(const ChatValue *value) {
    return value != NULL && chat_value_is_list(*value, CHAT_LIST_LIST);
}

static bool is_empty_text(const ChatValue *value) {
    return value != NULL && value->type == CHAT_TEXT && value->as.text->length == 0;
}

static Status set_member(ChatRun *run, ChatDict *dict, const char *key, ChatValue value) {
    ChatValue name;
    CHAT_TRY(chat_value_keep(run, key, strlen(key), &name));
    return chat_dict_set(run, dict, name, value);
}

static Status add_message(Form *form, const char *role, ChatValue content, ChatDict **message) {
    ChatValue name;
    CHAT_TRY(chat_dict_new(form->run, 2, message));
    CHAT_TRY(chat_value_keep(form->run, role, strlen(role), &name));
    CHAT_TRY(set_member(form->run, *message, "role", name));
    CHAT_TRY(set_member(form->run, *message, "content", content));
    return chat_value_append(form->run, form->messages, (ChatValue){.type = CHAT_DICT, .as.dict = *message});
}

/* A message of a text, which *value has to be. */
static Status add_text(Form *form, const char *role, const char *key, const ChatValue *value) {
    ChatDict *message;
    if (value->type != CHAT_TEXT)
        return chat_run_fail(form->run, STATUS_FORMAT, "\"%s\": expected a text, found a %s", key,
                             chat_value_type_name(*value));
    return add_message(form, role, *value, &message);
}

static Status add_all(Form *form, const ChatList *list) {
    for (size_t i = 0; i < list->count; i++)
        CHAT_TRY(chat_value_append(form->run, form->messages, list->items[i]));
    return STATUS_OK;
}

/* ---- messages; prompt and completion ---- */

static Status read_messages(Form *form) {
    const ChatValue *messages = find(form->given, "messages");
    if (messages == NULL) messages = find(form->given, "conversation");
    if (!is_list(messages))
        return chat_run_fail(form->run, STATUS_FORMAT, "\"messages\": expected a list of messages");
    return add_all(form, messages->as.list);
}

static Status read_prompt(Form *form) {
    CHAT_TRY(add_all(form, find(form->given, "prompt")->as.list));
    form->prompt = form->messages->count;
    const char *key = find(form->given, "completion") != NULL ? "completion" : "response";
    const ChatValue *answer = find(form->given, key);
    if (answer == NULL) return STATUS_OK;
    return is_list(answer) ? add_all(form, answer->as.list) : add_text(form, "assistant", key, answer);
}

/* ---- ShareGPT's ---- */

static const struct {
    const char *from, *role;
} ROLES[] = {{"human", "user"},          {"user", "user"},         {"gpt", "assistant"},
             {"assistant", "assistant"}, {"chatgpt", "assistant"}, {"bing", "assistant"},
             {"bard", "assistant"},      {"model", "assistant"},   {"system", "system"},
             {"tool", "tool"},           {"observation", "tool"},  {"function_call", NULL}};

/* {"name", "arguments"}, or a list of those, in a text of JSON: the tool calls of a turn of the assistant. */
static Status add_calls(Form *form, const ChatText *text, ChatDict **message) {
    ChatValue value;
    ChatList *calls;
    CHAT_TRY(chat_json_read(form->run, text->bytes, text->length, &value));
    const ChatList one = {.items = &value, .count = 1};
    const ChatList *given = chat_value_is_list(value, CHAT_LIST_LIST) ? value.as.list : &one;
    CHAT_TRY(chat_value_new_list(form->run, CHAT_LIST_LIST, given->count, &calls));
    for (size_t i = 0; i < given->count; i++) {
        ChatDict *call;
        ChatValue type;
        if (given->items[i].type != CHAT_DICT || find(given->items[i].as.dict, "name") == NULL)
            return chat_run_fail(form->run, STATUS_FORMAT,
                                 "function_call: expected {\"name\", \"arguments\"} as a text of JSON");
        CHAT_TRY(chat_dict_new(form->run, 2, &call));
        CHAT_TRY(chat_value_keep(form->run, "function", 8, &type));
        CHAT_TRY(set_member(form->run, call, "type", type));
        CHAT_TRY(set_member(form->run, call, "function", given->items[i]));
        CHAT_TRY(chat_value_append(form->run, calls, (ChatValue){.type = CHAT_DICT, .as.dict = call}));
    }
    ChatValue nothing;
    CHAT_TRY(chat_value_keep(form->run, "", 0, &nothing));
    CHAT_TRY(add_message(form, "assistant", nothing, message));
    return set_member(form->run, *message, "tool_calls", chat_value_list(calls));
}

/* What a turn has besides goes along: whether it is learned, say (chat_conversation.h). */
static Status add_rest(Form *form, const ChatDict *turn, ChatDict *message) {
    for (size_t i = 0; i < turn->count; i++) {
        const ChatText *key = turn->entries[i].key.as.text;
        bool is_read = key->length == 4 ? memcmp(key->bytes, "from", 4) == 0
                                        : key->length == 5 && memcmp(key->bytes, "value", 5) == 0;
        if (is_read || chat_dict_find_text(message, key->bytes, key->length) != NULL) continue;
        CHAT_TRY(chat_dict_set(form->run, message, turn->entries[i].key, turn->entries[i].value));
    }
    return STATUS_OK;
}

static Status add_turn(Form *form, const ChatDict *turn, size_t number) {
    const ChatValue *from = find(turn, "from"), *value = find(turn, "value");
    if (from == NULL || from->type != CHAT_TEXT || value == NULL || value->type != CHAT_TEXT)
        return chat_run_fail(form->run, STATUS_FORMAT,
                             "\"conversations\": turn %zu: expected texts \"from\" and \"value\"", number);
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
        const ChatText *name = from->as.text;
        if (name->length != strlen(ROLES[i].from) || memcmp(name->bytes, ROLES[i].from, name->length) != 0)
            continue;
        ChatDict *message;
        if (ROLES[i].role == NULL)
            CHAT_TRY(add_calls(form, value->as.text, &message));
        else
            CHAT_TRY(add_message(form, ROLES[i].role, *value, &message));
        return add_rest(form, turn, message);
    }
    return chat_run_fail(
        form->run, STATUS_UNSUPPORTED, "\"conversations\": turn %zu is from \"%.*s\", which is unknown",
        number, (int)(from->as.text->length < 40 ? from->as.text->length : 40), from->as.text->bytes);
}

/* What stands beside the turns goes before them. */
static Status add_system(Form *form) {
    static const char *const KEYS[] = {"system", "system_prompt"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const ChatValue *system = find(form->given, KEYS[i]);
        if (system == NULL || is_empty_text(system)) continue;
        return add_text(form, "system", KEYS[i], system);
    }
    return STATUS_OK;
}

static bool has_role(const ChatValue *message, const char *key, const char *role) {
    const ChatValue *found = message->type == CHAT_DICT ? find(message->as.dict, key) : NULL;
    return found != NULL && found->type == CHAT_TEXT && found->as.text->length == strlen(role) &&
           memcmp(found->as.text->bytes, role, found->as.text->length) == 0;
}

static Status read_conversations(Form *form) {
    const ChatValue *given = find(form->given, "conversations");
    if (!is_list(given))
        return chat_run_fail(form->run, STATUS_FORMAT, "\"conversations\": expected a list of turns");
    const ChatList *turns = given->as.list;
    CHAT_TRY(add_system(form));
    if (form->messages->count > 0 && turns->count > 0 &&
        (has_role(&turns->items[0], "from", "system") || has_role(&turns->items[0], "role", "system")))
        return chat_run_fail(form->run, STATUS_FORMAT,
                             "\"system\" stands beside \"conversations\" and in its first turn");
    for (size_t i = 0; i < turns->count; i++) {
        const ChatDict *turn = turns->items[i].type == CHAT_DICT ? turns->items[i].as.dict : NULL;
        if (turn != NULL && find(turn, "role") != NULL)
            CHAT_TRY(chat_value_append(form->run, form->messages, turns->items[i]));
        else if (turn != NULL)
            CHAT_TRY(add_turn(form, turn, i + 1));
        else
            return chat_run_fail(form->run, STATUS_FORMAT,
                                 "\"conversations\": turn %zu is a %s, expected an object", i + 1,
                                 chat_value_type_name(turns->items[i]));
    }
    return STATUS_OK;
}

/* ---- Alpaca's ---- */

static Status add_history(Form *form, const ChatValue *history) {
    static const char *const SIDES[] = {"user", "assistant"};
    for (size_t i = 0; is_list(history) && i < history->as.list->count; i++) {
        const ChatValue *pair = &history->as.list->items[i];
        bool is_pair = pair->type == CHAT_LIST && pair->as.list->count == 2;
        for (size_t side = 0; is_pair && side < 2; side++)
            CHAT_TRY(add_text(form, SIDES[side], "history", &pair->as.list->items[side]));
        if (!is_pair) return chat_run_fail(form->run, STATUS_FORMAT, "\"history\": expected pairs of texts");
    }
    return STATUS_OK;
}

static Status join_lines(ChatRun *run, const ChatText *first, const ChatText *second, ChatValue *joined) {
    void *block;
    size_t length = first->length + 1 + second->length;
    CHAT_TRY(chat_run_take(run, length, 1, &block));
    char *bytes = block;
    memcpy(bytes, first->bytes, first->length);
    bytes[first->length] = '\n';
    memcpy(bytes + first->length + 1, second->bytes, second->length);
    return chat_value_keep(run, bytes, length, joined);
}

static Status read_alpaca(Form *form) {
    const ChatValue *instruction = find(form->given, "instruction"), *input = find(form->given, "input");
    const ChatValue *output = find(form->given, "output");
    if (instruction->type != CHAT_TEXT || (input != NULL && input->type != CHAT_TEXT))
        return chat_run_fail(form->run, STATUS_FORMAT, "\"instruction\" and \"input\": expected texts");
    CHAT_TRY(add_system(form));
    CHAT_TRY(add_history(form, find(form->given, "history")));
    ChatValue prompt = *instruction;
    ChatDict *message;
    if (input != NULL && !is_empty_text(input) && is_empty_text(instruction)) prompt = *input;
    if (input != NULL && !is_empty_text(input) && !is_empty_text(instruction))
        CHAT_TRY(join_lines(form->run, instruction->as.text, input->as.text, &prompt));
    CHAT_TRY(add_message(form, "user", prompt, &message));
    return output == NULL ? STATUS_OK : add_text(form, "assistant", "output", output);
}

Status chat_form_read(ChatRun *run, const ChatDict *given, ChatList **list, size_t *prompt) {
    const struct {
        bool is_there;
        Status (*read)(Form *form);
    } FORMS[] = {{find(given, "messages") != NULL || find(given, "conversation") != NULL, read_messages},
                 {is_list(find(given, "prompt")), read_prompt},
                 {find(given, "conversations") != NULL, read_conversations},
                 {find(given, "instruction") != NULL, read_alpaca}};
    Form form = {.run = run, .given = given};
    *list = NULL;
    *prompt = 0;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (!FORMS[i].is_there) continue;
        CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &form.messages));
        CHAT_TRY(FORMS[i].read(&form));
        *list = form.messages;
        *prompt = form.prompt;
        return STATUS_OK;
    }
    return STATUS_OK;
}
