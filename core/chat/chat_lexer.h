/*
 * chat_lexer — a template's text as tokens, white space already taken off as trim_blocks, lstrip_blocks and the signs
 * in tags say; comments are gone, and what stands in raw is text.
 *
 *     "{%- if x %}\n a"  ─►  BLOCK_BEGIN NAME(if) NAME(x) BLOCK_END DATA( a) END
 */
#ifndef REJUV_CORE_CHAT_LEXER_H
#define REJUV_CORE_CHAT_LEXER_H

#include "core/chat/chat_value.h"

/* X(IDENTIFIER, "how it is written", or what it is called in messages) */
/* clang-format off */
#define CHAT_TOKEN_TABLE(X) \
    X(END, "end of template") X(DATA, "text") X(VARIABLE_BEGIN, "begin of print statement") \
    X(VARIABLE_END, "end of print statement") X(BLOCK_BEGIN, "begin of statement block") \
    X(BLOCK_END, "end of statement block") X(NAME, "name") X(STRING, "string") X(INTEGER, "integer") \
    X(FLOAT, "float") \
    /* operators, longer ones first */ \
    X(FLOORDIV, "//") X(POW, "**") X(EQ, "==") X(NE, "!=") X(GTEQ, ">=") X(LTEQ, "<=") \
    X(ADD, "+") X(SUB, "-") X(DIV, "/") X(MUL, "*") X(MOD, "%") X(TILDE, "~") X(LBRACKET, "[") \
    X(RBRACKET, "]") X(LPAREN, "(") X(RPAREN, ")") X(LBRACE, "{") X(RBRACE, "}") X(GT, ">") X(LT, "<") \
    X(ASSIGN, "=") X(DOT, ".") X(COLON, ":") X(PIPE, "|") X(COMMA, ",") X(SEMICOLON, ";")
/* clang-format on */

typedef enum ChatTokenType {
#define CHAT_TOKEN_ENUMERATOR(identifier, text) CHAT_TOKEN_##identifier,
    CHAT_TOKEN_TABLE(CHAT_TOKEN_ENUMERATOR)
#undef CHAT_TOKEN_ENUMERATOR
        CHAT_TOKEN_TYPES
} ChatTokenType;

typedef struct ChatToken {
    ChatTokenType type;
    unsigned line;
    const char *bytes; /* as written: of a name, for messages */
    size_t length;
    ChatValue value; /* of DATA, STRING, INTEGER, FLOAT */
} ChatToken;

extern const char *const CHAT_TOKEN_NAMES[CHAT_TOKEN_TYPES];

/* *tokens: with END at last; they and their texts lie in run's arena. `source` is copied. */
Status chat_lexer_read(ChatRun *run, const char *source, size_t length, ChatToken **tokens) STATUS_MUST_CHECK;

#endif
