/*
 * chat_lexer_literal — numbers and strings of a template's expressions.
 */
#ifndef REJUV_CORE_CHAT_LEXER_LITERAL_H
#define REJUV_CORE_CHAT_LEXER_LITERAL_H

#include "core/chat/chat_lexer.h"

/* Reads a number that begins at `begin`: *end stays `begin` where none does; else *type is INTEGER or FLOAT. */
Status chat_lexer_literal_number(ChatRun *run, const char *text, size_t length, size_t begin, size_t *end,
                                 ChatValue *value, ChatTokenType *type) STATUS_MUST_CHECK;

/* The same of a string in single or double quotes, its escapes resolved as Python's. */
Status chat_lexer_literal_string(ChatRun *run, const char *text, size_t length, size_t begin, size_t *end,
                                 ChatValue *value) STATUS_MUST_CHECK;

#endif
