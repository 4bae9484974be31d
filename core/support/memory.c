#include "core/support/memory.h"

#include "core/support/memory_limit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static _Thread_local size_t
    refused; /* bytes of the last block that there was no memory for, until it is told */

static void *keep_size(void *block, size_t bytes) {
    refused = block == NULL ? bytes : 0;
    return block;
}

bool memory_multiply(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}

bool memory_add(size_t a, size_t b, size_t *sum) {
    return !__builtin_add_overflow(a, b, sum);
}

void *memory_allocate(size_t count, size_t size) {
    if (count == 0 || size == 0) return calloc(1, 1);
    size_t bytes;
    if (!memory_multiply(count, size, &bytes)) return keep_size(NULL, SIZE_MAX);
    return keep_size(calloc(count, size), bytes);
}

void *memory_allocate_aligned(size_t count, size_t size) {
    size_t bytes;
    if (!memory_multiply(count, size, &bytes) || !memory_add(bytes, CACHE_LINE, &bytes))
        return keep_size(NULL, SIZE_MAX);
    return keep_size(aligned_alloc(CACHE_LINE, bytes / CACHE_LINE * CACHE_LINE), bytes);
}

void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size, Error *error) {
    size_t grown = *capacity < 8 ? 8 : *capacity, bytes;
    if (needed <= *capacity) return block;
    bool fits = true;
    while (fits && grown < needed) fits = memory_multiply(grown, 2, &grown);
    fits = fits && memory_multiply(grown, size, &bytes);
    void *moved = fits ? keep_size(realloc(block, bytes), bytes) : keep_size(NULL, SIZE_MAX);
    if (moved == NULL) {
        (void)memory_fail(error, "an array"); /* memory_has_room() says so to the caller */
        return block;
    }
    *capacity = grown;
    return moved;
}

Status memory_has_room(const size_t *capacity, size_t needed) {
    return needed <= *capacity ? STATUS_OK : STATUS_NO_MEMORY;
}

char *memory_copy_text(const char *text, size_t bytes) {
    size_t with_terminator;
    if (!memory_add(bytes, 1, &with_terminator)) return NULL;
    char *copy = keep_size(malloc(with_terminator), with_terminator);
    if (copy == NULL) return NULL;
    if (bytes > 0) memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *memory_format(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : keep_size(malloc((size_t)length + 1), (size_t)length + 1);
    if (text != NULL) (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

Status memory_fail(Error *error, const char *what) {
    size_t bytes = refused;
    refused = 0;
    if (bytes > memory_limit_left()) return memory_limit_refuse(bytes, what, error);
    return status_fail(error, STATUS_NO_MEMORY, "out of memory for %s", what);
}
