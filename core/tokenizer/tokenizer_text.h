/*
 * tokenizer_text — what the rooms of the tokenizer pass to each other: growing UTF-8 text, and a text cut
 * into stretches, each of them either still text or already an added token.
 *
 *     text      H i   < s >   ▁ y o u
 *     stretches [0,2) [2,5)   [5,11)          Stretch { begin, bytes, id, first }
 *     id        -1    1       -1
 *
 * Internal to the tokenizer: only core/tokenizer*.c include it.
 */
#ifndef REJUV_CORE_TOKENIZER_TEXT_H
#define REJUV_CORE_TOKENIZER_TEXT_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKENIZER_NO_ID = -1, TOKENIZER_QUOTE_SIZE = 300 };

/* Growing bytes; zero-initialise. */
typedef struct TokenizerText {
    char *text;
    size_t bytes, capacity;
} TokenizerText;

typedef struct Stretch {
    size_t begin, bytes;
    int32_t id; /* of an added token, whatever its bytes are; TOKENIZER_NO_ID: text to be tokenized */
    /* up to where it stands for the first character of the whole text, from where it begins on */
    size_t first;
} Stretch;

/* A text and its stretches, in order; zero-initialise. */
typedef struct Stretches {
    TokenizerText text;
    Stretch *items;
    size_t count, capacity;
} Stretches;

/* Places of a text under way, ascending: how many of its bytes come of what is before each. A stage that makes another
 * text moves them, front to back; all zero, there are none to move. A byte that comes of characters on both sides of a
 * place is on the side on which tokenizers 0.23 has the last of them. */
typedef struct TextMarks {
    size_t *at;
    bool *covered; /* of each: a token has what is on both sides of it; NULL: not asked for */
    size_t count;
    size_t next; /* the first that has not been moved */
} TextMarks;

/* Those up to `until`, which were copied from `from` on to `to` on; those before `before` come to stand at `to`. */
void tokenizer_text_move_marks(TextMarks *marks, size_t until, size_t from, size_t to);
void tokenizer_text_hold_marks(TextMarks *marks, size_t before, size_t to);

/* A token goes from `begin` to `end`: those strictly within, which have not been moved, are covered. */
void tokenizer_text_cover_marks(TextMarks *marks, size_t begin, size_t end);

/* The stretch `bytes` long that begins `begin` into another: of its text, with its id. */
Stretch tokenizer_text_part(Stretch whole, size_t begin, size_t bytes, int32_t id);

/* The text stays NUL-terminated and shorter than 2 GiB (STATUS_ARGUMENT). */
Status tokenizer_text_append(TokenizerText *text, const char *bytes, size_t count,
                             Error *error) STATUS_MUST_CHECK;
Status tokenizer_text_append_string(TokenizerText *text, const char *string, Error *error) STATUS_MUST_CHECK;
Status tokenizer_text_append_character(TokenizerText *text, uint32_t code_point,
                                       Error *error) STATUS_MUST_CHECK;
void tokenizer_text_free(TokenizerText *text);

/* Puts `insertion` at byte `at`. */
Status tokenizer_text_insert(TokenizerText *text, size_t at, const char *insertion,
                             Error *error) STATUS_MUST_CHECK;

/* Empty stretches are left out, unless they are tokens. */
Status tokenizer_text_add_stretch(Stretches *stretches, Stretch stretch, Error *error) STATUS_MUST_CHECK;
void tokenizer_text_free_stretches(Stretches *stretches);

/* True, or false and the offset of the first byte that is not UTF-8. */
bool tokenizer_text_is_utf8(const char *text, size_t bytes, size_t *offset);

/* The code point at text[0] of valid UTF-8 and how many bytes it takes; at least one byte must be there. */
size_t tokenizer_text_read(const char *text, uint32_t *code_point);

/* Unicode White_Space, which is closed: new versions of Unicode do not add to it. */
bool tokenizer_text_is_space(uint32_t code_point);

/* The first occurrence of `needle` (not empty) in `text` at or after `from`; `bytes` where there is none. */
size_t tokenizer_text_find(const char *text, size_t bytes, size_t from, const char *needle,
                           size_t needle_bytes);

/* Untrusted text for a message: quoted, escaped, cut; `quote` is returned. */
const char *tokenizer_text_quote(char quote[TOKENIZER_QUOTE_SIZE], const char *text, size_t bytes);

#endif
