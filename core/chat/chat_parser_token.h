/*
 * chat_parser_token — where a parser is in the tokens of a template, and the nodes that it makes.
 */
#ifndef REJUV_CORE_CHAT_PARSER_TOKEN_H
#define REJUV_CORE_CHAT_PARSER_TOKEN_H

#include "core/chat/chat_tree.h"

typedef struct ChatParser {
    ChatRun *run;
    const ChatToken *token; /* the next one */
    ChatTree *tree;
    unsigned loops; /* that break and continue are in */
    unsigned fors;  /* all that are open, those outside of a macro too */
    bool is_soft;   /* in a branch that may not be reached: unknown filters are refused only there */
    /* a filter or a test that there is not, and that is reached; NULL: none so far */
    const ChatNode *unknown;
    size_t uses_caller, uses_varargs, uses_kwargs; /* how often these names were read so far */
} ChatParser;

/* ---- tokens ---- */

bool chat_parser_token_is_name(const ChatToken *token, const char *name);
bool chat_parser_token_skip(ChatParser *parser, ChatTokenType type);
bool chat_parser_token_skip_name(ChatParser *parser, const char *name);
void chat_parser_token_next(ChatParser *parser);
Status chat_parser_token_expect(ChatParser *parser, ChatTokenType type) STATUS_MUST_CHECK;

/* Fails: "expected WHAT, found …". */
Status chat_parser_token_unexpected(ChatParser *parser, const char *expected);

/* ---- what tokens mean in expressions ---- */

/* true, false and none, as both languages write them. */
bool chat_parser_token_word(const ChatToken *token, ChatValue *value);

/* It begins a test's argument without parentheses: `x is divisibleby 3`. */
bool chat_parser_token_begins_argument(const ChatToken *token);

/* Takes a comparison off the tokens; *op is NAME for in, SEMICOLON for not in. */
bool chat_parser_token_take_comparison(ChatParser *parser, ChatTokenType *op);

/* Takes strings that stand side by side, which are one. */
Status chat_parser_token_strings(ChatParser *parser, ChatValue *value) STATUS_MUST_CHECK;

/* ---- nodes ---- */

Status chat_parser_token_node(ChatParser *parser, ChatNodeKind kind, unsigned line,
                              ChatNode **node) STATUS_MUST_CHECK;
Status chat_parser_token_append(ChatParser *parser, ChatNodeList *list, ChatNode *node) STATUS_MUST_CHECK;

/* The token's text, which stays. */
Status chat_parser_token_text(ChatParser *parser, const ChatToken *token,
                              const ChatText **text) STATUS_MUST_CHECK;

/* The number of a name. */
Status chat_parser_token_symbol(ChatParser *parser, const char *bytes, size_t length,
                                uint32_t *symbol) STATUS_MUST_CHECK;

/* The name that comes next, as a NAME. */
Status chat_parser_token_name(ChatParser *parser, ChatNode **node) STATUS_MUST_CHECK;

#endif
