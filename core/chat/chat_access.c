#include "core/chat/chat_access.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_format.h"
#include "core/chat/chat_method_container.h"
#include "core/chat/chat_method_text.h"
#include "core/chat/chat_number.h"
#include "core/chat/chat_text.h"

#include <string.h>

static bool is_named(const ChatText *text, const char *name) {
    return text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0;
}

/* ---- methods ---- */

static Status call_method(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    static const char *const ESCAPING[] = {"join", "replace", "center", "ljust", "rjust", "zfill"};
    bool is_marked = object->self.type == CHAT_TEXT && object->self.as.text->is_marked;
    for (size_t i = 0; is_marked && i < sizeof ESCAPING / sizeof *ESCAPING; i++) {
        if (strcmp(object->name, ESCAPING[i]) == 0) /* it would escape its arguments */
            return chat_run_fail(run, STATUS_UNSUPPORTED, "the method %s of a text marked safe",
                                 object->name);
    }
    CHAT_TRY(chat_arguments_apply(run, object->kind, object->what, object->self, call, result));
    return is_marked ? chat_value_mark(run, result) : STATUS_OK;
}

static Status call_format(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    if (object->self.as.text->is_marked)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "the method format of a text marked safe");
    return chat_format_apply(run, object->self.as.text, call, result);
}

/* format_map(dict): its keys as keywords. */
static Status call_format_map(ChatRun *run, ChatObject *object, const ChatCall *call, ChatValue *result) {
    if (call->count != 1 || call->named_count > 0 || call->values[0].type != CHAT_DICT)
        return chat_run_fail(run, STATUS_FORMAT, "format_map takes one dict");
    const ChatDict *dict = call->values[0].as.dict;
    void *names, *named;
    CHAT_TRY(chat_run_take(run, dict->count, sizeof(ChatText *), &names));
    CHAT_TRY(chat_run_take(run, dict->count, sizeof(ChatValue), &named));
    ChatCall keywords = {.names = names, .named = named};
    for (size_t i = 0; i < dict->count; i++) {
        if (dict->entries[i].key.type != CHAT_TEXT) continue;
        keywords.names[keywords.named_count] = dict->entries[i].key.as.text;
        keywords.named[keywords.named_count++] = dict->entries[i].value;
    }
    return call_format(run, object, &keywords, result);
}

static Status bind(ChatRun *run, ChatValue self, const ChatRow *row, ChatValue *result) {
    return chat_value_new_object(
        run,
        (ChatObject){.kind = "method", .name = row->name, .what = row, .self = self, .call = call_method},
        result);
}

static Status find_method(ChatRun *run, ChatValue of, const ChatText *name, ChatValue *result) {
    const ChatRow *row = NULL;
    if (of.type == CHAT_TEXT && (is_named(name, "format") || is_named(name, "format_map")))
        return chat_value_new_object(
            run,
            (ChatObject){.kind = "method",
                         .name = "format",
                         .self = of,
                         .call = is_named(name, "format") ? call_format : call_format_map},
            result);
    if (of.type == CHAT_TEXT) row = chat_method_text_find(name);
    if (of.type == CHAT_DICT || of.type == CHAT_LIST) row = chat_method_container_find(of, name);
    return row != NULL ? bind(run, of, row, result) : STATUS_OK;
}

/* ---- attributes ---- */

/* What values of other types have in Python, and nobody needs: refused, not undefined. */
static Status refuse_number(ChatRun *run, ChatValue of, const ChatText *name) {
    static const char *const NAMES[] = {
        "real",     "imag",       "numerator",        "denominator", "conjugate", "bit_length", "bit_count",
        "to_bytes", "from_bytes", "as_integer_ratio", "is_integer",  "hex",       "fromhex"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (is_named(name, NAMES[i]))
            return chat_run_fail(run, STATUS_UNSUPPORTED, "the attribute %s of a %s is not supported",
                                 NAMES[i], chat_value_type_name(of));
    }
    return STATUS_OK;
}

static void find_field(const ChatList *list, const ChatText *name, ChatValue *result) {
    if (list->kind == CHAT_LIST_GROUP && is_named(name, "grouper")) *result = list->items[0];
    if (list->kind == CHAT_LIST_GROUP && is_named(name, "list")) *result = list->items[1];
    if (list->kind == CHAT_LIST_RANGE && is_named(name, "start")) *result = chat_value_int(list->start);
    if (list->kind == CHAT_LIST_RANGE && is_named(name, "stop")) *result = chat_value_int(list->stop);
    if (list->kind == CHAT_LIST_RANGE && is_named(name, "step")) *result = chat_value_int(list->step);
}

