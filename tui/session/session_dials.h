/*
 * session_dials — α, ρ and ω as they stand. What is measured compares the settings that it was measured at with
 * these. α of kinds and layers: session_alpha.h; what ρ takes its neurons from: session_neurons.h. On the UI thread;
 * what a job needs of the dials it is given as a copy.
 */
#ifndef REJUV_TUI_SESSION_DIALS_H
#define REJUV_TUI_SESSION_DIALS_H

#include "core/fusion/settings.h"
#include "tui/session/session_message.h"

/* The dials as they are. */
const Settings *session_settings(const Session *session);

void session_set_alpha(Session *session, double alpha); /* 0 … 1, in steps of a thousandth */
void session_set_rho(Session *session, double rho);     /* 0 … 1, in steps of 0.0005 */
void session_set_omega(Session *session, double omega); /* 0 … 1 */

/* 0 … 1, in steps of a thousandth: what a dial without a step of its own can stand at. Not for NaN. */
double session_round_dial(double value);

#endif
