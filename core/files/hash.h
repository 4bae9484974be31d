/*
 * hash — SHA-256, as the recipe and the verification name bytes: 64 lower-case hexadecimal digits. And FNV-1a, which is
 * quick and keeps no secrets, for keys.
 *
 * libcrypto computes it, or where the processor has instructions for it, hash_blocks.h, which adds to two sums in hardly
 * more time than to one. REJUV_KERNELS=portable leaves it to libcrypto.
 *
 * One Hash is one running sum and belongs to one thread at a time.
 */
#ifndef REJUV_CORE_HASH_H
#define REJUV_CORE_HASH_H

#include "core/support/job.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_HEX_SIZE = 65 }; /* with the NUL */

typedef struct Hash Hash;

/* A running sum over no bytes. The caller frees it. */
Status hash_create(Hash **hash, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void hash_free(Hash *hash);

/* Adds `size` bytes. */
Status hash_add(Hash *hash, const void *bytes, size_t size, Error *error) STATUS_MUST_CHECK;

/* Bytes for one of several sums. */
typedef struct HashPart {
    Hash *hash;
    const void *bytes;
    size_t size;
} HashPart;

/* How many sums take the time of one: 2, or 1 where hash_add_two() only saves a call. */
unsigned hash_lanes(void);

/* hash_add() of both; they are of two sums, and take the least time where they are of one length. */
Status hash_add_two(HashPart one, HashPart other, Error *error) STATUS_MUST_CHECK;

/* Writes the sum of what was added and starts again over no bytes. */
Status hash_finish(Hash *hash, char hex[HASH_HEX_SIZE], Error *error) STATUS_MUST_CHECK;

/* The sum of one block. */
Status hash_bytes(const void *bytes, size_t size, char hex[HASH_HEX_SIZE], Error *error) STATUS_MUST_CHECK;

/* The sum of a regular file, in constant memory; *size (may be NULL) is the bytes it had. `job` (may be NULL)
 * is asked for cancellation only. */
Status hash_file(const char *path, Job *job, uint64_t *size, char hex[HASH_HEX_SIZE],
                 Error *error) STATUS_MUST_CHECK;

/* FNV-1a of 64 bits. */
uint64_t hash_fnv1a(const void *bytes, size_t size);

/* Whether `text` is 64 lower-case hexadecimal digits. NULL is not. */
bool hash_is_hex(const char *text);

#endif
