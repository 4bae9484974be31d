#include "core/chat/chat_parser_expression.h"

#include "core/chat/chat_filters.h"
#include "core/chat/chat_tests.h"

#include <string.h>

static ChatTokenType type_of(const ChatParser *parser) {
    return parser->token->type;
}

/* A node of the kind at the next token. */
static Status begin(ChatParser *parser, ChatNodeKind kind, ChatNode **node) {
    return chat_parser_token_node(parser, kind, parser->token->line, node);
}

/* ---- arguments ---- */

static Status read_named(ChatParser *parser, ChatArguments *arguments) {
    ChatNode *value;
    void *names = arguments->names;
    CHAT_TRY(chat_run_grow(parser->run, &names, arguments->named.count, &arguments->name_capacity,
                           arguments->named.count + 1, sizeof *arguments->names));
    arguments->names = names;
    CHAT_TRY(chat_parser_token_text(parser, parser->token, &arguments->names[arguments->named.count]));
    chat_parser_token_next(parser);
    chat_parser_token_next(parser);
    CHAT_TRY(chat_parser_expression_read(parser, true, &value));
    return chat_parser_token_append(parser, &arguments->named, value);
}

static Status read_argument(ChatParser *parser, ChatArguments *arguments) {
    bool is_named = type_of(parser) == CHAT_TOKEN_NAME && parser->token[1].type == CHAT_TOKEN_ASSIGN;
    bool has_stars = arguments->star != NULL || arguments->star_star != NULL;
    if (type_of(parser) == CHAT_TOKEN_MUL && !has_stars) {
        chat_parser_token_next(parser);
        return chat_parser_expression_read(parser, true, &arguments->star);
    }
    if (type_of(parser) == CHAT_TOKEN_POW && arguments->star_star == NULL) {
        chat_parser_token_next(parser);
        return chat_parser_expression_read(parser, true, &arguments->star_star);
    }
    if (is_named && arguments->star_star == NULL) return read_named(parser, arguments);
    if (is_named || has_stars || arguments->named.count > 0)
        return chat_run_fail(parser->run, STATUS_FORMAT, "invalid syntax for function call expression");
    ChatNode *value;
    CHAT_TRY(chat_parser_expression_read(parser, true, &value));
    return chat_parser_token_append(parser, &arguments->positional, value);
}

static Status new_arguments(ChatParser *parser, ChatArguments **arguments) {
    void *block;
    CHAT_TRY(chat_run_take(parser->run, 1, sizeof(ChatArguments), &block));
    *arguments = block;
    return STATUS_OK;
}

static Status read_arguments(ChatParser *parser, ChatArguments **arguments) {
    CHAT_TRY(new_arguments(parser, arguments));
    CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_LPAREN));
    for (bool is_first = true; type_of(parser) != CHAT_TOKEN_RPAREN; is_first = false) {
        if (!is_first) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        if (type_of(parser) == CHAT_TOKEN_RPAREN && !is_first) break;
        CHAT_TRY(read_argument(parser, *arguments));
    }
    return chat_parser_token_expect(parser, CHAT_TOKEN_RPAREN);
}

static Status read_optional_arguments(ChatParser *parser, ChatArguments **arguments) {
    if (type_of(parser) == CHAT_TOKEN_LPAREN) return read_arguments(parser, arguments);
    return new_arguments(parser, arguments);
}

/* ---- literals and names ---- */

static Status read_items(ChatParser *parser, ChatNode *list, ChatTokenType end) {
    chat_parser_token_next(parser);
    while (type_of(parser) != end) {
        ChatNode *item;
        if (list->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        if (type_of(parser) == end) break;
        CHAT_TRY(chat_parser_expression_read(parser, true, &item));
        CHAT_TRY(chat_parser_token_append(parser, &list->items, item));
        if (list->kind != CHAT_NODE_DICT) continue;
        CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COLON));
        CHAT_TRY(chat_parser_expression_read(parser, true, &item));
        CHAT_TRY(chat_parser_token_append(parser, &list->items, item));
    }
    return chat_parser_token_expect(parser, end);
}

