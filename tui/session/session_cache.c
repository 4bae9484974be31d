#include "tui/session/session_cache.h"

#include "core/cache/cache_fingerprint.h"
#include "core/support/memory.h"
#include "core/transformer/forward.h"
#include "tui/session/session_cache_jobs.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_export.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_neurons_measure.h"

#include <stdlib.h>
#include <string.h>

/* The errands are their job threads' while those run: `content_errand` of `opening` and `reading`. What is to be written
 * belongs to other parts, which leave it alone as long as session_cache_is_keeping(). All else is the UI thread's. */
struct SessionCachePart {
    Cache *cache;      /* NULL: nothing is kept */
    bool is_read_only; /* what is not there is not written: it cannot be, or is not wanted */
    bool knows_content;
    CacheOrigin origin;
    Task opening, recalling, reading, keeping;
    SessionContentErrand content_errand; /* of opening, then of reading */
    SessionRecallErrand recall_errand;
    SessionKeepErrand keep_errand;
    bool is_recall_due; /* contents or rows are not those that were recalled for */
    bool is_recalled[CACHE_ANALYSIS_COUNT], is_kept[CACHE_ANALYSIS_COUNT];
};

bool session_was_recalled(const Session *session, CacheAnalysis what) {
    return session->cache->is_recalled[what];
}

bool session_is_kept(const Session *session, CacheAnalysis what) {
    return session->cache->is_kept[what];
}

/* Nothing is written any more; what is there can still be read. */
static void stop_writing(struct SessionCachePart *cache) {
    cache->is_read_only = true;
}

void session_cache_give_up(Session *session, const Error *error) {
    stop_writing(session->cache);
    session_say(session, SESSION_NOTE, "analyses are not kept for the next time: %s", error->message);
}

const Cache *session_cache_place(const Session *session, CacheOrigin *origin, bool *may_write) {
    const struct SessionCachePart *cache = session->cache;
    *may_write = !cache->is_read_only;
    *origin = cache->knows_content ? cache->origin : (CacheOrigin){.targets = 0};
    return cache->cache;
}

/* ---- contents, and drift ---- */

static void open_cache(Session *session, const char *directory) {
    struct SessionCachePart *cache = session->cache;
    Error error;
    Status status = cache_create(directory, 0, &cache->cache, &error);
    if (status == STATUS_OK) {
        cache->content_errand = (SessionContentErrand){
            .cache = cache->cache, .pair = session->pair, .drift = session_files_drift_table(session)};
        status = task_start(&cache->opening, 1, session_cache_recall_content, &cache->content_errand, &error);
    }
    if (status != STATUS_OK) session_cache_give_up(session, &error);
}

Status session_cache_open(Session *session, const SessionOptions *options, Error *error) {
    session->cache = memory_allocate(1, sizeof *session->cache);
    if (session->cache == NULL) return memory_fail(error, "the session");
    session->cache->opening.label = "kept analyses";
    session->cache->recalling.label = "kept analyses";
    session->cache->reading.label = "reading contents";
    session->cache->reading.unit = "B";
    session->cache->keeping.label = "keeping analyses";
    session->cache->is_recall_due = true;
    if (options->cache != NULL) open_cache(session, options->cache);
    return STATUS_OK;
}

static void learn_content(struct SessionCachePart *cache) {
    const SessionContentErrand *errand = &cache->content_errand;
    cache->knows_content = errand->is_known;
    if (!errand->is_known) return;
    memcpy(cache->origin.base, errand->origin.base, sizeof cache->origin.base);
    memcpy(cache->origin.sft, errand->origin.sft, sizeof cache->origin.sft);
    cache->is_recall_due = true;
}

static void collect_opening(struct SessionCachePart *cache) {
    if (cache->opening.status != STATUS_OK) return; /* cancelled: as if nothing were kept */
    learn_content(cache);
    if (!cache->content_errand.has_drift) return;
    cache->is_kept[CACHE_ANALYSIS_DRIFT] = cache->is_recalled[CACHE_ANALYSIS_DRIFT] = true;
}

