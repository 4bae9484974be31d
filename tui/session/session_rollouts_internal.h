/*
 * session_rollouts_internal — what the files of a session's rollouts share: what is asked for next, what runs, what is there.
 * All of it is the UI thread's, but for the errand (session_rollouts_errand.h); while that is of the gradient, its job reads
 * the samples that are there, which stay as they are so long.
 */
#ifndef REJUV_TUI_SESSION_ROLLOUTS_INTERNAL_H
#define REJUV_TUI_SESSION_ROLLOUTS_INTERNAL_H

#include "core/readiness/gradient_table.h"
#include "tui/session/session_rollouts.h"
#include "tui/session/session_rollouts_errand.h"

/* What a SessionRolloutsColumn shows. */
typedef struct RolloutsColumn {
    SampleSet set;
    size_t total, ready;
    size_t *ended, *right;
    PromptFigures *prompts;
    SampleFigures figures;
    bool has_figures, has_scores;
    SessionRolloutsScores scores;
} RolloutsColumn;

/* Where samples come from. */
typedef struct RolloutsSource {
    char *path; /* NULL: the calibration rows */
    bool is_file;
} RolloutsSource;

struct SessionRolloutsPart {
    SessionRolloutsChoice choice; /* of the next */
    RolloutsSource source;
    bool wants_samples, wants_gradient;
    bool recalls;    /* what is wanted is to come from the cache, or not at all: */
    size_t recalled; /* so many columns */
    Task measuring;
    RolloutsErrand *errand; /* while it runs */

    /* what is there */
    SessionRolloutsChoice drawn;
    RolloutsSource drawn_from;
    Settings settings;
    size_t groups, columns; /* 0: nothing */
    RolloutsColumn data[SIDE_COUNT];
    SessionRolloutsColumn shown[SIDE_COUNT];
    GradientTable gradients[SIDE_COUNT];
    bool has_gradient;
    char note[SESSION_ROLLOUTS_NOTE];
    Error error;
};

/* `path` may be NULL. */
Status rollouts_copy_source(const char *path, bool is_file, RolloutsSource *to,
                            Error *error) STATUS_MUST_CHECK;

/* Takes what the errand's job has told over into what is there; what was there goes when prompts come. */
void rollouts_accept(struct SessionRolloutsPart *part, const RolloutsErrand *errand, RolloutsNews *news,
                     Error *error);

/* Nothing is there any more. */
void rollouts_drop(struct SessionRolloutsPart *part);

#endif
