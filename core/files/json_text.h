/*
 * json_text — JSON string literals, read and written byte for byte. cJSON hands strings out as C strings and
 * so cuts them at U+0000; a text that a tokenizer is given or gives back may hold any character, so texts
 * that cross JSON go through here. cJSON still reads everything else.
 *
 *     "caf\u00e9\u0000"   ──json_text_decode──►   63 61 66 c3 a9 00   (6 bytes)
 *                         ◄──json_text_encode──
 */
#ifndef REJUV_CORE_JSON_TEXT_H
#define REJUV_CORE_JSON_TEXT_H

#include "core/support/status.h"

#include <stddef.h>

/* Reads the string literal that begins at json[0] (a quotation mark) within `length` bytes. *text: the
 * decoded bytes, valid UTF-8, NUL-terminated beyond *bytes, to be freed by the caller. *used: how many bytes
 * the literal took, both quotation marks included. STATUS_FORMAT, with the byte offset, where it is no JSON
 * string: a raw control character, an unknown escape, half a surrogate pair, invalid UTF-8, no closing
 * quotation mark. */
Status json_text_decode(const char *json, size_t length, size_t *used, char **text, size_t *bytes,
                        Error *error) STATUS_MUST_CHECK;

/* Writes `bytes` bytes of UTF-8 as one literal with its quotation marks, NUL-terminated, to be freed by the
 * caller. Control characters (U+0000 to U+001F, U+007F to U+009F), the quotation mark and the backslash are
 * escaped, the line separators U+2028 and U+2029 too: the literal is one line and safe to print. Everything
 * else stands as it is. STATUS_FORMAT, with the byte offset, for invalid UTF-8. */
Status json_text_encode(const char *text, size_t bytes, char **literal, Error *error) STATUS_MUST_CHECK;

#endif
