#include "core/tokenizer/tokenizer_model.h"

#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one word by merges ---- */

static Status push_symbol(ModelScratch *scratch, int32_t id, size_t bytes, Error *error) {
    Status status =
        MEMORY_RESERVE(scratch->symbols, &scratch->symbol_capacity, scratch->symbol_count + 1, error);
    if (status != STATUS_OK) return status;
    int32_t at = (int32_t)scratch->symbol_count++;
    scratch->symbols[at] =
        (ModelSymbol){.id = id, .previous = at - 1, .next = at + 1, .bytes = (uint32_t)bytes};
    return STATUS_OK;
}

static int32_t find_character(const TokenizerModel *model, const char *character, size_t bytes,
                              uint32_t code_point) {
    if (code_point < MODEL_SHORT_CHARACTERS) return model->short_ids[code_point];
    return tokenizer_map_find_piece(&model->pieces, character, bytes);
}

/* True where every byte of the character has a piece of its own. */
static bool has_byte_pieces(const TokenizerModel *model, const char *character, size_t bytes) {
    if (!model->byte_fallback) return false;
    for (size_t i = 0; i < bytes; i++) {
        if (model->byte_ids[(unsigned char)character[i]] == TOKENIZER_NO_ID) return false;
    }
    return true;
}

/* One unknown symbol stands for one unknown character, or for a run of them; it is held back until a known
 * character or the end of the word. Byte pieces do not release it: the reference behaves so. */
static Status push_unknown(const TokenizerModel *model, ModelScratch *scratch, size_t bytes, size_t *pending,
                           Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (model->unknown == NULL) return STATUS_OK;
    if (model->unknown_id == TOKENIZER_NO_ID)
        return status_fail(
            error, STATUS_FORMAT,
            "the text has a character that is not in the vocabulary, and neither is unk_token %s",
            tokenizer_text_quote(quote, model->unknown, strlen(model->unknown)));
    Status status = STATUS_OK;
    if (*pending > 0 && !model->fuse_unknown) {
        status = push_symbol(scratch, model->unknown_id, *pending, error);
        *pending = 0;
    }
    *pending += bytes;
    return status;
}

static Status push_characters(const TokenizerModel *model, ModelScratch *scratch, const char *word,
                              size_t bytes, Error *error) {
    size_t pending = 0; /* bytes of what is unknown and held back */
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        uint32_t code_point;
        size_t taken = tokenizer_text_read(word + at, &code_point);
        int32_t id = find_character(model, word + at, taken, code_point);
        if (id != TOKENIZER_NO_ID) {
            if (pending > 0) status = push_symbol(scratch, model->unknown_id, pending, error);
            pending = 0;
            if (status == STATUS_OK) status = push_symbol(scratch, id, taken, error);
        } else if (has_byte_pieces(model, word + at, taken)) {
            for (size_t i = 0; i < taken && status == STATUS_OK; i++)
                status = push_symbol(scratch, model->byte_ids[(unsigned char)word[at + i]], 1, error);
        } else {
            status = push_unknown(model, scratch, taken, &pending, error);
        }
        at += taken;
    }
    if (status == STATUS_OK && pending > 0) status = push_symbol(scratch, model->unknown_id, pending, error);
    if (scratch->symbol_count > 0) scratch->symbols[scratch->symbol_count - 1].next = -1;
    return status;
}

/* ---- the heap: four children a node, the smallest order on top ---- */

static void sift_down(ModelScratch *scratch, size_t at) {
    ModelCandidate *heap = scratch->heap, sinking = heap[at];
    for (;;) {
        size_t child = 4 * at + 1, best = child;
        if (child >= scratch->heap_count) break;
        size_t end = child + 4 < scratch->heap_count ? child + 4 : scratch->heap_count;
        for (size_t i = child + 1; i < end; i++) {
            if (heap[i].order < heap[best].order) best = i;
        }
        if (heap[best].order >= sinking.order) break;
        heap[at] = heap[best];
        at = best;
    }
    heap[at] = sinking;
}

