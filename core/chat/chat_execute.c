#include "core/chat/chat_execute.h"

#include "core/chat/chat_dict.h"
#include "core/chat/chat_evaluate.h"
#include "core/chat/chat_loop.h"
#include "core/chat/chat_output.h"

#include <string.h>

/* How a statement was left. */
typedef enum Flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE } Flow;

static Status execute_body(ChatRun *run, ChatScope *scope, const ChatNodeList *body, Flow *flow);

/* A body whose text becomes a value. */
static Status capture(ChatRun *run, ChatScope *scope, const ChatNodeList *body, ChatValue *text) {
    Flow flow;
    size_t begin = chat_output_begin_capture(run);
    CHAT_TRY(execute_body(run, scope, body, &flow));
    return chat_output_end_capture(run, begin, text);
}

/* ---- assignment ---- */

static Status assign_attribute(ChatRun *run, ChatScope *scope, const ChatNode *target, ChatValue value) {
    ChatValue of = chat_scope_get(scope, target->symbol);
    run->line = target->line;
    if (of.type != CHAT_NAMESPACE)
        return chat_run_fail(run, STATUS_FORMAT, "cannot assign attribute on non-namespace object");
    if (target->text->bytes[0] == '_')
        return chat_run_fail(run, STATUS_FORMAT, "namespace: an attribute begins with an underscore");
    return chat_dict_set(run, of.as.dict, chat_value_text(target->text), value);
}

static Status assign(ChatRun *run, ChatScope *scope, const ChatNode *target, ChatValue value) {
    const ChatList *items;
    if (target->kind == CHAT_NODE_NAME) return chat_scope_set(run, scope, target->symbol, value);
    if (target->kind == CHAT_NODE_NAMESPACE) return assign_attribute(run, scope, target, value);
    run->line = target->line;
    CHAT_TRY(chat_value_iterate(run, value, &items));
    if (items->count != target->items.count)
        return chat_run_fail(run, STATUS_FORMAT, "cannot unpack: expected %zu values, found %zu",
                             target->items.count, items->count);
    for (size_t i = 0; i < items->count; i++)
        CHAT_TRY(assign(run, scope, target->items.nodes[i], items->items[i]));
    return STATUS_OK;
}

/* ---- macros ---- */

typedef struct Macro {
    const ChatNode *node;
    ChatScope *scope; /* where it was defined */
} Macro;

/* The value of a keyword, which is marked as taken; CHAT_MISSING where it is not given. */
static ChatValue take_named(const ChatCall *call, bool *taken, const ChatText *name) {
    for (size_t i = 0; i < call->named_count; i++) {
        if (taken[i] || call->names[i]->length != name->length ||
            memcmp(call->names[i]->bytes, name->bytes, name->length) != 0)
            continue;
        taken[i] = true;
        return call->named[i];
    }
    return (ChatValue){.type = CHAT_MISSING};
}

static Status bind_parameters(ChatRun *run, ChatScope *scope, const ChatNode *node, const ChatCall *call,
                              bool *taken, bool *found_caller) {
    size_t count = node->items.count, required = count - node->defaults.count;
    for (size_t i = 0; i < count; i++) {
        uint32_t symbol = node->items.nodes[i]->symbol;
        ChatValue value =
            i < call->count ? call->values[i] : take_named(call, taken, scope->tree->names[symbol]);
        *found_caller = *found_caller || symbol == scope->tree->caller;
        CHAT_TRY(chat_scope_set(run, scope, symbol, value));
    }
    for (size_t i = call->count; i < count; i++) { /* what is not given; a default may read those before it */
        uint32_t symbol = node->items.nodes[i]->symbol;
        ChatValue value;
        if (scope->bindings[i].value.type != CHAT_MISSING || i < required) continue;
        CHAT_TRY(chat_evaluate(run, scope, node->defaults.nodes[i - required], &value));
        CHAT_TRY(chat_scope_set(run, scope, symbol, value));
    }
    return STATUS_OK;
}

