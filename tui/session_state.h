/*
 * session_state — the inside of a Session, shared by the session*.c files and by no one else.
 *
 *     session.c          what the frame asks: title, running jobs, messages
 *     session_dials.c    α, ρ and ω: turning them, and as text
 *     session_bookmark.c where they stood: undo, redo, bookmarks
 *     session_pair.c     opening; tokenizers and calibration rows (loaded behind the first screen); drift
 *     session_tune.c     dials, headlines, sweep
 *     session_method.c   neurons: attribution, dormancy, drift, the reset dial
 *     session_measure.c  … measured in the background
 *     session_prompt.c   the prompt, its preview, pins, continuation
 *     session_tensor.c   element maps
 *     session_export.c   plan, run, verification
 *
 * Each part has …_refresh(): collects finished work and starts what is due, true when something changed; and
 * …_close(): cancels, waits, frees.
 */
#ifndef REJUV_TUI_SESSION_STATE_H
#define REJUV_TUI_SESSION_STATE_H

#include "core/generation.h"
#include "tui/comparison.h"
#include "tui/dial_history.h"
#include "tui/session_bookmark.h"
#include "tui/session_export.h"
#include "tui/session_method.h"
#include "tui/session_pair.h"
#include "tui/session_prompt.h"
#include "tui/session_tensor.h"
#include "tui/session_tune.h"
#include "tui/work.h"

enum { SESSION_MESSAGES = 8, SESSION_MESSAGE_SIZE = 512 };

/* Tokenizers and calibration rows: filled by a job, taken over when it is done. */
typedef struct SessionLoad {
    char *base_path, *sft_path, *calibration_path; /* tokenizer.json of each; calibration_path may be NULL */
    const ModelConfig *config;                     /* NULL where the model cannot be run */
    Tokenizer *base, *sft;
    Calibration *calibration;
    char calibration_sha256[HASH_HEX_SIZE];
    Error base_error, sft_error, calibration_error, difference;
} SessionLoad;

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
    DialState dials; /* of the bookmark it is for */
    EvaluationResult result;
} SessionBookmarkErrand;

typedef struct SessionContinueErrand {
    const Model *model;
    Settings settings;
    GenerationOptions options;
    int32_t *ids, *out; /* the text so far, and room for options.tokens */
    size_t count, generated;
} SessionContinueErrand;

typedef struct SessionElementsErrand {
    ElementsRequest request;
    ElementsMap map;
} SessionElementsErrand;

typedef struct SessionExportErrand {
    ExportPlan *plan;
    VerifyResult *result;
} SessionExportErrand;

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
    SessionSide side;
    Settings settings;
    bool with_gradient;
    EvaluationRow *rows;
    size_t row_count;
    Dormancy dormancy;
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

/* What is known about the neurons. */
typedef struct SessionMethod {
    bool has_table;
    NeuronTable table;
    bool is_halted; /* cancelled or failed: waits for session_measure_method() */
    Error error;

    Work attributing, measuring, profiling, driving;
    SessionAttributionErrand attribution_errand;
    SessionDormancyErrand dormancy_errand;
    SessionDriftErrand drift_errand;
    SessionDriversErrand drivers_errand;

    size_t target_count;       /* wanted */
    size_t attributed_targets; /* asked of the attribution that is there */
    bool has_attribution;
    Attribution attribution;
    Dormancy dormancy[SESSION_SIDES];
    Settings dormancy_settings[SESSION_SIDES];
    bool has_dormancy[SESSION_SIDES];
    double *drift; /* [M]; NULL until it is known */

    Selector selector;
    const Ranking *rankings[SELECTOR_COUNT]; /* the newest of each */
    Ranking **kept;                          /* all ever made: settings may borrow any */
    size_t kept_count, kept_capacity;

    bool has_wanted_drivers;
    uint64_t wanted_drivers, drivers_of;
    SessionDriver drivers[SESSION_DRIVERS];
    size_t driver_count;
} SessionMethod;

struct Session {
    unsigned threads;
    Settings settings;

    char messages[SESSION_MESSAGES][SESSION_MESSAGE_SIZE]; /* a ring, the oldest at first_message */
    SessionTone tones[SESSION_MESSAGES];
    size_t first_message, message_count;

    Pair *pair;
    Model *model; /* NULL: model_error says why */
    Error model_error;
    Work loading;
    SessionLoad load;
    char *first_prompt; /* to be shown once the tokenizer is there; NULL: an example */

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

    char *prompt_text;
    size_t prompt_bytes;
    TokenList prompt_ids;
    size_t prompt_added;
    int current_example;
    Comparison *prompt;
    Error prompt_error;
    int32_t pins[SESSION_PINS];
    size_t pin_count;
    SessionContinuation continuation;
    Work continuing;
    SessionContinueErrand continue_errand;

    SessionMethod method;

    size_t tensor;
    Work pooling;
    ElementsRequest wanted_elements, shown_elements;
    bool has_wanted_elements, has_elements;
    SessionElementsErrand elements_errand;
    ElementsMap elements;
    Error elements_error;

    SessionExportForm export_form;
    ExportPlan *plan; /* at plan_settings; NULL: has to be made */
    Settings plan_settings;
    bool is_plan_tried;
    Error plan_error;
    Work exporting, verifying;
    SessionExportErrand export_errand;
    VerifyResult *verification;
    SessionExportStage export_outcome; /* IDLE, DONE or FAILED */
    char export_message[ERROR_MESSAGE_SIZE + 512];
};

bool session_pair_refresh(Session *session);
void session_pair_close(Session *session);
bool session_tune_refresh(Session *session);
void session_tune_close(Session *session);
bool session_method_refresh(Session *session);
void session_follow_selector(Session *session); /* settings borrow the selector's newest ranking */
void session_method_close(Session *session);
bool session_bookmark_refresh(Session *session);
void session_bookmark_close(Session *session);
bool session_prompt_refresh(Session *session);
void session_prompt_close(Session *session);
bool session_tensor_refresh(Session *session);
bool session_tensor_cancel(Session *session); /* false where nothing is pooled */
void session_tensor_close(Session *session);
bool session_export_refresh(Session *session);
void session_export_close(Session *session);
void session_export_open(Session *session);

/* When tokenizers and calibration rows have been loaded. */
void session_tune_begin(Session *session);
void session_prompt_begin(Session *session);
void session_method_begin(Session *session);

#endif
