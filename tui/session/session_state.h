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

/* Tokenizers and calibration rows: filled by a job, taken over when it is done. */
typedef struct SessionLoad {
    char *base_path, *sft_path; /* tokenizer.json of each */
    char *calibration_path;     /* the file of rows that was read last; NULL: none */
    const ModelConfig *config;  /* NULL where the model cannot be run */
    Tokenizer *base, *sft;
    Calibration *calibration;
    char calibration_sha256[HASH_HEX_SIZE];
    Error base_error, sft_error, calibration_error, difference;
} SessionLoad;

/* Rows of another file, on their way. */
typedef struct SessionRowsErrand {
    char *path;
    const Tokenizer *tokenizer;
    const ModelConfig *config;
    Calibration *calibration;
} SessionRowsErrand;

typedef struct SessionSweepErrand {
    const Evaluation *evaluation;
    Settings settings[SESSION_SWEEP_LARGEST];
    EvaluationResult results[SESSION_SWEEP_LARGEST];
    size_t count;
    bool is_rho;
} SessionSweepErrand;

typedef struct SessionBookmarkErrand {
    const Evaluation *evaluation;
    Settings settings;
    Dials dials; /* of the bookmark it is for */
    EvaluationResult result;
} SessionBookmarkErrand;

/* While it runs, `averages` are the job thread's from row `ready` on, and the UI thread's before that. */
typedef struct SessionPlaneErrand {
    const Evaluation *evaluation;
    SessionPlaneRange range;
    Settings settings;
    DistributionAverages *averages; /* [rho.points × alpha.points] */
    _Atomic size_t ready;           /* rows */
} SessionPlaneErrand;

typedef struct SessionContinueErrand {
    const Model *model;
    Settings settings;
    GenerationOptions options;
    int32_t *ids, *out; /* the text so far, and room for options.tokens */
    size_t count, generated;
} SessionContinueErrand;

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
    bool has_averages;
    DistributionAverages averages[2];
} SessionCache;

/* The targets on the prompt on screen. */
typedef struct SessionTargetList {
    SessionTarget *targets;
    size_t count, capacity;
    bool is_alike; /* they are those of the rule, for `wanted`, on the prompt as it is */
    size_t wanted;
} SessionTargetList;

struct Session {
    unsigned threads;
    Settings settings;

    struct SessionMessagePart *messages;

    Pair *pair;
    Model *model; /* NULL: model_error says why */
    Error model_error;
    Work loading;
    SessionLoad load;
    Work reading_rows;
    SessionRowsErrand rows_errand;
    bool are_rows_of_prompt; /* not those of load.calibration_path */
    char *first_prompt;      /* to be shown once the tokenizer is there; NULL: an example */

    DriftTable *drift;
    Work scanning;
    bool is_scan_wanted;

    Comparison *headline; /* NULL before calibration rows are there */
    Error headline_error;
    bool headline_waits; /* it would take long: not until asked */
    Work sweeping;
    SessionSweepErrand *sweep_errand;
    double sweep_values[SESSION_SWEEP_LARGEST];
    Settings sweep_settings;
    bool sweep_is_rho, is_rho_sweep; /* of the sweep that is there; of the one that is wanted */
    DistributionAverages sweep_averages[SESSION_SWEEP_LARGEST];
    size_t sweep_count;
    double wanted_sweep[SESSION_SWEEP_LARGEST];
    size_t wanted_sweep_count; /* 0: none is due */
    Error sweep_error;

    DialHistory history;
    SessionBookmark bookmarks[SESSION_BOOKMARKS];
    size_t bookmark_count;
    bool are_bookmarks_halted; /* cancelled or failed: until the next one is kept */
    Work bookmarking;
    SessionBookmarkErrand bookmark_errand;

    Work planing;
    SessionPlaneErrand plane; /* also once it is over: what views look at */
    SessionPlaneRange wanted_plane;
    bool is_plane_wanted;
    Error plane_error;

    struct SessionResetPart *resets;

    char *prompt_text;
    size_t prompt_bytes;
    TokenList prompt_ids;
    size_t prompt_added, prompt_response;
    SessionTargetList target_list;
    int current_example;
    Comparison *prompt;
    Error prompt_error;
    int32_t pins[SESSION_PINS];
    size_t pin_count;
    SessionContinuation continuation;
    Work continuing;
    SessionContinueErrand continue_errand;

    SessionMethod method;
    SessionCache cache;

    struct SessionElementsPart *elements;
    struct SessionSpectrumPart *spectrum;
    struct SessionExportPart *export;
};

Status session_pair_open(Session *session, const SessionOptions *options, Error *error) STATUS_MUST_CHECK;
Status session_pair_load(Session *session, Error *error) STATUS_MUST_CHECK;
bool session_pair_refresh(Session *session);
void session_pair_close(Session *session);
bool session_rows_refresh(Session *session);
void session_rows_close(Session *session);
bool session_tune_refresh(Session *session);
void session_tune_close(Session *session);
bool session_plane_refresh(Session *session);
void session_plane_close(Session *session); /* before what it measures on goes */

/* The progress of one row, as that of the whole plane. */
JobProgress session_plane_progress(const Session *session, JobProgress row);

bool session_method_refresh(Session *session);
bool session_drivers_refresh(Session *session);
bool session_drivers_cancel(Session *session); /* false where nothing is measured */
void session_drivers_forget(Session *session);
SessionMethodPart session_selector_part(Selector selector); /* that makes its order */
void session_follow_selector(Session *session); /* settings borrow the selector's newest ranking */
void session_method_close(Session *session);
bool session_bookmark_refresh(Session *session);
void session_bookmark_close(Session *session);

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

bool session_prompt_refresh(Session *session);
void session_prompt_close(Session *session);

/* What Preflight calls the rows. */
#define SESSION_ROWS_SUBJECT "calibration"

/* Reads a file of rows, no more than a session takes; on failure *calibration is NULL. On a job's thread. */
Status session_read_rows(const char *path, const Tokenizer *tokenizer, const ModelConfig *config, Job *job,
                         Calibration **calibration, Error *error) STATUS_MUST_CHECK;

/* Before the rows change: stops what is measured on them and drops what was. Rankings stay, for settings may borrow
 * them, but no longer choose. */
void session_tune_forget(Session *session);
void session_method_forget(Session *session);
void session_bookmark_forget(Session *session);

/* When tokenizers and calibration rows have been loaded, or the rows have changed. */
void session_tune_begin(Session *session);
void session_prompt_begin(Session *session);
void session_method_begin(Session *session);

#endif
