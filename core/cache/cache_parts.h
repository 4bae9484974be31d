/*
 * cache_parts — what cache.c and cache_trim.c share.
 */
#ifndef REJUV_CORE_CACHE_PARTS_H
#define REJUV_CORE_CACHE_PARTS_H

#include "core/cache/cache.h"

/* Names of entries that are being written begin so. */
#define CACHE_NEW_PREFIX ".new-"

enum { CACHE_HEADER_SIZE = 88, CACHE_NAME_SIZE = CACHE_KIND_SIZE + HASH_HEX_SIZE };

/* Whether a file of that name is an entry. */
bool cache_is_entry_name(const char *name);

/* Removes entries, those not used for longest first, until all together take at most `limit` bytes; `spared` is
 * kept whatever it takes. What cannot be listed or removed stays. */
void cache_trim(int directory, uint64_t limit, const char *spared);

#endif
