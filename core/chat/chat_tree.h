/*
 * chat_tree — a parsed template. Nodes never change once the template is compiled: any thread may render it.
 *
 *     kind          what it has
 *     CONST         value
 *     NAME          symbol: a number of template.names; also as a target
 *     NAMESPACE     symbol.text, a target
 *     LIST TUPLE    items
 *     DICT          items: key, value, key, value, …
 *     ATTRIBUTE     a.text
 *     ITEM          a[b]
 *     SLICE         a:b:c, each may be NULL
 *     CALL          a(arguments)
 *     FILTER        a | text(arguments), row; a is NULL for what a block gives
 *     TEST          a is text(arguments), row
 *     NOT NEG POS   a
 *     BINARY        a op b
 *     AND OR        a, b
 *     COMPARE       a, then items: OPERANDs
 *     OPERAND       op (NAME: in; SEMICOLON: not in) and a
 *     CONCAT        items ~ items …
 *     CONDITION     b if a else c; c may be NULL
 *
 *     DATA          value: text of the template
 *     OUTPUT        items
 *     IF            items: tests; bodies: one for each, and perhaps one more
 *     FOR           a: target, b: over what, c: the test or NULL; bodies[0], bodies[1] of else; flag: recursive
 *     SET           a: target, b
 *     SET_BLOCK     a: target, b: filters or NULL; bodies[0]
 *     MACRO         symbol, items: parameters, defaults, bodies[0]
 *     CALL_BLOCK    a: the call; items, defaults, bodies[0] of its caller
 *     FILTER_BLOCK  b: filters; bodies[0]
 *     WITH          items: target, value, target, value, …; bodies[0]
 *     GENERATION    bodies[0]
 *     BREAK CONTINUE
 */
#ifndef REJUV_CORE_CHAT_TREE_H
#define REJUV_CORE_CHAT_TREE_H

#include "core/chat/chat_lexer.h"

/* X(IDENTIFIER, "as messages call it") */
/* clang-format off */
#define CHAT_NODE_TABLE(X) \
    X(CONST, "literal") \
    X(NAME, "name") \
    X(NAMESPACE, "namespace attribute") \
    X(LIST, "list") \
    X(TUPLE, "tuple") \
    X(DICT, "dict") \
    X(ATTRIBUTE, "attribute") \
    X(ITEM, "item") \
    X(SLICE, "slice") \
    X(CALL, "call") \
    X(FILTER, "filter") \
    X(TEST, "test") \
    X(NOT, "not") \
    X(NEG, "neg") \
    X(POS, "pos") \
    X(BINARY, "operator") \
    X(AND, "and") \
    X(OR, "or") \
    X(COMPARE, "comparison") \
    X(OPERAND, "comparison") \
    X(CONCAT, "concat") \
    X(CONDITION, "condition") \
    X(DATA, "text") \
    X(OUTPUT, "output") \
    X(IF, "if") \
    X(FOR, "for") \
    X(SET, "set") \
    X(SET_BLOCK, "set") \
    X(MACRO, "macro") \
    X(CALL_BLOCK, "call") \
    X(FILTER_BLOCK, "filter") \
    X(WITH, "with") \
    X(GENERATION, "generation") \
    X(BREAK, "break") \
    X(CONTINUE, "continue")
/* clang-format on */

typedef enum ChatNodeKind {
#define CHAT_NODE_ENUMERATOR(identifier, text) CHAT_NODE_##identifier,
    CHAT_NODE_TABLE(CHAT_NODE_ENUMERATOR)
#undef CHAT_NODE_ENUMERATOR
        CHAT_NODE_KINDS
} ChatNodeKind;

typedef struct ChatNodeList {
    struct ChatNode **nodes;
    size_t count, capacity;
} ChatNodeList;

typedef struct ChatArguments {
    ChatNodeList positional, named;
    const ChatText **names; /* of named */
    size_t name_capacity;
    struct ChatNode *star, *star_star; /* NULL for none */
} ChatArguments;

/* Names that a scope has from its beginning, without a value: it sets them before it reads them. */
typedef struct ChatDeclared {
    uint32_t *symbols;
    size_t count, capacity;
} ChatDeclared;

typedef struct ChatNode {
    ChatNodeKind kind;
    ChatTokenType op;
    unsigned line;
    uint32_t symbol;
    const ChatText *text;
    ChatValue value;
    struct ChatNode *a, *b, *c;
    ChatNodeList items, defaults, bodies[2];
    ChatNodeList *branches; /* of IF: as many as items, and perhaps one more */
    size_t branch_count;
    ChatArguments *arguments;
    const void *row; /* of a table of filters or tests; NULL: there is none of that name */
    bool flag, uses_caller, uses_varargs, uses_kwargs;
    ChatDeclared declared; /* of bodies[0] */
} ChatNode;

/* A compiled template. */
typedef struct ChatTree {
    ChatNodeList body;
    ChatDeclared declared;
    const ChatText **names;
    size_t name_count, name_capacity;
    uint32_t loop, caller, varargs, kwargs; /* symbols of these names */
    bool has_generation;
} ChatTree;

#endif