static Status start_reading(Session *session, Error *error) {
    struct SessionCachePart *cache = session->cache;
    if (!cache_fingerprint_is_settled(session->pair->base) ||
        !cache_fingerprint_is_settled(session->pair->sft)) {
        stop_writing(cache); /* nothing is wrong: the next session will */
        return STATUS_OK;
    }
    cache->content_errand = (SessionContentErrand){.cache = cache->cache, .pair = session->pair};
    return task_start(&cache->reading, 1, session_read_content, &cache->content_errand, error);
}

static void collect_reading(Session *session) {
    struct SessionCachePart *cache = session->cache;
    if (cache->reading.status == STATUS_OK)
        learn_content(cache);
    else if (cache->reading.status == STATUS_CANCELLED)
        stop_writing(cache);
    else
        session_cache_give_up(session, &cache->reading.error);
}

/* ---- what is kept about the neurons ---- */

static void free_recall_errand(SessionRecallErrand *errand) {
    free(errand->rows);
    session_free_attribution_errand(&errand->attribution);
    for (int side = SIDE_BASE; side <= SIDE_SFT; side++)
        session_free_dormancy_errand(&errand->dormancy[side]);
    session_free_drift_errand(&errand->drift);
    *errand = (SessionRecallErrand){0};
}

void session_cache_forget(Session *session) {
    struct SessionCachePart *cache = session->cache;
    task_stop(&cache->recalling);
    task_stop(&cache->keeping);
    free_recall_errand(&cache->recall_errand);
    cache->origin.rows[0] = '\0';
    cache->is_recall_due = true;
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (what != CACHE_ANALYSIS_DRIFT) cache->is_kept[what] = cache->is_recalled[what] = false;
    }
}

static bool has_rows(const Session *session) {
    return session_neurons(session) != NULL && session_calibration(session, NULL) != NULL;
}

static bool recall_is_due(const Session *session) {
    const struct SessionCachePart *cache = session->cache;
    return has_rows(session) &&
           (cache->is_recall_due || cache->origin.targets != session_neurons_targets(session));
}

static void fill_recall_errand(Session *session, SessionRecallErrand *errand) {
    *errand = (SessionRecallErrand){.cache = session->cache->knows_content ? session->cache->cache : NULL,
                                    .origin = session->cache->origin,
                                    .heads = neurons_most_heads(session->model->config),
                                    .vocabulary = forward_vocabulary(session->model)};
    errand->attribution.table = errand->drift.table = *session_neurons(session);
    errand->attribution.origin = session_ranking_origin(session, SELECTOR_ATTRIBUTION);
    errand->drift.drift_origin = session_ranking_origin(session, SELECTOR_DRIFT);
    for (int side = SIDE_BASE; side <= SIDE_SFT; side++)
        errand->dormancy[side] = session_make_dormancy_errand(session, (Side)side);
    errand->wants[CACHE_ANALYSIS_ATTRIBUTION] =
        !session_neurons_has_attribution(session, session_neurons_targets(session));
    errand->wants[CACHE_ANALYSIS_NEURON_DRIFT] = session_neurons_drift(session) == NULL;
    errand->wants[CACHE_ANALYSIS_DORMANCY_BASE] = session_dormancy(session, SIDE_BASE) == NULL;
    errand->wants[CACHE_ANALYSIS_DORMANCY_SFT] = session_dormancy(session, SIDE_SFT) == NULL;
    errand->wants[CACHE_ANALYSIS_AVERAGES] = session_headline_base(session) == NULL;
}

static Status start_recall(Session *session, Error *error) {
    struct SessionCachePart *cache = session->cache;
    SessionRecallErrand *errand = &cache->recall_errand;
    cache->is_recall_due = false;
    if (cache->origin.targets != session_neurons_targets(session))
        cache->is_kept[CACHE_ANALYSIS_ATTRIBUTION] = cache->is_recalled[CACHE_ANALYSIS_ATTRIBUTION] = false;
    cache->origin.targets = session_neurons_targets(session);
    fill_recall_errand(session, errand);
    errand->row_count = session_calibration(session, NULL)->count;
    errand->rows = calibration_list_positions(session_calibration(session, NULL), true);
    Status status = errand->rows == NULL ? memory_fail(error, "kept analyses") : STATUS_OK;
    /* as many threads as would measure: the number is part of what results come from */
    if (status == STATUS_OK)
        status = task_start(&cache->recalling, session->threads, session_cache_recall_method, errand, error);
    if (status != STATUS_OK) free_recall_errand(errand);
    return status;
}

