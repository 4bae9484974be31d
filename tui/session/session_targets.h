/*
 * session_targets — the targets of attribution on the text on screen.
 *
 *     a calibration row    those of its positions that attribution chose out of all rows; the text may be the
 *                          row's prompt only, or its response too (session_show_response())
 *     any other text       the positions that the same rule would choose: the N largest |H_base − H_SFT| of
 *                          all positions of the text
 */
#ifndef REJUV_TUI_SESSION_TARGETS_H
#define REJUV_TUI_SESSION_TARGETS_H

#include "tui/session/session_prompt.h"

typedef struct SessionTarget {
    size_t position;
    size_t rank; /* 0: the largest gap of all that were chosen from */
    double gap;  /* H_base − H_SFT in nats: positive where SFT became surer */
} SessionTarget;

typedef struct SessionTargets {
    const char *message;          /* why they are not known; NULL: they are */
    bool is_chosen;               /* by attribution; false: only what its rule would choose */
    size_t wanted;                /* how many there are in all rows; N of the rule */
    size_t count;                 /* on screen */
    size_t hidden;                /* in the part of the row that is not on screen */
    const SessionTarget *targets; /* [count], by rank; valid until the next call */
} SessionTargets;

SessionTargets session_targets(Session *session);

/* The target at a position, or NULL. */
const SessionTarget *session_find_target(const SessionTargets *targets, size_t position);

/* Goes `steps` targets on from *position (negative: back) in the order of rows and positions, and round at the
 * end. Where targets were chosen by attribution that may show another row, or the response of this one. */
Status session_go_to_target(Session *session, int steps, size_t *position, Error *error) STATUS_MUST_CHECK;

/* ---- for session.c ---- */

struct SessionOptions;
Status session_targets_open(Session *session, const struct SessionOptions *options,
                            Error *error) STATUS_MUST_CHECK;
void session_targets_free(Session *session);

#endif
