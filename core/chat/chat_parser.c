#include "core/chat/chat_parser.h"

#include "core/chat/chat_parser_expression.h"

#include <stdio.h>
#include <string.h>

/* Tags that end a body: the first of them is what messages ask for. */
typedef struct Ends {
    const char *names[3];
} Ends;

static Status read_body(ChatParser *parser, const Ends *ends, ChatNodeList *body);

static bool is_end(const ChatParser *parser, const Ends *ends) {
    for (size_t i = 0; ends != NULL && i < 3 && ends->names[i] != NULL; i++) {
        if (chat_parser_token_is_name(parser->token, ends->names[i])) return true;
    }
    return false;
}

/* The rest of a tag and what is behind it, up to one of `ends`, whose name is next then. */
static Status read_inside(ChatParser *parser, const Ends *ends, ChatNodeList *body) {
    (void)chat_parser_token_skip(parser, CHAT_TOKEN_COLON); /* as Python writes it */
    CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_BLOCK_END));
    CHAT_TRY(chat_run_enter(parser->run));
    CHAT_TRY(read_body(parser, ends, body));
    chat_run_leave(parser->run);
    return STATUS_OK;
}

/* The same to the one tag that ends it, which is taken. */
static Status read_to_end(ChatParser *parser, const char *end, ChatNodeList *body) {
    const Ends ends = {{end}};
    CHAT_TRY(read_inside(parser, &ends, body));
    chat_parser_token_next(parser);
    return STATUS_OK;
}

/* ---- targets ---- */

static bool names_loop(const ChatParser *parser, const ChatNode *target) {
    for (size_t i = 0; i < target->items.count; i++) {
        if (names_loop(parser, target->items.nodes[i])) return true;
    }
    return target->kind == CHAT_NODE_NAME && target->symbol == parser->tree->loop;
}

/* A target; `loop` is none within a loop. */
static Status read_target(ChatParser *parser, const char *end_name, bool with_namespace, ChatNode **target) {
    CHAT_TRY(chat_parser_expression_read_target(parser, end_name, with_namespace, target));
    if (parser->fors == 0 || !names_loop(parser, *target)) return STATUS_OK;
    return chat_run_fail(parser->run, STATUS_FORMAT, "loop cannot be assigned to: it is the loop's own");
}

/* ---- if and for ---- */

static Status add_branch(ChatParser *parser, ChatNode *node, ChatNodeList **branch) {
    void *branches = node->branches;
    size_t capacity = node->branch_count; /* few: each takes a new array */
    CHAT_TRY(chat_run_grow(parser->run, &branches, node->branch_count, &capacity, node->branch_count + 1,
                           sizeof(ChatNodeList)));
    node->branches = branches;
    *branch = &node->branches[node->branch_count++];
    **branch = (ChatNodeList){0};
    return STATUS_OK;
}

static Status read_branches(ChatParser *parser, ChatNode *node) {
    static const Ends ENDS = {{"endif", "elif", "else"}};
    ChatNodeList body;
    ChatNodeList *branch;
    while (true) {
        ChatNode *test;
        body = (ChatNodeList){0};
        CHAT_TRY(chat_parser_expression_read_tuple(parser, false, NULL, &test));
        CHAT_TRY(chat_parser_token_append(parser, &node->items, test));
        CHAT_TRY(read_inside(parser, &ENDS, &body));
        CHAT_TRY(add_branch(parser, node, &branch));
        *branch = body;
        if (chat_parser_token_skip_name(parser, "elif")) continue;
        if (chat_parser_token_skip_name(parser, "endif")) return STATUS_OK;
        chat_parser_token_next(parser);
        body = (ChatNodeList){0};
        CHAT_TRY(read_to_end(parser, "endif", &body));
        CHAT_TRY(add_branch(parser, node, &branch));
        *branch = body;
        return STATUS_OK;
    }
}

static Status read_if(ChatParser *parser, ChatNode *node) {
    bool was_soft = parser->is_soft;
    parser->is_soft = true;
    CHAT_TRY(read_branches(parser, node));
    parser->is_soft = was_soft;
    return STATUS_OK;
}

