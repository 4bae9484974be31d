#include "core/tokenizer/tokenizer_unigram.h"

#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double UNKNOWN_PENALTY = 10.0;

enum { NODES_MAX = 1 << 26, RING = 1024 }; /* scores of the last RING places are kept */
_Static_assert((int)UNIGRAM_BYTES_MAX < (int)RING, "a piece reaches no further than what is kept");

/* ---- the best way ---- */

/* The child of a node for a byte; 0 where there is none. */
static uint32_t step_down(const Unigram *unigram, uint32_t node, unsigned char byte) {
    uint32_t low = unigram->nodes[node].child, high = low + unigram->nodes[node].children;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (unigram->nodes[middle].byte < byte)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t end = unigram->nodes[node].child + unigram->nodes[node].children;
    return low < end && unigram->nodes[low].byte == byte ? low : 0;
}

typedef struct Search {
    const Unigram *unigram;
    const char *text;
    size_t bytes;
    uint16_t *lengths; /* 0: nothing ends there yet */
    double best[RING]; /* the best sum up to a place, for the places from the present one on */
} Search;

/* True where it is the best way up to its end so far. */
static bool offer(Search *search, size_t at, size_t length, double score) {
    double sum = score + search->best[at % RING], *best = &search->best[(at + length) % RING];
    uint16_t *taken = &search->lengths[at + length];
    if (*taken != 0 && !(sum > *best)) return false;
    *best = sum;
    *taken = (uint16_t)length;
    return true;
}

/* False where an unknown character would be the best, and there is no piece for such. */
static bool offer_pieces(Search *search, size_t at) {
    const Unigram *unigram = search->unigram;
    uint32_t ignored, node = 0;
    size_t character = tokenizer_text_read(search->text + at, &ignored);
    bool is_known = false;
    for (size_t end = at; end < search->bytes;) {
        node = step_down(unigram, node, (unsigned char)search->text[end++]);
        if (node == 0) break;
        int32_t id = unigram->nodes[node].id;
        if (id == TOKENIZER_NO_ID) continue;
        (void)offer(search, at, end - at, unigram->scores[id]);
        is_known = is_known || end - at == character;
    }
    return is_known || !offer(search, at, character, unigram->unknown_score) || unigram->has_unknown;
}

/* From the end back: each length goes from where its piece ends to where it begins. */
static void turn_round(uint16_t *lengths, size_t bytes) {
    uint16_t length = lengths[bytes];
    for (size_t at = bytes; at > 0;) {
        at -= length;
        uint16_t before = lengths[at];
        lengths[at] = length;
        length = before;
    }
}

Status tokenizer_unigram_cut(const Unigram *unigram, UnigramScratch *scratch, const char *text, size_t bytes,
                             Error *error) {
    Status status = MEMORY_RESERVE(scratch->lengths, &scratch->capacity, bytes + 1, error);
    if (status != STATUS_OK) return status;
    memset(scratch->lengths, 0, (bytes + 1) * sizeof *scratch->lengths);
    Search search = {.unigram = unigram, .text = text, .bytes = bytes, .lengths = scratch->lengths};
    uint32_t ignored;
    for (size_t at = 0; at < bytes; at += tokenizer_text_read(text + at, &ignored)) {
        if (!offer_pieces(&search, at))
            return status_fail(
                error, STATUS_FORMAT,
                "the text has a character that is not in the vocabulary, and the model has no unk_id");
    }
    turn_round(scratch->lengths, bytes);
    return STATUS_OK;
}

void tokenizer_unigram_free_scratch(UnigramScratch *scratch) {
    free(scratch->lengths);
    *scratch = (UnigramScratch){0};
}

/* ---- the trie: pieces in order, a node for each beginning that they have in common ---- */

typedef struct SortedPiece {
    const char *text;
    size_t bytes;
    int32_t id;
} SortedPiece;

/* The pieces that begin as a node does, and how many bytes that beginning has. */
typedef struct NodeRange {
    uint32_t from, to, depth;
} NodeRange;

