/*
 * tokenizer_internal — what a Tokenizer is made of. Internal: core/tokenizer/tokenizer.c uses it, core/tokenizer/tokenizer_file.c
 * fills it, tokenizer_directory.c changes the file before that as its class does, tokenizer_remarks.c says what differs,
 * core/tokenizer/tokenizer_compare.c compares two.
 */
#ifndef REJUV_CORE_TOKENIZER_INTERNAL_H
#define REJUV_CORE_TOKENIZER_INTERNAL_H

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_added.h"
#include "core/tokenizer/tokenizer_model.h"
#include "core/tokenizer/tokenizer_specials.h"
#include "core/tokenizer/tokenizer_stages.h"

#include <stdbool.h>

typedef enum TokenizerStage {
    STAGE_NORMALIZER,
    STAGE_PRE_TOKENIZER,
    STAGE_POST_PROCESSOR,
    STAGE_DECODER,
    STAGE_COUNT
} TokenizerStage;

struct Tokenizer {
    Normalizer normalizer;
    Splitter splitter;
    TokenizerModel model;
    Processor processor;
    Decoder decoder;
    AddedTokens added;
    TokenizerText descriptions[STAGE_COUNT]; /* canonical, for comparing */
    bool has_truncation, has_padding;
    char *class_name, *class_key; /* NULL: the file alone was read */
    const char *file;             /* static: read in place of tokenizer.json; NULL: that was read */
    int32_t end;                  /* what eos_token names; TOKENIZER_NO_ID: none, or none that there is */
    const char *end_origin;       /* static: from where */
    char **remarks;               /* what was decided and a person should know, in sentences */
    size_t remark_count, remark_capacity;
};

/* ---- tokenizer_file.c ---- */

enum { TOKENIZER_FILE_MAX = 128 << 20 };

/* The tree of a tokenizer.json, looked over first; and what it makes. `origin` names it in messages. */
Status tokenizer_file_parse(const char *json, size_t bytes, const char *origin, cJSON **tree,
                            Error *error) STATUS_MUST_CHECK;
Status tokenizer_file_build(const cJSON *tree, const char *origin, Tokenizer **tokenizer,
                            Error *error) STATUS_MUST_CHECK;

/* ---- tokenizer_remarks.c ---- */

Status tokenizer_remark_add(Tokenizer *tokenizer, Error *error, const char *format, ...)
    STATUS_PRINTF(3, 4) STATUS_MUST_CHECK;

/* What differs from the file: `parts` has the members of tokenizer.json as they stood, `model` with the switches alone.
 * `replaces`: whether more than added tokens may differ. */
Status tokenizer_remark_differences(Tokenizer *tokenizer, const cJSON *parts, bool replaces,
                                    Error *error) STATUS_MUST_CHECK;

/* Ids that are written in the array `tokens` (added_tokens of tokenizer.json) and are not those that are used. */
Status tokenizer_remark_ids_of_file(Tokenizer *tokenizer, const cJSON *tokens,
                                    Error *error) STATUS_MUST_CHECK;
Status tokenizer_remark_ids(Tokenizer *tokenizer, const SpecialToken *written, size_t count,
                            const char *origin, Error *error) STATUS_MUST_CHECK;

#endif
