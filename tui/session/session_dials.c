#include "tui/session/session_dials.h"

#include "tui/session/session_internal.h"

#include <math.h>

const Settings *session_settings(const Session *session) {
    return &session->settings;
}

double session_round_dial(double value) {
    return fmin(1.0, fmax(0.0, round(value * 1000.0) / 1000.0));
}

void session_set_alpha(Session *session, double alpha) {
    if (!isnan(alpha)) session->settings.alpha = session_round_dial(alpha);
}

void session_set_rho(Session *session, double rho) {
    if (!isnan(rho)) session->settings.rho = fmin(1.0, fmax(0.0, round(rho * 2000.0) / 2000.0));
}

void session_set_omega(Session *session, double omega) {
    if (!isnan(omega)) session->settings.omega = session_round_dial(omega);
}
