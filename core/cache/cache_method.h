/*
 * cache_method — what is measured of neurons, as payloads of cache entries: attribution, dormancy, drift of
 * neurons; and the averages of base and SFT beside them.
 *
 * Unpacking takes untrusted bytes. It gives the very bits that were packed, or, where they are not of the shape
 * that this pair and these rows have, false and nothing.
 */
#ifndef REJUV_CORE_CACHE_METHOD_H
#define REJUV_CORE_CACHE_METHOD_H

#include "core/fusion/neurons.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "core/support/buffer.h"

#define CACHE_ATTRIBUTION_KIND  "attribution"
#define CACHE_DORMANCY_KIND     "dormancy"
#define CACHE_NEURON_DRIFT_KIND "neuron-drift"
#define CACHE_AVERAGES_KIND     "averages"
enum {
    /* of rows with a picture's or a sound's token those of before are others (architecture_embedded()) */
    CACHE_ATTRIBUTION_VERSION = 4,
    CACHE_DORMANCY_VERSION = 4,     /* those of 3 may lack the gradient, and not say why */
    CACHE_NEURON_DRIFT_VERSION = 2, /* what is not finite is told from what is not compared */
    CACHE_AVERAGES_VERSION = 2
};

/* What is measured and on what. Of the rows only their lengths and positions are looked at. */
typedef struct CacheMethodShape {
    NeuronTable table;
    uint64_t heads, vocabulary;
    const EvaluationRow *rows;
    size_t row_count;
} CacheMethodShape;

/* The SHA-256 of all that an analysis sees of its rows: ids, lengths, positions. */
Status cache_method_hash_rows(const EvaluationRow *rows, size_t row_count, char hex[HASH_HEX_SIZE],
                              Error *error) STATUS_MUST_CHECK;

/* Without attribution->scores, which nothing keeps. `wanted` is how many targets were asked for. The caller
 * frees with attribution_free(). */
void cache_method_pack_attribution(const Attribution *attribution, Buffer *payload);
bool cache_method_unpack_attribution(const CacheMethodShape *shape, size_t wanted, const unsigned char *bytes,
                                     size_t size, Attribution *attribution);

/* The caller frees with dormancy_free(). */
void cache_method_pack_dormancy(const Dormancy *dormancy, Buffer *payload);
bool cache_method_unpack_dormancy(const CacheMethodShape *shape, bool with_gradient,
                                  const unsigned char *bytes, size_t size, Dormancy *dormancy);

/* drift[M], which the caller frees. */
void cache_method_pack_drift(const NeuronTable *table, const double *drift, Buffer *payload);
bool cache_method_unpack_drift(const CacheMethodShape *shape, const unsigned char *bytes, size_t size,
                               double **drift);

void cache_method_pack_averages(const DistributionAverages *base, const DistributionAverages *sft,
                                Buffer *payload);
bool cache_method_unpack_averages(const CacheMethodShape *shape, const unsigned char *bytes, size_t size,
                                  DistributionAverages *base, DistributionAverages *sft);

#endif
