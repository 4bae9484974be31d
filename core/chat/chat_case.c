#include "core/chat/chat_case.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_text.h"

#include <utf8proc.h>

enum { SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, DOTTED_I = 0x130, DOT_ABOVE = 0x307 };

static const ChatCaseRow *find_row(int32_t point) {
    size_t low = 0, high = CHAT_CASE_ROW_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (CHAT_CASE_ROWS[middle].point == point) return &CHAT_CASE_ROWS[middle];
        if (CHAT_CASE_ROWS[middle].point < point)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_title_case(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LT;
}

bool chat_case_in_class(const ChatClassRange *ranges, int32_t point) {
    for (size_t i = 0; ranges[i].last > 0; i++) {
        if (point <= ranges[i].last) return point >= ranges[i].first;
    }
    return false;
}

static bool is_upper(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LU || chat_case_in_class(CHAT_CLASS_UPPER, point);
}

static bool is_lower(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_LL || chat_case_in_class(CHAT_CLASS_LOWER, point);
}

static bool is_cased(int32_t point) {
    return is_upper(point) || is_lower(point) || is_title_case(point);
}

/* What a case has nothing to do with, between letters: it ends no word for a final sigma. */
static bool is_ignored(int32_t point) {
    if (point == '\'' || point == '.' || point == ':' || point == 0xB7 || point == 0x2019 || point == 0xAD)
        return true;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        return false;
    }
}

static bool letter_before(const ChatText *text, size_t at) {
    size_t width;
    while (at > 0) {
        do at--;
        while (at > 0 && ((unsigned char)text->bytes[at] & 0xC0) == 0x80);
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        if (!is_ignored(point)) return is_cased(point);
    }
    return false;
}

static bool letter_behind(const ChatText *text, size_t at) {
    size_t width;
    for (; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        if (!is_ignored(point)) return is_cased(point);
    }
    return false;
}

static void add_row(ChatBuilder *builder, const uint16_t points[3]) {
    for (size_t i = 0; i < 3 && points[i] != 0; i++) chat_builder_add_point(builder, points[i]);
}

static void add_upper(ChatBuilder *builder, int32_t point) {
    const ChatCaseRow *row = point < 0x80 ? NULL : find_row(point);
    if (row != NULL)
        add_row(builder, row->upper);
    else
        chat_builder_add_point(builder, utf8proc_toupper(point));
}

static void add_title(ChatBuilder *builder, int32_t point) {
    const ChatCaseRow *row = point < 0x80 ? NULL : find_row(point);
    if (row != NULL)
        add_row(builder, row->title);
    else
        chat_builder_add_point(builder, utf8proc_totitle(point));
}

/* The code point of `width` bytes at `at`. */
static void add_lower(ChatBuilder *builder, const ChatText *text, size_t at, size_t width, int32_t point) {
    if (point == SIGMA && letter_before(text, at) && !letter_behind(text, at + width)) {
        chat_builder_add_point(builder, FINAL_SIGMA);
    } else if (point == DOTTED_I) {
        chat_builder_add_point(builder, 'i');
        chat_builder_add_point(builder, DOT_ABOVE);
    } else {
        chat_builder_add_point(builder, utf8proc_tolower(point));
    }
}

Status chat_case_change(ChatRun *run, const ChatText *text, ChatCase to, ChatValue *value) {
    ChatBuilder builder = {.run = run};
    bool in_word = false;
    size_t width;
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        bool begins = to == CHAT_CASE_TITLE ? !in_word : to == CHAT_CASE_CAPITALIZE && at == 0;
        if (to == CHAT_CASE_UPPER || (to == CHAT_CASE_SWAP && is_lower(point)))
            add_upper(&builder, point);
        else if (to == CHAT_CASE_SWAP && !is_upper(point))
            chat_builder_add_point(&builder, point);
        else if (begins)
            add_title(&builder, point);
        else
            add_lower(&builder, text, at, width, point);
        in_word = to == CHAT_CASE_TITLE && is_cased(point);
    }
    return chat_builder_finish(&builder, value);
}

bool chat_case_is(const ChatText *text, bool upper) {
    bool found = false;
    size_t width;
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        if (is_title_case(point) || (upper ? is_lower(point) : is_upper(point))) return false;
        found = found || (upper ? is_upper(point) : is_lower(point));
    }
    return found;
}

bool chat_case_is_title(const ChatText *text) {
    bool found = false, in_word = false;
    size_t width;
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        bool begins = is_upper(point) || is_title_case(point);
        if (begins ? in_word : is_lower(point) && !in_word) return false;
        in_word = is_cased(point);
        found = found || in_word;
    }
    return found;
}
