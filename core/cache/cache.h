/*
 * cache — results kept on disk, so that they need not be computed again: named entries in one directory, each a
 * file, each found by what its result came from.
 *
 *     origin, text           "base 3f1c…\nsft 9a04…\ntargets 32\n…": all that the result depends on
 *       │  SHA-256, with the kind of result, its version and the program's
 *       ▼
 *     DIRECTORY/KIND-KEY     0        8         12  16       48            56          88             size
 *                            ├────────┼─────────┼───┼────────┼─────────────┼───────────┼──────────────┤
 *                            │ magic  │ version │ 0 │ key    │ payload     │ SHA-256   │ payload      │
 *                            │        │         │   │        │ length      │ of it     │              │
 *                            └────────┴─────────┴───┴────────┴─────────────┴───────────┴──────────────┘
 *     Numbers are little-endian, lengths in bytes; the two sums are raw.
 *
 * An entry is written beside its place, made durable and renamed: a reader sees a whole one or none. The
 * directory is made when it is first written to, for its owner alone (0700, files 0600); one that belongs to
 * someone else, or that others may write to, is left alone.
 *
 * What is read is untrusted. An entry that is not a regular file of this user's, or not of this layout, version,
 * key, length and sum, counts as missing; the next cache_store() takes its place. A sum guards against damage,
 * not against malice, so whoever reads a payload checks every number in it (cache_bytes.h).
 *
 * The entries together stay within a limit: cache_store() removes those not used for longest. Other files in
 * the directory are neither counted nor touched, except what writers left that were killed long ago.
 *
 * A Cache does not change once it is made: any thread may use it, and any number of processes one directory.
 *
 * What the room keeps in it, bottom to top: cache_fingerprint, the SHA-256 of models' files; cache_bytes, numbers as a
 * payload; of these, cache_drift and cache_method, analyses as payloads; kept, which analyses, and under what.
 *
 * The room: analyses kept on disk, and what each is kept under.
 */
#ifndef REJUV_CORE_CACHE_H
#define REJUV_CORE_CACHE_H

#include "core/files/hash.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint64_t CACHE_LIMIT = (uint64_t)1 << 30; /* bytes of all entries, in blocks of 4 KiB */

/* An entry takes at most one part in so many of the limit. */
enum { CACHE_ENTRY_PART = 4, CACHE_KIND_SIZE = 32 };

typedef struct Cache Cache;

typedef struct CacheKey {
    char kind[CACHE_KIND_SIZE]; /* lower-case letters and '-': "drift" */
    char sha256[HASH_HEX_SIZE];
} CacheKey;

typedef struct CacheEntry {
    unsigned char *file; /* the whole file */
    const unsigned char *payload;
    size_t size; /* of the payload */
} CacheEntry;

/* Touches nothing on disk. `limit` 0: CACHE_LIMIT. The caller frees. */
Status cache_create(const char *directory, uint64_t limit, Cache **cache, Error *error) STATUS_MUST_CHECK;
void cache_free(Cache *cache); /* takes NULL */

/* The key of a kind of result (shorter than CACHE_KIND_SIZE) in its payload's `version`, from what it came
 * from. Raise `version` when the payload or the meaning of a number in it changes. */
Status cache_make_key(const char *kind, unsigned version, const char *origin, CacheKey *key,
                      Error *error) STATUS_MUST_CHECK;

/* True where there is a sound entry: *entry is then the caller's, to free with cache_free_entry(), and counts
 * as used now. Otherwise *entry is empty; why does not matter. */
bool cache_find(const Cache *cache, const CacheKey *key, CacheEntry *entry);
void cache_free_entry(CacheEntry *entry);

/* Writes the entry, in place of one that is there. STATUS_UNSUPPORTED for one that is too large to be kept. */
Status cache_store(const Cache *cache, const CacheKey *key, const void *payload, size_t size,
                   Error *error) STATUS_MUST_CHECK;

/* Whether `size` bytes are a sound entry of that key; *payload then points into them. */
bool cache_check_entry(const CacheKey *key, const unsigned char *bytes, size_t size,
                       const unsigned char **payload, size_t *payload_size);

#endif
