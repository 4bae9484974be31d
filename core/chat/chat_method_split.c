#include "core/chat/chat_method_split.h"

#include "core/chat/chat_arguments.h"
#include "core/chat/chat_text.h"

static Status append(ChatRun *run, ChatList *list, const char *bytes, size_t length) {
    ChatValue part;
    CHAT_TRY(chat_value_keep(run, bytes, length, &part));
    CHAT_TRY(chat_run_step(run, 1));
    return chat_value_append(run, list, part);
}

static void reverse(ChatList *list) {
    for (size_t i = 0; i < list->count / 2; i++) {
        ChatValue item = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = item;
    }
}

/* ---- at white space ---- */

static size_t word_length(const char *text, size_t length) {
    size_t at = 0, width;
    while (at < length && !chat_text_is_space(chat_text_point(text + at, length - at, &width))) at += width;
    return at;
}

static Status split_words(ChatRun *run, const ChatText *text, int64_t most, ChatList *list) {
    for (size_t at = 0;; most--) {
        at += chat_text_space_before(text->bytes + at, text->length - at);
        if (at >= text->length) return STATUS_OK;
        size_t left = text->length - at;
        if (most == 0) return append(run, list, text->bytes + at, left);
        size_t length = word_length(text->bytes + at, left);
        CHAT_TRY(append(run, list, text->bytes + at, length));
        at += length;
    }
}

/* Where the last word of the text begins. */
static size_t last_word(const char *text, size_t length) {
    while (length > 0) {
        size_t at = length - 1, width;
        while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80) at--;
        if (chat_text_is_space(chat_text_point(text + at, length - at, &width))) return length;
        length = at;
    }
    return 0;
}

static Status split_words_right(ChatRun *run, const ChatText *text, int64_t most, ChatList *list) {
    for (size_t end = text->length;; most--) {
        end -= chat_text_space_behind(text->bytes, end);
        if (end == 0) return STATUS_OK;
        if (most == 0) return append(run, list, text->bytes, end);
        size_t begin = last_word(text->bytes, end);
        CHAT_TRY(append(run, list, text->bytes + begin, end - begin));
        end = begin;
    }
}

/* ---- at a separator ---- */

static Status split_at(ChatRun *run, const ChatText *text, const ChatText *by, int64_t most, ChatList *list) {
    for (size_t at = 0;; most--) {
        size_t left = text->length - at;
        size_t found = most == 0 ? SIZE_MAX : chat_text_find(text->bytes + at, left, by->bytes, by->length);
        CHAT_TRY(append(run, list, text->bytes + at, found == SIZE_MAX ? left : found));
        if (found == SIZE_MAX) return STATUS_OK;
        at += found + by->length;
    }
}

static Status split_at_right(ChatRun *run, const ChatText *text, const ChatText *by, int64_t most,
                             ChatList *list) {
    for (size_t end = text->length;; most--) {
        size_t found = most == 0 ? SIZE_MAX : chat_text_find_last(text->bytes, end, by->bytes, by->length);
        size_t begin = found == SIZE_MAX ? 0 : found + by->length;
        CHAT_TRY(append(run, list, text->bytes + begin, end - begin));
        if (found == SIZE_MAX) return STATUS_OK;
        end = found;
    }
}

static Status split(ChatRun *run, ChatValue self, const ChatValue *arguments, bool from_right,
                    ChatValue *result) {
    const ChatText *by = NULL;
    ChatList *list;
    int64_t most;
    if (arguments[0].type != CHAT_NONE) CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &by));
    CHAT_TRY(chat_arguments_integer(run, arguments[1], -1, &most));
    if (by != NULL && by->length == 0) return chat_run_fail(run, STATUS_FORMAT, "empty separator");
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &list));
    if (by == NULL)
        CHAT_TRY((from_right ? split_words_right : split_words)(run, self.as.text, most, list));
    else
        CHAT_TRY((from_right ? split_at_right : split_at)(run, self.as.text, by, most, list));
    if (from_right) reverse(list);
    *result = chat_value_list(list);
    return STATUS_OK;
}

Status chat_method_split(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    return split(run, self, arguments, false, result);
}

Status chat_method_split_right(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    return split(run, self, arguments, true, result);
}

Status chat_method_split_lines(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result) {
    const ChatText *text = self.as.text;
    bool keeps_ends = chat_arguments_truth(arguments[0], false);
    ChatList *list;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &list));
    for (size_t at = 0, begin = 0, line, end;
         chat_text_next_line(text->bytes, text->length, &at, &line, &end); begin = at)
        CHAT_TRY(append(run, list, text->bytes + begin, line + (keeps_ends ? end : 0)));
    *result = chat_value_list(list);
    return STATUS_OK;
}

static Status partition(ChatRun *run, const ChatText *text, ChatValue separator, bool from_right,
                        ChatValue *result) {
    const ChatText *by;
    ChatList *list;
    CHAT_TRY(chat_arguments_text(run, separator, NULL, &by));
    if (by->length == 0) return chat_run_fail(run, STATUS_FORMAT, "empty separator");
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_TUPLE, 3, &list));
    size_t found =
        (from_right ? chat_text_find_last : chat_text_find)(text->bytes, text->length, by->bytes, by->length);
    bool is_there = found != SIZE_MAX;
    size_t before = is_there ? found : from_right ? 0 : text->length;
    size_t behind = is_there ? found + by->length : from_right ? 0 : text->length;
    CHAT_TRY(append(run, list, text->bytes, before));
    CHAT_TRY(append(run, list, text->bytes + before, behind - before));
    CHAT_TRY(append(run, list, text->bytes + behind, text->length - behind));
    *result = chat_value_list(list);
    return STATUS_OK;
}

Status chat_method_split_partition(ChatRun *run, ChatValue self, const ChatValue *arguments,
                                   ChatValue *result) {
    return partition(run, self.as.text, arguments[0], false, result);
}

Status chat_method_split_partition_right(ChatRun *run, ChatValue self, const ChatValue *arguments,
                                         ChatValue *result) {
    return partition(run, self.as.text, arguments[0], true, result);
}