typedef struct TrieBuild {
    SortedPiece *sorted;
    size_t count;
    NodeRange *ranges; /* by node */
    size_t range_capacity, node_capacity;
} TrieBuild;

static int compare_pieces(const void *a, const void *b) {
    const SortedPiece *left = a, *right = b;
    size_t common = left->bytes < right->bytes ? left->bytes : right->bytes;
    int order = memcmp(left->text, right->text, common);
    if (order == 0) order = (left->bytes > right->bytes) - (left->bytes < right->bytes);
    return order != 0 ? order : left->id - right->id;
}

static Status add_node(Unigram *unigram, TrieBuild *build, NodeRange range, unsigned char byte,
                       Error *error) {
    size_t count = unigram->node_count;
    if (count >= NODES_MAX)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "model.vocab: more than %d different beginnings of pieces", NODES_MAX);
    Status status = MEMORY_RESERVE(unigram->nodes, &build->node_capacity, count + 1, error);
    if (status == STATUS_OK) status = MEMORY_RESERVE(build->ranges, &build->range_capacity, count + 1, error);
    if (status != STATUS_OK) return status;
    unigram->nodes[count] = (UnigramNode){.id = TOKENIZER_NO_ID, .byte = byte};
    build->ranges[count] = range;
    unigram->node_count++;
    return STATUS_OK;
}

/* The children of a node: a run of pieces for each next byte. */
static Status add_children(Unigram *unigram, TrieBuild *build, size_t node, Error *error) {
    NodeRange range = build->ranges[node];
    const SortedPiece *sorted = build->sorted;
    Status status = STATUS_OK;
    for (; range.from < range.to && sorted[range.from].bytes == range.depth; range.from++)
        if (range.depth > 0) unigram->nodes[node].id = sorted[range.from].id;
    unigram->nodes[node].child = (uint32_t)unigram->node_count;
    while (range.from < range.to && status == STATUS_OK) {
        unsigned char byte = (unsigned char)sorted[range.from].text[range.depth];
        NodeRange child = {.from = range.from, .to = range.from + 1, .depth = range.depth + 1};
        while (child.to < range.to && (unsigned char)sorted[child.to].text[range.depth] == byte) child.to++;
        status = add_node(unigram, build, child, byte, error);
        if (status == STATUS_OK) unigram->nodes[node].children++;
        range.from = child.to;
    }
    return status;
}

static Status build_trie(const Pieces *pieces, Unigram *unigram, Error *error) {
    TrieBuild build = {.sorted = memory_allocate(pieces->count, sizeof *build.sorted),
                       .count = pieces->count};
    if (build.sorted == NULL) return memory_fail(error, "the vocabulary");
    for (size_t i = 0; i < build.count; i++) {
        size_t bytes;
        const char *text = tokenizer_map_get_piece(pieces, (int32_t)i, &bytes);
        build.sorted[i] = (SortedPiece){.text = text, .bytes = bytes, .id = (int32_t)i};
    }
    qsort(build.sorted, build.count, sizeof *build.sorted, compare_pieces);
    Status status = add_node(unigram, &build, (NodeRange){.to = (uint32_t)build.count}, 0, error);
    for (size_t node = 0; node < unigram->node_count && status == STATUS_OK; node++)
        status = add_children(unigram, &build, node, error);
    free(build.sorted);
    free(build.ranges);
    return status;
}

/* ---- reading it ---- */

/* The digits of the shortest text of a number, as a whole number, and the power of ten to multiply it by. */
static uint64_t shortest_digits(double value, int *exponent) {
    char text[JSON_NUMBER_SIZE];
    int precision = 14;
    do {
        (void)snprintf(text, sizeof text, "%.*e", precision, value);
    } while (strtod(text, NULL) != value && ++precision < 17);
    uint64_t digits = 0;
    const char *at = text;
    for (; *at != 'e'; at++) digits = *at >= '0' && *at <= '9' ? digits * 10 + (uint64_t)(*at - '0') : digits;
    *exponent = (int)strtol(at + 1, NULL, 10) - (precision < 17 ? precision : 16);
    for (; digits != 0 && digits % 10 == 0; digits /= 10) ++*exponent;
    for (; *exponent >= 0 && value < 1e16; digits *= 10) --*exponent; /* 12.0 */
    return digits;
}

