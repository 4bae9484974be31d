/*
 * tokenizer_internal — what a Tokenizer is made of. Internal: core/tokenizer/tokenizer.c uses it, core/tokenizer/tokenizer_file.c
 * fills it, core/tokenizer/tokenizer_compare.c compares two.
 */
#ifndef REJUV_CORE_TOKENIZER_INTERNAL_H
#define REJUV_CORE_TOKENIZER_INTERNAL_H

#include "core/tokenizer/tokenizer_added.h"
#include "core/tokenizer/tokenizer_model.h"
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
};

#endif
