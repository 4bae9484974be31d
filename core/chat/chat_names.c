#include "core/chat/chat_names.h"

static bool reads(const ChatNode *node, uint32_t symbol);

static bool any_reads(const ChatNodeList *list, uint32_t symbol) {
    for (size_t i = 0; i < list->count; i++)
        if (reads(list->nodes[i], symbol)) return true;
    return false;
}

static bool is_declared(const ChatDeclared *declared, uint32_t symbol) {
    for (size_t i = 0; i < declared->count; i++)
        if (declared->symbols[i] == symbol) return true;
    return false;
}

/* A target, or one of several, is the name. */
static bool binds(const ChatNode *target, uint32_t symbol) {
    if (target->kind == CHAT_NODE_NAME) return target->symbol == symbol;
    for (size_t i = 0; i < target->items.count; i++)
        if (binds(target->items.nodes[i], symbol)) return true;
    return false;
}

/* Parameters, or every second item of `with`. */
static bool any_binds(const ChatNodeList *targets, size_t step, uint32_t symbol) {
    for (size_t i = 0; i < targets->count; i += step)
        if (binds(targets->nodes[i], symbol)) return true;
    return false;
}

static bool body_reads(const ChatNode *node, uint32_t symbol) {
    return !is_declared(&node->declared, symbol) && any_reads(&node->bodies[0], symbol);
}

static bool parts_read(const ChatNode *node, uint32_t symbol) {
    const ChatArguments *arguments = node->arguments;
    if (reads(node->a, symbol) || reads(node->b, symbol) || reads(node->c, symbol) ||
        any_reads(&node->items, symbol))
        return true;
    return arguments != NULL &&
           (any_reads(&arguments->positional, symbol) || any_reads(&arguments->named, symbol) ||
            reads(arguments->star, symbol) || reads(arguments->star_star, symbol));
}

static bool loop_reads(const ChatNode *node, uint32_t symbol) {
    if (reads(node->b, symbol) || any_reads(&node->bodies[1], symbol)) return true;
    return !binds(node->a, symbol) && (reads(node->c, symbol) || body_reads(node, symbol));
}

static bool with_reads(const ChatNode *node, uint32_t symbol) {
    for (size_t i = 1; i < node->items.count; i += 2)
        if (reads(node->items.nodes[i], symbol)) return true;
    return !any_binds(&node->items, 2, symbol) && body_reads(node, symbol);
}

static bool branches_read(const ChatNode *node, uint32_t symbol) {
    if (any_reads(&node->items, symbol)) return true;
    for (size_t i = 0; i < node->branch_count; i++)
        if (any_reads(&node->branches[i], symbol)) return true;
    return false;
}

/* As deep as the parser let it be. */
static bool reads(const ChatNode *node, uint32_t symbol) {
    if (node == NULL) return false;
    switch (node->kind) {
    case CHAT_NODE_NAME:
        return node->symbol == symbol;
    case CHAT_NODE_IF:
        return branches_read(node, symbol);
    case CHAT_NODE_FOR:
        return loop_reads(node, symbol);
    case CHAT_NODE_SET:
        return reads(node->b, symbol);
    case CHAT_NODE_SET_BLOCK:
    case CHAT_NODE_FILTER_BLOCK:
    case CHAT_NODE_GENERATION:
        return reads(node->b, symbol) || body_reads(node, symbol);
    case CHAT_NODE_MACRO:
    case CHAT_NODE_CALL_BLOCK:
        if (reads(node->a, symbol) || any_reads(&node->defaults, symbol)) return true;
        return !any_binds(&node->items, 1, symbol) && body_reads(node, symbol);
    case CHAT_NODE_WITH:
        return with_reads(node, symbol);
    default:
        return parts_read(node, symbol);
    }
}

bool chat_names_are_read(const ChatTree *tree, uint32_t symbol) {
    return !is_declared(&tree->declared, symbol) && any_reads(&tree->body, symbol);
}
