#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_internal.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 8 * 1000 * 1000 };

/* Looks over the text before cJSON builds a tree of it: one value takes 64 bytes and more there, so their
 * number is bounded, and cJSON's strings end at a U+0000, so a file that has one is refused rather than
 * misread. */
static Status check_text(const char *json, size_t bytes, const char *origin, Error *error) {
    size_t offset, values = 0;
    if (!tokenizer_text_is_utf8(json, bytes, &offset))
        return status_fail(error, STATUS_FORMAT, "%s: expected UTF-8, found an invalid byte at offset %zu",
                           origin, offset);
    for (size_t at = 0; at < bytes; at++) {
        if (json[at] == ',' || json[at] == ':') values++;
        if (json[at] != '"') continue;
        for (at++; at < bytes && json[at] != '"'; at++) {
            if ((unsigned char)json[at] < 0x20)
                return status_fail(error, STATUS_FORMAT,
                                   "%s: expected no control character in a string, found one at "
                                   "byte %zu",
                                   origin, at);
            if (json[at] != '\\') continue;
            if (bytes - at >= 6 && memcmp(json + at, "\\u0000", 6) == 0)
                return status_fail(
                    error, STATUS_UNSUPPORTED,
                    "%s: a piece or pattern with the character U+0000 (byte %zu) is not supported", origin,
                    at);
            at++;
        }
    }
    return values <= VALUES_MAX
               ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "%s: expected at most %d values, found %zu", origin,
                             VALUES_MAX, values);
}

static Status read_tree(const cJSON *json, Tokenizer *tokenizer, Error *error) {
    TokenizerText *descriptions = tokenizer->descriptions;
    const char *version = json_get_text(json, "version", "1.0");
    if (!cJSON_IsObject(json)) return status_fail(error, STATUS_FORMAT, "expected an object");
    if (strcmp(version, "1.0") != 0)
        return status_fail(error, STATUS_UNSUPPORTED, "this version is not supported");
    tokenizer->has_truncation = json_find(json, "truncation") != NULL;
    tokenizer->has_padding = json_find(json, "padding") != NULL;
    Status status = tokenizer_model_read(json_find(json, "model"), &tokenizer->model, error);
    if (status == STATUS_OK)
        status = tokenizer_normalizer_read(json_find(json, "normalizer"), &tokenizer->normalizer,
                                           &descriptions[STAGE_NORMALIZER], error);
    if (status == STATUS_OK)
        status = tokenizer_split_read(json_find(json, "pre_tokenizer"), &tokenizer->splitter,
                                      &descriptions[STAGE_PRE_TOKENIZER], error);
    if (status == STATUS_OK)
        status = tokenizer_processor_read(json_find(json, "post_processor"), &tokenizer->processor,
                                          &descriptions[STAGE_POST_PROCESSOR], error);
    if (status == STATUS_OK)
        status = tokenizer_decoder_read(json_find(json, "decoder"), &tokenizer->decoder,
                                        &descriptions[STAGE_DECODER], error);
    if (status == STATUS_OK)
        status = tokenizer_added_read(json_find(json, "added_tokens"), &tokenizer->model.pieces,
                                      &tokenizer->normalizer, &tokenizer->added, error);
    return status;
}

Status tokenizer_file_parse(const char *json, size_t bytes, const char *origin, cJSON **tree, Error *error) {
    *tree = NULL;
    Status status = check_text(json, bytes, origin, error);
    return status == STATUS_OK ? json_parse(json, bytes, origin, tree, error) : status;
}

Status tokenizer_file_build(const cJSON *tree, const char *origin, Tokenizer **tokenizer, Error *error) {
    *tokenizer = NULL;
    Tokenizer *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, origin);
    made->end = TOKENIZER_NO_ID;
    Status status = read_tree(tree, made, error);
    if (status != STATUS_OK) {
        tokenizer_free(made);
        return error == NULL ? status : status_add_context(error, "%s", origin);
    }
    *tokenizer = made;
    return STATUS_OK;
}

Status tokenizer_parse(const char *json, size_t bytes, const char *origin, Tokenizer **tokenizer,
                       Error *error) {
    *tokenizer = NULL;
    cJSON *tree;
    Status status = tokenizer_file_parse(json, bytes, origin, &tree, error);
    if (status == STATUS_OK) status = tokenizer_file_build(tree, origin, tokenizer, error);
    cJSON_Delete(tree);
    return status;
}

Status tokenizer_open(const char *path, Tokenizer **tokenizer, Error *error) {
    char *text;
    size_t bytes;
    *tokenizer = NULL;
    Status status = json_read_text(path, TOKENIZER_FILE_MAX, &text, &bytes, error);
    if (status == STATUS_OK) status = tokenizer_parse(text, bytes, path, tokenizer, error);
    free(text);
    return status;
}

void tokenizer_free(Tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    tokenizer_normalizer_free(&tokenizer->normalizer);
    tokenizer_split_free(&tokenizer->splitter);
    tokenizer_model_free(&tokenizer->model);
    tokenizer_processor_free(&tokenizer->processor);
    tokenizer_decoder_free(&tokenizer->decoder);
    tokenizer_added_free(&tokenizer->added);
    for (size_t i = 0; i < STAGE_COUNT; i++) tokenizer_text_free(&tokenizer->descriptions[i]);
    for (size_t i = 0; i < tokenizer->remark_count; i++) free(tokenizer->remarks[i]);
    free(tokenizer->remarks);
    free(tokenizer->class_name);
    free(tokenizer->class_key);
    free(tokenizer);
}
