/*
 * The jobs of session_cache.h: entries of the cache to and from the session's results.
 */
#include "core/cache/cache_drift.h"
#include "core/cache/cache_fingerprint.h"
#include "core/cache/cache_method.h"
#include "core/support/memory.h"
#include "tui/session/session_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- contents and drift ---- */

Status session_recall_content(Job *job, void *argument, Error *error) {
    (void)error;
    SessionContentErrand *errand = argument;
    const Pair *pair = errand->pair;
    CacheEntry entry;
    (void)job_report(job, "kept analyses", 0, 1);
    errand->is_known = cache_fingerprint_find(errand->cache, pair->base, errand->origin.base) &&
                       cache_fingerprint_find(errand->cache, pair->sft, errand->origin.sft);
    if (!errand->is_known ||
        !cache_analysis_find(errand->cache, &errand->origin, CACHE_ANALYSIS_DRIFT, &entry))
        return STATUS_OK;
    errand->has_drift = cache_drift_unpack(pair, errand->drift, entry.payload, entry.size);
    cache_free_entry(&entry);
    return STATUS_OK;
}

Status session_read_content(Job *job, void *argument, Error *error) {
    SessionContentErrand *errand = argument;
    const Pair *pair = errand->pair;
    uint64_t base = cache_fingerprint_unread(errand->cache, pair->base);
    uint64_t total = base + cache_fingerprint_unread(errand->cache, pair->sft);
    Status status =
        cache_fingerprint_measure(errand->cache, pair->base, 0, total, job, errand->origin.base, error);
    if (status == STATUS_OK)
        status =
            cache_fingerprint_measure(errand->cache, pair->sft, base, total, job, errand->origin.sft, error);
    errand->is_known = status == STATUS_OK;
    return status;
}

/* ---- the method: from the cache ---- */

/* A ranking that cannot be made is as good as an entry that is not there: measuring says why. */
static bool unpack(SessionRecallErrand *errand, CacheAnalysis what, const CacheEntry *entry) {
    const CacheMethodShape shape = {.table = errand->drift.table,
                                    .heads = errand->heads,
                                    .vocabulary = errand->vocabulary,
                                    .rows = errand->rows,
                                    .row_count = errand->row_count};
    SessionDormancyErrand *dormancy =
        &errand->dormancy[what == CACHE_ANALYSIS_DORMANCY_SFT ? SIDE_SFT : SIDE_BASE];
    switch (what) {
    case CACHE_ANALYSIS_ATTRIBUTION:
        return cache_method_unpack_attribution(&shape, errand->origin.targets, entry->payload, entry->size,
                                               &errand->attribution.attribution) &&
               session_rank_attribution(&errand->attribution, NULL) == STATUS_OK;
    case CACHE_ANALYSIS_NEURON_DRIFT:
        return cache_method_unpack_drift(&shape, entry->payload, entry->size, &errand->drift.drift) &&
               session_rank_drift(&errand->drift, NULL) == STATUS_OK;
    case CACHE_ANALYSIS_DORMANCY_BASE:
    case CACHE_ANALYSIS_DORMANCY_SFT:
        return cache_method_unpack_dormancy(&shape, dormancy->with_gradient, entry->payload, entry->size,
                                            &dormancy->dormancy) &&
               session_rank_dormancy(dormancy, NULL) == STATUS_OK;
    case CACHE_ANALYSIS_AVERAGES:
        return cache_method_unpack_averages(&shape, entry->payload, entry->size, &errand->averages[SIDE_BASE],
                                            &errand->averages[SIDE_SFT]);
    case CACHE_ANALYSIS_DRIFT:
    case CACHE_ANALYSIS_COUNT:
        break;
    }
    return false;
}

Status session_recall_method(Job *job, void *argument, Error *error) {
    SessionRecallErrand *errand = argument;
    errand->origin.threads = job_threads(job);
    Status status = cache_method_hash_rows(errand->rows, errand->row_count, errand->origin.rows, error);
    for (int what = 0; what < CACHE_ANALYSIS_COUNT && status == STATUS_OK; what++) {
        CacheEntry entry;
        if (!job_report(job, "kept analyses", (uint64_t)what, CACHE_ANALYSIS_COUNT))
            return job_cancelled(error);
        if (errand->cache == NULL || !errand->wants[what] ||
            !cache_analysis_find(errand->cache, &errand->origin, (CacheAnalysis)what, &entry))
            continue;
        errand->has[what] = unpack(errand, (CacheAnalysis)what, &entry);
        cache_free_entry(&entry);
    }
    return status;
}

/* ---- to the cache ---- */

static void pack(const SessionKeepErrand *errand, CacheAnalysis what, Buffer *payload) {
    switch (what) {
    case CACHE_ANALYSIS_DRIFT:
        cache_drift_pack(errand->drift, payload);
        break;
    case CACHE_ANALYSIS_ATTRIBUTION:
        cache_method_pack_attribution(errand->attribution, payload);
        break;
    case CACHE_ANALYSIS_NEURON_DRIFT:
        cache_method_pack_drift(&errand->table, errand->neuron_drift, payload);
        break;
    case CACHE_ANALYSIS_DORMANCY_BASE:
        cache_method_pack_dormancy(errand->dormancy[SIDE_BASE], payload);
        break;
    case CACHE_ANALYSIS_DORMANCY_SFT:
        cache_method_pack_dormancy(errand->dormancy[SIDE_SFT], payload);
        break;
    case CACHE_ANALYSIS_AVERAGES:
        cache_method_pack_averages(&errand->averages[SIDE_BASE], &errand->averages[SIDE_SFT], payload);
        break;
    case CACHE_ANALYSIS_COUNT:
        break;
    }
}

static Status keep(const SessionKeepErrand *errand, CacheAnalysis what, Error *error) {
    Buffer payload = {0};
    CacheKey key;
    pack(errand, what, &payload);
    Status status = payload.failed ? memory_fail(error, "a cache entry")
                                   : cache_analysis_make_key(&errand->origin, what, &key, error);
    if (status == STATUS_OK) status = cache_store(errand->cache, &key, payload.text, payload.length, error);
    buffer_free(&payload);
    return status;
}

Status session_keep_results(Job *job, void *argument, Error *error) {
    SessionKeepErrand *errand = argument;
    if (!cache_fingerprint_is_unchanged(errand->pair->base) ||
        !cache_fingerprint_is_unchanged(errand->pair->sft))
        return status_fail(error, STATUS_MISMATCH, "a model's files have changed since they were opened");
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (!errand->wants[what]) continue;
        if (!job_report(job, "keeping analyses", (uint64_t)what, CACHE_ANALYSIS_COUNT))
            return job_cancelled(error);
        Status status = keep(errand, (CacheAnalysis)what, error);
        if (status != STATUS_OK) return status;
        errand->has[what] = true;
    }
    return STATUS_OK;
}
