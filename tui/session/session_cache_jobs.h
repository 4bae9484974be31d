/*
 * session_cache_jobs — the cache's jobs: entries of the cache to and from errands of the session. They know no session: an
 * errand is the job thread's while its job runs, the UI thread's before and after.
 */
#ifndef REJUV_TUI_SESSION_CACHE_JOBS_H
#define REJUV_TUI_SESSION_CACHE_JOBS_H

#include "core/cache/cache.h"
#include "core/cache/cache_analysis.h"
#include "core/drift/drift.h"
#include "core/evaluation/distribution.h"
#include "tui/session/session_neurons_errands.h"

/* The contents of both models, and the drift that is kept for them. */
typedef struct SessionContentErrand {
    const Cache *cache;
    const Pair *pair;
    DriftTable *drift; /* filled where it is kept; NULL: left alone */
    CacheOrigin origin;
    bool is_known, has_drift;
} SessionContentErrand;

/* What is kept about the neurons: `wants` is looked for, `has` was found, into errands as measuring fills them.
 */
typedef struct SessionRecallErrand {
    const Cache *cache; /* NULL: contents are not known, so only the rows are looked at */
    CacheOrigin origin;
    EvaluationRow *rows;
    size_t row_count;
    uint64_t heads, vocabulary;
    bool wants[CACHE_ANALYSIS_COUNT], has[CACHE_ANALYSIS_COUNT];
    SessionAttributionErrand attribution;
    SessionDormancyErrand dormancy[2]; /* SIDE_BASE, SIDE_SFT */
    SessionDriftErrand drift;
    DistributionAverages averages[2];
} SessionRecallErrand;

/* What is to be written; the results are the session's, which does not touch them meanwhile. */
typedef struct SessionKeepErrand {
    const Cache *cache;
    const Pair *pair;
    CacheOrigin origin;
    bool wants[CACHE_ANALYSIS_COUNT], has[CACHE_ANALYSIS_COUNT];
    const DriftTable *drift;
    const Attribution *attribution;
    const Dormancy *dormancy[2];
    NeuronTable table;
    const double *neuron_drift;
    DistributionAverages averages[2];
} SessionKeepErrand;

/* Jobs: argument is a SessionContentErrand, a SessionRecallErrand, a SessionKeepErrand. */
Status session_cache_recall_content(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_read_content(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_cache_recall_method(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_keep_results(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;

#endif
