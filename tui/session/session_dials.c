#include "tui/session/session_state.h"

#include <math.h>
#include <stdio.h>

/* 0.29 · 100 is not 29: whether α has a third decimal, and ρ in percent a second, is asked of whole thousandths of α
 * and ten-thousandths of ρ. */
static int alpha_decimals(double alpha) {
    return lround(alpha * 1000.0) % 10 == 0 ? 2 : 3;
}

static int rho_decimals(double rho) {
    return lround(rho * 10000.0) % 10 == 0 ? 1 : 2;
}

SessionDials session_dials(const Session *session) {
    SessionDials dials = {0};
    const Settings *settings = &session->settings;
    bool waits = settings->rho > 0.0 && settings->ranking == NULL;
    int length = snprintf(dials.text, sizeof dials.text, "α %.*f%s", alpha_decimals(settings->alpha),
                          settings->alpha, session_alpha_is_common(session) ? "" : "*");
    if (session->model != NULL && length > 0)
        (void)snprintf(dials.text + length, sizeof dials.text - (size_t)length, "  ρ %.*f%%%s  ω %.2f",
                       rho_decimals(settings->rho), settings->rho * 100.0, waits ? "…" : "", settings->omega);
    bool preview = session->prompt != NULL && session_preview(session, SIDE_FUSED) != NULL;
    bool headline = session->headline != NULL && session_headline_fused(session) != NULL;
    dials.stale =
        (preview && session_preview_is_stale(session)) || (headline && session_headline_is_stale(session));
    return dials;
}
