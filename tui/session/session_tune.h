/*
 * session_tune — what the dials do to the headline figures, and the sweep over α or ρ.
 *
 * Headlines are measured on the calibration rows. Where that would take long (a large model), it waits until
 * asked: session_measure_headlines().
 */
#ifndef REJUV_TUI_SESSION_TUNE_H
#define REJUV_TUI_SESSION_TUNE_H

#include "core/evaluation/distribution.h"
#include "core/fusion/settings.h"
#include "tui/session/session_message.h"

/* Averages over the response positions of the calibration rows; NULL while there are none. */
const DistributionAverages *session_headline_base(const Session *session);
const DistributionAverages *session_headline_sft(const Session *session);
const DistributionAverages *session_headline_fused(const Session *session);
const Settings *session_headline_settings(const Session *session); /* the dials of session_headline_fused() */
bool session_headline_is_stale(const Session *session);

/* Why there are no headlines: "loading", "no calibration rows: …", "not measured: …", an error; NULL while
 * measuring or when they are there. */
const char *session_headline_message(const Session *session);

/* Measuring was cancelled and waits for session_measure_headlines(): W is missing or stale, and stays so. */
bool session_headline_is_cancelled(const Session *session);

/* Starts measuring where that waits to be asked, or goes on after a cancellation. */
void session_measure_headlines(Session *session);

/* ---- the sweep over α, or over ρ ---- */

enum { SESSION_SWEEP_POINTS = 21, SESSION_SWEEP_LARGEST = 101 };

typedef struct SessionSweep {
    size_t count;                         /* points; 0 until the first sweep is done */
    bool is_rho;                          /* over ρ, otherwise over α */
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
 * Where headlines are measured without being asked, a sweep over 0 … 1 is too. */
void session_start_sweep(Session *session, bool is_rho, double from, double to, size_t points);

#endif