/* What is left of the call: kwargs and varargs, where the macro reads them. */
static Status bind_rest(ChatRun *run, ChatScope *scope, const ChatNode *node, const ChatCall *call,
                        const bool *taken) {
    ChatDict *named;
    ChatList *rest;
    CHAT_TRY(chat_dict_new(run, 0, &named));
    for (size_t i = 0; i < call->named_count; i++) {
        if (!taken[i]) CHAT_TRY(chat_dict_set(run, named, chat_value_text(call->names[i]), call->named[i]));
    }
    if (node->uses_kwargs) {
        ChatValue value = {.type = CHAT_DICT, .as.dict = named};
        CHAT_TRY(chat_scope_set(run, scope, scope->tree->kwargs, value));
    } else if (named->count > 0) {
        const ChatText *name = named->entries[0].key.as.text;
        return chat_run_fail(run, STATUS_FORMAT, "a macro takes no keyword argument %.*s",
                             (int)(name->length > 60 ? 60 : name->length), name->bytes);
    }
    if (!node->uses_varargs && call->count <= node->items.count) return STATUS_OK;
    if (!node->uses_varargs)
        return chat_run_fail(run, STATUS_FORMAT, "a macro takes not more than %zu arguments",
                             node->items.count);
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_TUPLE, 0, &rest));
    for (size_t i = node->items.count; i < call->count; i++)
        CHAT_TRY(chat_value_append(run, rest, call->values[i]));
    return chat_scope_set(run, scope, scope->tree->varargs, chat_value_list(rest));
}

static Status call_macro(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    static const ChatText CALLER = {.bytes = "caller", .length = 6, .points = 6};
    static const ChatDeclared NONE = {0};
    const Macro *macro = object->state;
    const ChatNode *node = macro->node;
    ChatScope *scope;
    bool found_caller = false;
    void *taken;
    unsigned line = run->line;
    CHAT_TRY(chat_run_enter(run));
    CHAT_TRY(chat_scope_new(run, macro->scope, &NONE, &scope));
    CHAT_TRY(chat_run_take(run, call->named_count, sizeof(bool), &taken));
    CHAT_TRY(bind_parameters(run, scope, node, call, taken, &found_caller));
    if (node->uses_caller && !found_caller) {
        ChatValue caller = take_named(call, taken, &CALLER);
        if (caller.type == CHAT_MISSING) caller = chat_value_undefined(&CALLER);
        CHAT_TRY(chat_scope_set(run, scope, scope->tree->caller, caller));
    }
    CHAT_TRY(bind_rest(run, scope, node, call, taken));
    for (size_t i = 0; i < node->declared.count; i++)
        CHAT_TRY(chat_scope_set(run, scope, node->declared.symbols[i], (ChatValue){.type = CHAT_MISSING}));
    CHAT_TRY(capture(run, scope, &node->bodies[0], result));
    chat_run_leave(run);
    run->line = line;
    return STATUS_OK;
}

static bool is_named(const ChatText *text, const char *name) {
    return text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0;
}

static Status get_of_macro(ChatRun *run, ChatObject *object, const ChatText *name, ChatValue *result) {
    const Macro *macro = object->state;
    const ChatNode *node = macro->node;
    ChatList *list;
    if (name->length == 0) {
        if (object->name == NULL) return chat_value_format(run, result, "<Macro anonymous>");
        return chat_value_format(run, result, "<Macro '%s'>", object->name);
    }
    if (is_named(name, "catch_kwargs")) *result = chat_value_bool(node->uses_kwargs);
    if (is_named(name, "catch_varargs")) *result = chat_value_bool(node->uses_varargs);
    if (is_named(name, "caller")) *result = chat_value_bool(node->uses_caller);
    if (is_named(name, "name") && object->name == NULL) *result = chat_value_none();
    if (is_named(name, "name") && object->name != NULL)
        return chat_value_keep(run, object->name, strlen(object->name), result);
    if (!is_named(name, "arguments")) return STATUS_OK;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_TUPLE, node->items.count, &list));
    for (size_t i = 0; i < node->items.count; i++)
        CHAT_TRY(chat_value_append(run, list,
                                   chat_value_text(macro->scope->tree->names[node->items.nodes[i]->symbol])));
    *result = chat_value_list(list);
    return STATUS_OK;
}

static Status make_macro(ChatRun *run, ChatScope *scope, const ChatNode *node, const char *name,
                         ChatValue *value) {
    void *macro;
    CHAT_TRY(chat_run_take(run, 1, sizeof(Macro), &macro));
    *(Macro *)macro = (Macro){node, scope};
    return chat_value_new_object(
        run,
        (ChatObject){.kind = "macro", .name = name, .state = macro, .call = call_macro, .get = get_of_macro},
        value);
}

static Status define_macro(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    const ChatText *name = scope->tree->names[node->symbol];
    ChatValue macro, copy; /* of the name: with a NUL behind it */
    CHAT_TRY(chat_value_copy(run, name->bytes, name->length, &copy));
    CHAT_TRY(make_macro(run, scope, node, copy.as.text->bytes, &macro));
    return chat_scope_set(run, scope, node->symbol, macro);
}

static Status execute_call(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    ChatValue caller, result;
    CHAT_TRY(make_macro(run, scope, node, NULL, &caller));
    CHAT_TRY(chat_evaluate_call(run, scope, node->a, caller, &result));
    return chat_output_print(run, result);
}