static Status read_for(ChatParser *parser, ChatNode *node) {
    static const Ends ENDS = {{"endfor", "else"}};
    bool was_soft = parser->is_soft;
    parser->fors++;
    CHAT_TRY(read_target(parser, "in", false, &node->a));
    if (!chat_parser_token_skip_name(parser, "in")) return chat_parser_token_unexpected(parser, "in");
    CHAT_TRY(chat_parser_expression_read_tuple(parser, false, "recursive", &node->b));
    if (chat_parser_token_skip_name(parser, "if"))
        CHAT_TRY(chat_parser_expression_read(parser, true, &node->c));
    node->flag = chat_parser_token_skip_name(parser, "recursive");
    parser->is_soft = false;
    parser->loops++;
    CHAT_TRY(read_inside(parser, &ENDS, &node->bodies[0]));
    parser->loops--;
    if (!chat_parser_token_skip_name(parser, "endfor")) {
        chat_parser_token_next(parser);
        CHAT_TRY(read_to_end(parser, "endfor", &node->bodies[1]));
    }
    parser->is_soft = was_soft;
    parser->fors--;
    return STATUS_OK;
}

/* ---- set, with, filter ---- */

/* A body that is a scope of its own: what is unknown in it is refused at once. Where its text becomes a value, loops
 * around it cannot be left from within. */
static Status read_scope(ChatParser *parser, const char *end, ChatNode *node) {
    bool was_soft = parser->is_soft;
    unsigned loops = parser->loops;
    parser->is_soft = false;
    if (node->kind != CHAT_NODE_WITH) parser->loops = 0;
    CHAT_TRY(read_to_end(parser, end, &node->bodies[0]));
    parser->is_soft = was_soft;
    parser->loops = loops;
    return STATUS_OK;
}

static Status read_set(ChatParser *parser, ChatNode *node) {
    CHAT_TRY(read_target(parser, NULL, true, &node->a));
    if (chat_parser_token_skip(parser, CHAT_TOKEN_ASSIGN))
        return chat_parser_expression_read_tuple(parser, true, NULL, &node->b);
    node->kind = CHAT_NODE_SET_BLOCK;
    CHAT_TRY(chat_parser_expression_read_filters(parser, NULL, false, &node->b));
    return read_scope(parser, "endset", node);
}

static Status read_with(ChatParser *parser, ChatNode *node) {
    while (parser->token->type != CHAT_TOKEN_BLOCK_END) {
        ChatNode *target, *value;
        if (node->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        CHAT_TRY(chat_parser_expression_read_target(parser, NULL, false, &target));
        CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_ASSIGN));
        CHAT_TRY(chat_parser_expression_read(parser, true, &value));
        CHAT_TRY(chat_parser_token_append(parser, &node->items, target));
        CHAT_TRY(chat_parser_token_append(parser, &node->items, value));
    }
    return read_scope(parser, "endwith", node);
}

static Status read_filter_block(ChatParser *parser, ChatNode *node) {
    CHAT_TRY(chat_parser_expression_read_filters(parser, NULL, true, &node->b));
    return read_scope(parser, "endfilter", node);
}

/* ---- macros ---- */

static Status read_signature(ChatParser *parser, ChatNode *node) {
    CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_LPAREN));
    while (parser->token->type != CHAT_TOKEN_RPAREN) {
        ChatNode *parameter, *value;
        if (node->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        CHAT_TRY(chat_parser_token_name(parser, &parameter));
        CHAT_TRY(chat_parser_token_append(parser, &node->items, parameter));
        if (chat_parser_token_skip(parser, CHAT_TOKEN_ASSIGN)) {
            CHAT_TRY(chat_parser_expression_read(parser, true, &value));
            CHAT_TRY(chat_parser_token_append(parser, &node->defaults, value));
        } else if (node->defaults.count > 0) {
            return chat_run_fail(parser->run, STATUS_FORMAT, "non-default argument follows default argument");
        }
    }
    chat_parser_token_next(parser);
    return STATUS_OK;
}

static bool has_parameter(const ChatNode *node, uint32_t symbol) {
    for (size_t i = 0; i < node->items.count; i++) {
        if (node->items.nodes[i]->symbol == symbol) return true;
    }
    return false;
}