/* What serde_json makes of that text: the whole number, then times or by the power of ten, each rounded, so that more
 * than fifteen digits may end beside the nearest. */
static double read_as_library(double value) {
    int exponent = 0;
    double read = (double)shortest_digits(fabs(value), &exponent);
    for (; exponent < -308; exponent += 308) read /= 1e308;
    char ten[16];
    (void)snprintf(ten, sizeof ten, "1e%d", abs(exponent));
    read = exponent < 0 ? read / strtod(ten, NULL) : read * strtod(ten, NULL);
    return value < 0 ? -read : read;
}

static bool is_scored_piece(const cJSON *item) {
    return cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2 && cJSON_IsString(item->child) &&
           cJSON_IsNumber(item->child->next) && isfinite(item->child->next->valuedouble);
}

static Status read_piece(const cJSON *item, int32_t id, Pieces *pieces, Unigram *unigram, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (!is_scored_piece(item))
        return status_fail(error, STATUS_FORMAT, "model.vocab[%d]: expected a piece and its score", (int)id);
    const char *piece = item->child->valuestring;
    size_t bytes = strlen(piece);
    if (bytes > UNIGRAM_BYTES_MAX)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "model.vocab[%d]: the piece %s of %zu bytes is not supported, at most %d are",
                           (int)id, tokenizer_text_quote(quote, piece, bytes), bytes, UNIGRAM_BYTES_MAX);
    unigram->scores[id] = read_as_library(item->child->next->valuedouble);
    return tokenizer_map_put_piece(pieces, id, piece, bytes, error); /* of equal ones the last counts */
}

static void find_unknown_score(Unigram *unigram, size_t count) {
    double lowest = INFINITY;
    for (size_t i = 0; i < count; i++) lowest = unigram->scores[i] < lowest ? unigram->scores[i] : lowest;
    unigram->unknown_score = lowest - UNKNOWN_PENALTY;
}

Status tokenizer_unigram_read(const cJSON *vocab, Pieces *pieces, Unigram *unigram, Error *error) {
    if (!cJSON_IsArray(vocab))
        return status_fail(error, STATUS_FORMAT, "model.vocab: expected an array of pieces and scores");
    size_t count = (size_t)cJSON_GetArraySize(vocab);
    if (count == 0) return status_fail(error, STATUS_FORMAT, "model.vocab: expected pieces, found none");
    Status status = tokenizer_map_create_pieces(pieces, count, count, error);
    if (status != STATUS_OK) return status;
    unigram->scores = memory_allocate(count, sizeof *unigram->scores);
    if (unigram->scores == NULL) return memory_fail(error, "the vocabulary");
    int32_t id = 0;
    for (const cJSON *item = vocab->child; item != NULL && status == STATUS_OK; item = item->next)
        status = read_piece(item, id++, pieces, unigram, error);
    if (status == STATUS_OK) status = build_trie(pieces, unigram, error);
    if (status == STATUS_OK) find_unknown_score(unigram, count);
    return status;
}

Status tokenizer_unigram_take_scores(Unigram *unigram, const cJSON *vocab, Error *error) {
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, vocab) {
        if (!is_scored_piece(item))
            return status_fail(error, STATUS_FORMAT, "model.vocab[%zu]: expected a piece and its score",
                               count);
        unigram->scores[count++] = item->child->next->valuedouble;
    }
    find_unknown_score(unigram, count);
    return STATUS_OK;
}

void tokenizer_unigram_free(Unigram *unigram) {
    free(unigram->scores);
    free(unigram->nodes);
    *unigram = (Unigram){0};
}