static Status add_candidate(const TokenizerModel *model, ModelScratch *scratch, int32_t position, bool *added,
                            Error *error) {
    const ModelSymbol *left = &scratch->symbols[position];
    const Merge *merge = tokenizer_map_find_merge(&model->merges, left->id, scratch->symbols[left->next].id);
    *added = merge != NULL;
    if (merge == NULL) return STATUS_OK;
    Status status = MEMORY_RESERVE(scratch->heap, &scratch->heap_capacity, scratch->heap_count + 1, error);
    if (status != STATUS_OK) return status;
    scratch->heap[scratch->heap_count++] =
        (ModelCandidate){.order = (uint64_t)merge->rank << 32 | (uint32_t)position, .merged = merge->merged};
    return STATUS_OK;
}

static Status push_candidate(const TokenizerModel *model, ModelScratch *scratch, int32_t position,
                             Error *error) {
    bool added;
    Status status = add_candidate(model, scratch, position, &added, error);
    if (status != STATUS_OK || !added) return status;
    ModelCandidate *heap = scratch->heap;
    size_t at = scratch->heap_count - 1;
    ModelCandidate rising = heap[at];
    for (; at > 0 && heap[(at - 1) / 4].order > rising.order; at = (at - 1) / 4)
        heap[at] = heap[(at - 1) / 4];
    heap[at] = rising;
    return STATUS_OK;
}

static Status fill_heap(const TokenizerModel *model, ModelScratch *scratch, Error *error) {
    scratch->heap_count = 0;
    for (size_t i = 0; i + 1 < scratch->symbol_count; i++) {
        bool added;
        Status status = add_candidate(model, scratch, (int32_t)i, &added, error);
        if (status != STATUS_OK) return status;
    }
    for (size_t i = scratch->heap_count / 4 + 1; i-- > 0;) {
        if (i < scratch->heap_count) sift_down(scratch, i);
    }
    return STATUS_OK;
}

static ModelCandidate pop_candidate(ModelScratch *scratch) {
    ModelCandidate top = scratch->heap[0];
    scratch->heap[0] = scratch->heap[--scratch->heap_count];
    if (scratch->heap_count > 0) sift_down(scratch, 0);
    return top;
}

/* A candidate is stale once either of its symbols has merged otherwise. */
static bool is_stale(const TokenizerModel *model, const ModelScratch *scratch, ModelCandidate candidate) {
    const ModelSymbol *left = &scratch->symbols[(uint32_t)candidate.order];
    if (left->bytes == 0 || left->next < 0) return true;
    const Merge *merge = tokenizer_map_find_merge(&model->merges, left->id, scratch->symbols[left->next].id);
    return merge == NULL || merge->merged != candidate.merged;
}

static Status merge_symbols(const TokenizerModel *model, ModelScratch *scratch, Error *error) {
    Status status = fill_heap(model, scratch, error);
    while (status == STATUS_OK && scratch->heap_count > 0) {
        ModelCandidate top = pop_candidate(scratch);
        if (is_stale(model, scratch, top)) continue;
        int32_t position = (int32_t)(uint32_t)top.order;
        ModelSymbol *left = &scratch->symbols[position], *right = &scratch->symbols[left->next];
        left->id = top.merged;
        left->next = right->next;
        left->bytes += right->bytes;
        right->bytes = 0;
        if (left->next >= 0) scratch->symbols[left->next].previous = position;
        if (left->previous >= 0) status = push_candidate(model, scratch, left->previous, error);
        if (status == STATUS_OK && left->next >= 0) status = push_candidate(model, scratch, position, error);
    }
    return status;
}

static Status encode_by_merges(const TokenizerModel *model, ModelScratch *scratch, const char *word,
                               size_t bytes, TokenList *list, Error *error) {
    if (model->ignore_merges) {
        int32_t whole = tokenizer_map_find_piece(&model->pieces, word, bytes);
        if (whole != TOKENIZER_NO_ID) return token_list_append(list, whole, error);
    }
    Status status = push_characters(model, scratch, word, bytes, error);
    if (status == STATUS_OK && scratch->symbol_count > 1) status = merge_symbols(model, scratch, error);
    for (size_t i = 0; i < scratch->symbol_count && status == STATUS_OK; i++) {
        if (scratch->symbols[i].bytes > 0) status = token_list_append(list, scratch->symbols[i].id, error);
    }
    return status;
}

/* ---- one word by Unigram ---- */

static Status append_symbol(ModelScratch *scratch, int32_t id, size_t bytes, TokenList *list, Error *error) {
    Status status = push_symbol(scratch, id, bytes, error);
    return status == STATUS_OK && id != MODEL_SPELLED ? token_list_append(list, id, error) : status;
}

