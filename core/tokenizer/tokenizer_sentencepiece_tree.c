#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_base64.h"
#include "core/tokenizer/tokenizer_sentencepiece.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>

/* What pieces are called: their texts, or those of the tokens that are written with their ids. */
typedef struct PieceNames {
    const char **texts; /* by id */
    Pieces mergeable;
} PieceNames;

/* ---- merges: a piece is made of each two that give it ---- */

/* In which order pieces are merged to. */
typedef struct Ranked {
    double score;
    int32_t id;
} Ranked;

static int compare_ranked(const void *a, const void *b) {
    const Ranked *left = a, *right = b;
    if (left->score != right->score) return left->score > right->score ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

static bool add_merge(cJSON *merges, const char *text, size_t left) {
    cJSON *pair = cJSON_CreateArray();
    char *half = memory_copy_text(text, left);
    bool complete = pair != NULL && half != NULL && cJSON_AddItemToArray(pair, cJSON_CreateString(half)) &&
                    cJSON_AddItemToArray(pair, cJSON_CreateString(text + left)) &&
                    cJSON_AddItemToArray(merges, pair);
    free(half);
    if (!complete) cJSON_Delete(pair);
    return complete;
}

/* Every way to make the piece of two others, the shortest first half first. */
static bool add_merges_of(cJSON *merges, const PieceNames *names, int32_t id) {
    size_t bytes;
    uint32_t ignored;
    const Pieces *mergeable = &names->mergeable;
    const char *text = names->texts[id]; /* in the map it has no end of its own */
    if (tokenizer_map_get_piece(mergeable, id, &bytes) == NULL) return true;
    for (size_t left = 0; left < bytes;) {
        left += tokenizer_text_read(text + left, &ignored);
        if (left < bytes && tokenizer_map_find_piece(mergeable, text, left) != TOKENIZER_NO_ID &&
            tokenizer_map_find_piece(mergeable, text + left, bytes - left) != TOKENIZER_NO_ID &&
            !add_merge(merges, text, left))
            return false;
    }
    return true;
}

/* `by_score`: else in the order of ids. */
static Status add_merges(const SentencePieceModel *model, const PieceNames *names, bool by_score, cJSON *tree,
                         Error *error) {
    cJSON *merges = cJSON_CreateArray();
    Ranked *ranked = memory_allocate(model->count, sizeof *ranked);
    bool complete = json_add(tree, "merges", merges) && ranked != NULL;
    for (size_t i = 0; complete && i < model->count; i++)
        ranked[i] = (Ranked){by_score ? model->pieces[i].score : 0, (int32_t)i};
    if (complete) qsort(ranked, model->count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; complete && i < model->count; i++)
        complete = add_merges_of(merges, names, ranked[i].id);
    free(ranked);
    return complete ? STATUS_OK : memory_fail(error, "the merges");
}

/* ---- the model ---- */

static Status create_names(const SentencePieceModel *model, PieceNames *names, Error *error) {
    *names = (PieceNames){.texts = memory_allocate(model->count, sizeof *names->texts)};
    if (names->texts == NULL) return memory_fail(error, "the vocabulary");
    for (size_t i = 0; i < model->count; i++) names->texts[i] = model->pieces[i].text;
    return STATUS_OK;
}

static void free_names(PieceNames *names) {
    free(names->texts);
    tokenizer_map_free_pieces(&names->mergeable);
}

/* Written names, but for those of pieces that keep their own. */
static Status rename_pieces(const SentencePieceModel *model, const SpecialToken *written,
                            size_t written_count, PieceNames *names, Error *error) {
    Pieces kept = {0};
    bool *is_written = memory_allocate(model->count, sizeof *is_written);
    Status status = is_written == NULL ? memory_fail(error, "the vocabulary") : STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < written_count; i++)
        if (written[i].written < model->count) is_written[written[i].written] = true;
    if (status == STATUS_OK) status = tokenizer_map_create_pieces(&kept, model->count, model->count, error);
    for (size_t i = 0; i < model->count && status == STATUS_OK; i++) {
        const SentencePiece *piece = &model->pieces[i];
        if (!is_written[i])
            status = tokenizer_map_add_piece(&kept, (int32_t)i, piece->text, piece->bytes, error);
    }
    for (size_t i = 0; i < written_count && status == STATUS_OK; i++) {
        const SpecialToken *token = &written[i];
        if (token->written < model->count &&
            tokenizer_map_find_piece(&kept, token->content, strlen(token->content)) == TOKENIZER_NO_ID)
            names->texts[token->written] = token->content;
    }
    tokenizer_map_free_pieces(&kept);
    free(is_written);
    return status;
}

