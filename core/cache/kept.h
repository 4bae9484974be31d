/*
 * kept — which analyses are kept on disk from one run to the next (core/cache/cache.h), and what each is kept under.
 *
 * An analysis is found again for the same contents of both models, the same rows, number of targets, threads,
 * OpenBLAS kernels and instruction set, and the same version of this program, as far as it depends on them: for
 * what would be measured, bit for bit.
 */
#ifndef REJUV_CORE_KEPT_H
#define REJUV_CORE_KEPT_H

#include "core/cache/cache.h"
#include "core/files/hash.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum Kept {
    KEPT_DRIFT,
    KEPT_ATTRIBUTION,
    KEPT_NEURON_DRIFT,
    KEPT_DORMANCY_BASE,
    KEPT_DORMANCY_SFT, /* with the gradient's */
    KEPT_AVERAGES,
    KEPT_COUNT
} Kept;

/* What analyses come from. */
typedef struct KeptOrigin {
    char base[HASH_HEX_SIZE], sft[HASH_HEX_SIZE]; /* contents (core/cache/cache_fingerprint.h) */
    char rows[HASH_HEX_SIZE];                     /* "": not known; drift needs none */
    size_t targets;                               /* asked for */
    unsigned threads;
} KeptOrigin;

Status kept_make_key(const KeptOrigin *origin, Kept what, CacheKey *key, Error *error) STATUS_MUST_CHECK;

/* As cache_find(). */
bool kept_find(const Cache *cache, const KeptOrigin *origin, Kept what, CacheEntry *entry);

#endif
