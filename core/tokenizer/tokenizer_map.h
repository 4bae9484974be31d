/*
 * tokenizer_map — the two look-ups of a BPE model: piece ↔ id, and pair of ids → merge. Open addressing,
 * keyed with a random number of the process, so that no file can be made to collide on purpose.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_MAP_H
#define REJUV_CORE_TOKENIZER_MAP_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKENIZER_IDS_MAX = 1 << 22 };

typedef struct Piece {
    uint32_t offset;
    int32_t bytes; /* -1: no piece has this id */
} Piece;

typedef struct PieceSlot {
    uint32_t tag; /* upper half of the hash: most comparisons end here */
    int32_t id;   /* -1: free */
} PieceSlot;

typedef struct Pieces {
    char *blob; /* all pieces, one after another */
    size_t blob_bytes, blob_capacity;
    Piece *pieces; /* by id */
    size_t ids;    /* one more than the highest id */
    size_t count;
    PieceSlot *slots;
    size_t mask; /* number of slots - 1 */
    uint64_t key[2];
} Pieces;

typedef struct Merge {
    uint64_t pair; /* left id << 32 | right id; MERGE_FREE: free slot */
    uint32_t rank;
    int32_t merged;
} Merge;

typedef struct Merges {
    Merge *slots;
    size_t mask, count;
    uint64_t key;
} Merges;

/* Room for `count` pieces with ids below `ids`. Both must be at most TOKENIZER_IDS_MAX. */
Status tokenizer_map_create_pieces(Pieces *pieces, size_t count, size_t ids, Error *error) STATUS_MUST_CHECK;
void tokenizer_map_free_pieces(Pieces *pieces);

/* STATUS_FORMAT where the piece or the id is there already. */
Status tokenizer_map_add_piece(Pieces *pieces, int32_t id, const char *piece, size_t bytes,
                               Error *error) STATUS_MUST_CHECK;

/* The same, but a piece that is there already is found under the new id from then on; the old one keeps its text. */
Status tokenizer_map_put_piece(Pieces *pieces, int32_t id, const char *piece, size_t bytes,
                               Error *error) STATUS_MUST_CHECK;

/* The id; -1 where there is none. Works on a zeroed map. */
int32_t tokenizer_map_find_piece(const Pieces *pieces, const char *piece, size_t bytes);

/* The piece, or NULL. Works on a zeroed map and with any id. */
const char *tokenizer_map_get_piece(const Pieces *pieces, int32_t id, size_t *bytes);

Status tokenizer_map_create_merges(Merges *merges, size_t count, Error *error) STATUS_MUST_CHECK;
void tokenizer_map_free_merges(Merges *merges);

/* A pair that is there already takes the new rank. There must be room: at most `count` calls. */
void tokenizer_map_add_merge(Merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t merged);

/* NULL where the pair does not merge. */
const Merge *tokenizer_map_find_merge(const Merges *merges, int32_t left, int32_t right);

#endif