/* Unknown characters side by side: a piece even so, as where they spell one; or bytes; or the unknown piece. */
static Status append_unknown(const TokenizerModel *model, ModelScratch *scratch, const char *run,
                             size_t bytes, TokenList *list, Error *error) {
    int32_t whole = tokenizer_map_find_piece(&model->pieces, run, bytes);
    if (whole == TOKENIZER_NO_ID && has_byte_pieces(model, run, bytes)) {
        Status status = append_symbol(scratch, MODEL_SPELLED, bytes, list, error);
        for (size_t i = 0; i < bytes && status == STATUS_OK; i++)
            status = token_list_append(list, model->byte_ids[(unsigned char)run[i]], error);
        return status;
    }
    return append_symbol(scratch, whole != TOKENIZER_NO_ID ? whole : model->unknown_id, bytes, list, error);
}

static Status encode_by_scores(const TokenizerModel *model, ModelScratch *scratch, const char *word,
                               size_t bytes, TokenList *list, Error *error) {
    Status status = tokenizer_unigram_cut(&model->unigram, &scratch->unigram, word, bytes, error);
    size_t run = 0; /* bytes of what is unknown and stands before `at` */
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        size_t length = scratch->unigram.lengths[at];
        int32_t id = tokenizer_map_find_piece(&model->pieces, word + at, length);
        bool is_known = id != TOKENIZER_NO_ID && id != model->unknown_id;
        if (!is_known) run += length;
        if (is_known && run > 0) status = append_unknown(model, scratch, word + at - run, run, list, error);
        if (is_known) run = 0;
        if (is_known && status == STATUS_OK) status = append_symbol(scratch, id, length, list, error);
        at += length;
    }
    return status == STATUS_OK && run > 0
               ? append_unknown(model, scratch, word + bytes - run, run, list, error)
               : status;
}

bool tokenizer_model_is_unigram(const TokenizerModel *model) {
    return model->unigram.nodes != NULL;
}

Status tokenizer_model_encode(const TokenizerModel *model, ModelScratch *scratch, const char *word,
                              size_t bytes, TokenList *list, Error *error) {
    scratch->symbol_count = 0;
    return tokenizer_model_is_unigram(model) ? encode_by_scores(model, scratch, word, bytes, list, error)
                                             : encode_by_merges(model, scratch, word, bytes, list, error);
}

void tokenizer_model_free_scratch(ModelScratch *scratch) {
    free(scratch->symbols);
    free(scratch->heap);
    tokenizer_unigram_free_scratch(&scratch->unigram);
    *scratch = (ModelScratch){0};
}

/* ---- reading it ---- */

static Status read_vocabulary(const cJSON *json, Pieces *pieces, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (!cJSON_IsObject(json))
        return status_fail(error, STATUS_FORMAT, "model.vocab: expected an object of pieces and ids");
    size_t count = 0, ids = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        uint64_t id;
        if (!json_read_count(item, &id) || id >= TOKENIZER_IDS_MAX)
            return status_fail(error, STATUS_FORMAT, "model.vocab: expected an id below %d for the piece %s",
                               TOKENIZER_IDS_MAX,
                               tokenizer_text_quote(quote, item->string, strlen(item->string)));
        if (id >= ids) ids = (size_t)id + 1;
        count++;
    }
    Status status = tokenizer_map_create_pieces(pieces, count, ids, error);
    for (item = json->child; item != NULL && status == STATUS_OK; item = item->next)
        status = tokenizer_map_add_piece(pieces, (int32_t)item->valuedouble, item->string,
                                         strlen(item->string), error);
    return status == STATUS_OK || error == NULL ? status : status_add_context(error, "model.vocab");
}

/* The two halves of a merge: ["a", "b"] or, in older files, "a b". */
static bool split_merge(const cJSON *item, const char *halves[2], size_t bytes[2]) {
    if (cJSON_IsString(item)) {
        const char *space = strchr(item->valuestring, ' ');
        if (space == NULL || strchr(space + 1, ' ') != NULL) return false;
        halves[0] = item->valuestring;
        bytes[0] = (size_t)(space - item->valuestring);
        halves[1] = space + 1;
        bytes[1] = strlen(space + 1);
        return true;
    }
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2) return false;
    const cJSON *left = item->child, *right = left->next;
    if (!cJSON_IsString(left) || !cJSON_IsString(right)) return false;
    halves[0] = left->valuestring;
    halves[1] = right->valuestring;
    for (int i = 0; i < 2; i++) bytes[i] = strlen(halves[i]);
    return true;
}

