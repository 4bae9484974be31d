/*
 * tokenizer_model — what makes ids of a word: byte pair encoding, or Unigram (tokenizer_unigram.h).
 *
 * Byte pair encoding: a word, cut into characters, whose neighbours merge in the order of the merges' ranks until none is
 * left that merges.
 *
 *     l o w e r   ─►   lo w e r   ─►   lo w er   ─►   low er
 *                 rank 3         rank 7         rank 12
 *
 * The merges wait in a heap ordered by rank and then position, the symbols stand in a linked list: a word of
 * n characters takes O(n log n), so a whole megabyte may be one word.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_MODEL_H
#define REJUV_CORE_TOKENIZER_MODEL_H

#include "core/support/status.h"
#include "core/tokenizer/token_list.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_unigram.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_SHORT_CHARACTERS = 0x180 }; /* holds the whole byte alphabet */
enum { MODEL_SPELLED = -2 }; /* in place of an id: as many as the symbol has bytes, one for each */

typedef struct TokenizerModel {
    Pieces pieces;
    Merges merges;   /* of byte pair encoding */
    Unigram unigram; /* of Unigram; without nodes where it is byte pair encoding */
    char *unknown;   /* the piece for unknown characters; NULL: they are dropped */
    int32_t unknown_id;
    bool fuse_unknown, byte_fallback, ignore_merges;
    int32_t byte_ids[256];                     /* of <0x00> … <0xFF> */
    int32_t short_ids[MODEL_SHORT_CHARACTERS]; /* of the one-character pieces below that code point */
} TokenizerModel;

/* One symbol of a word under way. */
typedef struct ModelSymbol {
    int32_t id, previous, next; /* positions; -1: none */
    uint32_t bytes;             /* of the word; 0: it has gone into another */
} ModelSymbol;

typedef struct ModelCandidate {
    uint64_t order; /* rank << 32 | position: the smallest merges first */
    int32_t merged;
} ModelCandidate;

/* Scratch of one call; zero-initialise. The symbols of the word that was encoded last stay: none where it is one piece. */
typedef struct ModelScratch {
    ModelSymbol *symbols;
    size_t symbol_count, symbol_capacity;
    ModelCandidate *heap;
    size_t heap_count, heap_capacity;
    UnigramScratch unigram;
} ModelScratch;

/* Reads the `model` object. The caller frees with tokenizer_model_free(), after an error too. */
Status tokenizer_model_read(const cJSON *json, TokenizerModel *model, Error *error) STATUS_MUST_CHECK;
void tokenizer_model_free(TokenizerModel *model);

bool tokenizer_model_is_unigram(const TokenizerModel *model);

/* Appends the ids of one word (not empty, valid UTF-8). */
Status tokenizer_model_encode(const TokenizerModel *model, ModelScratch *scratch, const char *word,
                              size_t bytes, TokenList *list, Error *error) STATUS_MUST_CHECK;
void tokenizer_model_free_scratch(ModelScratch *scratch);

#endif