static Status read_name(ChatParser *parser, bool with_namespace, ChatNode **node) {
    ChatValue word;
    if (chat_parser_token_word(parser->token, &word)) {
        CHAT_TRY(begin(parser, CHAT_NODE_CONST, node));
        (*node)->value = word;
        chat_parser_token_next(parser);
        return STATUS_OK;
    }
    parser->uses_caller += chat_parser_token_is_name(parser->token, "caller");
    parser->uses_varargs += chat_parser_token_is_name(parser->token, "varargs");
    parser->uses_kwargs += chat_parser_token_is_name(parser->token, "kwargs");
    CHAT_TRY(chat_parser_token_name(parser, node));
    if (!with_namespace || !chat_parser_token_skip(parser, CHAT_TOKEN_DOT)) return STATUS_OK;
    (*node)->kind = CHAT_NODE_NAMESPACE;
    if (type_of(parser) != CHAT_TOKEN_NAME) return chat_parser_token_unexpected(parser, "a name");
    CHAT_TRY(chat_parser_token_text(parser, parser->token, &(*node)->text));
    chat_parser_token_next(parser);
    return STATUS_OK;
}

static bool ends_tuple(const ChatParser *parser, const char *end_name) {
    ChatTokenType type = type_of(parser);
    return type == CHAT_TOKEN_VARIABLE_END || type == CHAT_TOKEN_BLOCK_END || type == CHAT_TOKEN_RPAREN ||
           (end_name != NULL && chat_parser_token_is_name(parser->token, end_name));
}

static Status read_primary(ChatParser *parser, bool with_namespace, ChatNode **node);

/* How a tuple's parts are read. */
typedef struct TupleRule {
    bool is_target, with_condition, with_namespace, in_parentheses;
    const char *end_name;
} TupleRule;

