/*
 * memory_file — the bytes of a fuzz target's input as a file with a path, for readers that open files
 * themselves. One at a time; the next one takes its place.
 */
#ifndef REJUV_TESTS_FUZZ_MEMORY_FILE_H
#define REJUV_TESTS_FUZZ_MEMORY_FILE_H

#include "tests/fuzz/memory_directory.h"

#include <stdint.h>
#include <stdio.h>

/* A path that holds exactly these bytes until the next call. */
static inline const char *memory_file_put(const uint8_t *bytes, size_t count) {
    static const char NAME[] = "input";
    static char path[64];
    memory_directory_put(NAME, bytes, count);
    if (path[0] == '\0') (void)snprintf(path, sizeof path, "%s/%s", memory_directory(), NAME); /* fits */
    return path;
}

#endif
