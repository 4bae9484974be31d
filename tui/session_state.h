/*
 * session_state — the inside of a Session, shared by the session*.c files and by no one else.
 *
 *     session.c          what the frame asks: title, dials, running jobs, messages
 *     session_pair.c     opening; tokenizers and calibration rows (loaded behind the first screen); drift
 *     session_tune.c     dials, headlines, sweep
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
#include "tui/session_export.h"
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
    Error base_error, sft_error, calibration_error, difference;
} SessionLoad;

typedef struct SessionSweepErrand {
    const Evaluation *evaluation;
    Settings settings[SESSION_SWEEP_LARGEST];
    EvaluationResult results[SESSION_SWEEP_LARGEST];
    size_t count;
} SessionSweepErrand;

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
    double sweep_alphas[SESSION_SWEEP_LARGEST];
    DistributionAverages sweep_averages[SESSION_SWEEP_LARGEST];
    size_t sweep_count;
    double wanted_sweep[SESSION_SWEEP_LARGEST];
    size_t wanted_sweep_count; /* 0: none is due */
    Error sweep_error;

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

#endif
