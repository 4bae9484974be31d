/*
 * session_pair — what a session has open: checkpoints, tokenizers, preflight, drift.
 */
#ifndef REJUV_TUI_SESSION_PAIR_H
#define REJUV_TUI_SESSION_PAIR_H

#include "core/checkpoint/model.h"
#include "core/drift/drift.h"
#include "core/evaluation/calibration.h"
#include "core/tokenizer/tokenizer.h"
#include "tui/session/session_message.h"

typedef struct SessionOptions {
    const char *base, *sft;
    const char *calibration; /* a file, or NULL */
    const char *prompt;      /* the first prompt, or NULL: the first of the calibration rows */
    const char *cache;       /* the directory in which analyses are kept, or NULL: they are not */
    double alpha;
    unsigned threads; /* 0: all */
} SessionOptions;

const Pair *session_pair(const Session *session);

/* NULL where the pair cannot be run; session_model_error() says why. */
const Model *session_model(const Session *session);
const char *session_model_error(const Session *session);

/* The SFT model's tokenizer: NULL while it loads, and where there is none; then *message (may be NULL) says
 * which. */
const Tokenizer *session_tokenizer(const Session *session, const char **message);
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

/* The calibration rows; NULL while they load or where there are none; *message (may be NULL) says which. */
const Calibration *session_calibration(const Session *session, const char **message);

/* A token as one piece of text for the screen: its bytes (maybe part of a character) in *text, to be escaped
 * by canvas_write_raw(). At most size - 1 bytes and a NUL; returns the number of bytes. Without a tokenizer:
 * "#123". */
size_t session_token_bytes(const Session *session, int32_t id, char *text, size_t size);

#endif
