#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char REMEDY[] = "--tokenizer-file follows the file";

Status tokenizer_remark_add(Tokenizer *tokenizer, Error *error, const char *format, ...) {
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    Status status =
        MEMORY_RESERVE(tokenizer->remarks, &tokenizer->remark_capacity, tokenizer->remark_count + 1, error);
    if (status != STATUS_OK) return status;
    char *copy = memory_copy_text(text, strlen(text));
    if (copy == NULL) return memory_fail(error, "the tokenizer's remarks");
    tokenizer->remarks[tokenizer->remark_count++] = copy;
    return STATUS_OK;
}

const char *tokenizer_remark(const Tokenizer *tokenizer, size_t index) {
    return index < tokenizer->remark_count ? tokenizer->remarks[index] : NULL;
}

/* ---- parts ---- */

/* The stages of the file, as far as they can be read: what cannot differs. */
typedef struct FileStages {
    Normalizer normalizer;
    Splitter splitter;
    Processor processor;
    Decoder decoder;
    TokenizerText descriptions[STAGE_COUNT];
    bool is_read[STAGE_COUNT];
} FileStages;

static Status read_stages(const cJSON *parts, FileStages *stages, Error *error) {
    TokenizerText *descriptions = stages->descriptions;
    Error why;
    Status read[STAGE_COUNT];
    read[STAGE_NORMALIZER] = tokenizer_normalizer_read(json_find(parts, "normalizer"), &stages->normalizer,
                                                       &descriptions[STAGE_NORMALIZER], &why);
    read[STAGE_PRE_TOKENIZER] = tokenizer_split_read(json_find(parts, "pre_tokenizer"), &stages->splitter,
                                                     &descriptions[STAGE_PRE_TOKENIZER], &why);
    read[STAGE_POST_PROCESSOR] = tokenizer_processor_read(
        json_find(parts, "post_processor"), &stages->processor, &descriptions[STAGE_POST_PROCESSOR], &why);
    read[STAGE_DECODER] = tokenizer_decoder_read(json_find(parts, "decoder"), &stages->decoder,
                                                 &descriptions[STAGE_DECODER], &why);
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (read[i] == STATUS_NO_MEMORY) return memory_fail(error, "the tokenizer's parts");
        stages->is_read[i] = read[i] == STATUS_OK;
    }
    return STATUS_OK;
}

static void free_stages(FileStages *stages) {
    tokenizer_normalizer_free(&stages->normalizer);
    tokenizer_split_free(&stages->splitter);
    tokenizer_processor_free(&stages->processor);
    tokenizer_decoder_free(&stages->decoder);
    for (int i = 0; i < STAGE_COUNT; i++) tokenizer_text_free(&stages->descriptions[i]);
}

static bool stage_differs(const Tokenizer *tokenizer, const FileStages *stages, const cJSON *parts,
                          TokenizerStage stage) {
    const TokenizerText *made = &tokenizer->descriptions[stage], *file = &stages->descriptions[stage];
    if (!stages->is_read[stage]) return true;
    if (stage == STAGE_POST_PROCESSOR)
        return cJSON_HasObjectItem(parts, "post_processor") &&
               !tokenizer_processor_is_same(&tokenizer->processor, &stages->processor);
    return made->bytes != file->bytes ||
           (made->bytes > 0 && memcmp(made->text, file->text, made->bytes) != 0);
}

static bool has_all_bytes(const TokenizerModel *model) {
    for (int i = 0; i < 256; i++) {
        if (model->byte_ids[i] == TOKENIZER_NO_ID) return false;
    }
    return model->byte_fallback;
}

/* What is unknown does not matter where every byte has a piece. */
static bool model_differs(const TokenizerModel *model, const cJSON *switches) {
    const char *unknown = json_get_text(switches, "unk_token", NULL);
    if (model->byte_fallback != json_get_bool(switches, "byte_fallback", false) ||
        model->ignore_merges != json_get_bool(switches, "ignore_merges", false))
        return true;
    const cJSON *unknown_id = json_find(switches, "unk_id");
    if (unknown_id != NULL && unknown_id->valueint != model->unknown_id) return true;
    if (has_all_bytes(model) || (unknown == NULL && model->unknown == NULL)) return false;
    return unknown == NULL || model->unknown == NULL || strcmp(unknown, model->unknown) != 0 ||
           model->fuse_unknown != json_get_bool(switches, "fuse_unk", false);
}

static Status remark_parts(Tokenizer *tokenizer, const FileStages *stages, const cJSON *parts, Error *error) {
    static const char *const NAMES[STAGE_COUNT + 1] = {[STAGE_NORMALIZER] = "normalizer",
                                                       [STAGE_PRE_TOKENIZER] = "pre-tokenizer",
                                                       [STAGE_POST_PROCESSOR] = "post-processor",
                                                       [STAGE_DECODER] = "decoder",
                                                       [STAGE_COUNT] = "switches of the model"};
    const char *found[STAGE_COUNT + 1];
    size_t count = 0;
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (stage_differs(tokenizer, stages, parts, (TokenizerStage)i)) found[count++] = NAMES[i];
    }
    if (model_differs(&tokenizer->model, json_find(parts, "model"))) found[count++] = NAMES[STAGE_COUNT];
    if (count == 0) return STATUS_OK;
    char list[128] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s",
                       i == 0           ? ""
                       : i + 1 == count ? " and "
                                        : ", ",
                       found[i]);
    }
    return tokenizer_remark_add(tokenizer, error, "class %s replaces the %s of tokenizer.json (by %s); %s",
                                tokenizer->class_name, list, tokenizer->class_key, REMEDY);
}

