/*
 * rollouts_internal — what the files of the Rollouts view share: its panes, its figures.
 *
 *     narrow     what the samples are        wide     what the samples are
 *                names of the panes                   prompts │ figures
 *                the one in front                             │ gradient
 *
 * A pane is a row of the table in rollouts_view.c. The reader of one sample (rollouts_reader.c) lies over all of them.
 */
#ifndef REJUV_VIEWS_ROLLOUTS_INTERNAL_H
#define REJUV_VIEWS_ROLLOUTS_INTERNAL_H

#include "tui/canvas/list_box.h"
#include "tui/session/session_rollouts_figures.h"
#include "tui/tables/table.h"
#include "tui/text/format.h"

enum { ROLLOUTS_TEXT = 256, ROLLOUTS_ESTIMATE = 2 * FORMAT_SIZE + 8 };

typedef struct RolloutsState {
    size_t pane; /* in front */
    ListState prompts, gradient, tokens;
    size_t place;  /* the sample at the cursor: column · most samples of a prompt + its number */
    size_t figure; /* beside the strips */
    bool is_reading;
    char text[SESSION_ROLLOUTS_RULE]; /* what an answer starts with */
} RolloutsState;

typedef struct RolloutsPane {
    const char *name;
    const Action *hints;
    size_t hint_count;
    /* Below its name; `shown` has samples. */
    void (*draw)(RolloutsState *state, Session *session, const SessionRollouts *shown, Canvas *canvas,
                 Rect area);
    Reaction (*act)(RolloutsState *state, Session *session, const SessionRollouts *shown, Action action,
                    const ActionArgument *argument);
    Status (*numbers)(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                      Table **table, Error *error);
    bool (*value)(const RolloutsState *state, Session *session, const SessionRollouts *shown, char *text,
                  size_t size);
} RolloutsPane;

extern const RolloutsPane rollouts_prompts_pane, rollouts_figures_pane, rollouts_gradient_pane,
    rollouts_reader;

/* ---- what the panes share (rollouts_figures.c) ---- */

/* The figure's name with K in place: "pass@8". */
void rollouts_name_figure(const SessionRollouts *shown, size_t figure, char text[FORMAT_SIZE]);

/* A value that is known, else "·". */
void rollouts_format(double value, int columns, char text[FORMAT_SIZE]);

/* "0.25000 ± 0.012"; without an error where that is not known. */
void rollouts_format_estimate(SampleEstimate estimate, char text[ROLLOUTS_ESTIMATE]);

/* "base", "SFT", "W"; of a file "file": for people and, in lower case, for tables. With ~ where it is stale. */
const char *rollouts_column_name(const SessionRollouts *shown, size_t column);
const char *rollouts_column_key(const SessionRollouts *shown, size_t column);
Role rollouts_column_role(const SessionRollouts *shown, size_t column);

/* The same of the three states. */
extern const char *const ROLLOUTS_STATES[SIDE_COUNT], *const ROLLOUTS_STATE_KEYS[SIDE_COUNT];
extern const Role ROLLOUTS_ROLES[SIDE_COUNT];

/* The most samples that a prompt has, and which one state->place is. */
size_t rollouts_most_samples(const SessionRollouts *shown);

typedef struct RolloutsPlace {
    size_t group, column, sample;
} RolloutsPlace;
RolloutsPlace rollouts_find_place(const RolloutsState *state, const SessionRollouts *shown);

/* The sample there; NULL where it has not ended yet. */
const Sample *rollouts_sample(const SessionRollouts *shown, const RolloutsPlace *place);

/* Moves state->place by `step`, within its prompt. */
void rollouts_move_place(RolloutsState *state, const SessionRollouts *shown, long step);

#endif
