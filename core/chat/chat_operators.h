/*
 * chat_operators — arithmetic and comparison of a template's values, as Python does it; what leaves 64 bits is
 * refused.
 */
#ifndef REJUV_CORE_CHAT_OPERATORS_H
#define REJUV_CORE_CHAT_OPERATORS_H

#include "core/chat/chat_lexer.h"

/* a op b, of + - * / // % ** */
Status chat_operators_apply(ChatRun *run, ChatTokenType op, ChatValue a, ChatValue b,
                            ChatValue *result) STATUS_MUST_CHECK;

/* -a or +a */
Status chat_operators_sign(ChatRun *run, ChatValue a, bool negative, ChatValue *result) STATUS_MUST_CHECK;

/* == != < <= > >=, NAME for in, SEMICOLON for not in */
Status chat_operators_compare(ChatRun *run, ChatTokenType op, ChatValue a, ChatValue b,
                              bool *holds) STATUS_MUST_CHECK;

/* & < > ' and " as HTML has them. */
Status chat_operators_escape(ChatRun *run, const ChatText *text, ChatValue *result) STATUS_MUST_CHECK;

/* round(number, digits) */
double chat_operators_round(double number, int64_t digits);

#endif