static Status read_merge(const cJSON *item, uint32_t rank, TokenizerModel *model, TokenizerText *joined,
                         Error *error) {
    const char *halves[2];
    size_t bytes[2];
    char quote[TOKENIZER_QUOTE_SIZE];
    if (!split_merge(item, halves, bytes))
        return status_fail(error, STATUS_FORMAT,
                           "model.merges[%u]: expected two pieces, [\"a\", \"b\"] or \"a b\"",
                           (unsigned)rank);
    joined->bytes = 0;
    int32_t ids[3];
    for (int i = 0; i < 2; i++) {
        Status status = tokenizer_text_append(joined, halves[i], bytes[i], error);
        if (status != STATUS_OK) return status;
        ids[i] = tokenizer_map_find_piece(&model->pieces, halves[i], bytes[i]);
    }
    ids[2] = tokenizer_map_find_piece(&model->pieces, joined->text, joined->bytes);
    if (ids[0] == TOKENIZER_NO_ID || ids[1] == TOKENIZER_NO_ID || ids[2] == TOKENIZER_NO_ID)
        return status_fail(error, STATUS_FORMAT,
                           "model.merges[%u]: expected %s and its halves in the vocabulary", (unsigned)rank,
                           tokenizer_text_quote(quote, joined->text, joined->bytes));
    tokenizer_map_add_merge(&model->merges, ids[0], ids[1], rank, ids[2]);
    return STATUS_OK;
}

static Status read_merges(const cJSON *json, TokenizerModel *model, Error *error) {
    static const char VERSION[] =
        "#version"; /* the first line of the merges.txt that some files were made from */
    if (!cJSON_IsArray(json)) return status_fail(error, STATUS_FORMAT, "model.merges: expected an array");
    Status status = tokenizer_map_create_merges(&model->merges, (size_t)cJSON_GetArraySize(json), error);
    TokenizerText joined = {0};
    uint32_t rank = 0;
    bool strings = cJSON_IsString(json->child);
    for (const cJSON *item = json->child; item != NULL && status == STATUS_OK; item = item->next) {
        if ((bool)cJSON_IsString(item) != strings) {
            status = status_fail(error, STATUS_FORMAT, "model.merges: expected all strings or all pairs");
        } else if (!strings || strncmp(item->valuestring, VERSION, strlen(VERSION)) != 0) {
            status = read_merge(item, rank++, model, &joined, error);
        }
    }
    tokenizer_text_free(&joined);
    return status;
}

static Status refuse_option(const char *name, Error *error) {
    return status_fail(error, STATUS_UNSUPPORTED, "model option \"%s\" is not supported", name);
}