static Status read_tuple(ChatParser *parser, TupleRule rule, ChatNode **node) {
    ChatNode *tuple, *item;
    bool is_tuple = false;
    CHAT_TRY(begin(parser, CHAT_NODE_TUPLE, &tuple));
    while (true) {
        if (tuple->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        if (ends_tuple(parser, rule.end_name)) break;
        if (rule.is_target)
            CHAT_TRY(read_primary(parser, rule.with_namespace, &item));
        else
            CHAT_TRY(chat_parser_expression_read(parser, rule.with_condition, &item));
        CHAT_TRY(chat_parser_token_append(parser, &tuple->items, item));
        if (type_of(parser) != CHAT_TOKEN_COMMA) break;
        is_tuple = true;
    }
    if (!is_tuple && tuple->items.count == 0 && !rule.in_parentheses)
        return chat_parser_token_unexpected(parser, "an expression");
    *node = is_tuple || tuple->items.count == 0 ? tuple : tuple->items.nodes[0];
    return STATUS_OK;
}

static Status read_primary(ChatParser *parser, bool with_namespace, ChatNode **node) {
    switch (type_of(parser)) {
    case CHAT_TOKEN_NAME:
        return read_name(parser, with_namespace, node);
    case CHAT_TOKEN_STRING:
        CHAT_TRY(begin(parser, CHAT_NODE_CONST, node));
        return chat_parser_token_strings(parser, &(*node)->value);
    case CHAT_TOKEN_INTEGER:
    case CHAT_TOKEN_FLOAT:
        CHAT_TRY(begin(parser, CHAT_NODE_CONST, node));
        (*node)->value = parser->token->value;
        chat_parser_token_next(parser);
        return STATUS_OK;
    case CHAT_TOKEN_LPAREN:
        chat_parser_token_next(parser);
        CHAT_TRY(chat_run_enter(parser->run));
        CHAT_TRY(read_tuple(parser, (TupleRule){.with_condition = true, .in_parentheses = true}, node));
        chat_run_leave(parser->run);
        return chat_parser_token_expect(parser, CHAT_TOKEN_RPAREN);
    case CHAT_TOKEN_LBRACKET:
        CHAT_TRY(begin(parser, CHAT_NODE_LIST, node));
        return read_items(parser, *node, CHAT_TOKEN_RBRACKET);
    case CHAT_TOKEN_LBRACE:
        CHAT_TRY(begin(parser, CHAT_NODE_DICT, node));
        return read_items(parser, *node, CHAT_TOKEN_RBRACE);
    default:
        return chat_parser_token_unexpected(parser, "an expression");
    }
}

/* ---- what stands behind: subscripts, calls, filters, tests ---- */

static Status read_subscribed(ChatParser *parser, ChatNode **node) {
    ChatNode *parts[3] = {NULL, NULL, NULL};
    unsigned line = parser->token->line;
    if (type_of(parser) != CHAT_TOKEN_COLON) {
        CHAT_TRY(chat_parser_expression_read(parser, true, &parts[0]));
        *node = parts[0];
        if (type_of(parser) != CHAT_TOKEN_COLON) return STATUS_OK;
    }
    for (size_t i = 1; i < 3 && chat_parser_token_skip(parser, CHAT_TOKEN_COLON); i++) {
        ChatTokenType type = type_of(parser);
        if (type != CHAT_TOKEN_COLON && type != CHAT_TOKEN_RBRACKET && type != CHAT_TOKEN_COMMA)
            CHAT_TRY(chat_parser_expression_read(parser, true, &parts[i]));
    }
    CHAT_TRY(chat_parser_token_node(parser, CHAT_NODE_SLICE, line, node));
    (*node)->a = parts[0];
    (*node)->b = parts[1];
    (*node)->c = parts[2];
    return STATUS_OK;
}

static Status read_subscript(ChatParser *parser, ChatNode *of, ChatNode **node) {
    ChatNode *item, *tuple;
    CHAT_TRY(begin(parser, CHAT_NODE_ITEM, node));
    CHAT_TRY(begin(parser, CHAT_NODE_TUPLE, &tuple));
    (*node)->a = of;
    chat_parser_token_next(parser);
    while (type_of(parser) != CHAT_TOKEN_RBRACKET) {
        if (tuple->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        CHAT_TRY(read_subscribed(parser, &item));
        CHAT_TRY(chat_parser_token_append(parser, &tuple->items, item));
    }
    (*node)->b = tuple->items.count == 1 ? tuple->items.nodes[0] : tuple;
    return chat_parser_token_expect(parser, CHAT_TOKEN_RBRACKET);
}

static Status read_attribute(ChatParser *parser, ChatNode *of, ChatNode **node) {
    CHAT_TRY(begin(parser, CHAT_NODE_ATTRIBUTE, node));
    (*node)->a = of;
    chat_parser_token_next(parser);
    const ChatToken *token = parser->token;
    if (token->type == CHAT_TOKEN_INTEGER) { /* x.0 is x[0] */
        (*node)->kind = CHAT_NODE_ITEM;
        CHAT_TRY(begin(parser, CHAT_NODE_CONST, &(*node)->b));
        (*node)->b->value = token->value;
    } else if (token->type == CHAT_TOKEN_NAME) {
        CHAT_TRY(chat_parser_token_text(parser, token, &(*node)->text));
    } else {
        return chat_parser_token_unexpected(parser, "a name or a number");
    }
    chat_parser_token_next(parser);
    return STATUS_OK;
}

static Status read_call(ChatParser *parser, ChatNode *of, ChatNode **node) {
    CHAT_TRY(begin(parser, CHAT_NODE_CALL, node));
    (*node)->a = of;
    return read_arguments(parser, &(*node)->arguments);
}

static Status read_postfix(ChatParser *parser, ChatNode **node) {
    while (true) {
        if (type_of(parser) == CHAT_TOKEN_DOT)
            CHAT_TRY(read_attribute(parser, *node, node));
        else if (type_of(parser) == CHAT_TOKEN_LBRACKET)
            CHAT_TRY(read_subscript(parser, *node, node));
        else if (type_of(parser) == CHAT_TOKEN_LPAREN)
            CHAT_TRY(read_call(parser, *node, node));
        else
            return STATUS_OK;
    }
}

/* The name of a filter or a test, with its dots. */
static Status read_dotted(ChatParser *parser, const ChatText **name) {
    const ChatToken *token = parser->token;
    if (token->type != CHAT_TOKEN_NAME) return chat_parser_token_unexpected(parser, "a name");
    CHAT_TRY(chat_parser_token_text(parser, token, name));
    chat_parser_token_next(parser);
    if (type_of(parser) != CHAT_TOKEN_DOT) return STATUS_OK;
    return chat_run_fail(parser->run, STATUS_UNSUPPORTED, "\"%.*s.\": a name with a dot",
                         (int)(*name)->length, (*name)->bytes);
}

static void note_unknown(ChatParser *parser, const ChatNode *node) {
    if (node->row == NULL && !parser->is_soft && parser->unknown == NULL) parser->unknown = node;
}

static Status read_filter(ChatParser *parser, ChatNode *input, ChatNode **node) {
    CHAT_TRY(begin(parser, CHAT_NODE_FILTER, node));
    (*node)->a = input;
    CHAT_TRY(read_dotted(parser, &(*node)->text));
    (*node)->row = chat_filters_find((*node)->text);
    note_unknown(parser, *node);
    return read_optional_arguments(parser, &(*node)->arguments);
}

Status chat_parser_expression_read_filters(ChatParser *parser, ChatNode *input, bool is_inline,
                                           ChatNode **node) {
    *node = input;
    if (is_inline) CHAT_TRY(read_filter(parser, *node, node));
    while (chat_parser_token_skip(parser, CHAT_TOKEN_PIPE)) CHAT_TRY(read_filter(parser, *node, node));
    return STATUS_OK;
}

static Status read_test(ChatParser *parser, ChatNode *of, ChatNode **node) {
    ChatNode *test, *argument;
    CHAT_TRY(begin(parser, CHAT_NODE_TEST, &test));
    chat_parser_token_next(parser);
    bool is_negated = chat_parser_token_skip_name(parser, "not");
    test->a = of;
    CHAT_TRY(read_dotted(parser, &test->text));
    test->row = chat_tests_find(test->text);
    note_unknown(parser, test);
    if (chat_parser_token_begins_argument(parser->token)) {
        if (chat_parser_token_is_name(parser->token, "is"))
            return chat_run_fail(parser->run, STATUS_FORMAT, "You cannot chain multiple tests with is");
        CHAT_TRY(new_arguments(parser, &test->arguments));
        CHAT_TRY(read_primary(parser, false, &argument));
        CHAT_TRY(read_postfix(parser, &argument));
        CHAT_TRY(chat_parser_token_append(parser, &test->arguments->positional, argument));
    } else {
        CHAT_TRY(read_optional_arguments(parser, &test->arguments));
    }
    *node = test;
    if (!is_negated) return STATUS_OK;
    CHAT_TRY(chat_parser_token_node(parser, CHAT_NODE_NOT, test->line, node));
    (*node)->a = test;
    return STATUS_OK;
}

static Status read_filtered(ChatParser *parser, ChatNode **node) {
    while (true) {
        if (type_of(parser) == CHAT_TOKEN_PIPE)
            CHAT_TRY(chat_parser_expression_read_filters(parser, *node, false, node));
        else if (chat_parser_token_is_name(parser->token, "is"))
            CHAT_TRY(read_test(parser, *node, node));
        else if (type_of(parser) == CHAT_TOKEN_LPAREN)
            CHAT_TRY(read_call(parser, *node, node));
        else
            return STATUS_OK;
    }
}

/* ---- operators, from the tightest on ---- */

static Status read_unary(ChatParser *parser, bool with_filter, ChatNode **node) {
    bool is_sign = type_of(parser) == CHAT_TOKEN_SUB || type_of(parser) == CHAT_TOKEN_ADD;
    if (is_sign) {
        ChatNode *sign;
        CHAT_TRY(begin(parser, type_of(parser) == CHAT_TOKEN_SUB ? CHAT_NODE_NEG : CHAT_NODE_POS, &sign));
        chat_parser_token_next(parser);
        CHAT_TRY(chat_run_enter(parser->run));
        CHAT_TRY(read_unary(parser, false, &sign->a));
        chat_run_leave(parser->run);
        *node = sign;
    } else {
        CHAT_TRY(read_primary(parser, false, node));
    }
    CHAT_TRY(read_postfix(parser, node));
    return with_filter ? read_filtered(parser, node) : STATUS_OK;
}

/* Levels of operators that are read from left to right; each binds tighter than the one before it. */
enum { LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_SUM, LEVEL_CONCAT, LEVEL_PRODUCT, LEVEL_POWER, LEVEL_UNARY };

static bool is_binary(const ChatParser *parser, int level) {
    switch (type_of(parser)) {
    case CHAT_TOKEN_ADD:
    case CHAT_TOKEN_SUB:
        return level == LEVEL_SUM;
    case CHAT_TOKEN_MUL:
    case CHAT_TOKEN_DIV:
    case CHAT_TOKEN_FLOORDIV:
    case CHAT_TOKEN_MOD:
        return level == LEVEL_PRODUCT;
    case CHAT_TOKEN_POW:
        return level == LEVEL_POWER;
    default:
        return (level == LEVEL_OR && chat_parser_token_is_name(parser->token, "or")) ||
               (level == LEVEL_AND && chat_parser_token_is_name(parser->token, "and"));
    }
}

static Status read_level(ChatParser *parser, int level, ChatNode **node);

static Status read_concat(ChatParser *parser, ChatNode **node) {
    ChatNode *concat, *item;
    CHAT_TRY(begin(parser, CHAT_NODE_CONCAT, &concat));
    CHAT_TRY(read_level(parser, LEVEL_PRODUCT, node));
    if (type_of(parser) != CHAT_TOKEN_TILDE) return STATUS_OK;
    CHAT_TRY(chat_parser_token_append(parser, &concat->items, *node));
    while (chat_parser_token_skip(parser, CHAT_TOKEN_TILDE)) {
        CHAT_TRY(read_level(parser, LEVEL_PRODUCT, &item));
        CHAT_TRY(chat_parser_token_append(parser, &concat->items, item));
    }
    *node = concat;
    return STATUS_OK;
}

static Status read_compare(ChatParser *parser, ChatNode **node) {
    ChatNode *compare, *operand;
    ChatTokenType op;
    if (chat_parser_token_is_name(parser->token, "not")) {
        CHAT_TRY(begin(parser, CHAT_NODE_NOT, node));
        chat_parser_token_next(parser);
        CHAT_TRY(chat_run_enter(parser->run));
        CHAT_TRY(read_compare(parser, &(*node)->a));
        chat_run_leave(parser->run);
        return STATUS_OK;
    }
    CHAT_TRY(begin(parser, CHAT_NODE_COMPARE, &compare));
    CHAT_TRY(read_level(parser, LEVEL_SUM, node));
    compare->a = *node;
    while (chat_parser_token_take_comparison(parser, &op)) {
        CHAT_TRY(begin(parser, CHAT_NODE_OPERAND, &operand));
        operand->op = op;
        CHAT_TRY(read_level(parser, LEVEL_SUM, &operand->a));
        CHAT_TRY(chat_parser_token_append(parser, &compare->items, operand));
    }
    if (compare->items.count > 0) *node = compare;
    return STATUS_OK;
}

static Status read_level(ChatParser *parser, int level, ChatNode **node) {
    if (level == LEVEL_COMPARE) return read_compare(parser, node);
    if (level == LEVEL_CONCAT) return read_concat(parser, node);
    if (level == LEVEL_UNARY) return read_unary(parser, true, node);
    CHAT_TRY(read_level(parser, level + 1, node));
    while (is_binary(parser, level)) {
        ChatNode *binary;
        ChatNodeKind kind = level == LEVEL_OR    ? CHAT_NODE_OR
                            : level == LEVEL_AND ? CHAT_NODE_AND
                                                 : CHAT_NODE_BINARY;
        CHAT_TRY(begin(parser, kind, &binary));
        binary->op = type_of(parser);
        binary->a = *node;
        chat_parser_token_next(parser);
        CHAT_TRY(read_level(parser, level + 1, &binary->b));
        *node = binary;
    }
    return STATUS_OK;
}

/* ---- whole expressions ---- */

static Status read_condition(ChatParser *parser, ChatNode **node) {
    ChatNode *condition;
    const ChatNode *unknown = parser->unknown;
    CHAT_TRY(read_level(parser, LEVEL_OR, node));
    while (chat_parser_token_is_name(parser->token, "if")) {
        bool was_soft = parser->is_soft;
        CHAT_TRY(begin(parser, CHAT_NODE_CONDITION, &condition));
        chat_parser_token_next(parser);
        parser->is_soft = true;
        parser->unknown = unknown; /* what stands before `if` may not be reached either */
        condition->b = *node;
        CHAT_TRY(read_level(parser, LEVEL_OR, &condition->a));
        if (chat_parser_token_skip_name(parser, "else"))
            CHAT_TRY(chat_parser_expression_read(parser, true, &condition->c));
        parser->is_soft = was_soft;
        *node = condition;
    }
    return STATUS_OK;
}

Status chat_parser_expression_read(ChatParser *parser, bool with_condition, ChatNode **node) {
    CHAT_TRY(chat_run_enter(parser->run));
    CHAT_TRY(with_condition ? read_condition(parser, node) : read_level(parser, LEVEL_OR, node));
    chat_run_leave(parser->run);
    return STATUS_OK;
}

Status chat_parser_expression_read_tuple(ChatParser *parser, bool with_condition, const char *end_name,
                                         ChatNode **node) {
    return read_tuple(parser, (TupleRule){.with_condition = with_condition, .end_name = end_name}, node);
}

static Status check_target(ChatParser *parser, const ChatNode *node) {
    if (node->kind == CHAT_NODE_NAME || node->kind == CHAT_NODE_NAMESPACE) return STATUS_OK;
    if (node->kind != CHAT_NODE_TUPLE)
        return chat_run_fail(parser->run, STATUS_FORMAT, "expected a name to assign to");
    for (size_t i = 0; i < node->items.count; i++) CHAT_TRY(check_target(parser, node->items.nodes[i]));
    return STATUS_OK;
}

Status chat_parser_expression_read_target(ChatParser *parser, const char *end_name, bool with_namespace,
                                          ChatNode **node) {
    CHAT_TRY(read_tuple(
        parser, (TupleRule){.is_target = true, .with_namespace = with_namespace, .end_name = end_name},
        node));
    return check_target(parser, *node);
}
