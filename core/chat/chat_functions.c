#include "core/chat/chat_functions.h"

#include "core/chat/chat_arguments.h"
#include "core/chat/chat_builder.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_print.h"

#include <string.h>
#include <time.h>

enum { LONGEST_RANGE = 100000 }; /* jinja2's sandbox */

#define FUNCTION(name)                                                                                       \
    static Status name(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result)

/* ---- range ---- */

static Status fill_range(ChatRun *run, int64_t start, int64_t stop, int64_t step, ChatValue *result) {
    ChatList *list;
    uint64_t distance = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    bool is_empty = step > 0 ? stop <= start : stop >= start;
    uint64_t count = is_empty ? 0 : (distance - 1) / stride + 1;
    if (count > LONGEST_RANGE)
        return chat_run_fail(run, STATUS_FORMAT, "range: longer than %d", (int)LONGEST_RANGE);
    CHAT_TRY(chat_run_step(run, (size_t)count));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_RANGE, (size_t)count, &list));
    list->start = start;
    list->stop = stop;
    list->step = step;
    for (uint64_t i = 0; i < count; i++)
        list->items[list->count++] = chat_value_int((int64_t)((uint64_t)start + i * (uint64_t)step));
    *result = chat_value_list(list);
    return STATUS_OK;
}

FUNCTION(make_range) {
    int64_t parts[3] = {0, 0, 1};
    (void)self;
    if (call->named_count > 0 || call->count == 0 || call->count > 3)
        return chat_run_fail(run, STATUS_FORMAT, "range takes one to three arguments");
    for (size_t i = 0; i < call->count; i++)
        CHAT_TRY(chat_arguments_integer(run, call->values[i], 0, &parts[call->count == 1 ? 1 : i]));
    if (parts[2] == 0) return chat_run_fail(run, STATUS_FORMAT, "range() arg 3 must not be zero");
    return fill_range(run, parts[0], parts[1], parts[2], result);
}

/* ---- dict and namespace ---- */

static Status add_pairs(ChatRun *run, ChatDict *dict, ChatValue pairs) {
    const ChatList *items, *pair;
    CHAT_TRY(chat_value_iterate(run, pairs, &items));
    for (size_t i = 0; i < items->count; i++) {
        ChatValue key = items->items[i];
        if (pairs.type == CHAT_DICT) {
            CHAT_TRY(chat_dict_set(run, dict, key, pairs.as.dict->entries[i].value));
            continue;
        }
        CHAT_TRY(chat_value_iterate(run, key, &pair));
        if (pair->count != 2) return chat_run_fail(run, STATUS_FORMAT, "dict: expected pairs");
        CHAT_TRY(chat_dict_set(run, dict, pair->items[0], pair->items[1]));
    }
    return STATUS_OK;
}

static Status fill_dict(ChatRun *run, const ChatCall *call, ChatDict **dict) {
    CHAT_TRY(chat_dict_new(run, call->named_count, dict));
    if (call->count > 1) return chat_run_fail(run, STATUS_FORMAT, "dict expected at most 1 argument");
    if (call->count == 1) CHAT_TRY(add_pairs(run, *dict, call->values[0]));
    for (size_t i = 0; i < call->named_count; i++)
        CHAT_TRY(chat_dict_set(run, *dict, chat_value_text(call->names[i]), call->named[i]));
    return STATUS_OK;
}

FUNCTION(make_dict) {
    ChatDict *dict;
    (void)self;
    CHAT_TRY(fill_dict(run, call, &dict));
    *result = (ChatValue){.type = CHAT_DICT, .as.dict = dict};
    return STATUS_OK;
}

FUNCTION(make_namespace) {
    ChatDict *dict;
    (void)self;
    CHAT_TRY(fill_dict(run, call, &dict));
    for (size_t i = 0; i < dict->count; i++) {
        ChatValue key = dict->entries[i].key;
        if (key.type == CHAT_TEXT && key.as.text->length > 0 && key.as.text->bytes[0] == '_')
            return chat_run_fail(run, STATUS_FORMAT, "namespace: an attribute begins with an underscore");
    }
    *result = (ChatValue){.type = CHAT_NAMESPACE, .as.dict = dict};
    return STATUS_OK;
}

/* ---- cycler and joiner ---- */

typedef struct Cycler {
    const ChatCall *items;
    size_t at;
} Cycler;

static Status cycle(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    Cycler *cycler = object->state;
    if (call->count + call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "%s takes no arguments", object->name);
    bool resets = strcmp(object->name, "cycler.reset") == 0;
    *result = resets ? chat_value_none() : cycler->items->values[cycler->at];
    cycler->at = resets ? 0 : (cycler->at + 1) % cycler->items->count;
    return STATUS_OK;
}

static bool is_named(const ChatText *text, const char *name) {
    return text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0;
}

