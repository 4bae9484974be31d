/*
 * chat_evaluate — the value of an expression in a scope.
 */
#ifndef REJUV_CORE_CHAT_EVALUATE_H
#define REJUV_CORE_CHAT_EVALUATE_H

#include "core/chat/chat_scope.h"

Status chat_evaluate(ChatRun *run, ChatScope *scope, const ChatNode *node,
                     ChatValue *result) STATUS_MUST_CHECK;

/* A CALL, with one keyword more: its caller; CHAT_MISSING for none. */
Status chat_evaluate_call(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue caller,
                          ChatValue *result) STATUS_MUST_CHECK;

/* A chain of filters on what a block gave; NULL is none. */
Status chat_evaluate_filters(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue input,
                             ChatValue *result) STATUS_MUST_CHECK;

#endif
