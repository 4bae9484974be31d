#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_base64.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_source.h"
#include "core/tokenizer/tokenizer_stages.h"
#include "core/tokenizer/tokenizer_text.h"
#include "core/tokenizer/tokenizer_unigram.h"

#include <stdlib.h>
#include <string.h>

/* Those of files that are older than special_tokens, as mistral-common has them. */
static const char *const OLD_SPECIALS[] = {"<unk>",
                                           "<s>",
                                           "</s>",
                                           "[INST]",
                                           "[/INST]",
                                           "[AVAILABLE_TOOLS]",
                                           "[/AVAILABLE_TOOLS]",
                                           "[TOOL_RESULTS]",
                                           "[/TOOL_RESULTS]",
                                           "[TOOL_CALLS]",
                                           "[IMG]",
                                           "<pad>",
                                           "[IMG_BREAK]",
                                           "[IMG_END]",
                                           "[PREFIX]",
                                           "[MIDDLE]",
                                           "[SUFFIX]",
                                           "[SYSTEM_PROMPT]",
                                           "[/SYSTEM_PROMPT]",
                                           "[TOOL_CONTENT]"};

enum { OLD_SPECIAL_COUNT = sizeof OLD_SPECIALS / sizeof *OLD_SPECIALS };

typedef struct Tekken {
    char **specials; /* by id */
    size_t special_count, named_count;
    Pieces special_ids;
    Pieces pieces; /* as bytes, by rank */
    size_t piece_count;
    size_t wanted; /* how many of the file's pieces count */
} Tekken;

static void free_tekken(Tekken *tekken) {
    for (size_t i = 0; tekken->specials != NULL && i < tekken->special_count; i++) free(tekken->specials[i]);
    free(tekken->specials);
    tokenizer_map_free_pieces(&tekken->special_ids);
    tokenizer_map_free_pieces(&tekken->pieces);
}

/* ---- special tokens: those of the file by rank, then fillers ---- */

/* A count of the configuration, `fallback` where it is absent. */
static Status read_count(const cJSON *config, const char *key, uint64_t fallback, uint64_t *count,
                         Error *error) {
    const cJSON *item = json_find(config, key);
    *count = fallback;
    if (item == NULL || (json_read_count(item, count) && *count <= TOKENIZER_IDS_MAX)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "config.%s: expected a count of at most %d", key,
                       TOKENIZER_IDS_MAX);
}

static Status place_special(Tekken *tekken, uint64_t rank, const char *text, Error *error) {
    size_t offset;
    if (text == NULL || text[0] == '\0' || !tokenizer_text_is_utf8(text, strlen(text), &offset))
        return status_fail(error, STATUS_FORMAT, "special_tokens: expected a text in UTF-8 for token_str");
    if (rank >= tekken->named_count || tekken->specials[rank] != NULL)
        return status_fail(error, STATUS_FORMAT, "special_tokens: expected each rank from 0 to %zu once",
                           tekken->named_count - 1);
    tekken->specials[rank] = memory_copy_text(text, strlen(text));
    return tekken->specials[rank] == NULL ? memory_fail(error, "the special tokens") : STATUS_OK;
}

static Status place_specials(Tekken *tekken, const cJSON *list, Error *error) {
    Status status = STATUS_OK;
    if (list == NULL) {
        for (size_t i = 0; i < OLD_SPECIAL_COUNT && status == STATUS_OK; i++)
            status = place_special(tekken, i, OLD_SPECIALS[i], error);
        return status;
    }
    for (const cJSON *item = list->child; item != NULL && status == STATUS_OK; item = item->next) {
        uint64_t rank = UINT64_MAX;
        if (!json_read_count(json_find(item, "rank"), &rank)) rank = UINT64_MAX;
        status = place_special(tekken, rank, json_get_text(item, "token_str", NULL), error);
    }
    return status;
}

static Status fill_specials(Tekken *tekken, Error *error) {
    Status status = tokenizer_map_create_pieces(&tekken->special_ids, tekken->special_count,
                                                tekken->special_count, error);
    for (size_t i = 0; i < tekken->special_count && status == STATUS_OK; i++) {
        if (tekken->specials[i] == NULL) tekken->specials[i] = memory_format("<SPECIAL_%zu>", i);
        if (tekken->specials[i] == NULL) return memory_fail(error, "the special tokens");
        status = tokenizer_map_add_piece(&tekken->special_ids, (int32_t)i, tekken->specials[i],
                                         strlen(tekken->specials[i]), error);
    }
    return status;
}

