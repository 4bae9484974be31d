/*
 * memory_file — the bytes of a fuzz target's input as a file with a path, for readers that open files
 * themselves. One at a time; the next one takes its place.
 */
#ifndef REJUV_TESTS_FUZZ_MEMORY_FILE_H
#define REJUV_TESTS_FUZZ_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A path that holds exactly these bytes until the next call. */
static inline const char *memory_file_put(const uint8_t *bytes, size_t count) {
    static int file = -1;
    static char path[64];
    if (file < 0) file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0) abort();
    for (size_t at = 0; at < count;) {
        ssize_t written = pwrite(file, bytes + at, count - at, (off_t)at);
        if (written <= 0) abort();
        at += (size_t)written;
    }
    if (ftruncate(file, (off_t)count) != 0) abort();             /* at last: its pages are kept */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file); /* fits */
    return path;
}

#endif