static Status accept(Session *session, SessionRecallErrand *errand, Error *error) {
    struct SessionCachePart *cache = session->cache;
    Status status = STATUS_OK;
    cache->origin.threads = errand->origin.threads;
    memcpy(cache->origin.rows, errand->origin.rows, sizeof cache->origin.rows);
    if (errand->has[CACHE_ANALYSIS_ATTRIBUTION])
        status = session_accept_attribution(session, &errand->attribution, error);
    if (errand->has[CACHE_ANALYSIS_NEURON_DRIFT] && status == STATUS_OK)
        status = session_accept_drift(session, &errand->drift, error);
    for (int side = SIDE_BASE; side <= SIDE_SFT && status == STATUS_OK; side++) {
        if (errand->has[side == SIDE_SFT ? CACHE_ANALYSIS_DORMANCY_SFT : CACHE_ANALYSIS_DORMANCY_BASE])
            status = session_accept_dormancy(session, &errand->dormancy[side], error);
    }
    if (errand->has[CACHE_ANALYSIS_AVERAGES]) session_headline_recall(session, errand->averages);
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (errand->has[what]) cache->is_kept[what] = cache->is_recalled[what] = true;
    }
    return status;
}

static void collect_recall(Session *session) {
    struct SessionCachePart *cache = session->cache;
    Error error = cache->recalling.error;
    Status status = cache->recalling.status;
    if (status == STATUS_OK) status = accept(session, &cache->recall_errand, &error);
    if (status != STATUS_OK && status != STATUS_CANCELLED) session_cache_give_up(session, &error);
    free_recall_errand(&cache->recall_errand);
}

/* ---- writing ---- */

static void list_results(const Session *session, SessionKeepErrand *errand) {
    const struct SessionCachePart *cache = session->cache;
    bool has_rows_sum = cache->origin.rows[0] != '\0';
    const EvaluationResult *base = session_headline_result(session, SIDE_BASE);
    const EvaluationResult *sft = session_headline_result(session, SIDE_SFT);
    *errand = (SessionKeepErrand){
        .cache = cache->cache,
        .pair = session->pair,
        .origin = cache->origin,
        .drift = session_drift(session),
        .attribution = session_attribution(session),
        .dormancy = {session_dormancy(session, SIDE_BASE), session_dormancy(session, SIDE_SFT)},
        .neuron_drift = session_neurons_drift(session)};
    if (session_neurons(session) != NULL) errand->table = *session_neurons(session);
    errand->wants[CACHE_ANALYSIS_DRIFT] =
        drift_table_ready(errand->drift) == drift_table_count(errand->drift);
    errand->wants[CACHE_ANALYSIS_ATTRIBUTION] =
        has_rows_sum && session_neurons_has_attribution(session, cache->origin.targets);
    errand->wants[CACHE_ANALYSIS_NEURON_DRIFT] = errand->neuron_drift != NULL;
    errand->wants[CACHE_ANALYSIS_DORMANCY_BASE] = has_rows_sum && errand->dormancy[SIDE_BASE] != NULL;
    errand->wants[CACHE_ANALYSIS_DORMANCY_SFT] = has_rows_sum && errand->dormancy[SIDE_SFT] != NULL;
    errand->wants[CACHE_ANALYSIS_AVERAGES] = has_rows_sum && base != NULL && sft != NULL;
    if (errand->wants[CACHE_ANALYSIS_AVERAGES]) {
        errand->averages[SIDE_BASE] = base->averages;
        errand->averages[SIDE_SFT] = sft->averages;
    }
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++)
        errand->wants[what] = errand->wants[what] && !cache->is_kept[what];
}

