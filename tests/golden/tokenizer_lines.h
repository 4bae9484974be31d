/*
 * tokenizer_lines — a file of golden data about tokenizers: its first line holds the texts, each line behind it a directory.
 */
#ifndef REJUV_TESTS_TOKENIZER_LINES_H
#define REJUV_TESTS_TOKENIZER_LINES_H

#include "core/files/json.h"
#include "core/support/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One directory's line; `texts` is an array of strings. */
typedef void (*TokenizerLineCheck)(const cJSON *texts, const cJSON *line);

static inline cJSON *tokenizer_lines_parse(const char *line) {
    cJSON *tree;
    Error error;
    if (json_parse(line, strlen(line), "a line", &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tree;
}

/* How many directories there were. */
static inline size_t tokenizer_lines_check(const char *path, TokenizerLineCheck check) {
    char *text, *rest;
    size_t bytes, count = 0;
    Error error;
    if (json_read_text(path, 4 << 20, &text, &bytes, &error) != STATUS_OK) fail_msg("%s", error.message);
    char *line = strtok_r(text, "\n", &rest);
    assert_non_null(line);
    cJSON *first = tokenizer_lines_parse(line);
    for (; (line = strtok_r(NULL, "\n", &rest)) != NULL; count++) {
        cJSON *tree = tokenizer_lines_parse(line);
        check(json_find(first, "texts"), tree);
        cJSON_Delete(tree);
    }
    cJSON_Delete(first);
    free(text);
    return count;
}

#endif
