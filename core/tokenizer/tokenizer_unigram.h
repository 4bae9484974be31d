/*
 * tokenizer_unigram — the Unigram model: of all ways to cut a word into pieces the one whose scores, logarithms of
 * probabilities, have the greatest sum (Kudo 2018, arXiv 1804.10959; found as Viterbi 1967 does, by the best way up to
 * each place).
 *
 *     u n r e l a t e d   ─►   un re lated    −7.1
 *                              un related     −6.2   the best
 *
 * As tokenizers 0.23 has it: of equal sums the one found first stays; a character that is no piece costs ten less than
 * the lowest score; unknown characters side by side are one unknown piece, which is spelled in bytes where the model says
 * so and every byte has a piece.
 *
 * The pieces are a trie of bytes, children of a node side by side in order. A piece has at most UNIGRAM_BYTES_MAX bytes,
 * so a text of n bytes takes a time in proportion to n; it takes two bytes of memory for each.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_UNIGRAM_H
#define REJUV_CORE_TOKENIZER_UNIGRAM_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_map.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNIGRAM_BYTES_MAX = 1023 };

typedef struct UnigramNode {
    uint32_t child;    /* the first; they stand side by side, by their bytes */
    int32_t id;        /* of the piece that ends here; -1: none */
    uint16_t children; /* how many */
    unsigned char byte;
} UnigramNode;

typedef struct Unigram {
    double *scores; /* by id */
    double unknown_score;
    bool has_unknown;   /* there is a piece for what is unknown: set by the model's reader */
    UnigramNode *nodes; /* [0] is the root; NULL: another model */
    size_t node_count;
} Unigram;

/* Scratch of one call; zero-initialise. */
typedef struct UnigramScratch {
    /* by place: of the piece that ends there; then, of those taken, of the one that begins there */
    uint16_t *lengths;
    size_t capacity;
} UnigramScratch;

/* Reads `vocab`, an array of pieces with their scores, ids in its order, into *pieces and *unigram. The caller frees
 * both, after an error too. */
Status tokenizer_unigram_read(const cJSON *vocab, Pieces *pieces, Unigram *unigram,
                              Error *error) STATUS_MUST_CHECK;
void tokenizer_unigram_free(Unigram *unigram);

/* Scores as `vocab` has them to the last bit, as a class hands them over. Those of a file are read as tokenizers 0.23
 * reads them, which is off in the last bit for one in eight: it is seen where two ways are equally good. */
Status tokenizer_unigram_take_scores(Unigram *unigram, const cJSON *vocab, Error *error) STATUS_MUST_CHECK;

/* The best way through text[0 … bytes) (not empty, valid UTF-8): scratch->lengths[at] is the length of the piece that
 * begins at `at`, from 0 on, one after another. Single characters that are no pieces may be among them. STATUS_FORMAT where
 * one is needed and nothing stands for the unknown. */
Status tokenizer_unigram_cut(const Unigram *unigram, UnigramScratch *scratch, const char *text, size_t bytes,
                             Error *error) STATUS_MUST_CHECK;
void tokenizer_unigram_free_scratch(UnigramScratch *scratch);

#endif
