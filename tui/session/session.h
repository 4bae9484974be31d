/*
 * session — what is open: the pair, the dials, running jobs, results. This header is what the frame needs of
 * it, and no more; views and commands use the rest through headers of their own.
 *
 * All of it is called on the UI thread and must not block. Work runs on job threads, which wake the program when
 * something came in (task.h).
 *
 * The room: what is open and measured while one looks, as parts in one order (session_internal.h), each with its
 * tasks. It knows neither terminal nor keys.
 */
#ifndef REJUV_TUI_SESSION_H
#define REJUV_TUI_SESSION_H

#include "tui/session/session_message.h"

struct SessionOptions; /* session_files.h */

/* Opens the pair (headers only: milliseconds) and starts loading tokenizers and scanning drift in the
 * background. Fails where a directory cannot be opened; a pair that cannot be fused or run opens, and says so
 * in its findings. */
Status session_create(const struct SessionOptions *options, Session **session,
                      Error *error) STATUS_MUST_CHECK;
void session_free(Session *session); /* cancels and waits; takes NULL */

typedef struct SessionDials {
    char text[64]; /* "α 0.50  ρ 1.0%  ω 1.00"; "α 0.50*" where some kind or layer has its own */
    bool stale;    /* what is on screen is older than the dials */
} SessionDials;

typedef struct SessionJob {
    char label[48];
    uint64_t done, total; /* total 0: not known yet */
    double seconds;       /* since it began */
    char rate[32];        /* "1.9 GB/s", or "" */
} SessionJob;

/* What is open, for the first line: "base → sft (llama 6L 1.2M)"; of several rungs "base → e2 [2/3] (llama 6L 1.2M)". */
void session_title(const Session *session, char *text, size_t size);

SessionDials session_dials(const Session *session);

/* The running jobs, the one to show first; returns how many were written. */
size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity);

/* What figures come from, as a set. */
typedef enum SessionPart {
    SESSION_PART_FILES = 1,     /* tokenizers, calibration rows */
    SESSION_PART_DRIFT = 2,     /* of all tensors */
    SESSION_PART_HEADLINE = 4,  /* figures of base, SFT and W on the calibration rows */
    SESSION_PART_SWEEP = 8,     /* of W at many α or ρ */
    SESSION_PART_METHOD = 16,   /* neurons: attribution, dormancy, their drift; the reset */
    SESSION_PART_PROMPT = 32,   /* the prompt's distributions and continuation */
    SESSION_PART_ELEMENTS = 64, /* of the tensor on screen */
    SESSION_PART_EXPORT = 128,
    SESSION_PART_CACHE = 256,     /* writing what was measured: no figure waits for it */
    SESSION_PART_LANDSCAPE = 512, /* the loss around base, SFT and W */
    SESSION_PART_ROLLOUTS = 1024, /* samples and what they earn; the gradient at hand-over */
    SESSION_PART_LADDER = 2048,   /* what is measured along rungs */
    SESSION_PART_CURVES = 4096,   /* over α, of the prompt: no figure waits for them */
    SESSION_PARTS_ALL = 8191
} SessionPart;

/* True while work for any of `parts`, or for what they come from, is running: the first of it in *job. Work
 * that is due starts in session_refresh(): call that before. */
bool session_is_measuring(Session *session, unsigned parts, SessionJob *job);

/* Asks for what waits to be asked (a large model's figures), as far as `parts` come from it. */
void session_measure(Session *session, unsigned parts);

/* Takes the prompt on screen as the calibration rows: session_calibration.h. */
Status session_use_prompt_rows(Session *session, Error *error) STATUS_MUST_CHECK;

/* Asks for what there is to know of neurons: also again, where it was cancelled or failed. */
void session_measure_method(Session *session);

/* Collects what jobs finished, starts what is due. True when something on screen may have changed. */
bool session_refresh(Session *session);

/* Cancels running work; false when there was none, or only such as runs to its end. */
bool session_cancel(Session *session);

#endif
