/*
 * chat_execute — a template's statements, one after the other.
 */
#ifndef REJUV_CORE_CHAT_EXECUTE_H
#define REJUV_CORE_CHAT_EXECUTE_H

#include "core/chat/chat_scope.h"

/* Renders the tree into run->renderer, a ChatOutput. `scope`: its outermost, with the variables. */
Status chat_execute(ChatRun *run, ChatScope *scope, const ChatTree *tree) STATUS_MUST_CHECK;

#endif
