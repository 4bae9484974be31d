/*
 * golden — reading the reference data beside the tests.
 */
#ifndef REJUV_TESTS_GOLDEN_H
#define REJUV_TESTS_GOLDEN_H

#include "core/files/json.h"
#include "core/support/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* DIRECTORY_OF_TESTS/… ; the caller frees. */
static inline char *golden_path(const char *format, const char *a, const char *b) {
    char *inner = memory_format(format, a, b);
    assert_non_null(inner);
    char *path = memory_format("%s/%s", TESTS_DIR, inner);
    free(inner);
    assert_non_null(path);
    return path;
}

static inline cJSON *golden_read_json(const char *format, const char *a, const char *b) {
    char *path = golden_path(format, a, b);
    cJSON *tree;
    Error error = {0};
    if (json_read_file(path, 64 << 20, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return tree;
}

/* A whole file; *bytes is its size. */
static inline void *golden_read_bytes(const char *format, const char *a, const char *b, size_t *bytes) {
    char *path = golden_path(format, a, b), *block;
    Error error = {0};
    if (json_read_text(path, 64 << 20, &block, bytes, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return block;
}

/* A JSON array of integers as int32; the caller frees. */
static inline int32_t *golden_read_ids(const cJSON *array, size_t *count) {
    *count = (size_t)cJSON_GetArraySize(array);
    int32_t *ids = memory_allocate(*count, sizeof *ids);
    assert_non_null(ids);
    size_t i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, array) ids[i++] = (int32_t)item->valuedouble;
    return ids;
}

#endif
