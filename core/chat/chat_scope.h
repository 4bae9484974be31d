/*
 * chat_scope — names and their values while a template is rendered: a scope for the template, for each macro that
 * runs, for each loop. What a scope does not have, those around it do, and at last the variables that were handed in.
 */
#ifndef REJUV_CORE_CHAT_SCOPE_H
#define REJUV_CORE_CHAT_SCOPE_H

#include "core/chat/chat_tree.h"

typedef struct ChatBinding {
    uint32_t symbol;
    ChatValue value; /* CHAT_MISSING: declared, and not yet set */
} ChatBinding;

typedef struct ChatScope {
    struct ChatScope *parent;
    const ChatTree *tree;
    /* by symbol: handed in, or functions of every template; CHAT_MISSING for neither */
    const ChatValue *variables;
    ChatBinding *bindings;
    size_t count, capacity;
} ChatScope;

/* A scope within another, with the names that its body declares. */
Status chat_scope_new(ChatRun *run, ChatScope *parent, const ChatDeclared *declared,
                      ChatScope **scope) STATUS_MUST_CHECK;

/* Begins it anew: for the next turn of a loop. */
Status chat_scope_clear(ChatRun *run, ChatScope *scope, const ChatDeclared *declared) STATUS_MUST_CHECK;

Status chat_scope_set(ChatRun *run, ChatScope *scope, uint32_t symbol, ChatValue value) STATUS_MUST_CHECK;

/* The value, or undefined. */
ChatValue chat_scope_get(const ChatScope *scope, uint32_t symbol);

#endif