/* ---- added tokens ---- */

static bool same_added(const AddedToken *a, const AddedToken *b) {
    return a->id == b->id && a->single_word == b->single_word && a->lstrip == b->lstrip &&
           a->rstrip == b->rstrip && a->normalized == b->normalized && a->special == b->special;
}

/* Tokens of one list that the other has not, or not so. */
typedef struct Missing {
    size_t count;
    const AddedToken *first;
} Missing;

static Missing find_missing(const AddedTokens *of, const AddedTokens *in) {
    Missing missing = {0};
    for (size_t i = 0; i < of->count; i++) {
        const AddedToken *token = &of->tokens[i];
        if (tokenizer_added_find(in, token->content, token->bytes) != NULL) continue;
        if (missing.count++ == 0) missing.first = token;
    }
    return missing;
}

static Missing find_changed(const AddedTokens *of, const AddedTokens *in) {
    Missing changed = {0};
    for (size_t i = 0; i < of->count; i++) {
        const AddedToken *token = &of->tokens[i],
                         *twin = tokenizer_added_find(in, token->content, token->bytes);
        if (twin == NULL || same_added(token, twin)) continue;
        if (changed.count++ == 0) changed.first = token;
    }
    return changed;
}

static Status remark_tokens(Tokenizer *tokenizer, const AddedTokens *file, Error *error) {
    const struct {
        Missing found;
        const char *text;
    } kinds[] = {{find_missing(&tokenizer->added, file), "added tokens that tokenizer.json lacks"},
                 {find_missing(file, &tokenizer->added), "tokens of tokenizer.json that are not added"},
                 {find_changed(&tokenizer->added, file),
                  "added tokens with other flags or ids than in tokenizer.json"}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == STATUS_OK; i++) {
        const AddedToken *first = kinds[i].found.first;
        char quote[TOKENIZER_QUOTE_SIZE];
        if (first == NULL) continue;
        status = tokenizer_remark_add(
            tokenizer, error, "%s: %zu, first %s (%" PRId32 "), by class %s and the files beside it; %s",
            kinds[i].text, kinds[i].found.count, tokenizer_text_quote(quote, first->content, first->bytes),
            first->id, tokenizer->class_name, REMEDY);
    }
    return status;
}

Status tokenizer_remark_differences(Tokenizer *tokenizer, const cJSON *parts, bool replaces, Error *error) {
    FileStages stages = {0};
    AddedTokens file = {0};
    Error why;
    Status status = STATUS_OK;
    const Normalizer *normalizer = &tokenizer->normalizer;
    if (replaces) {
        status = read_stages(parts, &stages, error);
        if (status == STATUS_OK) status = remark_parts(tokenizer, &stages, parts, error);
        if (stages.is_read[STAGE_NORMALIZER]) normalizer = &stages.normalizer;
    }
    if (status == STATUS_OK) {
        Status read = tokenizer_added_read(json_find(parts, "added_tokens"), &tokenizer->model.pieces,
                                           normalizer, &file, &why);
        if (read == STATUS_OK) status = remark_tokens(tokenizer, &file, error);
        if (read == STATUS_NO_MEMORY) status = memory_fail(error, "the added tokens");
    }
    tokenizer_added_free(&file);
    free_stages(&stages);
    return status;
}

/* ---- ids ---- */

Status tokenizer_remark_ids(Tokenizer *tokenizer, const SpecialToken *written, size_t count,
                            const char *origin, Error *error) {
    size_t others = 0;
    const SpecialToken *first = NULL;
    int32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t id = tokenizer_find(tokenizer, written[i].content, strlen(written[i].content));
        if (id == TOKENIZER_NO_ID || (uint64_t)id == written[i].written) continue;
        if (others++ > 0) continue;
        first = &written[i];
        used = id;
    }
    if (first == NULL) return STATUS_OK;
    char quote[TOKENIZER_QUOTE_SIZE];
    return tokenizer_remark_add(
        tokenizer, error,
        "added tokens whose ids are not those written in %s: %zu, first %s, written %" PRIu64
        " and used as %" PRId32 ": they are counted on from the vocabulary",
        origin, others, tokenizer_text_quote(quote, first->content, strlen(first->content)), first->written,
        used);
}

Status tokenizer_remark_ids_of_file(Tokenizer *tokenizer, const cJSON *tokens, Error *error) {
    size_t count = 0;
    SpecialToken *written = memory_allocate((size_t)cJSON_GetArraySize(tokens) + 1, sizeof *written);
    if (written == NULL) return memory_fail(error, "the added tokens");
    const cJSON *item;
    cJSON_ArrayForEach(item, tokens) {
        SpecialToken token = {.content = json_get_text(item, "content", NULL)};
        if (token.content != NULL && json_read_count(json_find(item, "id"), &token.written))
            written[count++] = token;
    }
    Status status = tokenizer_remark_ids(tokenizer, written, count, "tokenizer.json", error);
    free(written);
    return status;
}
