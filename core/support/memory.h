/*
 * memory — the only place that allocates. Every size is a checked product; every failure is a NULL that the
 * caller turns into STATUS_NO_MEMORY. Everything here is released with free(), which takes NULL.
 */
#ifndef REJUV_CORE_MEMORY_H
#define REJUV_CORE_MEMORY_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *product = a * b; false (and *product untouched) when that overflows. */
bool memory_multiply(size_t a, size_t b, size_t *product);
bool memory_add(size_t a, size_t b, size_t *sum);

/* `count` elements of `size` bytes, zeroed. A request for zero bytes gives a valid one-byte block. */
void *memory_allocate(size_t count, size_t size);

/* The same aligned to 64 bytes (a cache line, an AVX-512 register) and not zeroed: for panels and
 * activations. */
void *memory_allocate_aligned(size_t count, size_t size);

/* Grows `array`, whatever its elements are, so that it holds at least `needed` of them, doubling *capacity;
 * both stay valid and unchanged on failure. STATUS_OK or STATUS_NO_MEMORY. `array` is an lvalue; all but
 * `error` are evaluated more than once. */
#define MEMORY_RESERVE(array, capacity, needed, error)                                                       \
    ((array) = memory_grow((array), (capacity), (needed), sizeof *(array), (error)),                         \
     memory_has_room((capacity), (needed)))

/* What MEMORY_RESERVE is made of: where `block` is now, with room in *capacity for `needed` elements of `size`
 * bytes; the block as it was where there is no memory. */
void *memory_grow(void *block, size_t *capacity, size_t needed, size_t size, Error *error) STATUS_MUST_CHECK;
Status memory_has_room(const size_t *capacity, size_t needed) STATUS_MUST_CHECK;

/* A NUL-terminated copy of `bytes` bytes of text. */
char *memory_copy_text(const char *text, size_t bytes);

/* printf into a block of the right size; NULL when out of memory. */
char *memory_format(const char *format, ...) STATUS_PRINTF(1, 2);

/* STATUS_NO_MEMORY: "out of memory for WHAT", or how many bytes are missing where the limits of the process are why the
 * last block of this thread was refused. */
Status memory_fail(Error *error, const char *what);

#endif
