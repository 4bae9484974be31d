/*
 * tokenizer_transform — a text rewritten character by character, and the places in it moved along, as tokenizers 0.23
 * counts: each character put stands for the next of the text before (change 0), for the same as the one before it
 * (above 0: one that was added), or for the next and so many more that it replaces (below 0).
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_TRANSFORM_H
#define REJUV_CORE_TOKENIZER_TRANSFORM_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Transform {
    const char *text; /* the text before */
    size_t bytes;
    size_t next, last; /* of it: the next character, and the one before that */
    TokenizerText *out;
    TextMarks *marks;
} Transform;

/* `skipped`: characters at the beginning that nothing stands for. */
Transform tokenizer_transform_begin(const char *text, size_t bytes, size_t skipped, TokenizerText *out,
                                    TextMarks *marks);
Status tokenizer_transform_put(Transform *transform, uint32_t character, long change,
                               Error *error) STATUS_MUST_CHECK;
void tokenizer_transform_end(Transform *transform);

#endif
