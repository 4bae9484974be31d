#include "core/chat/chat_evaluate.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_builder.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_filters.h"
#include "core/chat/chat_operators.h"
#include "core/chat/chat_print.h"
#include "core/chat/chat_tests.h"

#include <string.h>

/* ---- calls ---- */

static Status add_named(ChatRun *run, ChatCall *call, size_t *capacity, const ChatText *name,
                        ChatValue value) {
    void *names = call->names, *named = call->named;
    size_t name_capacity = *capacity;
    for (size_t i = 0; i < call->named_count; i++) {
        if (call->names[i]->length == name->length &&
            memcmp(call->names[i]->bytes, name->bytes, name->length) == 0)
            return chat_run_fail(run, STATUS_FORMAT, "the keyword argument %.*s is given twice",
                                 (int)(name->length > 60 ? 60 : name->length), name->bytes);
    }
    CHAT_TRY(chat_run_step(run, call->named_count / 8));
    CHAT_TRY(chat_run_grow(run, &names, call->named_count, &name_capacity, call->named_count + 1,
                           sizeof *call->names));
    CHAT_TRY(
        chat_run_grow(run, &named, call->named_count, capacity, call->named_count + 1, sizeof(ChatValue)));
    call->names = names;
    call->named = named;
    call->names[call->named_count] = name;
    call->named[call->named_count++] = value;
    return STATUS_OK;
}

/* *values and **values. */
static Status add_stars(ChatRun *run, ChatScope *scope, const ChatArguments *arguments, ChatList *values,
                        ChatCall *call, size_t *capacity) {
    ChatValue star;
    const ChatList *items;
    if (arguments->star != NULL) {
        CHAT_TRY(chat_evaluate(run, scope, arguments->star, &star));
        CHAT_TRY(chat_value_iterate(run, star, &items));
        for (size_t i = 0; i < items->count; i++) CHAT_TRY(chat_value_append(run, values, items->items[i]));
    }
    if (arguments->star_star == NULL) return STATUS_OK;
    CHAT_TRY(chat_evaluate(run, scope, arguments->star_star, &star));
    if (star.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, star);
    if (star.type != CHAT_DICT)
        return chat_run_fail(run, STATUS_FORMAT, "**: a %s is no mapping", chat_value_type_name(star));
    for (size_t i = 0; i < star.as.dict->count; i++) {
        ChatValue key = star.as.dict->entries[i].key;
        if (key.type != CHAT_TEXT) return chat_run_fail(run, STATUS_FORMAT, "**: keywords must be strings");
        CHAT_TRY(add_named(run, call, capacity, key.as.text, star.as.dict->entries[i].value));
    }
    return STATUS_OK;
}

static Status evaluate_arguments(ChatRun *run, ChatScope *scope, const ChatArguments *arguments,
                                 ChatValue caller, ChatCall *call) {
    static const ChatText CALLER = {.bytes = "caller", .length = 6, .points = 6};
    ChatList values = {.kind = CHAT_LIST_LIST};
    size_t capacity = 0;
    *call = (ChatCall){0};
    for (size_t i = 0; i < arguments->positional.count; i++) {
        ChatValue value;
        CHAT_TRY(chat_evaluate(run, scope, arguments->positional.nodes[i], &value));
        CHAT_TRY(chat_value_append(run, &values, value));
    }
    for (size_t i = 0; i < arguments->named.count; i++) {
        ChatValue value;
        CHAT_TRY(chat_evaluate(run, scope, arguments->named.nodes[i], &value));
        CHAT_TRY(add_named(run, call, &capacity, arguments->names[i], value));
    }
    CHAT_TRY(add_stars(run, scope, arguments, &values, call, &capacity));
    if (caller.type != CHAT_MISSING) CHAT_TRY(add_named(run, call, &capacity, &CALLER, caller));
    call->values = values.items;
    call->count = values.count;
    return STATUS_OK;
}

Status chat_evaluate_call(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue caller,
                          ChatValue *result) {
    ChatValue callee;
    ChatCall call;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &callee));
    CHAT_TRY(evaluate_arguments(run, scope, node->arguments, caller, &call));
    run->line = node->line;
    if (callee.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, callee);
    if (callee.type != CHAT_OBJECT || callee.as.object->call == NULL)
        return chat_run_fail(run, STATUS_FORMAT, "a value of type %s is not callable",
                             chat_value_type_name(callee));
    result->type = CHAT_MISSING;
    return callee.as.object->call(run, callee.as.object, &call, result);
}

