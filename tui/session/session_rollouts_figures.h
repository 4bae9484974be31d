/*
 * session_rollouts_figures — the figures of samples as a table: of one prompt, and over all of them. What the Rollouts view
 * shows and writes, a row a figure.
 */
#ifndef REJUV_TUI_SESSION_ROLLOUTS_FIGURES_H
#define REJUV_TUI_SESSION_ROLLOUTS_FIGURES_H

#include "tui/session/session_rollouts.h"

typedef struct SessionRolloutsFigure {
    const char *key;     /* in CSV and JSON */
    const char *label;   /* on screens; behind one that ends in @ comes K */
    const char *meaning; /* a few words */
    double (*of_prompt)(const SessionRolloutsColumn *column,
                        size_t group); /* of one that has all its samples */
    SampleEstimate (*of_all)(const SessionRolloutsColumn *column);
} SessionRolloutsFigure;

enum { SESSION_ROLLOUTS_FIGURES = 8 };
extern const SessionRolloutsFigure SESSION_ROLLOUTS_FIGURE[SESSION_ROLLOUTS_FIGURES];

/* Of a prompt that has all its samples; else NaN. */
double session_rollouts_figure(const SessionRolloutsColumn *column, size_t figure, size_t group);

/* K: the fewest samples of a prompt; 0: no figures are there. */
size_t session_rollouts_fewest(const SessionRolloutsColumn *column);

/* pass@1 … pass@count, NaN where it is not known. */
void session_rollouts_list_pass(const SessionRolloutsColumn *column, double *pass, size_t count);

/* ln p a token of a column under a state, as a figure without an error; NaN: not scored yet. And the entropy. */
SampleEstimate session_rollouts_log_probability(const SessionRolloutsColumn *column, Side side);
SampleEstimate session_rollouts_entropy(const SessionRolloutsColumn *column, Side side);

#endif
