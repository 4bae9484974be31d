#include "core/chat/chat_text.h"

#include <string.h>
#include <utf8proc.h>

bool chat_text_is_valid(const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        if ((unsigned char)bytes[at] < 0x80) {
            at++;
            continue;
        }
        utf8proc_int32_t point;
        utf8proc_ssize_t width =
            utf8proc_iterate((const utf8proc_uint8_t *)bytes + at, (utf8proc_ssize_t)(length - at), &point);
        if (width <= 0) return false;
        at += (size_t)width;
    }
    return true;
}

size_t chat_text_count(const char *bytes, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

size_t chat_text_width(const char *bytes, size_t left) {
    unsigned char first = (unsigned char)*bytes;
    size_t width = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return width < left ? width : left;
}

int32_t chat_text_point(const char *bytes, size_t left, size_t *width) {
    *width = chat_text_width(bytes, left);
    if (*width == 1) return (unsigned char)*bytes;
    utf8proc_int32_t point;
    return utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)*width, &point) > 0 ? point
                                                                                                   : 0xFFFD;
}

size_t chat_text_encode(int32_t point, char bytes[4]) {
    return (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)bytes);
}

size_t chat_text_offset(const char *bytes, size_t length, size_t points, size_t point) {
    if (point >= points) return length;
    if (points == length) return point;
    size_t at = 0;
    while (point > 0) {
        at += chat_text_width(bytes + at, length - at);
        point--;
    }
    return at;
}

size_t chat_text_find(const char *text, size_t length, const char *part, size_t part_length) {
    if (part_length == 0) return 0;
    if (part_length > length) return SIZE_MAX;
    const char *found = memmem(text, length, part, part_length);
    return found == NULL ? SIZE_MAX : (size_t)(found - text);
}

size_t chat_text_find_last(const char *text, size_t length, const char *part, size_t part_length) {
    if (part_length > length) return SIZE_MAX;
    for (size_t at = length - part_length;; at--) {
        if (memcmp(text + at, part, part_length) == 0) return at;
        if (at == 0) return SIZE_MAX;
    }
}

bool chat_text_is_space(int32_t point) {
    return (point >= 9 && point <= 13) || (point >= 0x1C && point <= 0x20) || point == 0x85 ||
           point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
           point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

static bool ends_line(int32_t point) {
    return (point >= 10 && point <= 13) || (point >= 0x1C && point <= 0x1E) || point == 0x85 ||
           point == 0x2028 || point == 0x2029;
}

bool chat_text_next_line(const char *text, size_t length, size_t *at, size_t *line_length,
                         size_t *end_length) {
    if (*at >= length) return false;
    size_t begin = *at, width = 0;
    *end_length = 0;
    for (; *at < length; *at += width) {
        int32_t point = chat_text_point(text + *at, length - *at, &width);
        if (!ends_line(point)) continue;
        *end_length = width + (point == '\r' && *at + 1 < length && text[*at + 1] == '\n');
        break;
    }
    *line_length = *at - begin;
    *at += *end_length;
    return true;
}

size_t chat_text_space_before(const char *text, size_t length) {
    size_t at = 0, width;
    while (at < length && chat_text_is_space(chat_text_point(text + at, length - at, &width))) at += width;
    return at;
}

size_t chat_text_space_behind(const char *text, size_t length) {
    size_t end = length, width;
    while (end > 0) {
        size_t at = end - 1;
        while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80) at--;
        if (!chat_text_is_space(chat_text_point(text + at, end - at, &width))) break;
        end = at;
    }
    return length - end;
}

bool chat_text_is_printable(int32_t point) {
    if (point < 0x7F) return point >= 0x20;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
        return false;
    default:
        return true;
    }
}
