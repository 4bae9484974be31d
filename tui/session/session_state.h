/*
 * session_state — the inside of a Session, shared by the session*.c files and by no one else.
 *
 *     session_message.c  what is said to the user
 *     session.c          opening, what the frame asks: title, running jobs
 *     session_dials.c    α, ρ and ω
 *     session_bookmark.c where they stood: undo, redo, bookmarks
 *     session_pair.c     opening; tokenizers and calibration rows (loaded behind the first screen); drift
 *     session_rows.c     calibration rows: read, taken from the prompt, changed
 *     session_tune.c     headlines, sweep
 *     session_plane.c    the plane of α and ρ
 *     session_alpha.c    α of kinds and layers
 *     session_change.c   what enters and leaves the reset set
 *     session_method.c   neurons: attribution, dormancy, drift, the reset dial
 *     session_measure.c  … measured in the background
 *     session_drivers.c  … the tokens that drive one
 *     session_cache.c    … and drift, kept from one session to the next
 *     session_recall.c   … as entries of the cache
 *     session_prompt.c   the prompt, its preview, pins, continuation
 *     session_target.c   the targets of attribution on it
 *     session_tensor.c   element maps
 *     session_spectrum.c singular values
 *     session_export.c   plan, run, verification
 *
 * Each part has …_refresh(): collects finished work and starts what is due, true when something changed; and
 * …_close(): cancels, waits, frees.
 */
#ifndef REJUV_TUI_SESSION_STATE_H
#define REJUV_TUI_SESSION_STATE_H

#include "core/cache/cache.h"
#include "core/cache/cache_analysis.h"
#include "core/evaluation/generation.h"
#include "tui/session/comparison.h"
#include "tui/session/dial_history.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_cache.h"
#include "tui/session/session_change.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_drivers.h"
#include "tui/session/session_export.h"
#include "tui/session/session_method.h"
#include "tui/session/session_pair.h"
#include "tui/session/session_plane.h"
#include "tui/session/session_prompt.h"
#include "tui/session/session_rows.h"
#include "tui/session/session_spectrum.h"
#include "tui/session/session_target.h"
#include "tui/session/session_tensor.h"
#include "tui/session/session_tune.h"
#include "tui/session/work.h"

#include <stdatomic.h>

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

typedef struct SessionDriversErrand {
    const Model *model;
    uint64_t neuron;
    NeuronBlock block;
    size_t index;
    ForwardSite site;
    EvaluationRow *rows;
    size_t row_count, token; /* the next row's first token */
    float *values;           /* [tokens]: x_j(t) */
} SessionDriversErrand;

enum { SESSION_DRIVERS = 16 };

/* What is measured by one job, and orders neurons. */
typedef enum SessionMethodPart {
    METHOD_ATTRIBUTION,
    METHOD_DRIFT,
    METHOD_DORMANCY,
    METHOD_PARTS
} SessionMethodPart;

/* What is known about the neurons. */
typedef struct SessionMethod {
    bool has_table;
    NeuronTable table;
    bool is_halted;             /* cancelled: waits for session_measure_method(), all but what is asked for */
    SessionMethodPart asked;    /* since then, by choosing a selector that needs it */
    Error errors[METHOD_PARTS]; /* what failed is not tried again until session_measure_method() */

    Work attributing, measuring, profiling, driving;
    SessionAttributionErrand attribution_errand;
    SessionDormancyErrand dormancy_errand;
    SessionDriftErrand drift_errand;
    SessionDriversErrand drivers_errand;

    size_t target_count;       /* wanted */
    size_t attributed_targets; /* asked of the attribution that is there */
    bool has_attribution;
    Attribution attribution;
    Dormancy dormancy[SIDE_COUNT];
    Settings dormancy_settings[SIDE_COUNT];
    bool has_dormancy[SIDE_COUNT];
    double *drift; /* [M]; NULL until it is known */

    Selector selector;
    const Ranking *rankings[SELECTOR_COUNT]; /* the newest of each */
    Ranking **kept;                          /* all ever made: settings may borrow any */
    size_t kept_count, kept_capacity;

    bool has_wanted_drivers;
    uint64_t wanted_drivers, drivers_of;
    Error drivers_error; /* of those wanted */
    SessionDriver drivers[SESSION_DRIVERS];
    size_t driver_count;
} SessionMethod;

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

