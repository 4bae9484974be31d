/*
 * chat_text — UTF-8 as Python's str sees it: code points, white space, lines, characters that print. All bytes
 * handed in are valid UTF-8, but for chat_text_is_valid.
 */
#ifndef REJUV_CORE_CHAT_TEXT_H
#define REJUV_CORE_CHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool chat_text_is_valid(const char *bytes, size_t length);

/* Code points in so many bytes. */
size_t chat_text_count(const char *bytes, size_t length);

/* Bytes of the code point that begins there; `left` (at least 1) bytes are there. */
size_t chat_text_width(const char *bytes, size_t left);

/* The code point itself, and its bytes. */
int32_t chat_text_point(const char *bytes, size_t left, size_t *width);

/* Writes a code point as UTF-8; returns its bytes. */
size_t chat_text_encode(int32_t point, char bytes[4]);

/* Where in `bytes` code point number `point` begins; `length` where there are not so many. */
size_t chat_text_offset(const char *bytes, size_t length, size_t points, size_t point);

/* Where `part` begins in the text, in bytes, the first or the last time; SIZE_MAX where it is not there. */
size_t chat_text_find(const char *text, size_t length, const char *part, size_t part_length);
size_t chat_text_find_last(const char *text, size_t length, const char *part, size_t part_length);

/* str.isspace of one code point: what strip() and split() take off. */
bool chat_text_is_space(int32_t point);

/* One line from *at on, without its end, as str.splitlines() has lines; *at is then behind the end, `*end_length`
 * long (0 at the end of the text). False where the text is at its end. */
bool chat_text_next_line(const char *text, size_t length, size_t *at, size_t *line_length,
                         size_t *end_length);

/* How many bytes of white space it begins, or ends, with. */
size_t chat_text_space_before(const char *text, size_t length);
size_t chat_text_space_behind(const char *text, size_t length);

/* str.isprintable of one code point: what repr() does not escape. */
bool chat_text_is_printable(int32_t point);

#endif
