/*
 * session_neurons_internal — the part of a session that knows its neurons, shared by session_neurons.c (what there
 * is, the dial) and session_neurons_measure.c (how it comes).
 */
#ifndef REJUV_TUI_SESSION_NEURONS_INTERNAL_H
#define REJUV_TUI_SESSION_NEURONS_INTERNAL_H

#include "core/fusion/settings.h"
#include "tui/session/session_message.h"
#include "tui/session/session_neurons_errands.h"
#include "tui/session/task.h"

/* What is measured by one job, and orders neurons. */
typedef enum SessionMethodPart {
    METHOD_ATTRIBUTION,
    METHOD_DRIFT,
    METHOD_DORMANCY,
    METHOD_PARTS
} SessionMethodPart;

/* What is known about the neurons. Each errand is its job thread's while that runs; results that are here are read by
 * the cache's job while it writes them, and change only when it does not. All else is the UI thread's. */
struct SessionNeuronsPart {
    bool has_table;
    NeuronTable table;
    bool is_halted;             /* cancelled: waits for session_measure_method(), all but what is asked for */
    SessionMethodPart asked;    /* since then, by choosing a selector that needs it */
    Error no_gradient;          /* why there is no gradient dormancy; STATUS_OK: there is */
    Error errors[METHOD_PARTS]; /* what failed is not tried again until session_measure_method() */

    Task attributing, measuring, profiling; /* attribution, dormancy, drift */
    SessionAttributionErrand attribution_errand;
    SessionDormancyErrand dormancy_errand;
    SessionDriftErrand drift_errand;

    size_t target_count;       /* wanted */
    size_t attributed_targets; /* asked of the attribution that is there */
    bool has_attribution;
    Attribution attribution;
    Dormancy dormancy[SIDE_COUNT];
    Settings dormancy_settings[SIDE_COUNT];
    bool has_dormancy[SIDE_COUNT];
    double *drift; /* [M]; NULL until it is known */
    uint64_t revision;

    Selector selector;
    const Ranking *rankings[SELECTOR_COUNT]; /* the newest of each */
    Ranking **kept;                          /* all ever made: settings may borrow any */
    size_t kept_count, kept_capacity;
};

SessionMethodPart session_selector_part(Selector selector); /* that makes its order */
void session_follow_selector(Session *session); /* settings borrow the selector's newest ranking */

#endif