static Status read_specials(const cJSON *json, Tekken *tekken, Error *error) {
    const cJSON *list = json_find(json, "special_tokens"), *config = json_find(json, "config");
    uint64_t count, size;
    if (list != NULL && !cJSON_IsArray(list))
        return status_fail(error, STATUS_FORMAT, "expected an array special_tokens");
    tekken->named_count = list == NULL ? OLD_SPECIAL_COUNT : (size_t)cJSON_GetArraySize(list);
    Status status = read_count(config, "default_num_special_tokens", tekken->named_count, &count, error);
    if (status == STATUS_OK) status = read_count(config, "default_vocab_size", SIZE_MAX, &size, error);
    if (status != STATUS_OK) return status;
    if (count < tekken->named_count || size < count)
        return status_fail(
            error, STATUS_FORMAT,
            "config: expected at least the %zu special tokens that there are, and no more than "
            "default_vocab_size",
            tekken->named_count);
    tekken->special_count = (size_t)count;
    tekken->wanted = size == SIZE_MAX ? SIZE_MAX : (size_t)(size - count);
    tekken->specials = memory_allocate(tekken->special_count, sizeof *tekken->specials);
    if (tekken->specials == NULL) return memory_fail(error, "the special tokens");
    status = place_specials(tekken, list, error);
    return status == STATUS_OK ? fill_specials(tekken, error) : status;
}

/* ---- pieces ---- */

static Status read_pieces(const cJSON *json, Tekken *tekken, Error *error) {
    const cJSON *vocab = json_find(json, "vocab");
    if (!cJSON_IsArray(vocab)) return status_fail(error, STATUS_FORMAT, "expected an array vocab");
    size_t count = (size_t)cJSON_GetArraySize(vocab);
    tekken->piece_count = count < tekken->wanted ? count : tekken->wanted;
    Status status =
        tokenizer_map_create_pieces(&tekken->pieces, tekken->piece_count, tekken->piece_count, error);
    TokenizerText bytes = {0};
    const cJSON *item = vocab->child;
    for (size_t rank = 0; rank < tekken->piece_count && status == STATUS_OK; rank++, item = item->next) {
        const char *base64 = json_get_text(item, "token_bytes", NULL);
        bytes.bytes = 0;
        status = base64 == NULL ? status_fail(error, STATUS_FORMAT, "expected base64")
                                : tokenizer_base64_decode(base64, &bytes, error);
        if (status == STATUS_OK && (bytes.bytes == 0 || bytes.bytes > UNIGRAM_BYTES_MAX))
            status = status_fail(error, STATUS_UNSUPPORTED, "expected 1 to %d bytes, found %zu",
                                 UNIGRAM_BYTES_MAX, bytes.bytes);
        if (status == STATUS_OK)
            status = tokenizer_map_add_piece(&tekken->pieces, (int32_t)rank, bytes.text, bytes.bytes, error);
        if (status != STATUS_OK && status != STATUS_NO_MEMORY && error != NULL)
            status = status_add_context(error, "vocab[%zu].token_bytes", rank);
    }
    tokenizer_text_free(&bytes);
    return status;
}

/* Bytes in the byte alphabet, into `text`. */
static Status spell(const char *bytes, size_t count, TokenizerText *text, Error *error) {
    text->bytes = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = tokenizer_text_append_character(text, tokenizer_alphabet_character((unsigned char)bytes[i]),
                                                 error);
    return status;
}

/* A special token that is spelled alike takes the piece's place. */
static Status add_vocabulary(const Tekken *tekken, cJSON *model, Error *error) {
    cJSON *vocab = cJSON_CreateObject();
    TokenizerText text = {0};
    Status status = json_add(model, "vocab", vocab) ? STATUS_OK : memory_fail(error, "the vocabulary");
    for (size_t i = 0; i < tekken->special_count && status == STATUS_OK; i++)
        if (!json_add(vocab, tekken->specials[i], cJSON_CreateNumber((double)i)))
            status = memory_fail(error, "the vocabulary");
    for (size_t rank = 0; rank < tekken->piece_count && status == STATUS_OK; rank++) {
        size_t count;
        const char *bytes = tokenizer_map_get_piece(&tekken->pieces, (int32_t)rank, &count);
        status = spell(bytes, count, &text, error);
        if (status != STATUS_OK ||
            tokenizer_map_find_piece(&tekken->special_ids, text.text, text.bytes) != TOKENIZER_NO_ID)
            continue;
        if (!json_add(vocab, text.text, cJSON_CreateNumber((double)(rank + tekken->special_count))))
            status = memory_fail(error, "the vocabulary");
    }
    tokenizer_text_free(&text);
    return status;
}

/* ---- merges: a piece is made of each two that give it, those of lower rank first ---- */

typedef struct Halves {
    int32_t ranks[2];
} Halves;

static int compare_halves(const void *a, const void *b) {
    const Halves *left = a, *right = b;
    for (int i = 0; i < 2; i++)
        if (left->ranks[i] != right->ranks[i]) return left->ranks[i] < right->ranks[i] ? -1 : 1;
    return 0;
}

