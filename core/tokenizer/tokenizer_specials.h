/*
 * tokenizer_specials — the added tokens of a directory, in the order in which transformers 5.24 adds them.
 *
 *     tokenizer.json         added_tokens            where the class follows the file
 *     tokenizer_config.json  added_tokens_decoder    by the ids that are written there
 *                            bos_token, …            names, then extra_special_tokens
 *     special_tokens_map.json, added_tokens.json     where there is no added_tokens_decoder: with added_tokens, by
 *                                                    their ids, in its place; names before those of tokenizer_config.json
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_SPECIALS_H
#define REJUV_CORE_TOKENIZER_SPECIALS_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_class.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Trees that may be NULL, and that own all texts below. */
typedef struct SpecialSources {
    const cJSON *settings; /* tokenizer_config.json */
    const cJSON *map;      /* special_tokens_map.json */
    const cJSON *added;    /* added_tokens.json */
    const cJSON *tokens;   /* the array added_tokens of tokenizer.json */
    const cJSON *padding;  /* the object padding of tokenizer.json */
    const TokenizerClass *rule;
    /* where there is no tokenizer.json (tokenizer_source.h): */
    const cJSON *names; /* bos_token, … where the configuration is silent */
    /* further special tokens of the class, with a tokenizer.json too, where the configuration lists none */
    const cJSON *more;
    const cJSON *extra; /* special tokens where the configuration lists none */
    const cJSON *whole; /* added before all others; without a tokenizer.json they are no tokens of that */
    bool is_raw;        /* tokens with an id beside them are found in the raw text, whatever they say */
} SpecialSources;

typedef struct SpecialToken {
    const char *content;
    uint64_t written; /* the id that stands beside it, where one does */
    bool single_word, lstrip, rstrip, normalized, special;
    bool says_normalized; /* else what `special` makes of it */
    bool is_text;         /* no more than a name: its flags are those of a special token */
    bool is_default;      /* of the class: no file says it */
    /* a text, or of special_tokens_map.json: makes what added_tokens.json has of it special */
    bool is_listed;
} SpecialToken;

typedef struct SpecialTokens {
    SpecialToken *written; /* those with an id beside them, by it; from where: */
    size_t written_count;
    const char *origin;
    cJSON *tokens; /* an array as added_tokens of tokenizer.json: to be added one after another */
    const char *beginning, *end, *unknown, *classifier, *separator, *padding, *mask; /* names; NULL: none */
    const char *end_origin; /* the file that says which the end is; NULL: the class does */
} SpecialTokens;

/* The caller frees with tokenizer_specials_free(), after an error too. */
Status tokenizer_specials_make(const SpecialSources *sources, SpecialTokens *made,
                               Error *error) STATUS_MUST_CHECK;
void tokenizer_specials_free(SpecialTokens *specials);

#endif