static Status read_options(const cJSON *json, TokenizerModel *model, Error *error) {
    static const char *const AFFIXES[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const cJSON *dropout = json_find(json, "dropout");
    if (dropout != NULL && !(cJSON_IsNumber(dropout) && dropout->valuedouble == 0.0))
        return refuse_option("dropout", error);
    for (size_t i = 0; i < sizeof AFFIXES / sizeof *AFFIXES; i++) {
        const cJSON *affix = json_find(json, AFFIXES[i]);
        if (affix != NULL && !(cJSON_IsString(affix) && affix->valuestring[0] == '\0'))
            return refuse_option(AFFIXES[i], error);
    }
    const struct {
        const char *name;
        bool *value;
    } switches[] = {{"fuse_unk", &model->fuse_unknown},
                    {"byte_fallback", &model->byte_fallback},
                    {"ignore_merges", &model->ignore_merges}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        const cJSON *item = json_find(json, switches[i].name);
        if (item != NULL && !cJSON_IsBool(item))
            return status_fail(error, STATUS_FORMAT, "model.%s: expected true or false", switches[i].name);
        *switches[i].value = cJSON_IsTrue(item);
    }
    const cJSON *unknown = json_find(json, "unk_token");
    if (unknown == NULL) return STATUS_OK;
    if (!cJSON_IsString(unknown))
        return status_fail(error, STATUS_FORMAT, "model.unk_token: expected a string");
    model->unknown = memory_copy_text(unknown->valuestring, strlen(unknown->valuestring));
    return model->unknown == NULL ? memory_fail(error, "the tokenizer's model") : STATUS_OK;
}

static Status fill_short_cuts(TokenizerModel *model, Error *error) {
    for (unsigned byte = 0; byte < 256; byte++) {
        char piece[8];
        (void)snprintf(piece, sizeof piece, "<0x%02X>", byte);
        model->byte_ids[byte] = tokenizer_map_find_piece(&model->pieces, piece, 6);
    }
    TokenizerText character = {0};
    Status status = STATUS_OK;
    for (uint32_t c = 0; c < MODEL_SHORT_CHARACTERS && status == STATUS_OK; c++) {
        character.bytes = 0;
        status = tokenizer_text_append_character(&character, c, error);
        if (status == STATUS_OK)
            model->short_ids[c] = tokenizer_map_find_piece(&model->pieces, character.text, character.bytes);
    }
    tokenizer_text_free(&character);
    model->unknown_id = model->unknown == NULL ? TOKENIZER_NO_ID
                                               : tokenizer_map_find_piece(&model->pieces, model->unknown,
                                                                          strlen(model->unknown));
    return status;
}

static Status read_unigram(const cJSON *json, TokenizerModel *model, Error *error) {
    uint64_t unknown;
    const cJSON *item = json_find(json, "unk_id"), *fallback = json_find(json, "byte_fallback");
    Status status = tokenizer_unigram_read(json_find(json, "vocab"), &model->pieces, &model->unigram, error);
    if (status != STATUS_OK) return status;
    if (fallback != NULL && !cJSON_IsBool(fallback))
        return status_fail(error, STATUS_FORMAT, "model.byte_fallback: expected true or false");
    if (item != NULL && (!json_read_count(item, &unknown) || unknown >= model->pieces.count))
        return status_fail(error, STATUS_FORMAT, "model.unk_id: expected an id below %zu",
                           model->pieces.count);
    model->byte_fallback = cJSON_IsTrue(fallback);
    model->fuse_unknown = true;
    status = fill_short_cuts(model, error);
    model->unigram.has_unknown = item != NULL;
    model->unknown_id = item != NULL ? (int32_t)unknown : TOKENIZER_NO_ID;
    return status;
}

static Status read_merging(const cJSON *json, TokenizerModel *model, Error *error) {
    Status status = read_options(json, model, error);
    if (status == STATUS_OK) status = read_vocabulary(json_find(json, "vocab"), &model->pieces, error);
    if (status == STATUS_OK) status = read_merges(json_find(json, "merges"), model, error);
    return status == STATUS_OK ? fill_short_cuts(model, error) : status;
}

/* Files older than `type`: no other model has what these have. */
static const char *guess_type(const cJSON *json) {
    if (json_find(json, "merges") != NULL) return "BPE";
    if (cJSON_IsArray(json_find(json, "vocab"))) return "Unigram";
    return json_find(json, "max_input_chars_per_word") != NULL ? "WordPiece" : "WordLevel";
}

Status tokenizer_model_read(const cJSON *json, TokenizerModel *model, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (!cJSON_IsObject(json)) return status_fail(error, STATUS_FORMAT, "model: expected an object");
    const cJSON *type = json_find(json, "type");
    if (type != NULL && !cJSON_IsString(type))
        return status_fail(error, STATUS_FORMAT, "model.type: expected a name");
    const char *name = type != NULL ? type->valuestring : guess_type(json);
    if (strcmp(name, "BPE") == 0) return read_merging(json, model, error);
    if (strcmp(name, "Unigram") == 0) return read_unigram(json, model, error);
    return status_fail(error, STATUS_UNSUPPORTED,
                       "model type %s is not supported: of models, BPE and Unigram are read, which language "
                       "models that write text have",
                       tokenizer_text_quote(quote, name, strlen(name)));
}

void tokenizer_model_free(TokenizerModel *model) {
    tokenizer_map_free_pieces(&model->pieces);
    tokenizer_map_free_merges(&model->merges);
    tokenizer_unigram_free(&model->unigram);
    free(model->unknown);
    *model = (TokenizerModel){0};
}
