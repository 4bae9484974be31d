/*
 * cache_analysis — which analyses are kept on disk from one run to the next (core/cache/cache.h), and what each is kept under.
 *
 * An analysis is found again for the same contents of both models, the same rows, number of targets, threads,
 * OpenBLAS kernels and instruction set, and the same version of this program, as far as it depends on them: for
 * what would be measured, bit for bit.
 */
#ifndef REJUV_CORE_CACHE_ANALYSIS_H
#define REJUV_CORE_CACHE_ANALYSIS_H

#include "core/cache/cache.h"
#include "core/files/hash.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum CacheAnalysis {
    CACHE_ANALYSIS_DRIFT,
    CACHE_ANALYSIS_ATTRIBUTION,
    CACHE_ANALYSIS_NEURON_DRIFT,
    CACHE_ANALYSIS_DORMANCY_BASE,
    CACHE_ANALYSIS_DORMANCY_SFT, /* with the gradient's */
    CACHE_ANALYSIS_AVERAGES,
    CACHE_ANALYSIS_COUNT
} CacheAnalysis;

/* What analyses come from. */
typedef struct CacheOrigin {
    char base[HASH_HEX_SIZE], sft[HASH_HEX_SIZE]; /* contents (core/cache/cache_fingerprint.h) */
    char rows[HASH_HEX_SIZE];                     /* "": not known; drift needs none */
    size_t targets;                               /* asked for */
    unsigned threads;
} CacheOrigin;

Status cache_analysis_make_key(const CacheOrigin *origin, CacheAnalysis what, CacheKey *key,
                               Error *error) STATUS_MUST_CHECK;

/* As cache_find(). */
bool cache_analysis_find(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                         CacheEntry *entry);

#endif
