/* The form of the Export view: everything that decides what is written. */
#include "core/fusion/settings_text.h"
#include "core/support/memory.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_export.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"
#include "tui/text/format.h"
#include "tui/text/text.h"
#include "views/export/export_view_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_COLUMNS = 12, LINE_SIZE = 512, LAYERS_LONGEST = 128 };

static const char *dtype_text(DType dtype) {
    return dtype == DTYPE_UNKNOWN ? "as SFT has it" : dtype_name(dtype);
}

/* A line of its own, wrapped beside its label; the row below it. */
static int draw_line(Canvas *canvas, Rect area, int row, const char *label, Role role, const char *text) {
    (void)canvas_write(canvas, area, row, 0, ROLE_DIM, label);
    (void)rect_cut_left(&area, LABEL_COLUMNS);
    return canvas_write_wrapped(canvas, area, row, role, text);
}

/* ---- weights ---- */

static int draw_weights(Session *session, Canvas *canvas, Rect area, int row) {
    const SessionExportForm *form = session_export_form(session);
    const Settings *settings = session_settings(session);
    char text[LINE_SIZE], bytes[FORMAT_SIZE];
    (void)snprintf(text, sizeof text, "W = %.3f·SFT + %.3f·base%s, %s, at most %s a file", settings->alpha,
                   1.0 - settings->alpha, session_alpha_is_common(session) ? "" : "*",
                   dtype_text(form->dtype), format_bytes((double)form->shard_bytes, bytes));
    return draw_line(canvas, area, row, "weights", ROLE_VALUE, text);
}

/* "q α 0.300, norm as in SFT": a kind that no neuron has is protected by an α of 1 or 0. */
static void list_kinds(const Settings *settings, char text[LINE_SIZE]) {
    text[0] = '\0';
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        const SettingsOwn *own = &settings->kinds[i];
        char part[64];
        if (!own->is_set) continue;
        bool is_kept =
            settings_text_is_protectable((SettingsKind)i) && (own->alpha == 0.0 || own->alpha == 1.0);
        if (is_kept)
            (void)snprintf(part, sizeof part, "%s%s as in %s", text[0] != '\0' ? ", " : "",
                           settings_kind_name((SettingsKind)i), own->alpha == 1.0 ? "SFT" : "base");
        else
            (void)snprintf(part, sizeof part, "%s%s α %.3f", text[0] != '\0' ? ", " : "",
                           settings_kind_name((SettingsKind)i), own->alpha);
        text_append(text, LINE_SIZE, part);
    }
}

static int draw_curve(const SettingsCurve *curve, Canvas *canvas, Rect area, int row) {
    char *list = settings_text_format_layers(curve), text[LINE_SIZE];
    if (list == NULL) return row;
    bool is_line = strchr(list, ':') != NULL;
    (void)snprintf(text, sizeof text, "%s from %.3f in layer 0 to %.3f in layer %zu",
                   is_line ? "a line" : "their own", curve->alpha[0], curve->alpha[curve->count - 1],
                   curve->count - 1);
    row = draw_line(canvas, area, row, "* layers", ROLE_VALUE,
                    is_line || text_width(list) > LAYERS_LONGEST ? text : list);
    free(list);
    return row;
}

/* What has an α of its own, in the order in which it counts: a kind, else a layer. */
static int draw_own_alphas(Session *session, Canvas *canvas, Rect area, int row) {
    const Settings *settings = session_settings(session);
    char kinds[LINE_SIZE];
    list_kinds(settings, kinds);
    if (kinds[0] != '\0') row = draw_line(canvas, area, row, "* kinds", ROLE_VALUE, kinds);
    return settings->curve != NULL ? draw_curve(settings->curve, canvas, area, row) : row;
}

/* ---- the reset ---- */

static int draw_reset(Session *session, Canvas *canvas, Rect area, int row) {
    const Settings *settings = session_settings(session);
    const char *obstacle = session_export_obstacle(session);
    SessionReset reset = session_reset(session);
    char text[LINE_SIZE], by[64], selected[FORMAT_SIZE], all[FORMAT_SIZE];
    if (settings->rho <= 0.0) return draw_line(canvas, area, row, "reset", ROLE_VALUE, "none: ρ is 0");
    (void)snprintf(by, sizeof by, "%s", ranking_selector_name(reset.selector));
    if (reset.selector == SELECTOR_ATTRIBUTION) /* where there are few positions, fewer than asked for */
        (void)snprintf(by, sizeof by, "attribution of %zu targets",
                       obstacle != NULL ? reset.targets : (size_t)settings->ranking->origin.targets);
    if (obstacle != NULL) {
        (void)snprintf(text, sizeof text, "ρ %g %% by %s: %s", settings->rho * 100.0, by, obstacle);
        return draw_line(canvas, area, row, "reset", ROLE_WARNING, text);
    }
    (void)snprintf(text, sizeof text, "%s of %s neurons towards base: ρ %g %% by %s, ω %.3g",
                   format_count(reset.selected, selected), format_count(reset.neurons, all),
                   settings->rho * 100.0, by, settings->omega);
    return draw_line(canvas, area, row, "reset", ROLE_VALUE, text);
}

