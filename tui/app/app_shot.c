/*
 * A view drawn once, when its figures are there: the main loop without a terminal.
 */
#include "tui/app/app_internal.h"
#include "tui/session/session.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_sweep.h"

#include <string.h>
#include <time.h>

/* Work that is due starts in a refresh, or is asked for by a drawing, or by the result of other work: only when
 * so many rounds find nothing running is there nothing to come. */
enum { QUIET_ROUNDS = 3 };

static const struct timespec ROUND = {.tv_nsec = 20000000};

/* Messages go to the caller: in a picture they would stand for ever. Warnings are mistakes where `step` (else
 * NULL) brought them. */
static Status pass_messages(App *app, const AppShot *shot, const char *step, Error *error) {
    SessionTone tone;
    char raw[FRAME_MESSAGE_SIZE], text[FRAME_MESSAGE_SIZE];
    app->message.text[0] = '\0';
    while (session_take_message(app->session, &tone, raw, sizeof raw)) {
        (void)text_escape(raw, strlen(raw), TEXT_PLAIN, text, sizeof text);
        if (step != NULL && (tone == SESSION_WARNING || tone == SESSION_ERROR))
            return status_fail(error, STATUS_ARGUMENT, "\"%s\": %s", step, text);
        shot->say(shot->user, tone, text);
    }
    return STATUS_OK;
}

/* What is put together over several drawings is waited for. */
static void draw_ready(App *app) {
    do {
        app_draw(app);
    } while (view_take_redraw());
}

static Status settle(App *app, const AppShot *shot, unsigned parts, Error *error) {
    SessionJob job;
    for (int quiet = 0; quiet < QUIET_ROUNDS;) {
        (void)session_refresh(app->session); /* drawn anew in any case */
        Status status = pass_messages(app, shot, NULL, error);
        if (status != STATUS_OK) return status;
        draw_ready(app);
        if (!session_is_measuring(app->session, parts, &job)) {
            quiet++;
            continue;
        }
        quiet = 0;
        if (!shot->wait(shot->user, &job))
            return status_fail(error, STATUS_CANCELLED, "interrupted while waiting for %s", job.label);
        (void)nanosleep(&ROUND, NULL); /* a signal may cut it short */
    }
    return STATUS_OK;
}

static Status refuse_leaving(const char *step, Error *error) {
    return status_fail(error, STATUS_ARGUMENT, "\"%s\" leaves the program: there is nothing to draw then",
                       step);
}

/* `view` is the one before the step: another's figures are asked for as those of the first were. */
static Status finish_step(App *app, const AppShot *shot, int view, Reaction reaction, const char *step,
                          Error *error) {
    reaction |= app_switch_requested(app);
    if ((reaction & REACTION_QUIT) != 0) return refuse_leaving(step, error);
    (void)app_show_requested(app);
    Status status = pass_messages(app, shot, step, error);
    if (app->view != view) session_measure(app->session, app_view(app)->parts);
    return status != STATUS_OK ? status : settle(app, shot, app_view(app)->parts, error);
}

static Status press(App *app, const AppShot *shot, const char *keys, Error *error) {
    Status status = STATUS_OK;
    for (keys += strspn(keys, " "); *keys != '\0' && status == STATUS_OK; keys += strspn(keys, " ")) {
        Key key;
        char name[64];
        size_t bytes = strcspn(keys, " ");
        (void)text_escape(keys, bytes, TEXT_PLAIN, name, sizeof name);
        if (!key_parse(keys, bytes, &key))
            return status_fail(error, STATUS_ARGUMENT,
                               "there is no key \"%s\": expected names as in key files, with spaces between "
                               "them: j Enter Ctrl-r PageDown Space",
                               name);
        int view = app->view;
        status = finish_step(app, shot, view, app_take_key(app, key), name, error);
        keys += bytes;
    }
    return status;
}

/* The first sweep may be older than the ranking that the reset waits for. */
static Status sweep_again(App *app, const AppShot *shot, unsigned parts, Error *error) {
    SessionSweep sweep = session_sweep(app->session);
    if ((parts & SESSION_PART_SWEEP) == 0 || sweep.count == 0) return STATUS_OK;
    Settings now = *session_settings(app->session);
    if (sweep.is_rho)
        now.rho = sweep.settings->rho;
    else
        now.alpha = sweep.settings->alpha;
    if (settings_equal(&now, sweep.settings)) return STATUS_OK;
    if (sweep.follows_dial)
        session_start_dial_sweep(app->session);
    else
        session_start_sweep(app->session, sweep.is_rho, sweep.values[0], sweep.values[sweep.count - 1],
                            sweep.count);
    return settle(app, shot, parts, error);
}

static Status take_steps(App *app, const AppShot *shot, Error *error) {
    unsigned parts = app_view(app)->parts;
    Status status = settle(app, shot, SESSION_PART_FILES, error);
    if (status != STATUS_OK) return status;
    session_measure(app->session, parts);
    status = settle(app, shot, parts, error);
    if (status == STATUS_OK) status = sweep_again(app, shot, parts, error);
    for (size_t i = 0; i < shot->step_count && status == STATUS_OK; i++) {
        const AppStep *step = &shot->steps[i];
        int view = app->view;
        if (step->is_command)
            status = finish_step(app, shot, view, app_run_command(app, step->text), step->text, error);
        else
            status = press(app, shot, step->text, error);
    }
    return status;
}

Status app_shoot(Session **session, const AppOptions *options, const AppShot *shot, Canvas *canvas,
                 Error *error) {
    App app;
    Status status = app_open(&app, *session, options, error);
    if (status != STATUS_OK) return status;
    app.canvas = canvas;
    app.is_still = true;
    status = take_steps(&app, shot, error);
    if (status == STATUS_OK) draw_ready(&app);
    app.canvas = NULL; /* the caller's */
    *session = app.session;
    app_close(&app);
    return status;
}
