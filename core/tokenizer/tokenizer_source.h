/*
 * tokenizer_source — of a directory without a tokenizer.json: the file that AutoTokenizer of transformers 5.24 takes in its
 * place, and the tree of a tokenizer.json that it makes of it.
 *
 *     tokenizer.model            SentencePiece (tokenizer_sentencepiece.h), for a class or for TokenizersBackend; some
 *                                classes have another name for it (spiece.model)
 *     tekken.json                Mistral's byte-level BPE: pieces by rank, special tokens before them
 *     vocab.json, merges.txt     as GPT-2 was published, where the class reads them
 *
 * tokenizer.model and tekken.json come before what the class names, as there. What transformers would make an empty
 * vocabulary of, or fails at, is refused by name.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_SOURCE_H
#define REJUV_CORE_TOKENIZER_SOURCE_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_class.h"
#include "core/tokenizer/tokenizer_sentencepiece.h"
#include "core/tokenizer/tokenizer_specials.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef struct TokenizerSource {
    const char *name; /* static, in words: "tokenizer.model"; NULL: there is none */
    char *path;
    const TokenizerClass *rule; /* NULL: TokenizersBackend */
    SentencePieceModel model;   /* of tokenizer.model */
    bool is_model;
    bool is_old;   /* a tekken.json without special tokens of its own */
    bool is_whole; /* the class puts nothing in place of the tree's parts */
    cJSON *tree;
    cJSON *tokens; /* added first of all: an array as added_tokens of tokenizer.json; NULL: none */
    cJSON *extra;  /* special tokens where the configuration lists none; NULL: none */
    cJSON *names;  /* bos_token, … where the configuration is silent; NULL: none */
    bool is_raw;   /* added tokens of the configuration are found in the raw text, whatever they say */
} TokenizerSource;

/* Finds the file and reads what is needed before its tree is made. The caller frees, after an error too. */
Status tokenizer_source_open(const char *directory, const ClassChoice *choice, TokenizerSource *source,
                             Error *error) STATUS_MUST_CHECK;

/* Makes source->tree. `settings`: tokenizer_config.json, or NULL; `extra_ids`: tokens of the class, or NULL. */
Status tokenizer_source_make(TokenizerSource *source, const SpecialTokens *specials, const cJSON *settings,
                             const cJSON *extra_ids, Error *error) STATUS_MUST_CHECK;
void tokenizer_source_free(TokenizerSource *source);

/* ---- the other two kinds ---- */

/* tokenizer_tekken.c: the tree, and the special tokens to be added to it. */
Status tokenizer_tekken_make(const cJSON *json, cJSON **tree, cJSON **tokens, Error *error) STATUS_MUST_CHECK;

/* tokenizer_merges.c: the tree of a vocab.json and the lines of a merges.txt. */
Status tokenizer_merges_make(const char *vocab_path, const char *merges_path, cJSON **tree,
                             Error *error) STATUS_MUST_CHECK;

#endif