static size_t find_halves(const Tekken *tekken, const char *bytes, size_t count,
                          Halves found[UNIGRAM_BYTES_MAX]) {
    size_t number = 0;
    for (size_t left = 1; left < count; left++) {
        Halves halves = {{tokenizer_map_find_piece(&tekken->pieces, bytes, left),
                          tokenizer_map_find_piece(&tekken->pieces, bytes + left, count - left)}};
        if (halves.ranks[0] != TOKENIZER_NO_ID && halves.ranks[1] != TOKENIZER_NO_ID)
            found[number++] = halves;
    }
    qsort(found, number, sizeof *found, compare_halves);
    return number;
}

static Status add_merge(const Tekken *tekken, Halves halves, cJSON *merges, TokenizerText *text,
                        Error *error) {
    cJSON *pair = cJSON_CreateArray();
    Status status =
        pair != NULL && cJSON_AddItemToArray(merges, pair) ? STATUS_OK : memory_fail(error, "the merges");
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        size_t count;
        const char *bytes = tokenizer_map_get_piece(&tekken->pieces, halves.ranks[i], &count);
        status = spell(bytes, count, text, error);
        if (status == STATUS_OK && !cJSON_AddItemToArray(pair, cJSON_CreateString(text->text)))
            status = memory_fail(error, "the merges");
    }
    return status;
}

static Status add_merges(const Tekken *tekken, cJSON *model, Error *error) {
    cJSON *merges = cJSON_CreateArray();
    Halves found[UNIGRAM_BYTES_MAX];
    TokenizerText text = {0};
    Status status = json_add(model, "merges", merges) ? STATUS_OK : memory_fail(error, "the merges");
    for (size_t rank = 0; rank < tekken->piece_count && status == STATUS_OK; rank++) {
        size_t count;
        const char *bytes = tokenizer_map_get_piece(&tekken->pieces, (int32_t)rank, &count);
        size_t number = find_halves(tekken, bytes, count, found);
        for (size_t i = 0; i < number && status == STATUS_OK; i++)
            status = add_merge(tekken, found[i], merges, &text, error);
    }
    tokenizer_text_free(&text);
    return status;
}

/* ---- the tree ---- */

static Status add_stages(const cJSON *json, cJSON *tree, Error *error) {
    static const char SPLIT[] =
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Isolated\","
        "\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
        "\"use_regex\":false}]}";
    static const char DECODER[] = "{\"type\":\"ByteLevel\"}";
    const char *regex = json_get_text(json_find(json, "config"), "pattern", NULL);
    size_t offset;
    if (regex == NULL || !tokenizer_text_is_utf8(regex, strlen(regex), &offset))
        return status_fail(error, STATUS_FORMAT, "config.pattern: expected a regular expression");
    cJSON *splits = cJSON_Parse(SPLIT), *pattern = cJSON_CreateObject();
    cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(splits, "pretokenizers"), 0);
    bool complete = first != NULL && json_add(first, "pattern", pattern);
    if (first == NULL) cJSON_Delete(pattern);
    complete = complete && json_add_text(pattern, "Regex", regex);
    if (!json_add(tree, "pre_tokenizer", splits)) complete = false;
    complete = complete && json_add(tree, "decoder", cJSON_Parse(DECODER));
    return complete ? STATUS_OK : memory_fail(error, "the stages");
}

static Status add_tokens(const Tekken *tekken, cJSON *tokens, Error *error) {
    for (size_t i = 0; i < tekken->special_count; i++) {
        cJSON *token = cJSON_CreateObject();
        if (token == NULL || !cJSON_AddItemToArray(tokens, token)) {
            cJSON_Delete(token);
            return memory_fail(error, "the special tokens");
        }
        if (!json_add_text(token, "content", tekken->specials[i]) ||
            !json_add(token, "id", cJSON_CreateNumber((double)i)) || !json_add_bool(token, "special", true))
            return memory_fail(error, "the special tokens");
    }
    return STATUS_OK;
}

Status tokenizer_tekken_make(const cJSON *json, cJSON **tree, cJSON **tokens, Error *error) {
    Tekken tekken = {0};
    cJSON *model = cJSON_CreateObject();
    *tree = cJSON_CreateObject();
    *tokens = cJSON_CreateArray();
    if (!json_add(*tree, "model", model) || *tokens == NULL) return memory_fail(error, "the model");
    if (!json_add_text(model, "type", "BPE") || !json_add_bool(model, "ignore_merges", true))
        return memory_fail(error, "the model");
    Status status = read_specials(json, &tekken, error);
    if (status == STATUS_OK) status = read_pieces(json, &tekken, error);
    if (status == STATUS_OK) status = add_vocabulary(&tekken, model, error);
    if (status == STATUS_OK) status = add_merges(&tekken, model, error);
    if (status == STATUS_OK) status = add_stages(json, *tree, error);
    if (status == STATUS_OK) status = add_tokens(&tekken, *tokens, error);
    free_tekken(&tekken);
    return status;
}
