#include "core/cache/cache_analysis.h"

#include "core/cache/cache_drift.h"
#include "core/cache/cache_method.h"
#include "core/numerics/blas.h"
#include "core/numerics/kernels.h"
#include "core/support/buffer.h"

#include <stdlib.h>

typedef struct KeptFacts {
    const char *kind;
    unsigned version;
    const char *model; /* one of the two that the analysis is about; NULL: both */
    bool on_rows;      /* measured on rows, by multiplies whose last bits depend on how they are done */
    bool on_targets;
} KeptFacts;

static const KeptFacts KEPT[CACHE_ANALYSIS_COUNT] = {
    [CACHE_ANALYSIS_DRIFT] = {CACHE_DRIFT_KIND, CACHE_DRIFT_VERSION, NULL, false, false},
    [CACHE_ANALYSIS_ATTRIBUTION] = {CACHE_ATTRIBUTION_KIND, CACHE_ATTRIBUTION_VERSION, NULL, true, true},
    [CACHE_ANALYSIS_NEURON_DRIFT] = {CACHE_NEURON_DRIFT_KIND, CACHE_NEURON_DRIFT_VERSION, NULL, false, false},
    [CACHE_ANALYSIS_DORMANCY_BASE] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "base", true, false},
    [CACHE_ANALYSIS_DORMANCY_SFT] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "sft", true, false},
    [CACHE_ANALYSIS_AVERAGES] = {CACHE_AVERAGES_KIND, CACHE_AVERAGES_VERSION, NULL, true, false},
};

Status cache_analysis_make_key(const CacheOrigin *origin, CacheAnalysis what, CacheKey *key, Error *error) {
    const KeptFacts *facts = &KEPT[what];
    Buffer text = {0};
    char *lines = NULL;
    buffer_add_format(&text, "base %s\nsft %s\n", origin->base, origin->sft);
    if (facts->model != NULL) buffer_add_format(&text, "of %s\n", facts->model);
    if (facts->on_rows)
        buffer_add_format(&text, "rows %s\nthreads %u\nblas %s\nkernels %s\n", origin->rows, origin->threads,
                          blas_core_name(), kernels_get()->name);
    if (facts->on_targets) buffer_add_format(&text, "targets %zu\n", origin->targets);
    Status status = buffer_take(&text, &lines, NULL, "a cache key", error);
    if (status == STATUS_OK) status = cache_make_key(facts->kind, facts->version, lines, key, error);
    free(lines);
    return status;
}

bool cache_analysis_find(const Cache *cache, const CacheOrigin *origin, CacheAnalysis what,
                         CacheEntry *entry) {
    CacheKey key;
    return cache_analysis_make_key(origin, what, &key, NULL) == STATUS_OK && cache_find(cache, &key, entry);
}
