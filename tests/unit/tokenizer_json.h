/*
 * tokenizer_json — a tokenizer.json that a test writes out, with ' for ", and what becomes of it.
 */
#ifndef REJUV_TESTS_TOKENIZER_JSON_H
#define REJUV_TESTS_TOKENIZER_JSON_H

#include "core/tokenizer/tokenizer.h"

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

static inline Status parse(const char *json, Tokenizer **tokenizer, Error *error) {
    size_t bytes = strlen(json);
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    memcpy(text, json, bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\'') text[i] = '"';
    }
    Status status = tokenizer_parse(text, bytes, "t.json", tokenizer, error);
    free(text);
    return status;
}

static inline Tokenizer *open_json(const char *json) {
    Tokenizer *tokenizer;
    Error error;
    if (parse(json, &tokenizer, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tokenizer;
}

static inline void expect_refusal(const char *json, Status expected, const char *part) {
    Tokenizer *tokenizer;
    Error error = {0};
    Status status = parse(json, &tokenizer, &error);
    if (status != expected || strstr(error.message, part) == NULL ||
        strncmp(error.message, "t.json: ", 8) != 0)
        fail_msg("%.300s\n  %s: %s", json, status_name(status), error.message);
    assert_null(tokenizer);
}

/* Encodes with special tokens; `expected` as "1 2 3". */
static inline void expect_ids(const Tokenizer *tokenizer, const char *text, const char *expected) {
    TokenList list = {0};
    Error error;
    char found[256] = "";
    if (tokenizer_encode(tokenizer, text, strlen(text), true, &list, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0, at = 0; i < list.count && at < sizeof found; i++)
        at += (size_t)snprintf(found + at, sizeof found - at, i == 0 ? "%d" : " %d", (int)list.ids[i]);
    assert_string_equal(found, expected);
    token_list_free(&list);
}

static inline void expect_difference(const char *base_json, const char *sft_json, const char *part) {
    Tokenizer *base = open_json(base_json), *sft = open_json(sft_json);
    Error error = {0};
    Status status = tokenizer_compare(base, sft, &error);
    if (part == NULL ? status != STATUS_OK : status != STATUS_MISMATCH || strstr(error.message, part) == NULL)
        fail_msg("%s", error.message);
    tokenizer_free(base);
    tokenizer_free(sft);
}

#endif
