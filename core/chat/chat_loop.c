#include "core/chat/chat_loop.h"

#include "core/chat/chat_compare.h"

#include <inttypes.h>
#include <string.h>

static Status pull(ChatRun *run, ChatLoop *loop, ChatValue *item) {
    item->type = CHAT_MISSING;
    while (loop->at < loop->source->count) {
        bool passes = true;
        ChatValue next = loop->source->items[loop->at++];
        CHAT_TRY(chat_run_step(run, 1));
        if (loop->test != NULL) CHAT_TRY(loop->test(run, loop, next, &passes));
        if (!passes) continue;
        *item = next;
        return STATUS_OK;
    }
    return STATUS_OK;
}

static Status peek(ChatRun *run, ChatLoop *loop) {
    return loop->after.type != CHAT_MISSING ? STATUS_OK : pull(run, loop, &loop->after);
}

Status chat_loop_next(ChatRun *run, ChatLoop *loop, ChatValue *item, bool *found) {
    CHAT_TRY(peek(run, loop));
    *item = loop->after;
    *found = item->type != CHAT_MISSING;
    loop->after.type = CHAT_MISSING;
    if (!*found) return STATUS_OK;
    loop->index0++;
    loop->before = loop->current;
    loop->current = *item;
    return STATUS_OK;
}

/* Where it is not known, all that is left is looked at. */
static Status find_length(ChatRun *run, ChatLoop *loop) {
    if (loop->length >= 0) return STATUS_OK;
    if (loop->has_length) {
        loop->length = (int64_t)loop->source->count;
        return STATUS_OK;
    }
    ChatList *rest;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &rest));
    while (true) {
        ChatValue item;
        CHAT_TRY(pull(run, loop, &item));
        if (item.type == CHAT_MISSING) break;
        CHAT_TRY(chat_value_append(run, rest, item));
    }
    loop->length = (int64_t)rest->count + loop->index0 + 1 + (loop->after.type != CHAT_MISSING);
    loop->source = rest;
    loop->at = 0;
    loop->test = NULL;
    return STATUS_OK;
}

/* ---- methods ---- */

static Status cycle(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    const ChatLoop *loop = object->state;
    if (call->count == 0 || call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "loop.cycle: no items for cycling given");
    *result = call->values[loop->index0 % (int64_t)call->count];
    return STATUS_OK;
}

static Status changed(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    ChatLoop *loop = object->state;
    ChatList *seen;
    if (call->named_count > 0) return chat_run_fail(run, STATUS_FORMAT, "loop.changed takes no keywords");
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_TUPLE, call->count, &seen));
    for (size_t i = 0; i < call->count; i++) CHAT_TRY(chat_value_append(run, seen, call->values[i]));
    bool same =
        loop->changed.type != CHAT_MISSING && chat_compare_equal(run, loop->changed, chat_value_list(seen));
    loop->changed = chat_value_list(seen);
    *result = chat_value_bool(!same);
    return STATUS_OK;
}

/* ---- attributes ---- */

typedef enum Attribute {
    PRINTED,
    INDEX,
    INDEX0,
    FIRST,
    LAST,
    LENGTH,
    REVINDEX,
    REVINDEX0,
    DEPTH,
    DEPTH0,
    PREVITEM,
    NEXTITEM,
    CYCLE,
    CHANGED,
    ATTRIBUTES
} Attribute;

static Attribute find_attribute(const ChatText *name) {
    static const char *const NAMES[ATTRIBUTES] = {"",         "index",    "index0",    "first",  "last",
                                                  "length",   "revindex", "revindex0", "depth",  "depth0",
                                                  "previtem", "nextitem", "cycle",     "changed"};
    for (int i = 0; i < ATTRIBUTES; i++) {
        if (strlen(NAMES[i]) == name->length && memcmp(NAMES[i], name->bytes, name->length) == 0)
            return (Attribute)i;
    }
    return ATTRIBUTES;
}

static ChatValue or_undefined(ChatValue item) {
    static const ChatText NO_ITEM = {.bytes = "an item before the first, or behind the last", .length = 44};
    return item.type == CHAT_MISSING ? chat_value_undefined(&NO_ITEM) : item;
}

static Status make_method(ChatRun *run, ChatLoop *loop, Attribute attribute, ChatValue *result) {
    return chat_value_new_object(run,
                                 (ChatObject){.kind = "method",
                                              .name = attribute == CYCLE ? "loop.cycle" : "loop.changed",
                                              .state = loop,
                                              .call = attribute == CYCLE ? cycle : changed},
                                 result);
}

static Status get(ChatRun *run, ChatObject *object, const ChatText *name, ChatValue *result) {
    ChatLoop *loop = object->state;
    Attribute attribute = find_attribute(name);
    if (attribute == LENGTH || attribute == REVINDEX || attribute == REVINDEX0 || attribute == PRINTED)
        CHAT_TRY(find_length(run, loop));
    if (attribute == LAST || attribute == NEXTITEM) CHAT_TRY(peek(run, loop));
    switch (attribute) {
    case PRINTED:
        return chat_value_format(run, result, "<LoopContext %" PRId64 "/%" PRId64 ">", loop->index0 + 1,
                                 loop->length);
    case INDEX:
        *result = chat_value_int(loop->index0 + 1);
        break;
    case INDEX0:
        *result = chat_value_int(loop->index0);
        break;
    case FIRST:
        *result = chat_value_bool(loop->index0 == 0);
        break;
    case LAST:
        *result = chat_value_bool(loop->after.type == CHAT_MISSING);
        break;
    case LENGTH:
        *result = chat_value_int(loop->length);
        break;
    case REVINDEX:
        *result = chat_value_int(loop->length - loop->index0);
        break;
    case REVINDEX0:
        *result = chat_value_int(loop->length - loop->index0 - 1);
        break;
    case DEPTH:
        *result = chat_value_int(loop->depth0 + 1);
        break;
    case DEPTH0:
        *result = chat_value_int(loop->depth0);
        break;
    case PREVITEM:
        *result = or_undefined(loop->before);
        break;
    case NEXTITEM:
        *result = or_undefined(loop->after);
        break;
    case CYCLE:
    case CHANGED:
        return make_method(run, loop, attribute, result);
    case ATTRIBUTES:
        break;
    }
    return STATUS_OK;
}

static Status refuse_call(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    (void)object, (void)call, (void)result;
    return chat_run_fail(run, STATUS_FORMAT,
                         "the loop must have the 'recursive' marker to be called recursively");
}

Status chat_loop_value(ChatRun *run, ChatLoop *loop,
                       Status (*call)(ChatRun *run, ChatObject *object, const ChatCall *call,
                                      ChatValue *result),
                       ChatValue *value) {
    return chat_value_new_object(run,
                                 (ChatObject){.kind = "loop",
                                              .name = "loop",
                                              .state = loop,
                                              .get = get,
                                              .call = call != NULL ? call : refuse_call},
                                 value);
}