static Status find_mergeable(const SentencePieceModel *model, bool normal_only, PieceNames *names,
                             Error *error) {
    Status status = tokenizer_map_create_pieces(&names->mergeable, model->count, model->count, error);
    for (size_t i = 0; i < model->count && status == STATUS_OK; i++) {
        const char *text = names->texts[i];
        if (!normal_only || model->pieces[i].kind == SENTENCEPIECE_NORMAL)
            status = tokenizer_map_add_piece(&names->mergeable, (int32_t)i, text, strlen(text), error);
    }
    return status;
}

static Status make_merging(const SentencePieceModel *model, PieceNames *names, bool follows, cJSON *tree,
                           Error *error) {
    cJSON *vocab = cJSON_CreateObject();
    bool complete = json_add_text(tree, "type", "BPE") && json_add(tree, "vocab", vocab);
    for (size_t i = 0; complete && i < model->count; i++)
        complete = json_add(vocab, names->texts[i], cJSON_CreateNumber((double)i));
    if (!complete) return memory_fail(error, "the vocabulary");
    Status status = find_mergeable(model, follows, names, error);
    return status == STATUS_OK ? add_merges(model, names, follows, tree, error) : status;
}

static bool add_scored(cJSON *vocab, const SentencePiece *piece) {
    cJSON *pair = cJSON_CreateArray();
    bool complete = pair != NULL && cJSON_AddItemToArray(pair, cJSON_CreateString(piece->text)) &&
                    cJSON_AddItemToArray(pair, cJSON_CreateNumber(piece->score)) &&
                    cJSON_AddItemToArray(vocab, pair);
    if (!complete) cJSON_Delete(pair);
    return complete;
}

static Status make_scored(const SentencePieceModel *model, cJSON *tree, Error *error) {
    cJSON *vocab = cJSON_CreateArray();
    bool complete = json_add_text(tree, "type", "Unigram") && json_add(tree, "vocab", vocab) &&
                    json_add(tree, "unk_id", cJSON_CreateNumber(model->ids[SENTENCEPIECE_UNK])) &&
                    json_add_bool(tree, "byte_fallback", model->byte_fallback);
    for (size_t i = 0; complete && i < model->count; i++) complete = add_scored(vocab, &model->pieces[i]);
    return complete ? STATUS_OK : memory_fail(error, "the vocabulary");
}

/* ---- the stages, as the model's own settings say ---- */

#define REPLACE_REGEX(regex, content)                                                                        \
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"" regex "\"},\"content\":\"" content "\"}"
#define REPLACE(text, content)                                                                               \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" text "\"},\"content\":\"" content "\"}"

/* Appends a step that is written out; false when out of memory. */
static bool add_step(cJSON *steps, const char *json) {
    cJSON *step = cJSON_Parse(json);
    if (step != NULL && cJSON_AddItemToArray(steps, step)) return true;
    cJSON_Delete(step);
    return false;
}

/* A Sequence under `key` of the tree; its steps, NULL when out of memory. */
static cJSON *add_sequence(cJSON *tree, const char *key, const char *steps_key) {
    cJSON *sequence = cJSON_CreateObject(), *steps = cJSON_CreateArray();
    if (!json_add(tree, key, sequence)) {
        cJSON_Delete(steps);
        return NULL;
    }
    return json_add_text(sequence, "type", "Sequence") && json_add(sequence, steps_key, steps) ? steps : NULL;
}

static bool add_charsmap(const SentencePieceModel *model, cJSON *steps) {
    char *base64 = tokenizer_base64_encode(model->charsmap, model->charsmap_bytes);
    cJSON *step = cJSON_CreateObject();
    bool complete = base64 != NULL && step != NULL && json_add_text(step, "type", "Precompiled") &&
                    json_add_text(step, "precompiled_charsmap", base64) && cJSON_AddItemToArray(steps, step);
    if (!complete) cJSON_Delete(step);
    free(base64);
    return complete;
}