/* The body of a macro or of a call, and which of the names it reads that only it has. */
static Status read_macro_body(ChatParser *parser, const char *end, ChatNode *node) {
    size_t callers = parser->uses_caller, varargs = parser->uses_varargs, kwargs = parser->uses_kwargs;
    CHAT_TRY(read_scope(parser, end, node));
    node->uses_caller = parser->uses_caller > callers;
    node->uses_varargs = parser->uses_varargs > varargs && !has_parameter(node, parser->tree->varargs);
    node->uses_kwargs = parser->uses_kwargs > kwargs && !has_parameter(node, parser->tree->kwargs);
    size_t required = node->items.count - node->defaults.count;
    for (size_t i = 0; node->uses_caller && i < required; i++) {
        if (node->items.nodes[i]->symbol == parser->tree->caller)
            return chat_run_fail(parser->run, STATUS_FORMAT, "the parameter caller needs a default");
    }
    return STATUS_OK;
}

static Status read_macro(ChatParser *parser, ChatNode *node) {
    ChatNode *name;
    CHAT_TRY(chat_parser_token_name(parser, &name));
    node->symbol = name->symbol;
    CHAT_TRY(read_signature(parser, node));
    return read_macro_body(parser, "endmacro", node);
}

static Status read_call_block(ChatParser *parser, ChatNode *node) {
    if (parser->token->type == CHAT_TOKEN_LPAREN) CHAT_TRY(read_signature(parser, node));
    CHAT_TRY(chat_parser_expression_read(parser, true, &node->a));
    if (node->a->kind != CHAT_NODE_CALL)
        return chat_run_fail(parser->run, STATUS_FORMAT, "call: expected a call");
    return read_macro_body(parser, "endcall", node);
}

static Status read_generation(ChatParser *parser, ChatNode *node) {
    parser->tree->has_generation = true;
    return read_macro_body(parser, "endgeneration", node);
}

/* ---- others ---- */

static Status read_print(ChatParser *parser, ChatNode *node) {
    while (parser->token->type != CHAT_TOKEN_BLOCK_END) {
        ChatNode *item;
        if (node->items.count > 0) CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_COMMA));
        CHAT_TRY(chat_parser_expression_read(parser, true, &item));
        CHAT_TRY(chat_parser_token_append(parser, &node->items, item));
    }
    return STATUS_OK;
}

static Status read_jump(ChatParser *parser, ChatNode *node) {
    if (parser->loops > 0) return STATUS_OK;
    return chat_run_fail(parser->run, STATUS_FORMAT, "%s stands in no loop",
                         node->kind == CHAT_NODE_BREAK ? "break" : "continue");
}

static const struct {
    const char *name;
    ChatNodeKind kind;
    Status (*read)(ChatParser *parser, ChatNode *node); /* the name is taken */
} STATEMENTS[] = {
    {"if", CHAT_NODE_IF, read_if},
    {"for", CHAT_NODE_FOR, read_for},
    {"set", CHAT_NODE_SET, read_set},
    {"with", CHAT_NODE_WITH, read_with},
    {"macro", CHAT_NODE_MACRO, read_macro},
    {"call", CHAT_NODE_CALL_BLOCK, read_call_block},
    {"filter", CHAT_NODE_FILTER_BLOCK, read_filter_block},
    {"print", CHAT_NODE_OUTPUT, read_print},
    {"generation", CHAT_NODE_GENERATION, read_generation},
    {"break", CHAT_NODE_BREAK, read_jump},
    {"continue", CHAT_NODE_CONTINUE, read_jump},
};

static Status refuse(ChatParser *parser, const Ends *ends) {
    static const char *const KNOWN[] = {"extends", "include", "import", "from", "block", "autoescape"};
    const ChatToken *tag = parser->token;
    int length = (int)(tag->length > 60 ? 60 : tag->length);
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (chat_parser_token_is_name(tag, KNOWN[i]))
            return chat_run_fail(parser->run, STATUS_UNSUPPORTED, "the tag %s is not supported", KNOWN[i]);
    }
    if (ends != NULL)
        return chat_run_fail(parser->run, STATUS_FORMAT, "expected the tag %s, found %.*s", ends->names[0],
                             length, tag->bytes);
    return chat_run_fail(parser->run, STATUS_FORMAT, "unknown tag %.*s", length, tag->bytes);
}