/* ---- filters and tests ---- */

static Status apply_filter(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue input,
                           ChatValue *result) {
    ChatCall call;
    if (node->row == NULL) { /* before its arguments, as jinja2 has it */
        run->line = node->line;
        return chat_filters_apply(run, NULL, node->text, input, NULL, result);
    }
    CHAT_TRY(evaluate_arguments(run, scope, node->arguments, (ChatValue){.type = CHAT_MISSING}, &call));
    run->line = node->line;
    return chat_filters_apply(run, node->row, node->text, input, &call, result);
}

Status chat_evaluate_filters(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue input,
                             ChatValue *result) {
    *result = input;
    if (node == NULL) return STATUS_OK;
    CHAT_TRY(chat_run_enter(run));
    CHAT_TRY(chat_evaluate_filters(run, scope, node->a, input, result));
    ChatValue inner = *result;
    CHAT_TRY(apply_filter(run, scope, node, inner, result));
    chat_run_leave(run);
    return STATUS_OK;
}

static Status evaluate_filter(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue input;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &input));
    return apply_filter(run, scope, node, input, result);
}

static Status evaluate_test(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue value;
    ChatCall call;
    bool holds;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &value));
    CHAT_TRY(evaluate_arguments(run, scope, node->arguments, (ChatValue){.type = CHAT_MISSING}, &call));
    run->line = node->line;
    CHAT_TRY(chat_tests_apply(run, node->row, node->text, value, &call, &holds));
    *result = chat_value_bool(holds);
    return STATUS_OK;
}

/* ---- literals ---- */

static Status evaluate_list(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatList *list;
    ChatListKind kind = node->kind == CHAT_NODE_TUPLE ? CHAT_LIST_TUPLE : CHAT_LIST_LIST;
    CHAT_TRY(chat_value_new_list(run, kind, node->items.count, &list));
    for (size_t i = 0; i < node->items.count; i++) {
        ChatValue item;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i], &item));
        CHAT_TRY(chat_value_append(run, list, item));
    }
    *result = chat_value_list(list);
    return STATUS_OK;
}

static Status evaluate_dict(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatDict *dict;
    CHAT_TRY(chat_dict_new(run, node->items.count / 2, &dict));
    for (size_t i = 0; i < node->items.count; i += 2) {
        ChatValue key, value;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i], &key));
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i + 1], &value));
        CHAT_TRY(chat_dict_set(run, dict, key, value));
    }
    *result = (ChatValue){.type = CHAT_DICT, .as.dict = dict};
    return STATUS_OK;
}

/* ---- items and slices ---- */

static Status evaluate_slice(ChatRun *run, ChatScope *scope, const ChatNode *slice, ChatValue of,
                             ChatValue *result) {
    const ChatNode *nodes[3] = {slice->a, slice->b, slice->c};
    ChatValue parts[3];
    for (size_t i = 0; i < 3; i++) {
        parts[i] = chat_value_none();
        if (nodes[i] != NULL) CHAT_TRY(chat_evaluate(run, scope, nodes[i], &parts[i]));
    }
    run->line = slice->line;
    return chat_access_slice(run, of, parts, result);
}

static Status evaluate_item(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue of, key;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &of));
    if (node->b->kind == CHAT_NODE_SLICE) return evaluate_slice(run, scope, node->b, of, result);
    CHAT_TRY(chat_evaluate(run, scope, node->b, &key));
    run->line = node->line;
    return chat_access_item(run, of, key, result);
}

/* ---- operators ---- */

static Status evaluate_binary(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue a, b;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &a));
    CHAT_TRY(chat_evaluate(run, scope, node->b, &b));
    run->line = node->line;
    return chat_operators_apply(run, node->op, a, b, result);
}

