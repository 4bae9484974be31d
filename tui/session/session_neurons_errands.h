/*
 * session_neurons_errands — what the jobs about neurons work on: what goes in, what comes out, and the orders of
 * neurons made of it. They know no session. An errand is the job thread's while its job runs, the UI thread's before
 * and after; the cache's job fills the same errands with what was kept.
 */
#ifndef REJUV_TUI_SESSION_NEURONS_ERRANDS_H
#define REJUV_TUI_SESSION_NEURONS_ERRANDS_H

#include "core/fusion/neurons.h"
#include "core/fusion/ranking.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"

enum { SESSION_RANDOM_SEED = 0 }; /* the batch commands' default */

typedef struct SessionAttributionErrand {
    const Model *model;
    NeuronTable table;
    RankingOrigin origin;
    EvaluationRow *rows;
    AttributionTarget *targets;
    size_t target_count;
    Attribution attribution;
    Ranking *ranking;
} SessionAttributionErrand;

typedef struct SessionDormancyErrand {
    const Model *model;
    Side side;
    Settings settings;
    bool with_gradient;
    EvaluationRow *rows;
    size_t row_count;
    Dormancy dormancy;
    NeuronTable table; /* of SIDE_SFT, both rankings too */
    RankingOrigin dormancy_origin, gradient_origin;
    Ranking *dormancy_ranking, *gradient_ranking;
} SessionDormancyErrand;

typedef struct SessionDriftErrand {
    const Model *model;
    NeuronTable table;
    RankingOrigin drift_origin;
    double *drift; /* [M] */
    Ranking *drift_ranking, *random_ranking;
} SessionDriftErrand;

/* Jobs: argument is the errand. They measure, then rank. */
Status session_run_attribution(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_run_dormancy(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_run_drift(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;

/* Order the neurons by what the errand has. Of dormancy only SFT's does. */
Status session_rank_attribution(SessionAttributionErrand *errand, Error *error) STATUS_MUST_CHECK;
Status session_rank_dormancy(SessionDormancyErrand *errand, Error *error) STATUS_MUST_CHECK;
Status session_rank_drift(SessionDriftErrand *errand, Error *error) STATUS_MUST_CHECK;

/* All that was not taken out of it; then it is as new. */
void session_free_attribution_errand(SessionAttributionErrand *errand);
void session_free_dormancy_errand(SessionDormancyErrand *errand);
void session_free_drift_errand(SessionDriftErrand *errand);

#endif
