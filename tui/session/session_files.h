/*
 * session_files — what a session has open: checkpoints, tokenizers, preflight, drift.
 */
#ifndef REJUV_TUI_SESSION_FILES_H
#define REJUV_TUI_SESSION_FILES_H

#include "core/chat/chat_source.h"
#include "core/checkpoint/model.h"
#include "core/drift/drift.h"
#include "core/evaluation/calibration.h"
#include "core/tokenizer/tokenizer.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

struct LiveLadder; /* live_ladder.h */

typedef struct SessionOptions {
    const char *base, *sft;
    const char *calibration;     /* a file, or NULL */
    const char *end_token;       /* what responses end with (calibration.h), or NULL */
    const char *chat_template;   /* which of the SFT model's renders conversations, or NULL: as suits each */
    const char *prompt;          /* the first prompt, or NULL: the first of the calibration rows */
    const char *chat;            /* a conversation (JSON) in its place, or NULL; then the template is on: */
    const char *prompt_template; /* its name, or NULL: chat_template */
    const char *samples;         /* a file of samples that is read at once, or NULL */
    const char *prompts;         /* a file of prompts to sample from, or NULL: the calibration rows */
    const char *third;           /* the checkpoint through which Landscape's plane goes, or NULL */
    const char *reward;          /* what an answer is measured by (reward.h), or NULL */
    const char *reward_command;  /* the program that says what one earns (reward_command.h), or NULL */
    struct LiveLadder *ladder;   /* of which SFT is a rung, borrowed; NULL: SFT stands alone */
    size_t rung;                 /* which */
    const char *cache;           /* the directory in which analyses are kept, or NULL: they are not */
    TokenizerRule tokenizer_rule;
    double alpha;
    unsigned threads;     /* 0: all */
    bool allow_unmatched; /* exports may be made although tensors have no counterpart */
} SessionOptions;

const Pair *session_pair(const Session *session);

/* NULL where the pair cannot be run; session_model_error() says why. */
const Model *session_model(const Session *session);
const char *session_model_error(const Session *session);

/* The SFT model's tokenizer: NULL while it loads, and where there is none; then *message (may be NULL) says
 * which. */
const Tokenizer *session_tokenizer(const Session *session, const char **message);
TokenizerRule session_tokenizer_rule(const Session *session);
const char *session_end_token(const Session *session);     /* of the options; NULL: none was given */
const char *session_chat_template(const Session *session); /* the same */
const Tokenizer *session_base_tokenizer(const Session *session);
bool session_tokenizers_are_loading(const Session *session);

/* Pair findings and those about tokenizers, the gravest first. */
size_t session_finding_count(const Session *session);
const Finding *session_finding(const Session *session, size_t index);

/* The drift table fills while it is scanned. Rows index session_pair()->tensors. */
const DriftTable *session_drift(const Session *session);
bool session_drift_is_running(const Session *session);

/* Goes on with a scan that was cancelled. */
void session_resume_drift(Session *session);

/* A token as one piece of text for the screen: its bytes (maybe part of a character) in *text, to be escaped
 * by canvas_write_raw(). At most size - 1 bytes and a NUL; returns the number of bytes. Without a tokenizer:
 * "#123". */
size_t session_token_bytes(const Session *session, int32_t id, char *text, size_t size);

/* ---- for the other parts of a session ---- */

/* What Preflight calls the rows. */
#define SESSION_ROWS_SUBJECT "calibration"

/* More rows of a file are refused: a screen does not wait for what they take. The commands take any number. */
enum { SESSION_ROWS_LIMIT = 10000 };

/* Reads a file of rows, no more than a session takes; on failure *calibration is NULL. On a job's thread. */
Status session_read_rows(const char *path, const CalibrationReading *reading, Job *job,
                         Calibration **calibration, Error *error) STATUS_MUST_CHECK;

/* What rows are read with; the tokenizer may still be loading. */
CalibrationReading session_rows_reading(const Session *session);

/* Puts what is to be known about rows among the findings. */
void session_files_note_rows(Session *session, const Calibration *rows);

/* The SFT directory's chat templates; NULL while they load, and where there is none: *message says which. */
const ChatSource *session_files_chat_source(const Session *session, const char **message);

/* Takes back the findings about a subject, where they no longer hold. */
void session_files_take_back(Session *session, const char *subject);

Status session_files_open(Session *session, const SessionOptions *options, Error *error) STATUS_MUST_CHECK;

/* *has_loaded: tokenizers and the first rows are there, just now. A scan begins only where it may: not while the table
 * may still be filled from the cache. */
bool session_files_refresh(Session *session, bool may_scan, bool *has_loaded);
void session_files_list(Session *session, Task **tasks);
bool session_files_cancel_scan(Session *session, SessionTask task);
void session_files_free(Session *session);

/* The first rows, which are the caller's from then on; NULL where there are none, and *error says why. */
Calibration *session_files_take_rows(Session *session, Error *error);

/* For the cache's job, which fills it in place of a scan. */
DriftTable *session_files_drift_table(Session *session);

#endif
