/*
 * session_neurons — the neurons of the model on screen: dormancy, attribution, drift, and the reset that ρ
 * cuts out of a ranking. All of it is measured on the calibration rows.
 *
 * Where measuring would take long (a large model) it waits until asked: session_measure_method() (session.h). What is
 * known is there as it comes: first what the selector goes by, then attribution, drift, and dormancy of SFT, of
 * base, and of W at the dials. What fails does not keep the rest from being measured. Drift needs no rows, and
 * neither does an order by it or by chance. After a cancellation only choosing a selector goes on, with its part.
 */
#ifndef REJUV_TUI_SESSION_NEURONS_H
#define REJUV_TUI_SESSION_NEURONS_H

#include "core/fusion/neurons.h"
#include "core/fusion/ranking.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "core/method/neuron_scores.h"
#include "tui/session/session_message.h"

/* How the neurons are numbered; NULL where the pair cannot be run. */
const NeuronTable *session_neurons(const Session *session);

/* What is known about one neuron. */
void session_neuron(const Session *session, uint64_t neuron, NeuronScores *facts);

/* Another number whenever what session_neuron() says has changed otherwise than by the dials: whether a neuron is reset
 * depends on the settings' ranking and settings_cut() besides. */
uint64_t session_neurons_revision(const Session *session);

/* NULL while they are not known. */
const Attribution *session_attribution(const Session *session);
const Dormancy *session_dormancy(const Session *session, Side side);
bool session_dormancy_is_stale(const Session *session); /* of SIDE_FUSED: older than the dials */

/* Why there is nothing yet: "loading", "no calibration rows …", "not measured yet …", an error; NULL while it
 * is measured or there. */
const char *session_neurons_message(const Session *session);

/* The same of the order that the selector goes by: also where the rows do not allow it. */
const char *session_ranking_message(const Session *session);

/* The order that the dials ask for is there, of the targets they ask for. */
bool session_ranking_is_fresh(const Session *session);

/* ---- the reset dial ---- */

typedef struct SessionReset {
    bool is_ready; /* the selector's ranking is there: ρ acts */
    Selector selector;
    size_t targets;      /* attribution: how many */
    uint64_t neurons;    /* M */
    uint32_t per_target; /* n = round(ρ·M) */
    uint64_t selected;   /* neurons of rank below n */
    uint64_t by_module[NEURON_MODULE_COUNT];
} SessionReset;

SessionReset session_reset(const Session *session);

/* The reset neurons of one block, of `block.count`. */
uint64_t session_reset_block(const Session *session, const NeuronBlock *block);

void session_set_selector(Session *session, Selector selector);

/* A whole number from 1 to DIALS_MOST_TARGETS, and attribution is measured again; any other is refused, and
 * that is said. */
void session_set_targets(Session *session, double targets);

/* ---- for the other parts of a session ---- */

/* The newest that was made by this selector, of so many targets, on the rows that are there; NULL: none yet. */
const Ranking *session_neurons_find_ranking(const Session *session, Selector selector, size_t targets);

Selector session_neurons_selector(const Session *session);
size_t session_neurons_targets(const Session *session); /* wanted: as session_set_targets() set them */

/* Attribution is there, and was asked of so many targets. */
bool session_neurons_has_attribution(const Session *session, size_t targets);

const double *session_neurons_drift(const Session *session); /* [M]; NULL while it is not known */

struct SessionOptions;
Status session_neurons_open(Session *session, const struct SessionOptions *options,
                            Error *error) STATUS_MUST_CHECK;
void session_neurons_begin(Session *session);

#endif
