#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_internal.h"
#include "core/tokenizer/tokenizer_source.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>

static Status read_vocabulary(const char *path, cJSON **vocab, Error *error) {
    char *text;
    size_t bytes;
    Status status = json_read_text(path, TOKENIZER_FILE_MAX, &text, &bytes, error);
    if (status == STATUS_OK) status = tokenizer_file_parse(text, bytes, path, vocab, error);
    free(text);
    return status;
}

/* A line: "a b", which the model's reader looks at. */
static bool add_line(cJSON *merges, char *line, size_t bytes) {
    if (bytes > 0 && line[bytes - 1] == '\r') bytes--;
    line[bytes] = '\0';
    return cJSON_AddItemToArray(merges, cJSON_CreateString(line));
}

static Status add_lines(cJSON *merges, const char *path, char *text, size_t bytes, Error *error) {
    size_t offset;
    if (!tokenizer_text_is_utf8(text, bytes, &offset) || memchr(text, '\0', bytes) != NULL)
        return status_fail(error, STATUS_FORMAT, "%s: expected lines of UTF-8 without U+0000", path);
    for (size_t at = 0; at < bytes;) {
        char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end == NULL ? bytes - at : (size_t)(end - text) - at;
        if (!add_line(merges, text + at, length)) return memory_fail(error, path);
        at += length + 1;
    }
    return STATUS_OK;
}

static Status read_lines(const char *path, cJSON *merges, Error *error) {
    char *text;
    size_t bytes;
    Status status = json_read_text(path, TOKENIZER_FILE_MAX, &text, &bytes, error);
    if (status == STATUS_OK) status = add_lines(merges, path, text, bytes, error);
    free(text);
    return status;
}

Status tokenizer_merges_make(const char *vocab_path, const char *merges_path, cJSON **tree, Error *error) {
    cJSON *model = cJSON_CreateObject(), *vocab = NULL, *merges = cJSON_CreateArray();
    *tree = cJSON_CreateObject();
    if (!json_add(*tree, "model", model)) {
        cJSON_Delete(merges);
        return memory_fail(error, "the model");
    }
    if (!json_add_text(model, "type", "BPE") || !json_add(model, "merges", merges))
        return memory_fail(error, "the model");
    Status status = read_vocabulary(vocab_path, &vocab, error);
    if (status == STATUS_OK && !json_add(model, "vocab", vocab)) status = memory_fail(error, vocab_path);
    return status == STATUS_OK ? read_lines(merges_path, merges, error) : status;
}
