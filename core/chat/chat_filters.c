#include "core/chat/chat_filters.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_filter_list.h"
#include "core/chat/chat_filter_number.h"
#include "core/chat/chat_filter_text.h"
#include "core/chat/chat_tests.h"

#include <string.h>

static const ChatValue NOTHING = {.type = CHAT_MISSING};

Status chat_filters_apply(ChatRun *run, const ChatRow *row, const ChatText *name, ChatValue value,
                          const ChatCall *call, ChatValue *result) {
    if (row == NULL)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "there is no filter %.*s",
                             (int)(name->length > 60 ? 60 : name->length), name->bytes);
    return chat_arguments_apply(run, "filter", row, value, call, result);
}

static Status set_default(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    static const ChatText EMPTY = {.bytes = "", .length = 0};
    (void)run;
    bool takes = self.type == CHAT_UNDEFINED ||
                 (chat_arguments_truth(arguments[1], false) && !chat_value_is_truthy(self));
    *result = !takes ? self : arguments[0].type == CHAT_MISSING ? chat_value_text(&EMPTY) : arguments[0];
    return STATUS_OK;
}

static Status find_attribute(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    const ChatText *name;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &name));
    CHAT_TRY(chat_access_attribute_only(run, self, name, result));
    if (result->type == CHAT_MISSING) *result = chat_value_undefined(name);
    return STATUS_OK;
}

static bool is_named(const ChatText *text, const char *name) {
    return text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0;
}

/* ---- map ---- */

/* map(attribute=…, default=…): the path and what stands for what is not there. */
static Status read_map(ChatRun *run, const ChatCall *call, ChatValue *path, ChatValue *fallback) {
    for (size_t i = 0; i < call->named_count; i++) {
        bool is_path = is_named(call->names[i], "attribute");
        if (!is_path && !is_named(call->names[i], "default"))
            return chat_run_fail(run, STATUS_FORMAT, "map: unexpected keyword argument %.*s",
                                 (int)(call->names[i]->length > 60 ? 60 : call->names[i]->length),
                                 call->names[i]->bytes);
        *(is_path ? path : fallback) = call->named[i];
    }
    if (path->type == CHAT_MISSING)
        return chat_run_fail(run, STATUS_FORMAT, "map requires a filter argument");
    return STATUS_OK;
}

/* The arguments behind the first `off` ones. */
static ChatCall drop(const ChatCall *call, size_t off) {
    ChatCall rest = *call;
    if (off > 0) rest.values += off; /* NULL where there are none */
    rest.count -= off;
    return rest;
}

static Status map(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    const ChatList *list;
    const ChatText *name = NULL;
    const ChatRow *row = NULL;
    ChatList *mapped;
    ChatValue path = NOTHING, fallback = NOTHING;
    ChatCall rest = *call;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &mapped));
    *result = chat_value_list(mapped);
    if (!chat_value_is_truthy(self))
        return STATUS_OK; /* also of what cannot be gone through, and with any arguments */
    CHAT_TRY(chat_value_iterate(run, self, &list));
    if (call->count == 0) {
        CHAT_TRY(read_map(run, call, &path, &fallback));
    } else {
        CHAT_TRY(chat_arguments_text(run, call->values[0], NULL, &name));
        row = chat_filters_find(name);
        rest = drop(call, 1);
    }
    for (size_t i = 0; i < list->count; i++) {
        ChatValue item;
        if (name == NULL)
            CHAT_TRY(chat_access_path(run, list->items[i], path, fallback, &item));
        else
            CHAT_TRY(chat_filters_apply(run, row, name, list->items[i], &rest, &item));
        CHAT_TRY(chat_value_append(run, mapped, item));
    }
    return STATUS_OK;
}

/* ---- select and reject ---- */

typedef struct Choice {
    bool by_attribute, rejects;
} Choice;

static Status choose(ChatRun *run, ChatValue self, const ChatCall *call, Choice choice, ChatValue *result) {
    const ChatList *list;
    ChatList *chosen;
    const ChatText *name = NULL;
    size_t off = choice.by_attribute;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &chosen));
    *result = chat_value_list(chosen);
    if (!chat_value_is_truthy(self)) return STATUS_OK;
    if (call->count < off) return chat_run_fail(run, STATUS_FORMAT, "Missing parameter for attribute name");
    if (call->count > off) CHAT_TRY(chat_arguments_text(run, call->values[off], NULL, &name));
    const ChatRow *row = name == NULL ? NULL : chat_tests_find(name);
    ChatCall rest = drop(call, name == NULL ? off : off + 1);
    CHAT_TRY(chat_value_iterate(run, self, &list));
    for (size_t i = 0; i < list->count; i++) {
        ChatValue item = list->items[i];
        if (off > 0) CHAT_TRY(chat_access_path(run, list->items[i], call->values[0], NOTHING, &item));
        bool holds = chat_value_is_truthy(item);
        if (name != NULL) CHAT_TRY(chat_tests_apply(run, row, name, item, &rest, &holds));
        if (holds != choice.rejects) CHAT_TRY(chat_value_append(run, chosen, list->items[i]));
    }
    return STATUS_OK;
}

static Status select(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    return choose(run, self, call, (Choice){false, false}, result);
}

static Status reject(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    return choose(run, self, call, (Choice){false, true}, result);
}

static Status select_by(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    return choose(run, self, call, (Choice){true, false}, result);
}

static Status reject_by(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    return choose(run, self, call, (Choice){true, true}, result);
}

static const ChatRow FILTERS[] = {
    {"default", "default_value boolean", 0, set_default, NULL},
    {"d", "default_value boolean", 0, set_default, NULL},
    {"attr", "name", 1, find_attribute, NULL},
    {"map", NULL, 0, NULL, map},
    {"select", NULL, 0, NULL, select},
    {"reject", NULL, 0, NULL, reject},
    {"selectattr", NULL, 0, NULL, select_by},
    {"rejectattr", NULL, 0, NULL, reject_by},
};

const ChatRow *chat_filters_find(const ChatText *name) {
    const ChatRow *row = chat_arguments_find(FILTERS, sizeof FILTERS / sizeof *FILTERS, name);
    if (row == NULL) row = chat_filter_text_find(name);
    if (row == NULL) row = chat_filter_list_find(name);
    return row != NULL ? row : chat_filter_number_find(name);
}
