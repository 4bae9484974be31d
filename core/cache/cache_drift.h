/*
 * cache_drift — a drift table as the payload of a cache entry.
 *
 * It depends on both checkpoints' contents alone: the scan gives the same bits for any number of threads and on
 * any instruction set.
 */
#ifndef REJUV_CORE_CACHE_DRIFT_H
#define REJUV_CORE_CACHE_DRIFT_H

#include "core/drift/drift.h"
#include "core/support/buffer.h"

#define CACHE_DRIFT_KIND "drift"
enum { CACHE_DRIFT_VERSION = 1 };

/* Appends a table in which every row is there. */
void cache_drift_pack(const DriftTable *table, Buffer *payload);

/* Fills an empty table, on which no scan runs, with the rows of `size` untrusted bytes: all of them, bit for
 * bit, or, where the bytes are not the rows of this pair's tensors, none. */
bool cache_drift_unpack(const Pair *pair, DriftTable *table, const unsigned char *bytes, size_t size);

#endif
