/*
 * tokenizer_added — tokens added beside the model's vocabulary, found in a text before anything else happens
 * to it: leftmost first, then longest. Two tries of bytes, one for the raw text and one, of their normalized
 * forms, for the normalized text of what the first left.
 *
 *     <|im_start|>user   ─►   [<|im_start|>] [user]
 *
 *     flags: lstrip, rstrip    the token swallows the white space beside it
 *            single_word       only between characters that are of no word
 *            normalized        looked for in the normalized text, in its normalized form
 *            special           left out by a decoder that skips special tokens
 *
 * Ids are not taken from the file: a token that the model's vocabulary has keeps that id, others are numbered in
 * the order of the file, from the number of the vocabulary's pieces on. Where the vocabulary has gaps that number may
 * be a piece's: both have it then. A token that comes again with other flags takes those. Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_ADDED_H
#define REJUV_CORE_TOKENIZER_ADDED_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_stages.h"
#include "core/tokenizer/tokenizer_text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDED_BYTES_MAX = 1024 };

typedef struct AddedToken {
    char *content;
    size_t bytes;
    /* the content, normalized where the flag says or said so: what decoding starts from */
    TokenizerText form;
    int32_t id;
    bool single_word, lstrip, rstrip, normalized, special;
    bool was_normalized, was_special; /* now, or before it was added again with other flags */
    bool skipped; /* when special tokens are: its form is the content of a special token (the reference asks
                     so) */
} AddedToken;

typedef struct AddedTokens {
    bool splits_special; /* special tokens in a text are text */
    AddedToken *tokens;  /* in file order */
    size_t count, capacity;
    size_t special_count;
    Pieces contents; /* content ↔ index into tokens */
    int32_t *by_id;  /* index into tokens; -1: no added token */
    size_t ids;      /* one more than the highest id of an added token */
    Trie raw, normalized;
    TokenizerRegex *word; /* a character of a word; NULL where no token is single_word */
} AddedTokens;

/* Reads the `added_tokens` array (NULL: none). The caller frees, after an error too. */
Status tokenizer_added_read(const cJSON *json, const Pieces *vocabulary, const Normalizer *normalizer,
                            AddedTokens *added, Error *error) STATUS_MUST_CHECK;
void tokenizer_added_free(AddedTokens *added);

/* Cuts every stretch of *stretches that is text at the added tokens of one trie into *out, whose text must be
 * the same (it is not touched). */
Status tokenizer_added_cut(const AddedTokens *added, const Trie *trie, RegexScratch *scratch,
                           const char *text, Stretch whole, Stretches *out, Error *error) STATUS_MUST_CHECK;

/* The added token with this id, or NULL. */
const AddedToken *tokenizer_added_get(const AddedTokens *added, int32_t id);

/* The added token of this content, or NULL. */
const AddedToken *tokenizer_added_find(const AddedTokens *added, const char *content, size_t bytes);

#endif
