/*
 * tokenizer_charsmap — the table of normalization that SentencePiece puts into its models: which characters, or few of them
 * together, become what (its nmt_nfkc: ﬁ ─► fi, ㍿ ─► 株式会社, a tab ─► a space).
 *
 *     bytes of the trie, four bytes | the trie, units of four bytes, a double array | what they become, each up to a zero
 *
 * As tokenizers 0.23 applies it: a grapheme of less than six bytes becomes what the shortest beginning of it in the table
 * becomes; others go character by character.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_CHARSMAP_H
#define REJUV_CORE_TOKENIZER_CHARSMAP_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Charsmap {
    uint32_t *units;
    size_t unit_count;
    char *texts; /* what characters become, each NUL-terminated */
    size_t text_bytes;
} Charsmap;

/* Reads the table in `base64`, as tokenizer.json has it. The caller frees, after an error too. */
Status tokenizer_charsmap_read(const char *base64, Charsmap *charsmap, Error *error) STATUS_MUST_CHECK;
void tokenizer_charsmap_free(Charsmap *charsmap);

/* Appends the normalized form of `text`. STATUS_FORMAT where the table leads out of itself. */
Status tokenizer_charsmap_apply(const Charsmap *charsmap, const char *text, size_t bytes, TokenizerText *out,
                                TextMarks *marks, Error *error) STATUS_MUST_CHECK;

#endif
