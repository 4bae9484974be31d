/*
 * universal_hash — whether bytes are the ones that this process had before, at the speed of memory.
 *
 * A tag of 16 bytes: GMAC (NIST SP 800-38D) under a key that is drawn at random once a process and never leaves it. Two
 * different runs of L bytes, chosen without the key, have the same tag with probability at most (⌈L/16⌉ + 1) / 2^128: the
 * tags differ unless the key is a root of their difference, a polynomial of that degree. For 1 TiB that is less than 2^-91, rarer
 * than any error of the memory that holds them. SHA-256 would say it to others too, for four times the processor time; a
 * tag says it to this process alone. It is never written down, and names nothing.
 *
 * One UniversalHash is one running tag and belongs to one thread at a time; the key is drawn by whoever comes first.
 */
#ifndef REJUV_CORE_UNIVERSAL_HASH_H
#define REJUV_CORE_UNIVERSAL_HASH_H

#include "core/support/status.h"

#include <stddef.h>

enum { UNIVERSAL_HASH_SIZE = 16 };

typedef struct UniversalHash UniversalHash;

/* A running tag over no bytes. STATUS_UNSUPPORTED where libcrypto has no GMAC or no random key. The caller frees it. */
Status universal_hash_create(UniversalHash **hash, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void universal_hash_free(UniversalHash *hash);

/* Adds `size` bytes. */
Status universal_hash_add(UniversalHash *hash, const void *bytes, size_t size,
                          Error *error) STATUS_MUST_CHECK;

/* Writes the tag of what was added and starts again over no bytes. */
Status universal_hash_finish(UniversalHash *hash, unsigned char tag[UNIVERSAL_HASH_SIZE],
                             Error *error) STATUS_MUST_CHECK;

#endif
