#include "tui/session/session_plane.h"
#include "tui/session/session_state.h"

#include <math.h>
#include <stdio.h>

/* ---- as text ---- */

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

/* ---- turning ---- */

typedef enum Dial { DIAL_ALPHA, DIAL_RHO, DIAL_OMEGA } Dial;

static const struct {
    Action action;
    Dial dial;
    double step; /* 0: the action's number is the value, times `scale` */
    double scale;
} TURNS[] = {
    {ACTION_ALPHA_UP, DIAL_ALPHA, 0.01, 0},       {ACTION_ALPHA_DOWN, DIAL_ALPHA, -0.01, 0},
    {ACTION_ALPHA_UP_COARSE, DIAL_ALPHA, 0.1, 0}, {ACTION_ALPHA_DOWN_COARSE, DIAL_ALPHA, -0.1, 0},
    {ACTION_ALPHA_SET, DIAL_ALPHA, 0, 1.0},       {ACTION_RHO_UP, DIAL_RHO, 0.001, 0},
    {ACTION_RHO_DOWN, DIAL_RHO, -0.001, 0},       {ACTION_RHO_SET, DIAL_RHO, 0, 0.01},
    {ACTION_OMEGA_UP, DIAL_OMEGA, 0.05, 0},       {ACTION_OMEGA_DOWN, DIAL_OMEGA, -0.05, 0},
    {ACTION_OMEGA_SET, DIAL_OMEGA, 0, 1.0},
};

static void set_dial(Session *session, Dial dial, double value) {
    if (dial == DIAL_ALPHA) session_set_alpha(session, value);
    if (dial == DIAL_RHO) session_set_rho(session, value);
    if (dial == DIAL_OMEGA) session_set_omega(session, value);
}

static double dial_value(const Session *session, Dial dial) {
    const Settings *settings = &session->settings;
    return dial == DIAL_ALPHA ? settings->alpha : dial == DIAL_RHO ? settings->rho : settings->omega;
}

/* A reset needs a ranking: says so when the dial is turned in vain. */
static void explain_reset(Session *session) {
    if (session->settings.rho <= 0.0 || session->settings.ranking != NULL) return;
    const char *message = session_ranking_message(session);
    if (message != NULL)
        session_say(session, SESSION_NOTE, "ρ acts once neurons are ranked: %s", message);
    else
        session_say(session, SESSION_NOTE, "ρ acts once neurons are ranked: %s is being measured",
                    ranking_selector_name(session->method.selector));
}

static Reaction keep(Session *session, const char *name) {
    if (session_keep_bookmark(session, name)) {
        /* a name that was too long is kept shorter, and then the last is not found under it */
        size_t index = session_bookmark_count(session) - 1, found;
        if (name[0] != '\0' && session_find_bookmark(session, name, &found)) index = found;
        session_say(session, SESSION_GOOD, "bookmark %s keeps these dials",
                    session_bookmark(session, index)->name);
    }
    return (Reaction)(REACTION_REFRESH | REACTION_REDRAW);
}

static Reaction go_to_bookmark(Session *session, const char *name) {
    size_t index;
    if (session_find_bookmark(session, name, &index)) {
        session_set_dial_state(session, &session_bookmark(session, index)->dials);
        explain_reset(session);
    } else if (session_bookmark_count(session) == 0) {
        session_say(session, SESSION_NOTE, "there are no bookmarks yet");
    } else {
        session_say(session, SESSION_WARNING, "there is no bookmark \"%s\"", name);
    }
    return (Reaction)(REACTION_REFRESH | REACTION_REDRAW);
}

Reaction session_act(Session *session, Action action, const ActionArgument *argument) {
    const Reaction turned = (Reaction)(REACTION_REFRESH | REACTION_REDRAW);
    if (action == ACTION_PAPER) {
        session_set_alpha(session, SESSION_PLANE_PAPER_ALPHA);
        session_set_rho(session, SESSION_PLANE_PAPER_RHO);
        session_set_omega(session, 1.0);
        session_clear_alphas(session);
        explain_reset(session);
        return turned;
    }
    if (action == ACTION_UNDO || action == ACTION_REDO) {
        session_undo(session, action == ACTION_UNDO ? argument->count : -argument->count);
        return turned;
    }
    if (action == ACTION_KEEP) return keep(session, argument->text);
    if (action == ACTION_RETURN) return go_to_bookmark(session, argument->text);
    Reaction about_rows = session_act_on_rows(session, action, argument);
    if (about_rows != REACTION_IGNORED) return about_rows;
    for (size_t i = 0; i < sizeof TURNS / sizeof *TURNS; i++) {
        if (TURNS[i].action != action) continue;
        double step = TURNS[i].step * argument->count;
        double value = TURNS[i].step == 0 ? argument->number * TURNS[i].scale
                                          : dial_value(session, TURNS[i].dial) + step;
        set_dial(session, TURNS[i].dial, value);
        if (TURNS[i].dial == DIAL_RHO) explain_reset(session);
        return turned;
    }
    return REACTION_IGNORED;
}