static Status execute_generation(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    ChatScope *inner;
    ChatValue text;
    CHAT_TRY(chat_scope_new(run, scope, &node->declared, &inner));
    CHAT_TRY(capture(run, inner, &node->bodies[0], &text));
    CHAT_TRY(chat_output_add_span(run, text.as.text->points));
    return chat_output_print(run, text);
}

/* ---- for ---- */

typedef struct ForLoop {
    ChatLoop loop;
    const ChatNode *node;
    ChatScope *scope; /* around the loop */
    ChatScope *test_scope;
} ForLoop;

static Status test_item(ChatRun *run, ChatLoop *loop, ChatValue item, bool *passes) {
    const ForLoop *state = loop->owner;
    ChatValue value;
    state->test_scope->count = 0;
    CHAT_TRY(assign(run, state->test_scope, state->node->a, item));
    CHAT_TRY(chat_evaluate(run, state->test_scope, state->node->c, &value));
    *passes = chat_value_is_truthy(value);
    return STATUS_OK;
}

static Status open_loop(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue over, int64_t depth0,
                        ForLoop *state) {
    static const ChatDeclared NONE = {0};
    bool has_length = node->c == NULL && !chat_value_is_list(over, CHAT_LIST_ITERATOR);
    *state = (ForLoop){.node = node, .scope = scope};
    state->loop = (ChatLoop){.has_length = has_length,
                             .length = -1,
                             .index0 = -1,
                             .depth0 = depth0,
                             .owner = state,
                             .test = node->c != NULL ? test_item : NULL};
    if (node->c != NULL) CHAT_TRY(chat_scope_new(run, scope, &NONE, &state->test_scope));
    return chat_value_iterate(run, over, &state->loop.source);
}

static Status call_loop(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result);

/* The turns; *completed: one went through its body to the end. */
static Status run_turns(ChatRun *run, ForLoop *state, bool *completed) {
    const ChatNode *node = state->node;
    ChatScope *inner;
    ChatValue loop, item;
    bool found;
    Flow flow = FLOW_ON;
    CHAT_TRY(chat_scope_new(run, state->scope, &node->declared, &inner));
    CHAT_TRY(chat_loop_value(run, &state->loop, node->flag ? call_loop : NULL, &loop));
    while (flow != FLOW_BREAK) {
        CHAT_TRY(chat_loop_next(run, &state->loop, &item, &found));
        if (!found) break;
        CHAT_TRY(chat_scope_clear(run, inner, &node->declared));
        CHAT_TRY(chat_scope_set(run, inner, inner->tree->loop, loop));
        CHAT_TRY(assign(run, inner, node->a, item));
        CHAT_TRY(execute_body(run, inner, &node->bodies[0], &flow));
        *completed = *completed || flow == FLOW_ON;
    }
    return STATUS_OK;
}

static Status run_loop(ChatRun *run, ChatScope *scope, const ChatNode *node, ChatValue over, int64_t depth0,
                       Flow *flow) {
    static const ChatDeclared NONE = {0};
    ChatScope *inner;
    bool completed = false;
    void *state; /* outlives the loop where a namespace kept `loop` */
    CHAT_TRY(chat_run_take(run, 1, sizeof(ForLoop), &state));
    CHAT_TRY(open_loop(run, scope, node, over, depth0, state));
    CHAT_TRY(run_turns(run, state, &completed));
    if (completed || node->bodies[1].count == 0)
        return STATUS_OK; /* as jinja2: a turn that was left is none */
    CHAT_TRY(chat_scope_new(run, scope, &NONE, &inner));
    return execute_body(run, inner, &node->bodies[1], flow);
}

/* loop(items): the same loop, one level deeper, as text. */
static Status call_loop(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    const ForLoop *state = ((ChatLoop *)object->state)->owner;
    Flow flow = FLOW_ON;
    if (call->count != 1 || call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "loop takes one argument");
    size_t begin = chat_output_begin_capture(run);
    CHAT_TRY(run_loop(run, state->scope, state->node, call->values[0], state->loop.depth0 + 1, &flow));
    return chat_output_end_capture(run, begin, result);
}

static Status execute_for(ChatRun *run, ChatScope *scope, const ChatNode *node, Flow *flow) {
    ChatValue over;
    CHAT_TRY(chat_evaluate(run, scope, node->b, &over));
    run->line = node->line;
    if (!node->flag) return run_loop(run, scope, node, over, 0, flow);
    ChatValue text; /* a recursive loop is a function, whose text is there only once it has ended */
    size_t begin = chat_output_begin_capture(run);
    CHAT_TRY(run_loop(run, scope, node, over, 0, flow));
    CHAT_TRY(chat_output_end_capture(run, begin, &text));
    return chat_output_print(run, text);
}

