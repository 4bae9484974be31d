#include "core/tokenizer/tokenizer_source.h"

#include "core/files/json.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char MODEL[] = "tokenizer.model", TEKKEN[] = "tekken.json", TIKTOKEN[] = "tiktoken.model";
static const char VOCABULARY[] = "vocab.json", MERGES[] = "merges.txt", WORDS[] = "vocab.txt";

/* ---- which there is ---- */

static Status is_in(const char *directory, const char *name, bool *is_there, Error *error) {
    struct stat facts;
    char *path = memory_format("%s/%s", directory, name);
    if (path == NULL) return memory_fail(error, name);
    *is_there = stat(path, &facts) == 0 || errno != ENOENT;
    Status status = stand_in_check(path, error);
    free(path);
    return status;
}

typedef struct Present {
    bool named; /* the class's own name of a SentencePiece model */
    bool model, tekken, tiktoken, vocabulary, merges, words;
} Present;

static Status look(const char *directory, const TokenizerClass *rule, Present *present, Error *error) {
    const struct {
        const char *name;
        bool *is_there;
    } files[] = {{MODEL, &present->model},       {TEKKEN, &present->tekken},
                 {TIKTOKEN, &present->tiktoken}, {VOCABULARY, &present->vocabulary},
                 {MERGES, &present->merges},     {WORDS, &present->words}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == STATUS_OK; i++)
        status = is_in(directory, files[i].name, files[i].is_there, error);
    if (status == STATUS_OK && rule != NULL && rule->model_name != NULL)
        status = is_in(directory, rule->model_name, &present->named, error);
    return status;
}

/* ---- what is refused ---- */

static Status refuse_class(const char *directory, const char *name, const ClassChoice *choice, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s/%s: there is no tokenizer.json, and what class %.80s makes of %s is not known here: save "
        "the tokenizer with save_pretrained() of transformers, which writes a tokenizer.json",
        directory, name, choice->name, name);
}

static Status refuse_tiktoken(const char *directory, Error *error) {
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%s/%s: tiktoken's own file is not supported without a tokenizer.json, which "
                       "save_pretrained() of transformers writes",
                       directory, TIKTOKEN);
}

static Status refuse_words(const char *directory, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s/%s: a vocabulary of WordPiece, which is not supported: of models, BPE and Unigram are", directory,
        WORDS);
}

static Status refuse_two(const char *directory, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s has a %s and a %s and no tokenizer.json: transformers takes whichever the directory lists "
        "first; take one away",
        directory, TEKKEN, MODEL);
}

static Status refuse_merges(const char *directory, const Present *present, const ClassChoice *choice,
                            Error *error) {
    if (choice->rule != NULL && choice->rule->reads_merges)
        return status_fail(error, STATUS_UNSUPPORTED, "%s has a %s and no %s, and no tokenizer.json",
                           directory, present->vocabulary ? VOCABULARY : MERGES,
                           present->vocabulary ? MERGES : VOCABULARY);
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s has %s and no tokenizer.json, and class %.80s, which transformers takes, does not read it: "
        "tokenizer_class of tokenizer_config.json may be missing (GPT2Tokenizer, Qwen2Tokenizer)",
        directory, VOCABULARY, choice->name);
}

/* ---- opening ---- */

static Status open_model(const char *directory, const char *name, const ClassChoice *choice,
                         TokenizerSource *source, Error *error) {
    char *bytes;
    size_t size;
    source->name = name;
    source->rule = choice->rule;
    source->is_model = true;
    source->is_whole = choice->rule == NULL;
    source->path = memory_format("%s/%s", directory, name);
    if (source->path == NULL) return memory_fail(error, name);
    Status status = json_read_text(source->path, SENTENCEPIECE_FILE_MAX, &bytes, &size, error);
    if (status == STATUS_OK)
        status = tokenizer_sentencepiece_parse((const unsigned char *)bytes, size, source->path,
                                               &source->model, error);
    free(bytes);
    if (status != STATUS_OK) return status;
    source->is_raw = source->is_whole && source->model.dummy_prefix;
    source->extra = tokenizer_sentencepiece_tokens(&source->model, source->is_whole);
    if (source->is_whole) source->names = tokenizer_sentencepiece_names(&source->model);
    return source->extra == NULL || (source->is_whole && source->names == NULL) ? memory_fail(error, MODEL)
                                                                                : STATUS_OK;
}

static Status open_tekken(const char *directory, TokenizerSource *source, Error *error) {
    cJSON *json = NULL;
    source->name = TEKKEN;
    source->is_whole = true;
    source->path = memory_format("%s/%s", directory, TEKKEN);
    if (source->path == NULL) return memory_fail(error, TEKKEN);
    Status status = json_read_file(source->path, TOKENIZER_FILE_MAX, &json, error);
    if (status != STATUS_OK) return status;
    source->is_old = json_find(json, "special_tokens") == NULL;
    status = tokenizer_tekken_make(json, &source->tree, &source->tokens, error);
    cJSON_Delete(json);
    return status == STATUS_OK || error == NULL ? status : status_add_context(error, "%s", source->path);
}