/* ---- what goes along ---- */

/* The file of the chat template, or how many there are, once the plan for this donor is there. */
static int draw_donor(const SessionExportForm *form, const ExportPlan *plan, Canvas *canvas, Rect area,
                      int row) {
    const char *side = form->donor == DONOR_SFT ? "SFT" : "base";
    bool is_known = plan != NULL && plan->options.donor == form->donor;
    size_t count = is_known ? plan->recipe->template_count : 0;
    char text[LINE_SIZE], raw[LINE_SIZE];
    if (!is_known)
        (void)snprintf(raw, sizeof raw, "config, tokenizer and template from %s", side);
    else if (count == 0)
        (void)snprintf(raw, sizeof raw, "config and tokenizer from %s, which has no chat template", side);
    else if (count == 1)
        (void)snprintf(raw, sizeof raw, "config, tokenizer and template (%s) from %s",
                       plan->recipe->templates[0].file, side);
    else
        (void)snprintf(raw, sizeof raw, "config, tokenizer and %zu templates (%s …) from %s", count,
                       plan->recipe->templates[0].file, side);
    (void)text_escape(raw, strlen(raw), TEXT_PLAIN, text, sizeof text);
    return draw_line(canvas, area, row, "donor", ROLE_VALUE, text);
}

/* ---- where, and how large ---- */

static int draw_target(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area, int row) {
    const char *directory = plan != NULL ? plan->directory : session_export_form(session)->directory;
    char none[1];
    size_t size = text_escape(directory, strlen(directory), TEXT_PLAIN, none, sizeof none) + 1;
    char *text = memory_allocate(size, 1); /* a path may be long, and is told whole */
    if (text == NULL) return draw_line(canvas, area, row, "target", ROLE_ERROR, "no memory for the path");
    (void)text_escape(directory, strlen(directory), TEXT_PLAIN, text, size);
    row = draw_line(canvas, area, row, "target", ROLE_VALUE, text);
    free(text);
    return row;
}

static int draw_size(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area, int row) {
    char text[FORMAT_SIZE], more[FORMAT_SIZE];
    bool is_stale = session_export_plan_is_stale(session);
    bool fits = export_has_room(plan);
    (void)canvas_write(canvas, area, row, 0, ROLE_DIM, is_stale ? "size …" : "size");
    int column = canvas_print(canvas, area, row, LABEL_COLUMNS, is_stale ? ROLE_STALE : ROLE_VALUE,
                              "%zu tensors, %s in %zu file%s of weights", plan->tensor_count,
                              format_bytes((double)plan->weight_bytes, text), plan->shard_count,
                              plan->shard_count == 1 ? "" : "s");
    if (plan->free_bytes != UINT64_MAX)
        (void)canvas_print(canvas, area, row, column, fits ? ROLE_GOOD : ROLE_ERROR, "; %s free: %s",
                           format_bytes((double)plan->free_bytes, more),
                           fits ? "it fits" : "it does NOT fit");
    row++;
    if (plan->kept_bytes > 0)
        (void)canvas_print(canvas, area, row++, LABEL_COLUMNS, ROLE_WARNING,
                           "%s are there from an interrupted run: exporting goes on from them (D discards)",
                           format_bytes((double)plan->kept_bytes, text));
    if (plan->left_bytes > 0)
        (void)canvas_print(canvas, area, row++, LABEL_COLUMNS, ROLE_WARNING,
                           "%s are there from an interrupted run of another export: this one removes them",
                           format_bytes((double)plan->left_bytes, text));
    return row;
}

int export_draw_form(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area) {
    const SessionExportForm *form = session_export_form(session);
    int row = draw_target(session, plan, canvas, area, 0);
    row = draw_weights(session, canvas, area, row);
    row = draw_own_alphas(session, canvas, area, row);
    row = draw_reset(session, canvas, area, row);
    row = draw_donor(form, plan, canvas, area, row);
    return plan == NULL ? row + 1 : draw_size(session, plan, canvas, area, row);
}
