/*
 * session_drivers — the tokens that drive a neuron of the MLP or attention most, on the SFT model: those of the
 * largest |x_j(t)| over all calibration positions, each once, where it was largest (of equals the first). One pass
 * over the rows for each neuron that is looked at, in the background; the last one's are kept.
 */
#ifndef REJUV_TUI_SESSION_DRIVERS_H
#define REJUV_TUI_SESSION_DRIVERS_H

#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

typedef struct SessionDriver {
    size_t row, position;
    int32_t token; /* at that position */
    double value;
    size_t times; /* how often the rows have the token */
} SessionDriver;

/* The largest, largest first. NULL while unknown: then it is being measured, in place of another neuron's that were
 * asked for; ask again. What was cancelled or failed starts again only by session_measure_method(), or when another
 * neuron was asked for in between. */
const SessionDriver *session_drivers(Session *session, uint64_t neuron, size_t *count);

/* Why those asked for last are not there and will not come: no rows, an error, that it was cancelled; NULL while
 * they are measured or there. */
const char *session_drivers_message(const Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_drivers_open(Session *session, const struct SessionOptions *options,
                            Error *error) STATUS_MUST_CHECK;
bool session_drivers_refresh(Session *session);
void session_drivers_resume(Session *session); /* what was cancelled or failed is tried again */
void session_drivers_forget(Session *session);
void session_drivers_list(Session *session, Task **tasks);
bool session_drivers_cancel(Session *session, SessionTask task); /* false where nothing can be cancelled */
void session_drivers_free(Session *session);

#endif
