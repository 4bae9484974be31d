/*
 * Another rung of the ladder: the session of the one that was tuned ends, one with the other pair begins, and dials,
 * bookmarks, prompt and cursors go over as --resume takes them up.
 */
#include "tui/app/app_internal.h"
#include "tui/session/session_export.h"
#include "tui/session/session_ladder.h"

#include <math.h>

static bool is_exporting(const Session *session) {
    SessionExportStage stage = session_export_stage(session);
    return stage == SESSION_EXPORT_WRITING || stage == SESSION_EXPORT_VERIFYING;
}

/* Why there is nothing to switch, said. */
static bool may_switch(const App *app, double number) {
    Session *session = app->session;
    const Ladder *ladder = session_ladder(session);
    if (ladder == NULL || app->opened == NULL)
        session_say(session, SESSION_NOTE,
                    "one SFT model is open: rejuv BASE SFT SFT... opens several of one training");
    else if (!(number >= 1 && number <= (double)ladder->count) || floor(number) < number)
        session_say(session, SESSION_NOTE, "rungs are 1 to %zu", ladder->count);
    else if ((size_t)number == session_ladder_rung(session))
        session_say(session, SESSION_NOTE, "rung %zu is the one that is open", session_ladder_rung(session));
    else if (is_exporting(session))
        session_say(session, SESSION_WARNING, "an export is running: it has to end, or be cancelled, first");
    else
        return true;
    return false;
}

/* The options of the first session, with the rows and the prompt of the one that ends. */
static SessionOptions options_of_rung(const App *app, const Resume *kept, size_t number) {
    const Ladder *ladder = session_ladder(app->session);
    SessionOptions options = *app->opened;
    options.base = ladder->base;
    options.sft = ladder_directory(ladder, number);
    options.rung = number;
    options.calibration = kept->session.calibration;
    options.end_token = kept->session.end_token;
    options.chat_template = kept->session.chat_template;
    options.prompt = kept->session.prompt;
    options.chat = kept->session.chat;
    options.prompt_template = kept->session.prompt_template;
    return options;
}

/* The view that was in front; where it cannot be opened any more, the first. */
static Reaction show_again(App *app) {
    int view = app->view;
    app->view = -1;
    app_show_view(app, view, false);
    if (app->view < 0) app_show_view(app, 0, false);
    return app->view >= 0 ? REACTION_REDRAW : REACTION_QUIT;
}

Reaction app_switch_rung(App *app, double number) {
    Session *next;
    Resume kept;
    Error error;
    if (!may_switch(app, number)) return REACTION_REDRAW;
    Status status = resume_remember(app->session, &app->views, app->view, app->states, &kept, &error);
    if (status == STATUS_OK) {
        const SessionOptions options = options_of_rung(app, &kept, (size_t)number);
        status = session_create(&options, &next, &error);
        if (status != STATUS_OK) resume_free(&kept);
    }
    if (status != STATUS_OK) {
        session_say(app->session, SESSION_ERROR, "%s", error.message);
        return REACTION_REDRAW;
    }
    app_close_popup(app);
    app_close_views(app);
    session_free(app->session);
    app->session = next;
    resume_free(&app->kept);
    app->kept = kept;
    app->resume = &app->kept;
    resume_apply(app->resume, next);
    session_say(next, SESSION_NOTE, "rung %zu of %zu: %s", session_ladder_rung(next),
                session_ladder(next)->count, session_ladder_name(next, session_ladder_rung(next)));
    return show_again(app);
}

Reaction app_step_rung(App *app, int steps) {
    const Ladder *ladder = session_ladder(app->session);
    double number = (double)session_ladder_rung(app->session) + steps;
    if (ladder == NULL) return app_switch_rung(app, 0);
    if (number < 1) number = 1;
    if (number > (double)ladder->count) number = (double)ladder->count;
    return app_switch_rung(app, number);
}

Reaction app_switch_requested(App *app) {
    size_t number = view_take_rung();
    return number > 0 ? app_switch_rung(app, (double)number) : REACTION_NONE;
}
