/*
 * session_landscape — the loss around the checkpoints of a session, as core/readiness/landscape.h measures it on the
 * calibration rows, in the background:
 *
 *     line         over α, beyond base and SFT: of the pair, whatever the dials say
 *     plane        two random directions around W at the dials; or through base, SFT and a third checkpoint, whatever
 *                  the dials say
 *     sharpness    small steps both ways along K directions, around base, SFT and W
 *
 * Each is many passes over the rows, so each is measured when asked for, one after another, and never by itself.
 * What is there stays until the rows change; where the dials have been turned since, it is stale.
 */
#ifndef REJUV_TUI_SESSION_LANDSCAPE_H
#define REJUV_TUI_SESSION_LANDSCAPE_H

#include "core/fusion/settings.h"
#include "core/readiness/landscape.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"
#include "tui/text/range.h"

typedef enum SessionLandscapeKind {
    SESSION_LANDSCAPE_LINE,
    SESSION_LANDSCAPE_PLANE,
    SESSION_LANDSCAPE_SHARPNESS,
    SESSION_LANDSCAPE_COUNT
} SessionLandscapeKind;

enum { SESSION_LANDSCAPE_LINE_MOST = 101, SESSION_LANDSCAPE_PLANE_MOST = 41 }; /* points of an axis */
enum { SESSION_LANDSCAPE_DIRECTIONS_MOST = 4096 };

/* With what the next is measured. */
typedef struct SessionLandscapeChoice {
    Range line, plane, triangle; /* of at least 2 points, rising; `triangle` with a third */
    /* a directory; NULL: directions. Copied when chosen; of a choice that is given out until the next is */
    const char *third;
    double sigma;      /* above 0 */
    size_t directions; /* 1 at least */
    uint64_t seed;
} SessionLandscapeChoice;

SessionLandscapeChoice session_landscape_choice(const Session *session);

/* Over which points the line goes, or the plane along both axes; NULL of sharpness. */
const Range *session_landscape_range(const SessionLandscapeChoice *choice, SessionLandscapeKind kind);

/* False, and nothing changed, where it is not as above, or memory ran out. */
bool session_landscape_choose(Session *session, const SessionLandscapeChoice *choice);

typedef struct SessionLandscape {
    SessionLandscapeChoice choice; /* that it was measured with; without any, the next */
    const Settings *settings;      /* of its W; NULL without any */
    size_t total, ready;           /* points, of sharpness models; the first `ready` are known. 0: none */
    const double *losses;          /* line[α]; plane[y · points + x] */
    const LandscapeSharpness *sharpness; /* [SIDE_COUNT] */
    const Triangle *triangle;            /* of a plane with a third, from the first loss on; else NULL */
    bool is_running;                     /* or waits: */
    bool is_waiting;                     /* base, SFT and W, and what else was asked for, go first */
    bool is_stale;                       /* W has been turned since; never of what is not around W */
    const char *error;                   /* of the last run; NULL where it went well or was cancelled */
} SessionLandscape;

SessionLandscape session_landscape(const Session *session, SessionLandscapeKind kind);

/* The losses of a line or plane, [total]; NaN where one is not known, or where it is another than `point`. */
void session_landscape_list_losses(const SessionLandscape *landscape, double *losses);
void session_landscape_list_point(const SessionLandscape *landscape, size_t point, double *losses);

/* Which of the losses that are known and finite is the smallest, and between what they lie; false where none is. */
typedef struct SessionLandscapeExtent {
    size_t smallest;
    double low, high;
} SessionLandscapeExtent;
bool session_landscape_find_extent(const SessionLandscape *landscape, SessionLandscapeExtent *extent);

/* The choice applies to what it is of alone: false where the next would come out as this did, but for the dials. */
bool session_landscape_differs(const SessionLandscape *landscape, SessionLandscapeKind kind,
                               const SessionLandscapeChoice *choice);

/* Measures with the choice of now; one of the kind that runs is cancelled and gives way. Of sharpness, base and SFT are
 * kept where they were measured so already. Says why where it cannot be. */
void session_start_landscape(Session *session, SessionLandscapeKind kind);

/* Why none can be measured, however long one waits; NULL: it can. */
const char *session_landscape_message(const Session *session, SessionLandscapeKind kind);

/* How many losses the next takes, and seconds that these take at most, from what W took last; NaN while that is not
 * known. */
size_t session_landscape_points(const Session *session, SessionLandscapeKind kind);
double session_landscape_seconds(const Session *session, SessionLandscapeKind kind);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_landscape_open(Session *session, const struct SessionOptions *options,
                              Error *error) STATUS_MUST_CHECK;
bool session_landscape_refresh(Session *session);
void session_landscape_forget(Session *session);
void session_landscape_list(Session *session, Task **tasks);
bool session_landscape_cancel(Session *session, SessionTask task); /* what waits goes too */
void session_landscape_free(Session *session);

/* What waits for base and SFT would wait for ever: they are cancelled. */
void session_landscape_drop_wanted(Session *session);

/* The line, where it is not there yet: what a picture of the view asks for. */
void session_landscape_measure(Session *session);

/* The progress of one piece, as that of the whole line or plane. */
JobProgress session_landscape_progress(const Session *session, JobProgress piece);

#endif
