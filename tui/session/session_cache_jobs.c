#include "tui/session/session_cache_jobs.h"

#include "core/cache/cache_fingerprint.h"
#include "core/cache/cache_method.h"

/* ---- contents and drift ---- */

Status session_cache_recall_content(Job *job, void *argument, Error *error) {
    (void)error;
    SessionContentErrand *errand = argument;
    const Pair *pair = errand->pair;
    const CacheRecall recall = {.pair = pair, .drift = errand->drift};
    (void)job_report(job, "kept analyses", 0, 1);
    errand->is_known = cache_fingerprint_find(errand->cache, pair->base, errand->origin.base) &&
                       cache_fingerprint_find(errand->cache, pair->sft, errand->origin.sft);
    if (errand->is_known)
        errand->has_drift =
            cache_analysis_recall(errand->cache, &errand->origin, CACHE_ANALYSIS_DRIFT, &recall);
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

/* Orders the neurons by what was recalled. A ranking that cannot be made is as good as an entry that is not there:
 * measuring says why. */
static bool rank(SessionRecallErrand *errand, CacheAnalysis what) {
    switch (what) {
    case CACHE_ANALYSIS_ATTRIBUTION:
        return session_rank_attribution(&errand->attribution, NULL) == STATUS_OK;
    case CACHE_ANALYSIS_NEURON_DRIFT:
        return session_rank_drift(&errand->drift, NULL) == STATUS_OK;
    case CACHE_ANALYSIS_DORMANCY_BASE:
        return session_rank_dormancy(&errand->dormancy[SIDE_BASE], NULL) == STATUS_OK;
    case CACHE_ANALYSIS_DORMANCY_SFT:
        return session_rank_dormancy(&errand->dormancy[SIDE_SFT], NULL) == STATUS_OK;
    default:
        return true; /* orders nothing */
    }
}

Status session_cache_recall_method(Job *job, void *argument, Error *error) {
    SessionRecallErrand *errand = argument;
    errand->origin.threads = job_threads(job);
    const CacheRecall recall = {
        .shape = {.table = errand->drift.table,
                  .heads = errand->heads,
                  .vocabulary = errand->vocabulary,
                  .rows = errand->rows,
                  .row_count = errand->row_count},
        .attribution = &errand->attribution.attribution,
        .neuron_drift = &errand->drift.drift,
        .dormancy = {&errand->dormancy[SIDE_BASE].dormancy, &errand->dormancy[SIDE_SFT].dormancy},
        .averages = errand->averages};
    Status status = cache_method_hash_rows(errand->rows, errand->row_count, errand->origin.rows, error);
    for (int what = 0; what < CACHE_ANALYSIS_COUNT && status == STATUS_OK; what++) {
        if (!job_report(job, "kept analyses", (uint64_t)what, CACHE_ANALYSIS_COUNT))
            return job_cancelled(error);
        if (errand->cache == NULL || !errand->wants[what]) continue;
        errand->has[what] =
            cache_analysis_recall(errand->cache, &errand->origin, (CacheAnalysis)what, &recall) &&
            rank(errand, (CacheAnalysis)what);
    }
    return status;
}

/* ---- to the cache ---- */

Status session_keep_results(Job *job, void *argument, Error *error) {
    SessionKeepErrand *errand = argument;
    const CacheMeasured measured = {.drift = errand->drift,
                                    .attribution = errand->attribution,
                                    .table = &errand->table,
                                    .neuron_drift = errand->neuron_drift,
                                    .dormancy = {errand->dormancy[SIDE_BASE], errand->dormancy[SIDE_SFT]},
                                    .averages = errand->averages};
    if (!cache_fingerprint_is_unchanged(errand->pair->base) ||
        !cache_fingerprint_is_unchanged(errand->pair->sft))
        return status_fail(error, STATUS_MISMATCH, "a model's files have changed since they were opened");
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (!errand->wants[what]) continue;
        if (!job_report(job, "keeping analyses", (uint64_t)what, CACHE_ANALYSIS_COUNT))
            return job_cancelled(error);
        Status status =
            cache_analysis_keep(errand->cache, &errand->origin, (CacheAnalysis)what, &measured, error);
        if (status != STATUS_OK) return status;
        errand->has[what] = true;
    }
    return STATUS_OK;
}
