#include "tui/app/dial_actions.h"

#include "core/method/dials.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"

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
    const Settings *settings = session_settings(session);
    return dial == DIAL_ALPHA ? settings->alpha : dial == DIAL_RHO ? settings->rho : settings->omega;
}

/* A reset needs a ranking: says so when the dial is turned in vain. */
static void explain_reset(Session *session) {
    const Settings *settings = session_settings(session);
    if (settings->rho <= 0.0 || settings->ranking != NULL) return;
    const char *message = session_ranking_message(session);
    if (message != NULL)
        session_say(session, SESSION_NOTE, "ρ acts once neurons are ranked: %s", message);
    else
        session_say(session, SESSION_NOTE, "ρ acts once neurons are ranked: %s is being measured",
                    ranking_selector_name(session_reset(session).selector));
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

/* ---- rows ---- */

static Reaction act_on_rows(Session *session, Action action, const ActionArgument *argument) {
    const Reaction changed = (Reaction)(REACTION_REFRESH | REACTION_REDRAW);
    Error error;
    Status status;
    switch (action) {
    case ACTION_ROWS_FILE:
        status = session_load_rows(session, argument->text, &error);
        break;
    case ACTION_ROWS_PROMPT:
        status = session_use_prompt_rows(session, &error);
        if (status == STATUS_OK) session_say_prompt_rows(session);
        break;
    case ACTION_ROWS_BACK:
        status = session_return_to_file(session, &error);
        break;
    case ACTION_ROWS_SAVE:
        status = session_save_rows(session, argument->text, &error);
        if (status == STATUS_OK)
            session_say(session, SESSION_GOOD, "the rows' ids are written to %s", argument->text);
        break;
    default:
        return REACTION_IGNORED;
    }
    if (status != STATUS_OK) session_say(session, SESSION_WARNING, "%s", error.message);
    return changed;
}

/* ---- all of them ---- */

Reaction dial_actions_act(Session *session, Action action, const ActionArgument *argument) {
    const Reaction turned = (Reaction)(REACTION_REFRESH | REACTION_REDRAW);
    if (action == ACTION_PAPER) {
        session_set_alpha(session, DIALS_PAPER_ALPHA);
        session_set_rho(session, DIALS_PAPER_RHO);
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
    Reaction about_rows = act_on_rows(session, action, argument);
    if (about_rows != REACTION_IGNORED) return about_rows;
    for (size_t i = 0; i < sizeof TURNS / sizeof *TURNS; i++) {
        if (TURNS[i].action != action) continue;
        double step = TURNS[i].step * argument->count;
        double value = TURNS[i].step == 0 ? argument->number * TURNS[i].scale
                                          : dial_value(session, TURNS[i].dial) + step;
        if (TURNS[i].step == 0 && (value < 0.0 || value > 1.0)) {
            session_say(session, SESSION_WARNING, "%s: expected a number from 0 to %g, found %g",
                        action_info(action)->label, 1.0 / TURNS[i].scale, argument->number);
            return REACTION_REDRAW;
        }
        set_dial(session, TURNS[i].dial, value);
        if (TURNS[i].dial == DIAL_RHO) explain_reset(session);
        return turned;
    }
    return REACTION_IGNORED;
}
