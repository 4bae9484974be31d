/*
 * scratch — a temporary directory for one test program, and files with any content in it.
 */
#ifndef REJUV_TESTS_SCRATCH_H
#define REJUV_TESTS_SCRATCH_H

#include "core/support/memory.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char scratch_root[64];

static inline int scratch_remove_entry(const char *path, const struct stat *facts, int kind,
                                       struct FTW *place) {
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

/* Group setup and teardown. */
static inline int scratch_make(void **state) {
    (void)state;
    (void)snprintf(scratch_root, sizeof scratch_root, "/tmp/rejuv-test-XXXXXX");
    return mkdtemp(scratch_root) == NULL ? -1 : 0;
}

static inline int scratch_remove(void **state) {
    (void)state;
    return nftw(scratch_root, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ROOT/name; the directory is made where `name` ends in '/'. The caller frees. */
static inline char *scratch_path(const char *name) {
    char *path = memory_format("%s/%s", scratch_root, name);
    assert_non_null(path);
    size_t length = strlen(path);
    if (path[length - 1] == '/') {
        path[length - 1] = '\0';
        (void)mkdir(path, 0700); /* may be there already */
    }
    return path;
}

static inline void scratch_write(const char *name, const void *bytes, size_t count) {
    char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static inline void scratch_write_text(const char *name, const char *text) {
    scratch_write(name, text, strlen(text));
}

/* A safetensors file of this header and `data_bytes` bytes 0, 1, 2, … */
static inline void scratch_write_safetensors(const char *name, const char *header, size_t data_bytes) {
    size_t length = strlen(header);
    unsigned char *file = memory_allocate(8 + length + data_bytes, 1);
    assert_non_null(file);
    for (int i = 0; i < 8; i++) file[i] = (unsigned char)(length >> (8 * i));
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++) file[8 + length + i] = (unsigned char)i;
    scratch_write(name, file, 8 + length + data_bytes);
    free(file);
}

#endif