static bool wants_any(const SessionKeepErrand *errand) {
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (errand->wants[what]) return true;
    }
    return false;
}

/* Whether no work reads files for itself, which reading them for the cache would slow down. */
static bool is_disk_free(const Session *session) {
    SessionExportStage stage = session_export_stage(session);
    return !session_tokenizers_are_loading(session) && !session_drift_is_running(session) &&
           stage != SESSION_EXPORT_WRITING && stage != SESSION_EXPORT_VERIFYING;
}

static Status start_keeping(Session *session, Error *error) {
    struct SessionCachePart *cache = session->cache;
    return task_start(&cache->keeping, 1, session_keep_results, &cache->keep_errand, error);
}

static void collect_keeping(Session *session) {
    struct SessionCachePart *cache = session->cache;
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++)
        cache->is_kept[what] = cache->is_kept[what] || cache->keep_errand.has[what];
    if (cache->keeping.status == STATUS_CANCELLED) stop_writing(cache);
    if (cache->keeping.status != STATUS_OK && cache->keeping.status != STATUS_CANCELLED)
        session_cache_give_up(session, &cache->keeping.error);
}

/* ---- what is due ---- */

bool session_cache_holds_drift(const Session *session) {
    return task_is_running(&session->cache->opening);
}

bool session_cache_holds_method(const Session *session) {
    const struct SessionCachePart *cache = session->cache;
    if (cache->cache == NULL) return false;
    return task_is_running(&cache->opening) || task_is_running(&cache->recalling) || recall_is_due(session);
}

bool session_cache_is_keeping(const Session *session) {
    return task_is_running(&session->cache->keeping);
}

static bool collect(Session *session) {
    struct SessionCachePart *cache = session->cache;
    bool changed = false;
    if (task_poll(&cache->opening)) {
        collect_opening(cache);
        changed = true;
    }
    if (task_poll(&cache->recalling)) {
        collect_recall(session);
        changed = true;
    }
    if (task_poll(&cache->reading)) {
        collect_reading(session);
        changed = true;
    }
    if (task_poll(&cache->keeping)) {
        collect_keeping(session);
        changed = true;
    }
    return changed;
}

static Status start_writing(Session *session, Error *error) {
    struct SessionCachePart *cache = session->cache;
    list_results(session, &cache->keep_errand);
    if (!wants_any(&cache->keep_errand)) return STATUS_OK;
    if (cache->knows_content) return start_keeping(session, error);
    return is_disk_free(session) ? start_reading(session, error) : STATUS_OK;
}

bool session_cache_refresh(Session *session) {
    struct SessionCachePart *cache = session->cache;
    Error error;
    Status status = STATUS_OK;
    if (cache->cache == NULL) return false;
    bool changed = collect(session);
    if (task_is_running(&cache->opening) || task_is_running(&cache->recalling) ||
        task_is_running(&cache->keeping))
        return changed;
    if (recall_is_due(session))
        status = start_recall(session, &error);
    else if (!cache->is_read_only && !task_is_running(&cache->reading))
        status = start_writing(session, &error);
    if (status == STATUS_OK) return changed;
    session_cache_give_up(session,
                          &error); /* nothing is held for it any more: who was held back looks again */
    return true;
}

void session_cache_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_CACHE_OPENING] = &session->cache->opening;
    tasks[SESSION_TASK_CACHE_RECALL] = &session->cache->recalling;
    tasks[SESSION_TASK_CACHE_WRITING] = &session->cache->keeping;
    tasks[SESSION_TASK_CACHE_READING] = &session->cache->reading;
}

void session_cache_free(Session *session) {
    struct SessionCachePart *cache = session->cache;
    if (cache == NULL) return;
    task_stop(&cache->opening);
    task_stop(&cache->recalling);
    task_stop(&cache->reading);
    task_stop(&cache->keeping);
    free_recall_errand(&cache->recall_errand);
    cache_free(cache->cache);
    free(cache);
}