static bool add_normalizer(const SentencePieceModel *model, bool legacy, cJSON *tree) {
    cJSON *steps = add_sequence(tree, "normalizer", "normalizers");
    bool complete = steps != NULL;
    if (model->charsmap_bytes > 0) complete = complete && add_charsmap(model, steps);
    if (model->strips_spaces)
        complete = complete && add_step(steps, REPLACE_REGEX("\\\\A +| +\\\\z", "")) &&
                   add_step(steps, REPLACE_REGEX(" {2,}", " "));
    if (model->escapes_spaces) complete = complete && add_step(steps, REPLACE(" ", "▁"));
    if (model->dummy_prefix && legacy) complete = complete && add_step(steps, REPLACE_REGEX("\\\\A▁", "▁▁"));
    return complete;
}

static size_t count_characters(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++) count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* As re.escape() of Python writes it. */
static Status append_escaped(TokenizerText *pattern, const char *text, Error *error) {
    static const char SPECIAL[] = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f";
    Status status = STATUS_OK;
    for (; *text != '\0' && status == STATUS_OK; text++) {
        if (strchr(SPECIAL, *text) != NULL) status = tokenizer_text_append(pattern, "\\", 1, error);
        if (status == STATUS_OK) status = tokenizer_text_append(pattern, text, 1, error);
    }
    return status;
}

/* An expression that matches the pieces of users, the longest that there is. */
static Status make_user_pattern(const SentencePieceModel *model, const PieceNames *names,
                                TokenizerText *pattern, Error *error) {
    Ranked *users = memory_allocate(model->count, sizeof *users);
    size_t count = 0;
    if (users == NULL) return memory_fail(error, "the pieces of users");
    for (size_t i = 0; i < model->count; i++)
        if (model->pieces[i].kind == SENTENCEPIECE_USER)
            users[count++] = (Ranked){(double)count_characters(names->texts[i]), (int32_t)i};
    qsort(users, count, sizeof *users, compare_ranked); /* the longest first */
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i > 0) status = tokenizer_text_append(pattern, "|", 1, error);
        if (status == STATUS_OK) status = append_escaped(pattern, names->texts[users[i].id], error);
    }
    free(users);
    return status;
}

static bool add_user_split(cJSON *steps, const char *pattern) {
    cJSON *step = cJSON_CreateObject(), *regex = cJSON_CreateObject();
    if (!json_add(step, "pattern", regex)) {
        cJSON_Delete(step);
        return false;
    }
    bool complete = json_add_text(regex, "Regex", pattern) && json_add_text(step, "type", "Split") &&
                    json_add_text(step, "behavior", "Isolated") && json_add_bool(step, "invert", false) &&
                    cJSON_AddItemToArray(steps, step);
    if (!complete) cJSON_Delete(step);
    return complete;
}

static bool add_splits(const SentencePieceModel *model, bool legacy, const TokenizerText *pattern,
                       cJSON *tree) {
    cJSON *steps = add_sequence(tree, "pre_tokenizer", "pretokenizers");
    bool complete = steps != NULL;
    if (model->dummy_prefix)
        complete =
            complete &&
            add_step(steps, legacy ? "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":"
                                     "\"always\",\"split\":false}"
                                   : "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":"
                                     "\"first\",\"split\":false}");
    if (pattern->bytes > 0) complete = complete && add_user_split(steps, pattern->text);
    return complete;
}

static bool add_decoder(const SentencePieceModel *model, cJSON *tree) {
    cJSON *steps = add_sequence(tree, "decoder", "decoders");
    bool complete = steps != NULL && add_step(steps, REPLACE("▁", " "));
    if (model->byte_fallback) complete = complete && add_step(steps, "{\"type\":\"ByteFallback\"}");
    if (model->dummy_prefix || model->byte_fallback)
        complete = complete && add_step(steps, "{\"type\":\"Fuse\"}");
    if (model->dummy_prefix)
        complete =
            complete && add_step(steps, "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}");
    return complete;
}

