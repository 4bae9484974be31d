#include "core/chat/chat_arguments.h"

#include <string.h>

const ChatRow *chat_arguments_find(const ChatRow *rows, size_t count, const ChatText *name) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == name->length && memcmp(rows[i].name, name->bytes, name->length) == 0)
            return &rows[i];
    }
    return NULL;
}

/* The place of a name in a signature; *count: how many it has. */
static size_t find_name(const char *signature, const ChatText *name, size_t *count) {
    size_t found = SIZE_MAX;
    *count = 0;
    for (const char *at = signature; *at != '\0';) {
        size_t bytes = strcspn(at, " ");
        if (name != NULL && bytes == name->length && memcmp(at, name->bytes, bytes) == 0) found = *count;
        (*count)++;
        at += bytes + strspn(at + bytes, " ");
    }
    return found;
}

static Status bind(ChatRun *run, const char *kind, const ChatRow *row, const ChatCall *call,
                   ChatValue arguments[CHAT_ARGUMENTS_MOST]) {
    bool by_place = row->signature[0] == '/';
    const char *signature = by_place ? row->signature + 1 + strspn(row->signature + 1, " ") : row->signature;
    size_t count;
    (void)find_name(signature, NULL, &count);
    if (call->count > count)
        return chat_run_fail(run, STATUS_FORMAT, "the %s %s takes %zu arguments at most, and got %zu", kind,
                             row->name, count, call->count);
    for (size_t i = 0; i < call->count; i++) arguments[i] = call->values[i];
    for (size_t i = 0; i < call->named_count; i++) {
        const ChatText *name = call->names[i];
        size_t place = by_place ? SIZE_MAX : find_name(signature, name, &count);
        if (place == SIZE_MAX || arguments[place].type != CHAT_MISSING)
            return chat_run_fail(run, STATUS_FORMAT, "the %s %s does not take an argument %.*s here", kind,
                                 row->name, (int)(name->length > 60 ? 60 : name->length), name->bytes);
        arguments[place] = call->named[i];
    }
    for (size_t i = 0; i < row->least; i++) {
        if (arguments[i].type == CHAT_MISSING)
            return chat_run_fail(run, STATUS_FORMAT, "the %s %s needs %zu arguments", kind, row->name,
                                 row->least);
    }
    return STATUS_OK;
}

Status chat_arguments_apply(ChatRun *run, const char *kind, const ChatRow *row, ChatValue self,
                            const ChatCall *call, ChatValue *result) {
    ChatValue arguments[CHAT_ARGUMENTS_MOST] = {{.type = CHAT_MISSING}};
    CHAT_TRY(chat_run_step(run, 1));
    if (row->call_whole != NULL) return row->call_whole(run, self, call, result);
    if (row->call == NULL)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "the %s %s is not supported", kind, row->name);
    CHAT_TRY(bind(run, kind, row, call, arguments));
    return row->call(run, self, arguments, result);
}

Status chat_arguments_integer(ChatRun *run, ChatValue argument, int64_t fallback, int64_t *integer) {
    *integer = fallback;
    if (argument.type == CHAT_MISSING) return STATUS_OK;
    if (argument.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, argument);
    if (!chat_value_is_integer(argument))
        return chat_run_fail(run, STATUS_FORMAT, "expected an integer, found a %s",
                             chat_value_type_name(argument));
    *integer = chat_value_integer(argument);
    return STATUS_OK;
}

Status chat_arguments_text(ChatRun *run, ChatValue argument, const ChatText *fallback,
                           const ChatText **text) {
    *text = fallback;
    if (argument.type == CHAT_MISSING) return STATUS_OK;
    if (argument.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, argument);
    if (argument.type != CHAT_TEXT)
        return chat_run_fail(run, STATUS_FORMAT, "expected a text, found a %s",
                             chat_value_type_name(argument));
    *text = argument.as.text;
    return STATUS_OK;
}

bool chat_arguments_truth(ChatValue argument, bool fallback) {
    return argument.type == CHAT_MISSING ? fallback : chat_value_is_truthy(argument);
}