static Status evaluate_compare(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue left, right;
    bool holds = true;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &left));
    for (size_t i = 0; i < node->items.count && holds; i++) {
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i]->a, &right));
        run->line = node->line;
        CHAT_TRY(chat_operators_compare(run, node->items.nodes[i]->op, left, right, &holds));
        left = right;
    }
    *result = chat_value_bool(holds);
    return STATUS_OK;
}

static Status evaluate_concat(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatBuilder builder = {.run = run};
    for (size_t i = 0; i < node->items.count; i++) {
        ChatValue item;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i], &item));
        run->line = node->line;
        chat_print_add(&builder, item);
    }
    return chat_builder_finish(&builder, result);
}

static Status evaluate_condition(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    static const char WHY[] = "the inline if-expression evaluated to false and no else section was defined";
    static const ChatText MISSING_ELSE = {.bytes = WHY, .length = sizeof WHY - 1, .is_marked = true};
    ChatValue test;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &test));
    if (chat_value_is_truthy(test)) return chat_evaluate(run, scope, node->b, result);
    if (node->c != NULL) return chat_evaluate(run, scope, node->c, result);
    *result = chat_value_undefined(&MISSING_ELSE);
    return STATUS_OK;
}

/* What is decided by its first operand: and, or, not, signs. */
static Status evaluate_first(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    CHAT_TRY(chat_evaluate(run, scope, node->a, result));
    bool holds = chat_value_is_truthy(*result);
    ChatValue operand = *result;
    run->line = node->line;
    switch (node->kind) {
    case CHAT_NODE_AND:
        return holds ? chat_evaluate(run, scope, node->b, result) : STATUS_OK;
    case CHAT_NODE_OR:
        return holds ? STATUS_OK : chat_evaluate(run, scope, node->b, result);
    case CHAT_NODE_NOT:
        *result = chat_value_bool(!holds);
        return STATUS_OK;
    default:
        return chat_operators_sign(run, operand, node->kind == CHAT_NODE_NEG, result);
    }
}

static Status evaluate_attribute(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    ChatValue of;
    CHAT_TRY(chat_evaluate(run, scope, node->a, &of));
    run->line = node->line;
    return chat_access_attribute(run, of, node->text, result);
}

static Status evaluate_inside(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    switch (node->kind) {
    case CHAT_NODE_LIST:
    case CHAT_NODE_TUPLE:
        return evaluate_list(run, scope, node, result);
    case CHAT_NODE_DICT:
        return evaluate_dict(run, scope, node, result);
    case CHAT_NODE_ATTRIBUTE:
        return evaluate_attribute(run, scope, node, result);
    case CHAT_NODE_ITEM:
        return evaluate_item(run, scope, node, result);
    case CHAT_NODE_CALL:
        return chat_evaluate_call(run, scope, node, (ChatValue){.type = CHAT_MISSING}, result);
    case CHAT_NODE_FILTER:
        return evaluate_filter(run, scope, node, result);
    case CHAT_NODE_TEST:
        return evaluate_test(run, scope, node, result);
    case CHAT_NODE_BINARY:
        return evaluate_binary(run, scope, node, result);
    case CHAT_NODE_COMPARE:
        return evaluate_compare(run, scope, node, result);
    case CHAT_NODE_CONCAT:
        return evaluate_concat(run, scope, node, result);
    case CHAT_NODE_CONDITION:
        return evaluate_condition(run, scope, node, result);
    case CHAT_NODE_NOT:
    case CHAT_NODE_NEG:
    case CHAT_NODE_POS:
    case CHAT_NODE_AND:
    case CHAT_NODE_OR:
        return evaluate_first(run, scope, node, result);
    default:
        run->line = node->line;
        return chat_run_fail(run, STATUS_UNSUPPORTED, "a slice stands among other subscripts");
    }
}

Status chat_evaluate(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue *result) {
    if (node->kind == CHAT_NODE_CONST) {
        *result = node->value;
        return STATUS_OK;
    }
    CHAT_TRY(chat_run_step(run, 1));
    if (node->kind == CHAT_NODE_NAME) {
        *result = chat_scope_get(scope, node->symbol);
        return STATUS_OK;
    }
    CHAT_TRY(chat_run_enter(run));
    CHAT_TRY(evaluate_inside(run, scope, node, result));
    chat_run_leave(run);
    return STATUS_OK;
}