Status chat_access_attribute_only(ChatRun *run, ChatValue of, const ChatText *name, ChatValue *result) {
    static const char WHY[] = "access to an attribute that changes a value is unsafe";
    static const ChatText UNSAFE = {.bytes = WHY, .length = sizeof WHY - 1, .is_marked = true};
    result->type = CHAT_MISSING;
    if (of.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, of);
    if (chat_method_container_is_unsafe(of, name)) {
        *result = chat_value_undefined(&UNSAFE);
        return STATUS_OK;
    }
    if (of.type == CHAT_NAMESPACE) {
        const ChatValue *found = chat_dict_find_text(of.as.dict, name->bytes, name->length);
        if (found != NULL) *result = *found;
        return STATUS_OK;
    }
    if (of.type == CHAT_OBJECT && of.as.object->get != NULL && name->length > 0)
        return of.as.object->get(run, of.as.object, name, result);
    if (of.type == CHAT_LIST) find_field(of.as.list, name, result);
    if (chat_value_is_number(of)) CHAT_TRY(refuse_number(run, of, name));
    return result->type == CHAT_MISSING ? find_method(run, of, name, result) : STATUS_OK;
}

Status chat_access_attribute(ChatRun *run, ChatValue of, const ChatText *name, ChatValue *result) {
    CHAT_TRY(chat_access_attribute_only(run, of, name, result));
    if (result->type != CHAT_MISSING) return STATUS_OK;
    const ChatValue *found =
        of.type == CHAT_DICT ? chat_dict_find_text(of.as.dict, name->bytes, name->length) : NULL;
    *result = found != NULL ? *found : chat_value_undefined(name);
    return STATUS_OK;
}

/* ---- items ---- */

static Status point_at(ChatRun *run, const ChatText *text, size_t point, ChatValue *result) {
    size_t at = chat_text_offset(text->bytes, text->length, text->points, point);
    CHAT_TRY(chat_run_step(run, text->points == text->length ? 1 : at / 16 + 1));
    CHAT_TRY(
        chat_value_keep(run, text->bytes + at, chat_text_width(text->bytes + at, text->length - at), result));
    return text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
}

static Status find_item(ChatRun *run, ChatValue of, ChatValue key, ChatValue *result) {
    result->type = CHAT_MISSING;
    if (of.type == CHAT_DICT) {
        const ChatValue *found = chat_dict_find(run, of.as.dict, key);
        if (found != NULL) *result = *found;
        return STATUS_OK;
    }
    if (!chat_value_is_integer(key)) return STATUS_OK;
    if (of.type != CHAT_TEXT && !chat_value_is_sequence(of)) return STATUS_OK;
    size_t length = of.type == CHAT_TEXT ? of.as.text->points : of.as.list->count;
    int64_t place = chat_value_integer(key);
    if (place < 0) place += (int64_t)length;
    if (place < 0 || (uint64_t)place >= length) return STATUS_OK;
    if (of.type == CHAT_TEXT) return point_at(run, of.as.text, (size_t)place, result);
    *result = of.as.list->items[place];
    return STATUS_OK;
}

Status chat_access_item(ChatRun *run, ChatValue of, ChatValue key, ChatValue *result) {
    if (of.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, of);
    CHAT_TRY(find_item(run, of, key, result));
    if (result->type != CHAT_MISSING) return STATUS_OK;
    if (key.type == CHAT_TEXT) CHAT_TRY(chat_access_attribute_only(run, of, key.as.text, result));
    if (result->type == CHAT_MISSING)
        *result = chat_value_undefined(key.type == CHAT_TEXT ? key.as.text : NULL);
    return STATUS_OK;
}

Status chat_access_get(ChatRun *run, const ChatValue *of, const ChatValue *key, bool is_attribute,
                       ChatValue *result) {
    if (is_attribute) return chat_access_attribute(run, *of, key->as.text, result);
    return chat_access_item(run, *of, *key, result);
}

Status chat_access_path(ChatRun *run, ChatValue of, ChatValue path, ChatValue fallback, ChatValue *result) {
    *result = of;
    if (path.type == CHAT_NONE || path.type == CHAT_MISSING) return STATUS_OK;
    if (path.type != CHAT_TEXT) {
        CHAT_TRY(chat_access_item(run, of, path, result));
        if (result->type == CHAT_UNDEFINED && fallback.type != CHAT_MISSING && fallback.type != CHAT_NONE)
            *result = fallback;
        return STATUS_OK;
    }
    const ChatText *text = path.as.text;
    for (size_t at = 0; at <= text->length;) {
        const char *dot = memchr(text->bytes + at, '.', text->length - at);
        size_t end = dot == NULL ? text->length : (size_t)(dot - text->bytes);
        ChatValue key, number, inner = *result;
        bool is_number = false;
        CHAT_TRY(chat_value_keep(run, text->bytes + at, end - at, &key));
        if (end > at && strspn(text->bytes + at, "0123456789") >= end - at)
            CHAT_TRY(chat_number_read_int(run, key.as.text, 10, &number, &is_number));
        CHAT_TRY(chat_access_item(run, inner, is_number ? number : key, result));
        if (result->type == CHAT_UNDEFINED && fallback.type != CHAT_MISSING && fallback.type != CHAT_NONE)
            *result = fallback;
        at = end + 1;
    }
    return STATUS_OK;
}