static Status read_statement(ChatParser *parser, const Ends *ends, ChatNodeList *body) {
    if (parser->token->type != CHAT_TOKEN_NAME)
        return chat_parser_token_unexpected(parser, "the name of a tag");
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS; i++) {
        ChatNode *node;
        if (!chat_parser_token_is_name(parser->token, STATEMENTS[i].name)) continue;
        CHAT_TRY(chat_parser_token_node(parser, STATEMENTS[i].kind, parser->token->line, &node));
        chat_parser_token_next(parser);
        CHAT_TRY(STATEMENTS[i].read(parser, node));
        CHAT_TRY(chat_parser_token_append(parser, body, node));
        return chat_parser_token_expect(parser, CHAT_TOKEN_BLOCK_END);
    }
    return refuse(parser, ends);
}

static Status read_output(ChatParser *parser, ChatNodeList *body) {
    ChatNode *node, *item;
    CHAT_TRY(chat_parser_token_node(parser, CHAT_NODE_OUTPUT, parser->token->line, &node));
    chat_parser_token_next(parser);
    CHAT_TRY(chat_parser_expression_read_tuple(parser, true, NULL, &item));
    CHAT_TRY(chat_parser_token_append(parser, &node->items, item));
    CHAT_TRY(chat_parser_token_append(parser, body, node));
    return chat_parser_token_expect(parser, CHAT_TOKEN_VARIABLE_END);
}

static Status read_data(ChatParser *parser, ChatNodeList *body) {
    ChatNode *node;
    CHAT_TRY(chat_parser_token_node(parser, CHAT_NODE_DATA, parser->token->line, &node));
    node->value = parser->token->value;
    chat_parser_token_next(parser);
    return chat_parser_token_append(parser, body, node);
}

/* Up to one of `ends`, whose name is the next token then; without ends, up to the end of the template. */
static Status read_body(ChatParser *parser, const Ends *ends, ChatNodeList *body) {
    while (parser->token->type != CHAT_TOKEN_END) {
        if (parser->token->type == CHAT_TOKEN_DATA) {
            CHAT_TRY(read_data(parser, body));
        } else if (parser->token->type == CHAT_TOKEN_VARIABLE_BEGIN) {
            CHAT_TRY(read_output(parser, body));
        } else {
            CHAT_TRY(chat_parser_token_expect(parser, CHAT_TOKEN_BLOCK_BEGIN));
            if (is_end(parser, ends)) return STATUS_OK;
            CHAT_TRY(read_statement(parser, ends, body));
        }
    }
    if (ends == NULL) return STATUS_OK;
    return chat_run_fail(parser->run, STATUS_FORMAT, "expected the tag %s, found the end of the template",
                         ends->names[0]);
}

static Status number_names(ChatParser *parser) {
    static const char *const NAMES[] = {"loop", "caller", "varargs", "kwargs"};
    ChatTree *tree = parser->tree;
    uint32_t *const SYMBOLS[] = {&tree->loop, &tree->caller, &tree->varargs, &tree->kwargs};
    for (size_t i = 0; i < 4; i++)
        CHAT_TRY(chat_parser_token_symbol(parser, NAMES[i], strlen(NAMES[i]), SYMBOLS[i]));
    return STATUS_OK;
}

Status chat_parser_read(ChatRun *run, const char *source, size_t length, ChatTree *tree) {
    ChatToken *tokens;
    *tree = (ChatTree){0};
    CHAT_TRY(chat_lexer_read(run, source, length, &tokens));
    ChatParser parser = {.run = run, .token = tokens, .tree = tree};
    CHAT_TRY(number_names(&parser));
    CHAT_TRY(read_body(&parser, NULL, &tree->body));
    const ChatNode *unknown = parser.unknown;
    if (unknown == NULL) return STATUS_OK;
    run->line = unknown->line;
    return chat_run_fail(
        run, STATUS_UNSUPPORTED, "there is no %s %.*s", unknown->kind == CHAT_NODE_FILTER ? "filter" : "test",
        (int)(unknown->text->length > 60 ? 60 : unknown->text->length), unknown->text->bytes);
}
