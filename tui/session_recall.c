/*
 * The jobs of session_cache.h: entries of the cache to and from the session's results.
 */
#include "core/blas.h"
#include "core/cache_content.h"
#include "core/cache_drift.h"
#include "core/cache_method.h"
#include "core/kernels.h"
#include "core/memory.h"
#include "tui/session_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- what each result depends on ---- */

typedef struct KeptFacts {
    const char *kind;
    unsigned version;
    const char *model; /* one of the two that the result is about; NULL: both */
    bool on_rows;      /* measured on rows, by multiplies whose last bits depend on how they are done */
    bool on_targets;
} KeptFacts;

static const KeptFacts KEPT[SESSION_KEPT_COUNT] = {
    [SESSION_KEPT_DRIFT] = {CACHE_DRIFT_KIND, CACHE_DRIFT_VERSION, NULL, false, false},
    [SESSION_KEPT_ATTRIBUTION] = {CACHE_ATTRIBUTION_KIND, CACHE_ATTRIBUTION_VERSION, NULL, true, true},
    [SESSION_KEPT_NEURON_DRIFT] = {CACHE_NEURON_DRIFT_KIND, CACHE_NEURON_DRIFT_VERSION, NULL, false, false},
    [SESSION_KEPT_DORMANCY_BASE] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "base", true, false},
    [SESSION_KEPT_DORMANCY_SFT] = {CACHE_DORMANCY_KIND, CACHE_DORMANCY_VERSION, "sft", true, false},
    [SESSION_KEPT_AVERAGES] = {CACHE_AVERAGES_KIND, CACHE_AVERAGES_VERSION, NULL, true, false},
};

