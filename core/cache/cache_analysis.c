#include "core/cache/cache_analysis.h"

#include "core/cache/cache_drift.h"
#include "core/cache/cache_method.h"
#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <stdlib.h>

typedef bool (*Unpack)(const CacheOrigin *origin, const CacheRecall *recall, const CacheEntry *entry);
typedef void (*Pack)(const CacheMeasured *measured, Buffer *payload);

typedef struct Analysis {
    const char *kind;
    unsigned version;
    const char *model; /* one of the two that the analysis is about; NULL: both */
    bool on_rows;      /* measured on rows, by multiplies whose last bits depend on how they are done */
    bool on_targets;
    Unpack unpack;
    Pack pack;
} Analysis;

/* ---- each as a payload ---- */

static bool unpack_drift(const CacheOrigin *origin, const CacheRecall *recall, const CacheEntry *entry) {
    (void)origin;
    return cache_drift_unpack(recall->pair, recall->drift, entry->payload, entry->size);
}

static void pack_drift(const CacheMeasured *measured, Buffer *payload) {
    cache_drift_pack(measured->drift, payload);
}

static bool unpack_attribution(const CacheOrigin *origin, const CacheRecall *recall,
                               const CacheEntry *entry) {
    return cache_method_unpack_attribution(&recall->shape, origin->targets, entry->payload, entry->size,
                                           recall->attribution);
}

static void pack_attribution(const CacheMeasured *measured, Buffer *payload) {
    cache_method_pack_attribution(measured->attribution, payload);
}

static bool unpack_neuron_drift(const CacheOrigin *origin, const CacheRecall *recall,
                                const CacheEntry *entry) {
    (void)origin;
    return cache_method_unpack_drift(&recall->shape, entry->payload, entry->size, recall->neuron_drift);
}

static void pack_neuron_drift(const CacheMeasured *measured, Buffer *payload) {
    cache_method_pack_drift(measured->table, measured->neuron_drift, payload);
}

static bool unpack_dormancy_base(const CacheOrigin *origin, const CacheRecall *recall,
                                 const CacheEntry *entry) {
    (void)origin;
    return cache_method_unpack_dormancy(&recall->shape, false, entry->payload, entry->size,
                                        recall->dormancy[SIDE_BASE]);
}

static void pack_dormancy_base(const CacheMeasured *measured, Buffer *payload) {
    cache_method_pack_dormancy(measured->dormancy[SIDE_BASE], payload);
}

static bool unpack_dormancy_sft(const CacheOrigin *origin, const CacheRecall *recall,
                                const CacheEntry *entry) {
    (void)origin;
    return cache_method_unpack_dormancy(&recall->shape, true, entry->payload, entry->size,
                                        recall->dormancy[SIDE_SFT]);
}

static void pack_dormancy_sft(const CacheMeasured *measured, Buffer *payload) {
    cache_method_pack_dormancy(measured->dormancy[SIDE_SFT], payload);
}

static bool unpack_averages(const CacheOrigin *origin, const CacheRecall *recall, const CacheEntry *entry) {
    (void)origin;
    return cache_method_unpack_averages(&recall->shape, entry->payload, entry->size,
                                        &recall->averages[SIDE_BASE], &recall->averages[SIDE_SFT]);
}

static void pack_averages(const CacheMeasured *measured, Buffer *payload) {
    cache_method_pack_averages(&measured->averages[SIDE_BASE], &measured->averages[SIDE_SFT], payload);
}

static const Analysis ANALYSES[CACHE_ANALYSIS_COUNT] = {
    [CACHE_ANALYSIS_DRIFT] = {CACHE_DRIFT_KIND, CACHE_DRIFT_VERSION, NULL, false, false, unpack_drift,
                              pack_drift},
    [CACHE_ANALYSIS_ATTRIBUTION] = {CACHE_ATTRIBUTION_KIND, CACHE_ATTRIBUTION_VERSION, NULL, true, true,
                                    unpack_attribution, pack_attribution},
    [CACHE_ANALYSIS_NEURON_DRIFT] = {CACHE_NEURON_DRIFT_KIND, CACHE_NEURON_DRIFT_VERSION, NULL, false, false,
                                     unpack_neuron_drift, pack_neuron_drift},
    [CACHE_ANALYSIS_DORMANCY_BASE] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "base", true, false,
                                      unpack_dormancy_base, pack_dormancy_base},
    [CACHE_ANALYSIS_DORMANCY_SFT] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "sft", true, false,
                                     unpack_dormancy_sft, pack_dormancy_sft},
    [CACHE_ANALYSIS_AVERAGES] = {CACHE_AVERAGES_KIND, CACHE_AVERAGES_VERSION, NULL, true, false,
                                 unpack_averages, pack_averages},
};

/* ---- found and kept ---- */

Status cache_analysis_make_key(const CacheOrigin *origin, CacheAnalysis what, CacheKey *key, Error *error) {
    const Analysis *facts = &ANALYSES[what];
    Buffer text = {0};
    char *lines = NULL;
    buffer_add_format(&text, "base %s\nsft %s\n", origin->base, origin->sft);
    if (facts->model != NULL) buffer_add_format(&text, "of %s\n", facts->model);
    if (facts->on_rows)
        buffer_add_format(&text, "rows %s\nthreads %u\nblas %s\nkernels %s\n", origin->rows, origin->threads,
                          blas_library_core_name(), kernels_get()->name);
    if (facts->on_targets) buffer_add_format(&text, "targets %zu\n", origin->targets);
    Status status = buffer_take(&text, &lines, NULL, "a cache key", error);
    if (status == STATUS_OK) status = cache_make_key(facts->kind, facts->version, lines, key, error);
    free(lines);
    return status;
}

bool cache_analysis_recall(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                           const CacheRecall *recall) {
    CacheKey key;
    CacheEntry entry;
    if (cache_analysis_make_key(origin, what, &key, NULL) != STATUS_OK || !cache_find(cache, &key, &entry))
        return false;
    bool is_sound = ANALYSES[what].unpack(origin, recall, &entry);
    cache_free_entry(&entry);
    return is_sound;
}

Status cache_analysis_keep(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                           const CacheMeasured *measured, Error *error) {
    Buffer payload = {0};
    CacheKey key;
    /* Why a gradient is not known may be today's limit of memory, which no key tells. */
    if (what == CACHE_ANALYSIS_DORMANCY_SFT && measured->dormancy[SIDE_SFT]->no_gradient.status != STATUS_OK)
        return STATUS_OK;
    ANALYSES[what].pack(measured, &payload);
    Status status = payload.failed ? memory_fail(error, "a cache entry")
                                   : cache_analysis_make_key(origin, what, &key, error);
    if (status == STATUS_OK) status = cache_store(cache, &key, payload.text, payload.length, error);
    buffer_free(&payload);
    return status;
}
