#include "core/chat/chat_declare.h"

/* Names that a scope knows: a byte each. */
typedef struct Frame {
    const struct Frame *parent;
    ChatRun *run;
    const ChatTree *tree;
    bool *known;
    ChatDeclared *declared;
    unsigned branches;
} Frame;

static bool is_known_outside(const Frame *frame, uint32_t symbol) {
    for (const Frame *at = frame->parent; at != NULL; at = at->parent) {
        if (at->known[symbol]) return true;
    }
    return false;
}

static void load(Frame *frame, uint32_t symbol) {
    if (!is_known_outside(frame, symbol)) frame->known[symbol] = true;
}

static Status store(Frame *frame, uint32_t symbol) {
    if (frame->known[symbol]) return STATUS_OK;
    frame->known[symbol] = true;
    if (frame->branches > 0 || is_known_outside(frame, symbol)) return STATUS_OK;
    ChatDeclared *declared = frame->declared;
    void *symbols = declared->symbols;
    CHAT_TRY(chat_run_grow(frame->run, &symbols, declared->count, &declared->capacity, declared->count + 1,
                           sizeof *declared->symbols));
    declared->symbols = symbols;
    declared->symbols[declared->count++] = symbol;
    return STATUS_OK;
}

static Status store_target(Frame *frame, const ChatNode *target) {
    if (target->kind == CHAT_NODE_NAME) return store(frame, target->symbol);
    if (target->kind == CHAT_NODE_NAMESPACE) load(frame, target->symbol);
    for (size_t i = 0; i < target->items.count; i++) CHAT_TRY(store_target(frame, target->items.nodes[i]));
    return STATUS_OK;
}

static void know_target(Frame *frame, const ChatNode *target) {
    if (target->kind == CHAT_NODE_NAME) frame->known[target->symbol] = true;
    for (size_t i = 0; i < target->items.count; i++) know_target(frame, target->items.nodes[i]);
}

/* ---- what is read and set, in order ---- */

static Status visit_expression(Frame *frame, const ChatNode *node);

static Status visit_expressions(Frame *frame, const ChatNodeList *list) {
    for (size_t i = 0; i < list->count; i++) CHAT_TRY(visit_expression(frame, list->nodes[i]));
    return STATUS_OK;
}

static Status visit_parts(Frame *frame, const ChatNode *node) {
    if (node->kind == CHAT_NODE_NAME) load(frame, node->symbol);
    CHAT_TRY(visit_expression(frame, node->a));
    CHAT_TRY(visit_expression(frame, node->b));
    CHAT_TRY(visit_expression(frame, node->c));
    CHAT_TRY(visit_expressions(frame, &node->items));
    if (node->arguments == NULL) return STATUS_OK;
    CHAT_TRY(visit_expressions(frame, &node->arguments->positional));
    CHAT_TRY(visit_expressions(frame, &node->arguments->named));
    CHAT_TRY(visit_expression(frame, node->arguments->star));
    return visit_expression(frame, node->arguments->star_star);
}

static Status visit_expression(Frame *frame, const ChatNode *node) {
    if (node == NULL) return STATUS_OK;
    CHAT_TRY(chat_run_enter(frame->run));
    CHAT_TRY(visit_parts(frame, node));
    chat_run_leave(frame->run);
    return STATUS_OK;
}

static Status visit_body(Frame *frame, const ChatNodeList *body);

static Status visit_if(Frame *frame, const ChatNode *node) {
    for (size_t i = 0; i < node->branch_count; i++) {
        if (i < node->items.count) {
            frame->branches += i > 0; /* the first test is read in any case */
            CHAT_TRY(visit_expression(frame, node->items.nodes[i]));
            frame->branches -= i > 0;
        }
        frame->branches++;
        CHAT_TRY(visit_body(frame, &node->branches[i]));
        frame->branches--;
    }
    return STATUS_OK;
}

static Status visit_with(Frame *frame, const ChatNode *node) {
    for (size_t i = 1; i < node->items.count; i += 2) CHAT_TRY(visit_expression(frame, node->items.nodes[i]));
    return STATUS_OK;
}

