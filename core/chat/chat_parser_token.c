#include "core/chat/chat_parser_token.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

bool chat_parser_token_is_name(const ChatToken *token, const char *name) {
    return token->type == CHAT_TOKEN_NAME && token->length == strlen(name) &&
           memcmp(token->bytes, name, token->length) == 0;
}

void chat_parser_token_next(ChatParser *parser) {
    if (parser->token->type != CHAT_TOKEN_END) parser->token++;
    parser->run->line = parser->token->line;
}

bool chat_parser_token_skip(ChatParser *parser, ChatTokenType type) {
    if (parser->token->type != type) return false;
    chat_parser_token_next(parser);
    return true;
}

bool chat_parser_token_skip_name(ChatParser *parser, const char *name) {
    if (!chat_parser_token_is_name(parser->token, name)) return false;
    chat_parser_token_next(parser);
    return true;
}

Status chat_parser_token_unexpected(ChatParser *parser, const char *expected) {
    const ChatToken *token = parser->token;
    parser->run->line = token->line;
    bool has_text = token->type == CHAT_TOKEN_NAME || token->type == CHAT_TOKEN_STRING ||
                    token->type == CHAT_TOKEN_INTEGER || token->type == CHAT_TOKEN_FLOAT;
    const char *found = has_text ? token->bytes : CHAT_TOKEN_NAMES[token->type];
    int length = has_text ? (int)(token->length > 60 ? 60 : token->length) : (int)strlen(found);
    return chat_run_fail(parser->run, STATUS_FORMAT, "expected %s, found %.*s", expected, length, found);
}

Status chat_parser_token_expect(ChatParser *parser, ChatTokenType type) {
    if (chat_parser_token_skip(parser, type)) return STATUS_OK;
    return chat_parser_token_unexpected(parser, CHAT_TOKEN_NAMES[type]);
}

/* ---- what tokens mean in expressions ---- */

bool chat_parser_token_word(const ChatToken *token, ChatValue *value) {
    const struct {
        const char *word;
        ChatValue value;
    } WORDS[] = {{"true", chat_value_bool(true)},   {"True", chat_value_bool(true)},
                 {"false", chat_value_bool(false)}, {"False", chat_value_bool(false)},
                 {"none", chat_value_none()},       {"None", chat_value_none()}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (!chat_parser_token_is_name(token, WORDS[i].word)) continue;
        *value = WORDS[i].value;
        return true;
    }
    return false;
}

bool chat_parser_token_begins_argument(const ChatToken *token) {
    static const ChatTokenType TYPES[] = {CHAT_TOKEN_NAME,  CHAT_TOKEN_STRING,   CHAT_TOKEN_INTEGER,
                                          CHAT_TOKEN_FLOAT, CHAT_TOKEN_LBRACKET, CHAT_TOKEN_LBRACE};
    if (chat_parser_token_is_name(token, "else") || chat_parser_token_is_name(token, "or") ||
        chat_parser_token_is_name(token, "and"))
        return false;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (token->type == TYPES[i]) return true;
    }
    return false;
}

bool chat_parser_token_take_comparison(ChatParser *parser, ChatTokenType *op) {
    *op = parser->token->type;
    if (*op == CHAT_TOKEN_EQ || *op == CHAT_TOKEN_NE || *op == CHAT_TOKEN_LT || *op == CHAT_TOKEN_LTEQ ||
        *op == CHAT_TOKEN_GT || *op == CHAT_TOKEN_GTEQ) {
        chat_parser_token_next(parser);
        return true;
    }
    if (chat_parser_token_skip_name(parser, "in")) return true;
    if (!chat_parser_token_is_name(parser->token, "not") ||
        !chat_parser_token_is_name(parser->token + 1, "in"))
        return false;
    chat_parser_token_next(parser);
    chat_parser_token_next(parser);
    *op = CHAT_TOKEN_SEMICOLON;
    return true;
}

Status chat_parser_token_strings(ChatParser *parser, ChatValue *value) {
    const ChatToken *first = parser->token;
    size_t length = 0, at = 0;
    for (const ChatToken *token = first; token->type == CHAT_TOKEN_STRING; token++)
        length += token->value.as.text->length;
    *value = first->value;
    chat_parser_token_next(parser);
    if (parser->token->type != CHAT_TOKEN_STRING) return STATUS_OK;
    void *block;
    CHAT_TRY(chat_run_take(parser->run, length + 1, 1, &block));
    for (const ChatToken *token = first; token->type == CHAT_TOKEN_STRING; token++) {
        memcpy((char *)block + at, token->value.as.text->bytes, token->value.as.text->length);
        at += token->value.as.text->length;
    }
    while (parser->token->type == CHAT_TOKEN_STRING) chat_parser_token_next(parser);
    return chat_value_keep(parser->run, block, length, value);
}

/* ---- nodes ---- */

Status chat_parser_token_node(ChatParser *parser, ChatNodeKind kind, unsigned line, ChatNode **node) {
    void *block;
    CHAT_TRY(chat_run_take(parser->run, 1, sizeof(ChatNode), &block));
    *node = block;
    (*node)->kind = kind;
    (*node)->line = line;
    return STATUS_OK;
}

Status chat_parser_token_append(ChatParser *parser, ChatNodeList *list, ChatNode *node) {
    void *nodes = list->nodes;
    CHAT_TRY(chat_run_grow(parser->run, &nodes, list->count, &list->capacity, list->count + 1, sizeof node));
    list->nodes = nodes;
    list->nodes[list->count++] = node;
    return STATUS_OK;
}

Status chat_parser_token_text(ChatParser *parser, const ChatToken *token, const ChatText **text) {
    ChatValue value;
    CHAT_TRY(chat_value_keep(parser->run, token->bytes, token->length, &value));
    *text = value.as.text;
    return STATUS_OK;
}

Status chat_parser_token_symbol(ChatParser *parser, const char *bytes, size_t length, uint32_t *symbol) {
    ChatTree *tree = parser->tree;
    for (size_t i = 0; i < tree->name_count; i++) {
        *symbol = (uint32_t)i;
        if (tree->names[i]->length == length && memcmp(tree->names[i]->bytes, bytes, length) == 0)
            return STATUS_OK;
    }
    ChatValue value;
    void *names = tree->names;
    CHAT_TRY(chat_run_step(parser->run, tree->name_count));
    CHAT_TRY(chat_value_keep(parser->run, bytes, length, &value));
    CHAT_TRY(chat_run_grow(parser->run, &names, tree->name_count, &tree->name_capacity, tree->name_count + 1,
                           sizeof *tree->names));
    tree->names = names;
    *symbol = (uint32_t)tree->name_count;
    tree->names[tree->name_count++] = value.as.text;
    return STATUS_OK;
}

Status chat_parser_token_name(ChatParser *parser, ChatNode **node) {
    const ChatToken *token = parser->token;
    if (token->type != CHAT_TOKEN_NAME) return chat_parser_token_unexpected(parser, "a name");
    CHAT_TRY(chat_parser_token_node(parser, CHAT_NODE_NAME, token->line, node));
    CHAT_TRY(chat_parser_token_symbol(parser, token->bytes, token->length, &(*node)->symbol));
    chat_parser_token_next(parser);
    return STATUS_OK;
}