static Status open_merges(const char *directory, TokenizerSource *source, Error *error) {
    source->name = "vocab.json with merges.txt";
    source->path = memory_format("%s/%s", directory, VOCABULARY);
    char *merges = memory_format("%s/%s", directory, MERGES);
    Status status = source->path == NULL || merges == NULL
                        ? memory_fail(error, VOCABULARY)
                        : tokenizer_merges_make(source->path, merges, &source->tree, error);
    free(merges);
    return status;
}

Status tokenizer_source_open(const char *directory, const ClassChoice *choice, TokenizerSource *source,
                             Error *error) {
    Present present = {0};
    Status status = look(directory, choice->rule, &present, error);
    if (status != STATUS_OK) return status;
    const char *first = present.tekken       ? TEKKEN
                        : present.model      ? MODEL
                        : present.vocabulary ? VOCABULARY
                                             : NULL;
    if (choice->is_unknown && first != NULL) return refuse_class(directory, first, choice, error);
    if (present.tekken && present.model) return refuse_two(directory, error);
    if (present.tekken) return open_tekken(directory, source, error);
    if (present.model) return open_model(directory, MODEL, choice, source, error);
    if (present.tiktoken) return refuse_tiktoken(directory, error);
    if (present.named) return open_model(directory, choice->rule->model_name, choice, source, error);
    bool reads_merges = choice->rule != NULL && choice->rule->reads_merges;
    if (reads_merges && present.vocabulary && present.merges) return open_merges(directory, source, error);
    if (present.vocabulary || (reads_merges && present.merges))
        return refuse_merges(directory, &present, choice, error);
    return present.words ? refuse_words(directory, error) : STATUS_OK;
}

/* ---- making: pieces that a class puts beside those of the model ---- */

static cJSON *make_scored(const char *piece) {
    cJSON *pair = cJSON_CreateArray();
    if (pair != NULL && cJSON_AddItemToArray(pair, cJSON_CreateString(piece)) &&
        cJSON_AddItemToArray(pair, cJSON_CreateNumber(0)))
        return pair;
    cJSON_Delete(pair);
    return NULL;
}

static bool append_piece(cJSON *vocab, const char *piece) {
    cJSON *pair = make_scored(piece == NULL ? "None" : piece); /* as str(None) */
    if (pair != NULL && cJSON_AddItemToArray(vocab, pair)) return true;
    cJSON_Delete(pair);
    return false;
}

/* The last of them first. */
static bool append_extra_ids(cJSON *vocab, const cJSON *extra_ids) {
    bool complete = true;
    for (int i = cJSON_GetArraySize(extra_ids); complete && i-- > 0;)
        complete = append_piece(vocab, cJSON_GetArrayItem(extra_ids, i)->valuestring);
    return complete;
}

static bool frame_as_fairseq(cJSON *model, const SpecialTokens *named) {
    cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(model, "vocab"), *vocab = cJSON_CreateArray();
    const char *const first[] = {named->beginning, named->padding, named->end, named->unknown};
    bool complete = json_add(model, "vocab", vocab);
    for (size_t i = 0; complete && i < 4; i++) complete = append_piece(vocab, first[i]);
    for (size_t i = 0; i < 3; i++) cJSON_DeleteItemFromArray(old, 0);
    for (cJSON *pair; complete && (pair = cJSON_DetachItemFromArray(old, 0)) != NULL;)
        complete = cJSON_AddItemToArray(vocab, pair);
    cJSON_Delete(old);
    return complete && append_piece(vocab, named->mask);
}

static Status fit_vocabulary(ClassVocabulary kind, const SpecialTokens *named, const cJSON *extra_ids,
                             cJSON *tree, Error *error) {
    cJSON *model = cJSON_GetObjectItemCaseSensitive(tree, "model");
    cJSON *vocab = cJSON_GetObjectItemCaseSensitive(model, "vocab");
    bool complete = kind == VOCABULARY_EXTRA_IDS ? append_extra_ids(vocab, extra_ids)
                    : kind == VOCABULARY_FAIRSEQ ? frame_as_fairseq(model, named)
                                                 : true;
    return complete ? STATUS_OK : memory_fail(error, "the vocabulary");
}

Status tokenizer_source_make(TokenizerSource *source, const SpecialTokens *specials, const cJSON *settings,
                             const cJSON *extra_ids, Error *error) {
    if (!source->is_model) return STATUS_OK;
    Status status = source->is_whole
                        ? tokenizer_sentencepiece_make_all(
                              &source->model, specials->written, specials->written_count,
                              tokenizer_class_says(settings, "legacy", true), &source->tree, error)
                        : tokenizer_sentencepiece_make_model(&source->model, !source->rule->is_unigram,
                                                             &source->tree, error);
    if (status == STATUS_OK && !source->is_whole)
        status = fit_vocabulary(source->rule->vocabulary, specials, extra_ids, source->tree, error);
    return status == STATUS_OK || error == NULL ? status : status_add_context(error, "%s", source->path);
}

void tokenizer_source_free(TokenizerSource *source) {
    tokenizer_sentencepiece_free(&source->model);
    cJSON_Delete(source->tree);
    cJSON_Delete(source->tokens);
    cJSON_Delete(source->extra);
    cJSON_Delete(source->names);
    free(source->path);
    *source = (TokenizerSource){0};
}