static Status get_of_cycler(ChatRun *run, ChatObject *object, const ChatText *name, ChatValue *result) {
    Cycler *cycler = object->state;
    const char *method = is_named(name, "next")    ? "cycler.next"
                         : is_named(name, "reset") ? "cycler.reset"
                                                   : NULL;
    if (is_named(name, "current")) *result = cycler->items->values[cycler->at];
    if (is_named(name, "pos")) *result = chat_value_int((int64_t)cycler->at);
    if (method == NULL) return STATUS_OK;
    return chat_value_new_object(
        run, (ChatObject){.kind = "method", .name = method, .state = cycler, .call = cycle}, result);
}

FUNCTION(make_cycler) {
    void *block, *items;
    (void)self;
    if (call->count == 0 || call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "cycler: at least one item has to be provided");
    CHAT_TRY(chat_run_take(run, 1, sizeof(ChatCall), &items));
    CHAT_TRY(chat_run_take(run, 1, sizeof(Cycler), &block));
    *(ChatCall *)items = *call;
    *(Cycler *)block = (Cycler){.items = items};
    return chat_value_new_object(
        run, (ChatObject){.kind = "cycler", .name = "cycler", .state = block, .get = get_of_cycler}, result);
}

/* Nothing the first time, then the separator. */
static Status join(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    bool *used = object->state;
    if (call->count + call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "a joiner takes no arguments");
    if (!*used) {
        *used = true;
        return chat_value_keep(run, "", 0, result);
    }
    *result = object->self;
    return STATUS_OK;
}

static Status build_joiner(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    void *used;
    ChatValue separator = arguments[0];
    (void)self;
    if (separator.type == CHAT_MISSING) CHAT_TRY(chat_value_keep(run, ", ", 2, &separator));
    CHAT_TRY(chat_run_take(run, 1, sizeof(bool), &used));
    return chat_value_new_object(
        run, (ChatObject){.kind = "joiner", .name = "joiner", .state = used, .self = separator, .call = join},
        result);
}

/* ---- those of transformers ---- */

static Status refuse(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    const ChatText *text;
    (void)self, (void)result;
    CHAT_TRY(chat_print_text(run, arguments[0], &text));
    return chat_run_fail(run, STATUS_FORMAT, "the template refuses this conversation: %.*s",
                         (int)(text->length > 600 ? 600 : text->length), text->bytes);
}

/* Python's own directives of a time without a zone: %z and %Z are nothing, %f is microseconds. */
static Status translate(ChatRun *run, const ChatText *format, ChatValue *translated) {
    ChatBuilder builder = {.run = run};
    for (size_t i = 0; i < format->length; i++) {
        char next = i + 1 < format->length ? format->bytes[i + 1] : '\0';
        if (format->bytes[i] == '\0')
            return chat_run_fail(run, STATUS_FORMAT, "strftime_now: a NUL in the format");
        bool is_directive = format->bytes[i] == '%';
        if (is_directive && next == 'f') chat_builder_add_string(&builder, "000000");
        if (is_directive && (next == 'f' || next == 'z' || next == 'Z')) {
            i++;
            continue;
        }
        chat_builder_add(&builder, format->bytes + i, 1);
        if (is_directive && next != '\0') chat_builder_add(&builder, &format->bytes[++i], 1);
    }
    chat_builder_add(&builder, " ",
                     2); /* a mark, so that nothing written can be told from no room; and the NUL */
    return chat_builder_finish(&builder, translated);
}

static Status format_time(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    const ChatText *format;
    ChatValue translated;
    struct tm parts;
    time_t now = (time_t)run->now;
    (void)self;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &format));
    CHAT_TRY(translate(run, format, &translated));
    if ((run->is_utc ? gmtime_r : localtime_r)(&now, &parts) == NULL)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "strftime_now: the time is out of range");
    for (size_t size = 256; size <= 1 << 20; size *= 16) {
        void *text;
        CHAT_TRY(chat_run_take(run, size, 1, &text));
        size_t length = strftime(text, size, translated.as.text->bytes, &parts);
        if (length > 0) return chat_value_copy(run, text, length - 1, result);
    }
    return chat_run_fail(run, STATUS_UNSUPPORTED, "strftime_now: the text is too long");
}

static const ChatRow FUNCTIONS[] = {
    {"range", NULL, 0, NULL, make_range},
    {"dict", NULL, 0, NULL, make_dict},
    {"namespace", NULL, 0, NULL, make_namespace},
    {"cycler", NULL, 0, NULL, make_cycler},
    {"joiner", "sep", 0, build_joiner, NULL},
    {"raise_exception", "message", 1, refuse, NULL},
    {"strftime_now", "format", 1, format_time, NULL},
    {"lipsum", NULL, 0, NULL, NULL},
};

static Status call_function(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    return chat_arguments_apply(run, object->kind, object->what, object->self, call, result);
}

Status chat_functions_find(ChatRun *run, const ChatText *name, ChatValue *value) {
    const ChatRow *row = chat_arguments_find(FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, name);
    value->type = CHAT_MISSING;
    if (row == NULL) return STATUS_OK;
    return chat_value_new_object(
        run, (ChatObject){.kind = "function", .name = row->name, .what = row, .call = call_function}, value);
}
