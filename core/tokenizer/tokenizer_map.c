#include "core/tokenizer/tokenizer_map.h"

#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const uint64_t MERGE_FREE = UINT64_MAX;

static void draw_key(uint64_t *key, size_t count) {
    /* Where the system has no random numbers the tables still work; they are only easier to attack. */
    for (size_t i = 0; i < count; i++) key[i] = UINT64_C(0x9E3779B97F4A7C15) * (i + 1);
    ssize_t drawn = getrandom(key, count * sizeof *key, GRND_NONBLOCK);
    (void)drawn;
}

static uint64_t rotate(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein): one round a word, three to finish. */
static uint64_t hash_bytes(const uint64_t key[2], const char *bytes, size_t count) {
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word;
    size_t left = count;
    for (; left >= sizeof word; left -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)count << 56;
    for (size_t i = 0; i < left; i++) word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* A power of two that leaves the table at most half full. */
static size_t slots_for(size_t count) {
    size_t slots = 16;
    while (slots < 2 * count) slots *= 2;
    return slots;
}

Status tokenizer_map_create_pieces(Pieces *pieces, size_t count, size_t ids, Error *error) {
    *pieces = (Pieces){0};
    if (count > TOKENIZER_IDS_MAX || ids > TOKENIZER_IDS_MAX)
        return status_fail(error, STATUS_FORMAT, "expected at most %d pieces, found %zu", TOKENIZER_IDS_MAX,
                           count);
    size_t slots = slots_for(count);
    pieces->pieces = memory_allocate(ids, sizeof *pieces->pieces);
    pieces->slots = memory_allocate(slots, sizeof *pieces->slots);
    if (pieces->pieces == NULL || pieces->slots == NULL) {
        tokenizer_map_free_pieces(pieces);
        return memory_fail(error, "the vocabulary");
    }
    pieces->ids = ids;
    pieces->mask = slots - 1;
    for (size_t i = 0; i < ids; i++) pieces->pieces[i].bytes = -1;
    for (size_t i = 0; i < slots; i++) pieces->slots[i].id = TOKENIZER_NO_ID;
    draw_key(pieces->key, 2);
    return STATUS_OK;
}

void tokenizer_map_free_pieces(Pieces *pieces) {
    free(pieces->blob);
    free(pieces->pieces);
    free(pieces->slots);
    *pieces = (Pieces){0};
}

static const char *piece_text(const Pieces *pieces, int32_t id) {
    return pieces->blob + pieces->pieces[id].offset;
}

/* The slot that holds the piece, or the free one where it belongs. */
static PieceSlot *find_slot(const Pieces *pieces, const char *piece, size_t bytes, uint32_t *tag) {
    uint64_t hash = hash_bytes(pieces->key, piece, bytes);
    *tag = (uint32_t)(hash >> 32);
    for (size_t at = (size_t)hash & pieces->mask;; at = (at + 1) & pieces->mask) {
        PieceSlot *slot = &pieces->slots[at];
        if (slot->id == TOKENIZER_NO_ID) return slot;
        if (slot->tag == *tag && (size_t)pieces->pieces[slot->id].bytes == bytes &&
            memcmp(piece_text(pieces, slot->id), piece, bytes) == 0)
            return slot;
    }
}

static Status add_piece(Pieces *pieces, int32_t id, const char *piece, size_t bytes, bool may_repeat,
                        Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (id < 0 || (size_t)id >= pieces->ids || pieces->pieces[id].bytes >= 0)
        return status_fail(error, STATUS_FORMAT, "expected one piece for the id %d, found %s besides",
                           (int)id, tokenizer_text_quote(quote, piece, bytes));
    if (bytes > INT32_MAX || pieces->blob_bytes > UINT32_MAX - bytes)
        return memory_fail(error, "the vocabulary");
    Status status =
        MEMORY_RESERVE(pieces->blob, &pieces->blob_capacity, pieces->blob_bytes + bytes + 1, error);
    if (status != STATUS_OK) return status;
    uint32_t tag;
    PieceSlot *slot = find_slot(pieces, piece, bytes, &tag);
    if (slot->id != TOKENIZER_NO_ID && !may_repeat)
        return status_fail(error, STATUS_FORMAT, "expected one id for the piece %s, found %d and %d",
                           tokenizer_text_quote(quote, piece, bytes), (int)slot->id, (int)id);
    memcpy(pieces->blob + pieces->blob_bytes, piece, bytes);
    pieces->pieces[id] = (Piece){.offset = (uint32_t)pieces->blob_bytes, .bytes = (int32_t)bytes};
    pieces->blob_bytes += bytes;
    pieces->count++;
    *slot = (PieceSlot){.tag = tag, .id = id};
    return STATUS_OK;
}

Status tokenizer_map_add_piece(Pieces *pieces, int32_t id, const char *piece, size_t bytes, Error *error) {
    return add_piece(pieces, id, piece, bytes, false, error);
}

Status tokenizer_map_put_piece(Pieces *pieces, int32_t id, const char *piece, size_t bytes, Error *error) {
    return add_piece(pieces, id, piece, bytes, true, error);
}

int32_t tokenizer_map_find_piece(const Pieces *pieces, const char *piece, size_t bytes) {
    uint32_t tag;
    return pieces->slots == NULL ? TOKENIZER_NO_ID : find_slot(pieces, piece, bytes, &tag)->id;
}

const char *tokenizer_map_get_piece(const Pieces *pieces, int32_t id, size_t *bytes) {
    *bytes = 0;
    if (id < 0 || (size_t)id >= pieces->ids || pieces->pieces[id].bytes < 0) return NULL;
    *bytes = (size_t)pieces->pieces[id].bytes;
    return piece_text(pieces, id);
}

Status tokenizer_map_create_merges(Merges *merges, size_t count, Error *error) {
    *merges = (Merges){0};
    size_t slots = slots_for(count);
    merges->slots = memory_allocate(slots, sizeof *merges->slots);
    if (merges->slots == NULL) return memory_fail(error, "the merges");
    merges->mask = slots - 1;
    for (size_t i = 0; i < slots; i++) merges->slots[i].pair = MERGE_FREE;
    draw_key(&merges->key, 1);
    return STATUS_OK;
}

void tokenizer_map_free_merges(Merges *merges) {
    free(merges->slots);
    *merges = (Merges){0};
}

/* The slot that holds the pair, or the free one where it belongs. */
static Merge *find_merge_slot(const Merges *merges, uint64_t pair) {
    uint64_t hash = (pair ^ merges->key) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 32 ^ merges->key >> 7) * UINT64_C(0xD6E8FEB86659FD93);
    hash ^= hash >> 32;
    for (size_t at = (size_t)hash & merges->mask;; at = (at + 1) & merges->mask) {
        Merge *slot = &merges->slots[at];
        if (slot->pair == pair || slot->pair == MERGE_FREE) return slot;
    }
}

static uint64_t make_pair(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

void tokenizer_map_add_merge(Merges *merges, int32_t left, int32_t right, uint32_t rank, int32_t merged) {
    uint64_t pair = make_pair(left, right);
    Merge *slot = find_merge_slot(merges, pair);
    if (slot->pair == MERGE_FREE) merges->count++;
    *slot = (Merge){.pair = pair, .rank = rank, .merged = merged};
}

const Merge *tokenizer_map_find_merge(const Merges *merges, int32_t left, int32_t right) {
    const Merge *slot = find_merge_slot(merges, make_pair(left, right));
    return slot->pair == MERGE_FREE ? NULL : slot;
}
