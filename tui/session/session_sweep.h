/*
 * session_sweep — W at many settings: the sweep over α or ρ, and the plane of both, which is the headline figures at
 * every pair of a grid, all other dials as they stood.
 *
 *                α 0    0.1   …    1.0
 *     ρ 0 %      ·      ·          ·        averages[row · alphas + column]; row by row as they are measured,
 *       0.5 %    ·      ·          ·        one row a pass over the files, so all its α share the reading
 *       …
 *       4 %
 *
 * The plane is measured when asked for, never by itself.
 */
#ifndef REJUV_TUI_SESSION_SWEEP_H
#define REJUV_TUI_SESSION_SWEEP_H

#include "core/evaluation/distribution.h"
#include "core/evaluation/logit_curves.h"
#include "core/fusion/settings.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"
#include "tui/text/range.h"

/* ---- the sweep over α, or over ρ ---- */

enum { SESSION_SWEEP_POINTS = LOGIT_CURVES_POINTS, SESSION_SWEEP_LARGEST = 101 };

typedef struct SessionSweep {
    size_t count;                         /* points; 0 until the first sweep is done */
    bool is_rho;                          /* over ρ, otherwise over α */
    bool follows_dial;                    /* as session_start_dial_sweep() measures it */
    const double *values;                 /* [count], rising: of that dial */
    const Settings *settings;             /* the other dials, as they stood */
    const DistributionAverages *averages; /* [count] */
    bool is_running;                      /* or waits to */
    bool waits_for_ranking;               /* for the neurons that ρ resets, which are on their way */
    bool is_stale;                        /* another dial has been turned since */
    const char *error;                    /* of the last sweep; NULL where it went well */
} SessionSweep;

SessionSweep session_sweep(const Session *session);

/* Over the calibration rows, the other dials as they are; over ρ, once neurons are ranked. A sweep that runs is cancelled and starts again.
 */
void session_start_sweep(Session *session, bool is_rho, double from, double to, size_t points);

/* Over α from 0 to 1 at SESSION_SWEEP_POINTS points of Chebyshev's, and with it curves over α (logit_curves.h): from then on
 * the headlines follow the dial at once, and so does the prompt, once its own curves are measured. Where headlines are
 * measured without being asked, this is too. */
void session_start_dial_sweep(Session *session);

/* ---- the plane ---- */

enum { SESSION_PLANE_LARGEST = 41 }; /* points of an axis */

/* Rising, of 1 … SESSION_PLANE_LARGEST points each. */
typedef struct SessionPlaneRange {
    Range alpha, rho;
} SessionPlaneRange;

extern const SessionPlaneRange
    SESSION_PLANE_DEFAULT; /* α 0 … 1 in 11, ρ 0 … 4 % in 9: the paper's are in it */

/* "A:B:N A:B:N" as `sweep --alpha` and `--rho` take them: α from 0 to 1, then ρ as 0.01 or 1%; either may be
 * one number. */
Status session_plane_read_range(const char *text, SessionPlaneRange *range, Error *error) STATUS_MUST_CHECK;
void session_plane_write_range(const SessionPlaneRange *range, char *text, size_t size);

typedef struct SessionPlane {
    SessionPlaneRange range;              /* of what is there; without any, of the next */
    const DistributionAverages *averages; /* [rho.points × alpha.points]; NULL: none was measured */
    size_t ready;                         /* rows that are known, from the first on */
    const Settings *settings;             /* the other dials as they stood; not its α and ρ */
    bool is_running;                      /* or waits: */
    bool is_waiting;                      /* the next begins after the neurons' ranking, W and a sweep */
    bool is_stale;                        /* other dials than α and ρ have been turned since */
    const char *error;                    /* of the last run; NULL where it went well or was cancelled */
} SessionPlane;

SessionPlane session_plane(const Session *session);

/* One figure of DISTRIBUTION_FIGURES as values[rho.points × alpha.points], row by row; NaN where it is not
 * known. What a heatmap draws. */
void session_plane_values(const SessionPlane *plane, size_t figure, double *values);

/* The rows come as they are measured; a plane that runs is cancelled and gives way. Says why where it cannot
 * be. */
void session_start_plane(Session *session, const SessionPlaneRange *range);

/* Seconds that it would take at most, from what W took last; NaN while that is not known. */
double session_plane_seconds(const Session *session, const SessionPlaneRange *range);

/* ---- for the other parts of a session ---- */

struct SessionOptions;
Status session_sweep_open(Session *session, const struct SessionOptions *options,
                          Error *error) STATUS_MUST_CHECK;
void session_sweep_begin(Session *session);
bool session_sweep_refresh(Session *session);
void session_sweep_forget(Session *session);
void session_sweep_list(Session *session, Task **tasks);
void session_sweep_free(Session *session);

/* What waits for base and SFT would wait for ever: they are cancelled. */
void session_sweep_drop_wanted(Session *session);

/* A sweep runs: a bookmark's figures let it go first. */
bool session_sweep_is_sweeping(const Session *session);

/* The progress of one row, as that of the whole plane. */
JobProgress session_plane_progress(const Session *session, JobProgress row);

#endif