/* ---- slices ---- */

typedef struct Slice {
    int64_t start, stop, step, count;
} Slice;

static Status read_part(ChatRun *run, ChatValue part, int64_t fallback, int64_t *value) {
    *value = fallback;
    if (part.type == CHAT_NONE) return STATUS_OK;
    if (!chat_value_is_integer(part))
        return chat_run_fail(run, STATUS_FORMAT, "slice indices must be integers or None, found a %s",
                             chat_value_type_name(part));
    *value = chat_value_integer(part);
    return STATUS_OK;
}

static int64_t clamp(int64_t place, int64_t length, int64_t least, int64_t most) {
    if (place < 0) place = place < -length ? least : place + length;
    return place < least ? least : place > most ? most : place;
}

static Status read_slice(ChatRun *run, const ChatValue parts[3], int64_t length, Slice *slice) {
    CHAT_TRY(read_part(run, parts[2], 1, &slice->step));
    if (slice->step == 0) return chat_run_fail(run, STATUS_FORMAT, "slice step cannot be zero");
    bool is_forward = slice->step > 0;
    CHAT_TRY(read_part(run, parts[0], is_forward ? 0 : INT64_MAX, &slice->start));
    CHAT_TRY(read_part(run, parts[1], is_forward ? length : INT64_MIN, &slice->stop));
    int64_t least = is_forward ? 0 : -1, most = is_forward ? length : length - 1;
    slice->start = clamp(slice->start, length, least, most);
    slice->stop = clamp(slice->stop, length, least, most);
    int64_t distance = is_forward ? slice->stop - slice->start : slice->start - slice->stop;
    uint64_t stride = is_forward ? (uint64_t)slice->step : 0 - (uint64_t)slice->step;
    slice->count = distance <= 0 ? 0 : (int64_t)(((uint64_t)distance - 1) / stride) + 1;
    return STATUS_OK;
}

static Status slice_text(ChatRun *run, const ChatText *text, const Slice *slice, ChatValue *result) {
    size_t begin = chat_text_offset(text->bytes, text->length, text->points, (size_t)slice->start);
    if (slice->step == 1) {
        size_t end =
            chat_text_offset(text->bytes, text->length, text->points, (size_t)(slice->start + slice->count));
        CHAT_TRY(chat_value_keep(run, text->bytes + begin, end - begin, result));
        return text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
    }
    const ChatList *points;
    ChatBuilder builder = {.run = run};
    CHAT_TRY(chat_value_iterate(run, chat_value_text(text), &points));
    for (int64_t i = 0; i < slice->count; i++)
        chat_builder_add_text(&builder, points->items[slice->start + i * slice->step].as.text);
    CHAT_TRY(chat_builder_finish(&builder, result));
    return text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
}

Status chat_access_slice(ChatRun *run, ChatValue of, const ChatValue parts[3], ChatValue *result) {
    Slice slice = {0};
    ChatList *list;
    if (of.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, of);
    if (of.type != CHAT_TEXT && !chat_value_is_sequence(of))
        return chat_run_fail(run, STATUS_FORMAT, "a value of type %s has no slices",
                             chat_value_type_name(of));
    size_t length = of.type == CHAT_TEXT ? of.as.text->points : of.as.list->count;
    CHAT_TRY(read_slice(run, parts, (int64_t)length, &slice));
    if (of.type == CHAT_TEXT) return slice_text(run, of.as.text, &slice, result);
    ChatListKind kind = of.as.list->kind == CHAT_LIST_GROUP ? CHAT_LIST_TUPLE : of.as.list->kind;
    CHAT_TRY(chat_run_step(run, (size_t)slice.count));
    CHAT_TRY(chat_value_new_list(run, kind, (size_t)slice.count, &list));
    for (int64_t i = 0; i < slice.count; i++)
        CHAT_TRY(chat_value_append(run, list, of.as.list->items[slice.start + i * slice.step]));
    list->start = of.as.list->start + slice.start * of.as.list->step; /* of a range: a range */
    list->step = of.as.list->step * slice.step;
    list->stop = of.as.list->start + slice.stop * of.as.list->step;
    *result = chat_value_list(list);
    return STATUS_OK;
}
