/*
 * session_reset — the set of neurons that ρ resets: what the last step of a dial let in and out, and where
 * in the model the set lies. A cut in an order that is there: known at once, whatever the dial.
 */
#ifndef REJUV_TUI_SESSION_RESET_H
#define REJUV_TUI_SESSION_RESET_H

#include "core/fusion/ranking.h"
#include "tui/session/session_message.h"

enum { SESSION_CHANGE_NAMED = 64 };

/* From one set to the next: ρ was turned, or the selector or its targets changed. */
typedef struct SessionChange {
    RankingFront before, after;   /* `after` is the set at the dials; before.ranking NULL: there was none */
    double rho_before, rho_after; /* as the dial stood */
    uint64_t entered, left;
    uint64_t entering[SESSION_CHANGE_NAMED]; /* by rank, the first of `entered` */
    uint64_t leaving[SESSION_CHANGE_NAMED];  /* by the rank that they had */
} SessionChange;

/* The last one that changed the set; NULL until there was one. */
const SessionChange *session_change(const Session *session);

/* The share of reset neurons among those of one module (NEURON_MODULE_COUNT: of all) in layers [first, end);
 * NaN while there is no ranking. */
double session_reset_share(const Session *session, uint64_t first, uint64_t end, NeuronModule module);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_reset_open(Session *session, const struct SessionOptions *options,
                          Error *error) STATUS_MUST_CHECK;
bool session_reset_refresh(Session *session);
void session_reset_free(Session *session);

#endif