static Status visit_statement(Frame *frame, const ChatNode *node) {
    switch (node->kind) {
    case CHAT_NODE_OUTPUT:
        return visit_expressions(frame, &node->items);
    case CHAT_NODE_IF:
        return visit_if(frame, node);
    case CHAT_NODE_FOR:
        return visit_expression(frame, node->b);
    case CHAT_NODE_SET:
        CHAT_TRY(visit_expression(frame, node->b));
        return store_target(frame, node->a);
    case CHAT_NODE_SET_BLOCK:
        return store_target(frame, node->a);
    case CHAT_NODE_MACRO:
        return store(frame, node->symbol);
    case CHAT_NODE_CALL_BLOCK:
        return visit_expression(frame, node->a);
    case CHAT_NODE_FILTER_BLOCK:
        return visit_expression(frame, node->b);
    case CHAT_NODE_WITH:
        return visit_with(frame, node);
    default:
        return STATUS_OK;
    }
}

static Status visit_body(Frame *frame, const ChatNodeList *body) {
    CHAT_TRY(chat_run_enter(frame->run));
    for (size_t i = 0; i < body->count; i++) CHAT_TRY(visit_statement(frame, body->nodes[i]));
    chat_run_leave(frame->run);
    return STATUS_OK;
}

/* ---- scopes within ---- */

static Status declare_inside(const Frame *frame, const ChatNodeList *body);

static Status open_frame(const Frame *parent, ChatDeclared *declared, Frame *frame) {
    void *known;
    CHAT_TRY(chat_run_step(parent->run, parent->tree->name_count / 16 + 1));
    CHAT_TRY(chat_run_take(parent->run, parent->tree->name_count, sizeof(bool), &known));
    *frame = (Frame){
        .parent = parent, .run = parent->run, .tree = parent->tree, .known = known, .declared = declared};
    return STATUS_OK;
}

/* The names that a body has without setting them: its loop's, its macro's. */
static void know_own(Frame *frame, const ChatNode *node) {
    if (node->kind == CHAT_NODE_FOR) {
        know_target(frame, node->a);
        frame->known[frame->tree->loop] = true;
        return;
    }
    for (size_t i = 0; i < node->items.count; i += node->kind == CHAT_NODE_WITH ? 2 : 1)
        know_target(frame, node->items.nodes[i]);
    frame->known[frame->tree->caller] |= node->uses_caller;
    frame->known[frame->tree->varargs] |= node->uses_varargs;
    frame->known[frame->tree->kwargs] |= node->uses_kwargs;
}

static Status declare_scope(const Frame *parent, ChatNode *node) {
    Frame frame;
    CHAT_TRY(open_frame(parent, &node->declared, &frame));
    know_own(&frame, node);
    CHAT_TRY(visit_expressions(&frame, &node->defaults));
    CHAT_TRY(visit_body(&frame, &node->bodies[0]));
    CHAT_TRY(declare_inside(&frame, &node->bodies[0]));
    if (node->kind != CHAT_NODE_FOR) return STATUS_OK;
    Frame otherwise; /* what else sets is never read before: it needs no declared names of its own */
    ChatDeclared ignored = {0};
    CHAT_TRY(open_frame(parent, &ignored, &otherwise));
    CHAT_TRY(visit_body(&otherwise, &node->bodies[1]));
    return declare_inside(&otherwise, &node->bodies[1]);
}

static bool has_scope(const ChatNode *node) {
    return node->kind == CHAT_NODE_FOR || node->kind == CHAT_NODE_SET_BLOCK ||
           node->kind == CHAT_NODE_MACRO || node->kind == CHAT_NODE_CALL_BLOCK ||
           node->kind == CHAT_NODE_FILTER_BLOCK || node->kind == CHAT_NODE_WITH ||
           node->kind == CHAT_NODE_GENERATION;
}

static Status declare_inside(const Frame *frame, const ChatNodeList *body) {
    CHAT_TRY(chat_run_enter(frame->run));
    for (size_t i = 0; i < body->count; i++) {
        ChatNode *node = body->nodes[i];
        if (has_scope(node)) CHAT_TRY(declare_scope(frame, node));
        for (size_t j = 0; j < node->branch_count; j++) CHAT_TRY(declare_inside(frame, &node->branches[j]));
    }
    chat_run_leave(frame->run);
    return STATUS_OK;
}

Status chat_declare(ChatRun *run, ChatTree *tree) {
    void *known;
    CHAT_TRY(chat_run_take(run, tree->name_count, sizeof(bool), &known));
    Frame frame = {.run = run, .tree = tree, .known = known, .declared = &tree->declared};
    CHAT_TRY(visit_body(&frame, &tree->body));
    return declare_inside(&frame, &tree->body);
}
