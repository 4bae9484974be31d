/*
 * tokenizer_special_set — special tokens by their contents: of several with one content the last.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_SPECIAL_SET_H
#define REJUV_CORE_TOKENIZER_SPECIAL_SET_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_specials.h"

#include <stddef.h>

/* Zero-initialise. The texts are not the set's. */
typedef struct SpecialSet {
    SpecialToken *tokens;
    size_t count;
    Pieces contents; /* content ↔ index into tokens */
} SpecialSet;

/* Room for `count` tokens. */
Status tokenizer_special_set_create(SpecialSet *set, size_t count, Error *error) STATUS_MUST_CHECK;
void tokenizer_special_set_free(SpecialSet *set);

/* NULL where there is none. */
const SpecialToken *tokenizer_special_set_find(const SpecialSet *set, const char *content);

/* Takes the place of one with the same content; passes over an empty one, as the library does. */
Status tokenizer_special_set_put(SpecialSet *set, SpecialToken token, Error *error) STATUS_MUST_CHECK;

#endif