/* ---- the others ---- */

static Status execute_if(ChatRun *run, ChatScope *scope, const ChatNode *node, Flow *flow) {
    size_t chosen = 0;
    for (; chosen < node->items.count; chosen++) {
        ChatValue test;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[chosen], &test));
        if (chat_value_is_truthy(test)) break;
    }
    return chosen < node->branch_count ? execute_body(run, scope, &node->branches[chosen], flow) : STATUS_OK;
}

static Status execute_output(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    for (size_t i = 0; i < node->items.count; i++) {
        ChatValue value;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i], &value));
        run->line = node->line;
        CHAT_TRY(chat_output_print(run, value));
    }
    return STATUS_OK;
}

static Status execute_set(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    ChatValue value;
    CHAT_TRY(chat_evaluate(run, scope, node->b, &value));
    return assign(run, scope, node->a, value);
}

/* {% set %}…{% endset %} and {% filter %}…{% endfilter %}: a body through filters. */
static Status execute_filtered(ChatRun *run, ChatScope *scope, const ChatNode *node) {
    ChatScope *inner;
    ChatValue text, value;
    CHAT_TRY(chat_scope_new(run, scope, &node->declared, &inner));
    CHAT_TRY(capture(run, inner, &node->bodies[0], &text));
    CHAT_TRY(chat_evaluate_filters(run, inner, node->b, text, &value));
    return node->kind == CHAT_NODE_SET_BLOCK ? assign(run, scope, node->a, value)
                                             : chat_output_print(run, value);
}

static Status execute_with(ChatRun *run, ChatScope *scope, const ChatNode *node, Flow *flow) {
    ChatScope *inner;
    CHAT_TRY(chat_scope_new(run, scope, &node->declared, &inner));
    for (size_t i = 0; i < node->items.count; i += 2) {
        ChatValue value;
        CHAT_TRY(chat_evaluate(run, scope, node->items.nodes[i + 1], &value));
        CHAT_TRY(assign(run, inner, node->items.nodes[i], value));
    }
    return execute_body(run, inner, &node->bodies[0], flow);
}

static Status execute_statement(ChatRun *run, ChatScope *scope, const ChatNode *node, Flow *flow) {
    run->line = node->line;
    switch (node->kind) {
    case CHAT_NODE_DATA:
        return chat_output_add(run, node->value.as.text->bytes, node->value.as.text->length);
    case CHAT_NODE_OUTPUT:
        return execute_output(run, scope, node);
    case CHAT_NODE_IF:
        return execute_if(run, scope, node, flow);
    case CHAT_NODE_FOR:
        return execute_for(run, scope, node, flow);
    case CHAT_NODE_SET:
        return execute_set(run, scope, node);
    case CHAT_NODE_SET_BLOCK:
    case CHAT_NODE_FILTER_BLOCK:
        return execute_filtered(run, scope, node);
    case CHAT_NODE_MACRO:
        return define_macro(run, scope, node);
    case CHAT_NODE_CALL_BLOCK:
        return execute_call(run, scope, node);
    case CHAT_NODE_WITH:
        return execute_with(run, scope, node, flow);
    case CHAT_NODE_GENERATION:
        return execute_generation(run, scope, node);
    case CHAT_NODE_BREAK:
        *flow = FLOW_BREAK;
        return STATUS_OK;
    case CHAT_NODE_CONTINUE:
        *flow = FLOW_CONTINUE;
        return STATUS_OK;
    default:
        return chat_run_fail(run, STATUS_UNSUPPORTED, "an expression stands as a statement");
    }
}

static Status execute_body(ChatRun *run, ChatScope *scope, const ChatNodeList *body, Flow *flow) {
    *flow = FLOW_ON;
    CHAT_TRY(chat_run_enter(run));
    for (size_t i = 0; i < body->count && *flow == FLOW_ON; i++) {
        CHAT_TRY(chat_run_step(run, 1));
        CHAT_TRY(execute_statement(run, scope, body->nodes[i], flow));
    }
    chat_run_leave(run);
    return STATUS_OK;
}

Status chat_execute(ChatRun *run, ChatScope *scope, const ChatTree *tree) {
    Flow flow;
    for (size_t i = 0; i < tree->declared.count; i++)
        CHAT_TRY(chat_scope_set(run, scope, tree->declared.symbols[i], (ChatValue){.type = CHAT_MISSING}));
    return execute_body(run, scope, &tree->body, &flow);
}