static Status make_key(const SessionOrigin *origin, SessionKept what, CacheKey *key, Error *error) {
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

/* ---- contents and drift ---- */

static bool find(const Cache *cache, const SessionOrigin *origin, SessionKept what, CacheEntry *entry) {
    CacheKey key;
    return make_key(origin, what, &key, NULL) == STATUS_OK && cache_find(cache, &key, entry);
}

Status session_recall_content(Job *job, void *argument, Error *error) {
    (void)error;
    SessionContentErrand *errand = argument;
    const Pair *pair = errand->pair;
    CacheEntry entry;
    (void)job_report(job, "kept analyses", 0, 1);
    errand->is_known = cache_content_find(errand->cache, pair->base, errand->origin.base) &&
                       cache_content_find(errand->cache, pair->sft, errand->origin.sft);
    if (!errand->is_known || !find(errand->cache, &errand->origin, SESSION_KEPT_DRIFT, &entry))
        return STATUS_OK;
    errand->has_drift = cache_drift_unpack(pair, errand->drift, entry.payload, entry.size);
    cache_free_entry(&entry);
    return STATUS_OK;
}

Status session_read_content(Job *job, void *argument, Error *error) {
    SessionContentErrand *errand = argument;
    const Pair *pair = errand->pair;
    uint64_t base = cache_content_unread(errand->cache, pair->base);
    uint64_t total = base + cache_content_unread(errand->cache, pair->sft);
    Status status =
        cache_content_measure(errand->cache, pair->base, 0, total, job, errand->origin.base, error);
    if (status == STATUS_OK)
        status = cache_content_measure(errand->cache, pair->sft, base, total, job, errand->origin.sft, error);
    errand->is_known = status == STATUS_OK;
    return status;
}

/* ---- the method: from the cache ---- */

/* A ranking that cannot be made is as good as an entry that is not there: measuring says why. */
static bool unpack(SessionRecallErrand *errand, SessionKept what, const CacheEntry *entry) {
    const CacheMethodShape shape = {.table = errand->drift.table,
                                    .heads = errand->heads,
                                    .vocabulary = errand->vocabulary,
                                    .rows = errand->rows,
                                    .row_count = errand->row_count};
    SessionDormancyErrand *dormancy =
        &errand->dormancy[what == SESSION_KEPT_DORMANCY_SFT ? SESSION_SFT : SESSION_BASE];
    switch (what) {
    case SESSION_KEPT_ATTRIBUTION:
        return cache_method_unpack_attribution(&shape, errand->origin.targets, entry->payload, entry->size,
                                               &errand->attribution.attribution) &&
               session_rank_attribution(&errand->attribution, NULL) == STATUS_OK;
    case SESSION_KEPT_NEURON_DRIFT:
        return cache_method_unpack_drift(&shape, entry->payload, entry->size, &errand->drift.drift) &&
               session_rank_drift(&errand->drift, NULL) == STATUS_OK;
    case SESSION_KEPT_DORMANCY_BASE:
    case SESSION_KEPT_DORMANCY_SFT:
        return cache_method_unpack_dormancy(&shape, dormancy->with_gradient, entry->payload, entry->size,
                                            &dormancy->dormancy) &&
               session_rank_dormancy(dormancy, NULL) == STATUS_OK;
    case SESSION_KEPT_AVERAGES:
        return cache_method_unpack_averages(&shape, entry->payload, entry->size,
                                            &errand->averages[SESSION_BASE], &errand->averages[SESSION_SFT]);
    case SESSION_KEPT_DRIFT:
    case SESSION_KEPT_COUNT:
        break;
    }
    return false;
}

Status session_recall_method(Job *job, void *argument, Error *error) {
    SessionRecallErrand *errand = argument;
    errand->origin.threads = job_threads(job);
    Status status = cache_method_hash_rows(errand->rows, errand->row_count, errand->origin.rows, error);
    for (int what = 0; what < SESSION_KEPT_COUNT && status == STATUS_OK; what++) {
        CacheEntry entry;
        if (!job_report(job, "kept analyses", (uint64_t)what, SESSION_KEPT_COUNT))
            return job_cancelled(error);
        if (errand->cache == NULL || !errand->wants[what] ||
            !find(errand->cache, &errand->origin, (SessionKept)what, &entry))
            continue;
        errand->has[what] = unpack(errand, (SessionKept)what, &entry);
        cache_free_entry(&entry);
    }
    return status;
}

/* ---- to the cache ---- */

static void pack(const SessionKeepErrand *errand, SessionKept what, Buffer *payload) {
    switch (what) {
    case SESSION_KEPT_DRIFT:
        cache_drift_pack(errand->drift, payload);
        break;
    case SESSION_KEPT_ATTRIBUTION:
        cache_method_pack_attribution(errand->attribution, payload);
        break;
    case SESSION_KEPT_NEURON_DRIFT:
        cache_method_pack_drift(&errand->table, errand->neuron_drift, payload);
        break;
    case SESSION_KEPT_DORMANCY_BASE:
        cache_method_pack_dormancy(errand->dormancy[SESSION_BASE], payload);
        break;
    case SESSION_KEPT_DORMANCY_SFT:
        cache_method_pack_dormancy(errand->dormancy[SESSION_SFT], payload);
        break;
    case SESSION_KEPT_AVERAGES:
        cache_method_pack_averages(&errand->averages[SESSION_BASE], &errand->averages[SESSION_SFT], payload);
        break;
    case SESSION_KEPT_COUNT:
        break;
    }
}

static Status keep(const SessionKeepErrand *errand, SessionKept what, Error *error) {
    Buffer payload = {0};
    CacheKey key;
    pack(errand, what, &payload);
    Status status =
        payload.failed ? memory_fail(error, "a cache entry") : make_key(&errand->origin, what, &key, error);
    if (status == STATUS_OK) status = cache_store(errand->cache, &key, payload.text, payload.length, error);
    buffer_free(&payload);
    return status;
}

Status session_keep_results(Job *job, void *argument, Error *error) {
    SessionKeepErrand *errand = argument;
    if (!cache_content_is_unchanged(errand->pair->base) || !cache_content_is_unchanged(errand->pair->sft))
        return status_fail(error, STATUS_MISMATCH, "a model's files have changed since they were opened");
    for (int what = 0; what < SESSION_KEPT_COUNT; what++) {
        if (!errand->wants[what]) continue;
        if (!job_report(job, "keeping analyses", (uint64_t)what, SESSION_KEPT_COUNT))
            return job_cancelled(error);
        Status status = keep(errand, (SessionKept)what, error);
        if (status != STATUS_OK) return status;
        errand->has[what] = true;
    }
    return STATUS_OK;
}
