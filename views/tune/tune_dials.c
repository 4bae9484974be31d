/* What stands above the panes of Tune: the dials, what they reset, and on what figures are measured. */
#include "tui/canvas/dial_bar.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_files.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_reset.h"
#include "tui/text/text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>

enum { DIALS = 3 };

const double TUNE_MOST_RHO = 0.04;

static void draw_dials(const Session *session, TuneDial front, Canvas *canvas, Rect area) {
    const Settings *settings = session_settings(session);
    char alpha[FORMAT_SIZE], rho[FORMAT_SIZE], omega[FORMAT_SIZE];
    (void)snprintf(alpha, sizeof alpha, "%.3f%s", settings->alpha,
                   session_alpha_is_common(session) ? "" : "*");
    (void)snprintf(rho, sizeof rho, "%.2f %%", settings->rho * 100.0);
    (void)snprintf(omega, sizeof omega, "%.2f", settings->omega);
    const Dial dials[] = {{.label = "α fusion",
                           .low_label = "base",
                           .high_label = "SFT",
                           .value_text = alpha,
                           .high = 1.0,
                           .value = settings->alpha,
                           .ticks = 10,
                           .action = ACTION_ALPHA_SET,
                           .selected = front == TUNE_ALPHA},
                          {.label = "ρ reset",
                           .low_label = "0",
                           .high_label = "4 %",
                           .value_text = rho,
                           .high = TUNE_MOST_RHO,
                           .value = settings->rho < TUNE_MOST_RHO ? settings->rho : TUNE_MOST_RHO,
                           .ticks = 4,
                           .action = ACTION_RHO_SET,
                           .per_unit = 100.0,
                           .selected = front == TUNE_RHO},
                          {.label = "ω strength",
                           .low_label = "0",
                           .high_label = "1",
                           .value_text = omega,
                           .high = 1.0,
                           .value = settings->omega,
                           .ticks = 4,
                           .action = ACTION_OMEGA_SET}};
    for (int i = 0; i < DIALS; i++) {
        Dial dial = dials[i];
        dial.label_columns = 10;
        dial.end_columns = 4;
        dial.value_columns = 7;
        dial_bar_draw(canvas, area, i, &dial);
    }
}

/* What ρ cuts out of the ranking, and where; what the last step let in and out. */
static void draw_reset(const Session *session, Canvas *canvas, Rect area) {
    SessionReset reset = session_reset(session);
    const SessionChange *change = session_change(session);
    if (!reset.is_ready) {
        const char *message = session_ranking_message(session);
        if (message != NULL && session_calibration_is_wanted(session))
            message = "ranked on calibration rows"; /* that there are none is said below */
        int column = canvas_print(canvas, area, 0, 0, ROLE_DIM,
                                  "reset by %s: ", ranking_selector_name(reset.selector));
        canvas_write_field(canvas, area, 0, column, area.columns - column, false, ROLE_DIM,
                           message != NULL ? message
                                           : "ranking the neurons…"); /* the pane reset has all of it */
        return;
    }
    char selected[FORMAT_SIZE], all[FORMAT_SIZE];
    int column = canvas_print(canvas, area, 0, 0, ROLE_TEXT, "%s", ranking_selector_name(reset.selector));
    if (session_settings(session)->rho <= 0.0)
        column = canvas_write(canvas, area, 0, column, ROLE_TEXT, ": ρ is 0, nothing is reset");
    else if (reset.selector == SELECTOR_ATTRIBUTION)
        column = canvas_print(canvas, area, 0, column, ROLE_TEXT, ", %u a target: ", reset.per_target);
    else
        column = canvas_write(canvas, area, 0, column, ROLE_TEXT, ": ");
    if (session_settings(session)->rho > 0.0)
        column = canvas_print(canvas, area, 0, column, ROLE_VALUE, "%s of %s",
                              format_count(reset.selected, selected), format_count(reset.neurons, all));
    if (change != NULL)
        column = canvas_print(canvas, area, 0, column, ROLE_MARK, " +%s −%s",
                              format_count(change->entered, selected), format_count(change->left, all));
    for (int module = 0; module < NEURON_MODULE_COUNT; module++) {
        char count[FORMAT_SIZE * 2];
        if (reset.by_module[module] == 0) continue;
        (void)snprintf(count, sizeof count, " %s%llu", neurons_module_name((NeuronModule)module),
                       (unsigned long long)reset.by_module[module]);
        if (column + text_width(count) > area.columns) break; /* no figure that lacks its end */
        column = canvas_write(canvas, area, 0, column, ROLE_DIM, count);
    }
}

static void draw_rows_line(const Session *session, Canvas *canvas, Rect area) {
    const char *message;
    if (session_calibration(session, &message) == NULL) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_WARNING, message);
        return;
    }
    if (session_headline_is_cancelled(session)) {
        char keys[KEY_TEXT_SIZE];
        (void)canvas_write(
            canvas, area, 0, 0, ROLE_WARNING,
            key_text("tune", "cancelled: W is not measured at these dials; {measure} goes on", keys));
        return;
    }
    char rows[SESSION_ROWS_TEXT];
    static const char BEFORE[] = "means over ";
    session_describe_rows(session, area.columns - (int)(sizeof BEFORE - 1), rows);
    (void)canvas_print(canvas, area, 0, 0, ROLE_DIM, "%s%s", BEFORE, rows);
}

void tune_draw_head(const Session *session, TuneDial front, Canvas *canvas, Rect area) {
    draw_dials(session, front, canvas, rect_cut_top(&area, DIALS));
    draw_reset(session, canvas, rect_cut_top(&area, 1));
    draw_rows_line(session, canvas, rect_cut_top(&area, 1));
}