static Status add_switches(const SentencePieceModel *model, bool has_users, cJSON *made, Error *error) {
    bool complete = json_add_text(made, "unk_token", model->names[SENTENCEPIECE_UNK]) &&
                    json_add_bool(made, "fuse_unk", true) &&
                    json_add_bool(made, "byte_fallback", model->byte_fallback) &&
                    json_add_bool(made, "ignore_merges", has_users);
    return complete ? STATUS_OK : memory_fail(error, "the model");
}

Status tokenizer_sentencepiece_make_all(const SentencePieceModel *model, const SpecialToken *written,
                                        size_t written_count, bool legacy, cJSON **tree, Error *error) {
    cJSON *made = cJSON_CreateObject();
    PieceNames names = {0};
    TokenizerText pattern = {0};
    *tree = cJSON_CreateObject();
    if (!json_add(*tree, "model", made)) return memory_fail(error, "the model");
    Status status = create_names(model, &names, error);
    if (status == STATUS_OK && !model->is_unigram)
        status = rename_pieces(model, written, written_count, &names, error);
    if (status == STATUS_OK) status = make_user_pattern(model, &names, &pattern, error);
    if (status == STATUS_OK)
        status = model->is_unigram ? make_scored(model, made, error)
                                   : make_merging(model, &names, true, made, error);
    if (status == STATUS_OK && !model->is_unigram)
        status = add_switches(model, pattern.bytes > 0, made, error);
    if (status == STATUS_OK && !(add_normalizer(model, legacy, *tree) &&
                                 add_splits(model, legacy, &pattern, *tree) && add_decoder(model, *tree)))
        status = memory_fail(error, "the stages");
    tokenizer_text_free(&pattern);
    free_names(&names);
    return status;
}

/* ---- both kinds of trees ---- */

Status tokenizer_sentencepiece_make_model(const SentencePieceModel *model, bool as_merges, cJSON **tree,
                                          Error *error) {
    cJSON *made = cJSON_CreateObject();
    PieceNames names = {0};
    *tree = cJSON_CreateObject();
    if (!json_add(*tree, "model", made)) return memory_fail(error, "the model");
    if (!as_merges) {
        cJSON *steps = add_sequence(*tree, "normalizer", "normalizers");
        if (steps == NULL || (model->charsmap_bytes > 0 && !add_charsmap(model, steps)))
            return memory_fail(error, "the table");
        return make_scored(model, made, error);
    }
    Status status = create_names(model, &names, error);
    if (status == STATUS_OK) status = make_merging(model, &names, false, made, error);
    free_names(&names);
    return status;
}

/* ---- tokens beside the model ---- */

static bool add_token(cJSON *tokens, const SentencePiece *piece) {
    cJSON *token = cJSON_CreateObject();
    bool complete = token != NULL && json_add_text(token, "content", piece->text) &&
                    json_add_bool(token, "normalized", false) &&
                    json_add_bool(token, "special", piece->kind == SENTENCEPIECE_CONTROL) &&
                    cJSON_AddItemToArray(tokens, token);
    if (!complete) cJSON_Delete(token);
    return complete;
}

cJSON *tokenizer_sentencepiece_tokens(const SentencePieceModel *model, bool control_only) {
    cJSON *tokens = cJSON_CreateArray();
    bool complete = tokens != NULL;
    for (size_t i = 0; complete && i < model->count; i++) {
        SentencePieceKind kind = model->pieces[i].kind;
        if (kind == SENTENCEPIECE_CONTROL || (kind == SENTENCEPIECE_USER && !control_only))
            complete = add_token(tokens, &model->pieces[i]);
    }
    if (complete) return tokens;
    cJSON_Delete(tokens);
    return NULL;
}

cJSON *tokenizer_sentencepiece_names(const SentencePieceModel *model) {
    static const char *const KEYS[SENTENCEPIECE_NAMES] = {"unk_token", "bos_token", "eos_token"};
    static const char *const USUAL[SENTENCEPIECE_NAMES] = {"<unk>", "<s>", "</s>"}; /* for an empty one */
    cJSON *names = cJSON_CreateObject();
    bool complete = names != NULL;
    for (size_t i = 0; complete && i < SENTENCEPIECE_NAMES; i++) {
        const char *name = model->names[i][0] != '\0' ? model->names[i] : USUAL[i];
        if (model->ids[i] >= 0) complete = json_add_text(names, KEYS[i], name);
    }
    if (complete) return names;
    cJSON_Delete(names);
    return NULL;
}
