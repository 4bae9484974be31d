/*
 * session_task — what a session can have running, in the order in which it is shown and cancelled: what a person asked
 * for by name, what is on screen, what follows from the rows, what belongs to opening and keeping. Each part of the
 * session owns the Task of its tasks and lists it by …_list(), which sets tasks[SESSION_TASK_…]. On the UI thread.
 */
#ifndef REJUV_TUI_SESSION_TASK_H
#define REJUV_TUI_SESSION_TASK_H

#include "tui/session/task.h"

typedef enum SessionTask {
    SESSION_TASK_EXPORT,
    SESSION_TASK_VERIFICATION,
    SESSION_TASK_REMOVAL, /* of what an interrupted export left */
    SESSION_TASK_ROWS,
    SESSION_TASK_SWEEP,
    SESSION_TASK_PLANE,
    SESSION_TASK_LANDSCAPE,
    SESSION_TASK_ROLLOUTS,
    SESSION_TASK_CONTINUATION,
    SESSION_TASK_PREVIEW,
    SESSION_TASK_PREVIEW_CURVES,
    SESSION_TASK_ELEMENTS,
    SESSION_TASK_SPECTRUM,
    SESSION_TASK_PLAN,
    SESSION_TASK_BOOKMARKS,
    SESSION_TASK_HEADLINE,
    SESSION_TASK_DRIVERS,
    SESSION_TASK_ATTRIBUTION,
    SESSION_TASK_NEURON_DRIFT,
    SESSION_TASK_DORMANCY,
    SESSION_TASK_DRIFT,
    SESSION_TASK_LADDER,
    SESSION_TASK_LOADING,
    SESSION_TASK_CACHE_OPENING,
    SESSION_TASK_CACHE_RECALL,
    SESSION_TASK_CACHE_WRITING,
    SESSION_TASK_CACHE_READING,
    SESSION_TASK_COUNT
} SessionTask;

#endif