typedef struct SessionCache {
    Cache *cache;      /* NULL: nothing is kept */
    bool is_read_only; /* what is not there is not written: it cannot be, or is not wanted */
    bool knows_content;
    CacheOrigin origin;
    Work opening, recalling, reading, keeping;
    SessionContentErrand content_errand; /* of opening, then of reading */
    SessionRecallErrand recall_errand;
    SessionKeepErrand keep_errand;
    bool is_recall_due; /* contents or rows are not those that were recalled for */
    bool is_recalled[CACHE_ANALYSIS_COUNT], is_kept[CACHE_ANALYSIS_COUNT];
} SessionCache;

struct Session {
    unsigned threads;
    Settings settings;

    struct SessionMessagePart *messages;

    Pair *pair;
    Model *model; /* NULL: model_error says why */
    Error model_error;
    struct SessionFilesPart *files;
    struct SessionCalibrationPart *calibration;
    struct SessionPromptPart *prompt;
    struct SessionTargetsPart *targets;

    struct SessionHeadlinePart *headline;
    struct SessionSweepPart *sweep;
    struct SessionBookmarksPart *bookmarks;
    struct SessionResetPart *resets;

    SessionMethod method;
    SessionCache cache;

    struct SessionElementsPart *elements;
    struct SessionSpectrumPart *spectrum;
    struct SessionExportPart *export;
};

bool session_method_refresh(Session *session);
bool session_drivers_refresh(Session *session);
bool session_drivers_cancel(Session *session); /* false where nothing is measured */
void session_drivers_forget(Session *session);
SessionMethodPart session_selector_part(Selector selector); /* that makes its order */
void session_follow_selector(Session *session); /* settings borrow the selector's newest ranking */
void session_method_close(Session *session);

/* What a job does after it measured: orders the neurons. */
Status session_rank_attribution(SessionAttributionErrand *errand, Error *error) STATUS_MUST_CHECK;
Status session_rank_dormancy(SessionDormancyErrand *errand, Error *error) STATUS_MUST_CHECK;
Status session_rank_drift(SessionDriftErrand *errand, Error *error) STATUS_MUST_CHECK;

/* Before that: where the orders come from. */
RankingOrigin session_ranking_origin(const Session *session, Selector selector);

SessionDormancyErrand session_make_dormancy_errand(const Session *session, Side side); /* without rows */

/* Take results out of an errand into the session. */
Status session_accept_attribution(Session *session, SessionAttributionErrand *errand,
                                  Error *error) STATUS_MUST_CHECK;
Status session_accept_dormancy(Session *session, SessionDormancyErrand *errand,
                               Error *error) STATUS_MUST_CHECK;
Status session_accept_drift(Session *session, SessionDriftErrand *errand, Error *error) STATUS_MUST_CHECK;

void session_free_attribution_errand(SessionAttributionErrand *errand);
void session_free_dormancy_errand(SessionDormancyErrand *errand);
void session_free_drift_errand(SessionDriftErrand *errand);

/* The cache. session_cache_open() starts asking for what is kept; `directory` NULL: nothing is. */
void session_cache_open(Session *session, const char *directory);
bool session_cache_refresh(Session *session);
void session_cache_close(Session *session);

/* Whether the drift table, or the method's results, may be about to be filled from the cache, or are being
 * written: then they are neither measured nor replaced. */
bool session_cache_holds_drift(const Session *session);
bool session_cache_holds_method(const Session *session);
bool session_cache_is_keeping(const Session *session);

/* The rows are new, or about to go: waits until nothing of the cache's looks at the old ones, and looks for what
 * is kept for the rows that are there at the next refresh. */
void session_cache_change_rows(Session *session);

/* Jobs: argument is a SessionContentErrand, a SessionRecallErrand, a SessionKeepErrand. */
Status session_recall_content(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_read_content(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_recall_method(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;
Status session_keep_results(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;

/* Before the rows change: stops what is measured on them and drops what was. Rankings stay, for settings may borrow
 * them, but no longer choose. */
void session_method_forget(Session *session);

/* When tokenizers and calibration rows have been loaded, or the rows have changed. */
void session_method_begin(Session *session);

#endif
