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
#include "core/cache/cache_method.h"
#include "core/drift/drift.h"
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

/* Where results go: each analysis has its own place, and those of others may be NULL. */
typedef struct CacheRecall {
    const Pair *pair;
    DriftTable *drift;
    CacheMethodShape shape; /* of all but the drift of tensors */
    Attribution *attribution;
    double **neuron_drift;          /* [M] */
    Dormancy *dormancy[2];          /* SIDE_BASE; SIDE_SFT, that with the gradient's */
    DistributionAverages *averages; /* [2]: of base and SFT */
} CacheRecall;

/* What was measured, borrowed: likewise. */
typedef struct CacheMeasured {
    const DriftTable *drift;
    const Attribution *attribution;
    const NeuronTable *table;
    const double *neuron_drift;
    const Dormancy *dormancy[2];
    const DistributionAverages *averages;
} CacheMeasured;

Status cache_analysis_make_key(const CacheOrigin *origin, CacheAnalysis what, CacheKey *key,
                               Error *error) STATUS_MUST_CHECK;

/* Takes one analysis out of the cache, bit for bit as it was measured; false, and nothing, where it is not kept, or
 * what is kept is not of this pair and these rows. A drift table is filled, all else is the caller's to free. */
bool cache_analysis_recall(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                           const CacheRecall *recall);

/* Writes one down; but no dormancy whose gradient is not known, which is measured again. */
Status cache_analysis_keep(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                           const CacheMeasured *measured, Error *error) STATUS_MUST_CHECK;

#endif
