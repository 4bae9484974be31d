#include "core/chat/chat_compare.h"

#include "core/chat/chat_text.h"

#include <math.h>
#include <string.h>

/* Exactly, also where the integer is not a double. */
static int order_numbers(ChatValue a, ChatValue b) {
    if (chat_value_is_integer(a) && chat_value_is_integer(b)) {
        int64_t x = chat_value_integer(a), y = chat_value_integer(b);
        return (x > y) - (x < y);
    }
    double x = chat_value_number(a), y = chat_value_number(b);
    if (isnan(x) || isnan(y)) return CHAT_COMPARE_UNORDERED;
    if (x != y || fabs(x) < 9007199254740992.0 || fabs(x) >= 9223372036854775808.0) return (x > y) - (x < y);
    int64_t i = a.type == CHAT_FLOAT ? (int64_t)x : chat_value_integer(a);
    int64_t j = b.type == CHAT_FLOAT ? (int64_t)y : chat_value_integer(b);
    return (i > j) - (i < j);
}

int chat_compare_texts(const ChatText *a, const ChatText *b) {
    size_t common =
        a->length < b->length ? a->length : b->length; /* bytes of UTF-8 have the order of code points */
    int order = common == 0 ? 0 : memcmp(a->bytes, b->bytes, common);
    if (order != 0) return order < 0 ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length);
}

static const ChatEntry *find_entry(ChatRun *run, const ChatDict *dict, ChatValue key) {
    for (size_t i = 0; i < dict->count; i++) {
        run->steps++;
        if (chat_compare_equal(run, dict->entries[i].key, key)) return &dict->entries[i];
    }
    return NULL;
}

static bool equal_dicts(ChatRun *run, const ChatDict *a, const ChatDict *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const ChatEntry *other = find_entry(run, b, a->entries[i].key);
        if (other == NULL || !chat_compare_equal(run, a->entries[i].value, other->value)) return false;
    }
    return true;
}

/* Tuples of a group are tuples. */
static ChatListKind plain_kind(const ChatList *list) {
    return list->kind == CHAT_LIST_GROUP ? CHAT_LIST_TUPLE : list->kind;
}

static bool equal_lists(ChatRun *run, const ChatList *a, const ChatList *b) {
    if (a == b) return true;
    if (plain_kind(a) != plain_kind(b) || a->count != b->count) return false;
    if (a->kind == CHAT_LIST_ITERATOR || a->kind == CHAT_LIST_VALUES) return false; /* one is itself alone */
    for (size_t i = 0; i < a->count; i++) {
        run->steps++;
        bool equal = chat_compare_equal(run, a->items[i], b->items[i]);
        for (size_t j = 0; !equal && a->kind >= CHAT_LIST_KEYS && j < b->count; j++) /* these are sets */
            equal = chat_compare_equal(run, a->items[i], b->items[j]);
        if (!equal) return false;
    }
    return true;
}

/* False where steps or levels are used up, and then the next step fails. */
static bool enter(ChatRun *run) {
    if (run->steps <= run->limits.steps && run->depth < run->limits.depth) {
        run->steps++;
        run->depth++;
        return true;
    }
    run->steps = run->limits.steps;
    run->steps += run->steps < UINT64_MAX;
    return false;
}

static bool equal_inside(ChatRun *run, ChatValue a, ChatValue b) {
    if (!enter(run)) return false;
    bool equal = a.type == CHAT_LIST ? equal_lists(run, a.as.list, b.as.list)
                                     : a.as.dict == b.as.dict || equal_dicts(run, a.as.dict, b.as.dict);
    chat_run_leave(run);
    return equal;
}

bool chat_compare_equal(ChatRun *run, ChatValue a, ChatValue b) {
    if (chat_value_is_number(a) && chat_value_is_number(b)) return order_numbers(a, b) == 0;
    if (a.type != b.type) return false;
    switch (a.type) {
    case CHAT_MISSING:
    case CHAT_UNDEFINED:
    case CHAT_NONE:
        return true;
    case CHAT_BIG:
    case CHAT_TEXT:
        return chat_compare_texts(a.as.text, b.as.text) == 0;
    case CHAT_LIST:
    case CHAT_DICT:
        return equal_inside(run, a, b);
    case CHAT_NAMESPACE:
        return a.as.dict == b.as.dict;
    default:
        return a.as.object == b.as.object;
    }
}

static Status order_lists(ChatRun *run, const ChatList *a, const ChatList *b, int *order) {
    size_t common = a->count < b->count ? a->count : b->count;
    size_t first = 0;
    while (first < common && chat_compare_equal(run, a->items[first], b->items[first])) first++;
    *order = (a->count > b->count) - (a->count < b->count);
    if (first == common) return STATUS_OK;
    Status status = chat_run_enter(run);
    if (status != STATUS_OK) return status;
    status = chat_compare_order(run, a->items[first], b->items[first], order);
    chat_run_leave(run);
    return status;
}

Status chat_compare_order(ChatRun *run, ChatValue a, ChatValue b, int *order) {
    Status status = chat_run_step(run, 1);
    if (status != STATUS_OK) return status;
    if (chat_value_is_number(a) && chat_value_is_number(b)) {
        *order = order_numbers(a, b);
        return STATUS_OK;
    }
    if (a.type == CHAT_TEXT && b.type == CHAT_TEXT) {
        *order = chat_compare_texts(a.as.text, b.as.text);
        return STATUS_OK;
    }
    if (a.type == CHAT_LIST && b.type == CHAT_LIST && plain_kind(a.as.list) == plain_kind(b.as.list) &&
        plain_kind(a.as.list) <= CHAT_LIST_TUPLE)
        return order_lists(run, a.as.list, b.as.list, order);
    if (a.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, a);
    if (b.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, b);
    return chat_run_fail(run, STATUS_FORMAT, "a %s and a %s have no order", chat_value_type_name(a),
                         chat_value_type_name(b));
}

Status chat_compare_contains(ChatRun *run, ChatValue container, ChatValue item, bool *contains) {
    *contains = false;
    if (container.type == CHAT_TEXT) {
        if (item.type != CHAT_TEXT)
            return chat_run_fail(run, STATUS_FORMAT, "a text cannot contain a %s",
                                 chat_value_type_name(item));
        *contains = chat_text_find(container.as.text->bytes, container.as.text->length, item.as.text->bytes,
                                   item.as.text->length) != SIZE_MAX;
        return STATUS_OK;
    }
    const ChatList *items;
    Status status = chat_value_iterate(run, container, &items);
    for (size_t i = 0; status == STATUS_OK && i < items->count && !*contains; i++)
        *contains = chat_compare_equal(run, items->items[i], item);
    return status;
}
