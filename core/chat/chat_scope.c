#include "core/chat/chat_scope.h"

Status chat_scope_clear(ChatRun *run, ChatScope *scope, const ChatDeclared *declared) {
    scope->count = 0;
    for (size_t i = 0; i < declared->count; i++)
        CHAT_TRY(chat_scope_set(run, scope, declared->symbols[i], (ChatValue){.type = CHAT_MISSING}));
    return STATUS_OK;
}

Status chat_scope_new(ChatRun *run, ChatScope *parent, const ChatDeclared *declared, ChatScope **scope) {
    void *block;
    CHAT_TRY(chat_run_take(run, 1, sizeof(ChatScope), &block));
    *scope = block;
    **scope = (ChatScope){.parent = parent, .tree = parent->tree, .variables = parent->variables};
    return chat_scope_clear(run, *scope, declared);
}

Status chat_scope_set(ChatRun *run, ChatScope *scope, uint32_t symbol, ChatValue value) {
    for (size_t i = 0; i < scope->count; i++) {
        if (scope->bindings[i].symbol != symbol) continue;
        scope->bindings[i].value = value;
        return STATUS_OK;
    }
    void *bindings = scope->bindings;
    CHAT_TRY(
        chat_run_grow(run, &bindings, scope->count, &scope->capacity, scope->count + 1, sizeof(ChatBinding)));
    scope->bindings = bindings;
    scope->bindings[scope->count++] = (ChatBinding){symbol, value};
    return STATUS_OK;
}

ChatValue chat_scope_get(const ChatScope *scope, uint32_t symbol) {
    ChatValue value;
    for (const ChatScope *at = scope; at != NULL; at = at->parent) {
        for (size_t i = 0; i < at->count; i++) {
            if (at->bindings[i].symbol != symbol) continue;
            value = at->bindings[i].value;
            return value.type == CHAT_MISSING ? chat_value_undefined(scope->tree->names[symbol]) : value;
        }
    }
    value = scope->variables[symbol];
    return value.type == CHAT_MISSING ? chat_value_undefined(scope->tree->names[symbol]) : value;
}
