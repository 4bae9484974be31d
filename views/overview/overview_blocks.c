#include "tui/canvas/dial_bar.h"
#include "tui/keys/key_text.h"
#include "tui/session/session.h"
#include "tui/session/session_blocks.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/tables/block_metric.h"
#include "tui/text/format.h"
#include "views/overview/overview_internal.h"
#include "views/shared/average_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LABEL = OVERVIEW_LABEL_COLUMNS, FINDING_SIZE = 1024, JOBS_LIMIT = 8, FULL_ROWS = 3 };

/* ---- drift ---- */

static int write_metric(Canvas *canvas, Rect area, int column, Role role, const char *label,
                        const char *value) {
    column = canvas_write(canvas, area, 0, column, ROLE_DIM, label) + 1;
    return canvas_write(canvas, area, 0, column, role, value) + 3;
}

int overview_draw_drift(Canvas *canvas, Rect area, const Session *session) {
    const DriftTable *table = session_drift(session);
    size_t ready = drift_table_ready(table), count = drift_table_count(table);
    char value[FORMAT_SIZE];
    DriftRow sum = {0};
    size_t compared = drift_sum_all(table, &sum);
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "Drift");
    int column = LABEL;
    bool odd = sum.base_nonfinite + sum.sft_nonfinite > 0;
    if (compared > 0) {
        drift_format_row(&sum, DRIFT_RELATIVE_NORM, value, sizeof value);
        column = write_metric(canvas, area, column, odd ? ROLE_ERROR : ROLE_VALUE, "‖Δ‖/‖B‖", value);
        drift_format_row(&sum, DRIFT_CHANGED, value, sizeof value);
        column = write_metric(canvas, area, column, ROLE_VALUE, "changed", value);
        (void)snprintf(value, sizeof value, "%zu of %zu", sum.equal_tensors, compared);
        column = write_metric(canvas, area, column, ROLE_VALUE, "equal tensors", value);
    }
    if (ready == count) return 1;
    (void)canvas_print(canvas, area, 0, column, ROLE_STALE, "%s %zu of %zu",
                       session_drift_is_running(session) ? "scanning…" : "not all scanned:", ready, count);
    return 1;
}

/* ---- confidence ---- */

static void write_average(Canvas *canvas, Rect area, int row, int column, int columns, Role role,
                          const DistributionAverages *averages, size_t figure) {
    char text[FORMAT_SIZE] = "…";
    if (averages != NULL) (void)average_text_write(averages, figure, text);
    canvas_write_field(canvas, area, row, column, columns, true, averages != NULL ? role : ROLE_STALE, text);
}

static void write_estimate(Canvas *canvas, Rect area, int row, int column, int columns,
                           const LogitEstimate *estimate, size_t figure) {
    char text[FORMAT_SIZE];
    (void)average_text_write_estimate(estimate, figure, text);
    canvas_write_field(canvas, area, row, column, columns, true, ROLE_VALUE, text);
}

/* The figures that say most first: how uncertain, how often all but certain. */
static size_t figure_at(size_t place) {
    static const char *const FIRST[] = {"entropy", "confident", "perplexity", "kl_base", "kl_sft", "top1"};
    if (place >= sizeof FIRST / sizeof *FIRST) return DISTRIBUTION_FIGURE_COUNT;
    size_t figure = 0;
    while (figure < DISTRIBUTION_FIGURE_COUNT && strcmp(DISTRIBUTION_FIGURES[figure].key, FIRST[place]) != 0)
        figure++;
    return figure;
}

/* What the figures were measured on. */
static void draw_rows(Canvas *canvas, Rect area, int row, const Session *session) {
    char text[SESSION_ROWS_TEXT];
    (void)rect_cut_left(&area, LABEL);
    session_describe_rows_and_end(session, area.columns - 5, text);
    if (text[0] != '\0') (void)canvas_print(canvas, area, row, 0, ROLE_DIM, "over %s", text);
}

int overview_draw_confidence(Canvas *canvas, Rect area, const Session *session, int rows) {
    enum { VALUE = 11, NAME = 22 };
    const DistributionAverages *base = session_headline_base(session), *sft = session_headline_sft(session);
    const DistributionAverages *fused = session_headline_fused(session);
    const char *message = session_headline_message(session);
    char head[64], keys[KEY_TEXT_SIZE];
    int at = area.columns >= LABEL + NAME + 3 * VALUE ? LABEL + NAME : area.columns - 3 * VALUE, row = 1;
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "Confidence");
    if (base == NULL && sft == NULL && message != NULL) {
        Rect text = area;
        (void)rect_cut_left(&text, LABEL);
        int used = canvas_write_wrapped(canvas, text, 0, ROLE_DIM, message);
        if (session_calibration(session, NULL) != NULL && session_model(session) != NULL)
            (void)canvas_write(canvas, text, used++, 0, ROLE_DIM,
                               key_text("overview", "{measure} measures now", keys));
        return used;
    }
    const LogitEstimate *estimate = session_headline_estimate(session);
    bool stale = fused != NULL && estimate == NULL && session_headline_is_stale(session);
    bool is_older = fused != NULL && estimate == NULL;
    (void)snprintf(head, sizeof head, "%sW α %.3g",
                   estimate != NULL ? "≈"
                   : stale          ? "~"
                                    : "",
                   (is_older ? session_headline_settings(session) : session_settings(session))->alpha);
    if (base == NULL) (void)canvas_write(canvas, area, 0, LABEL, ROLE_STALE, "measuring…");
    canvas_write_field(canvas, area, 0, at, VALUE, true, ROLE_BASE, "base");
    canvas_write_field(canvas, area, 0, at + VALUE, VALUE, true, ROLE_SFT, "SFT");
    canvas_write_field(canvas, area, 0, at + 2 * VALUE, VALUE, true, stale ? ROLE_STALE : ROLE_FUSED, head);
    for (; row <= rows; row++) {
        size_t figure = figure_at((size_t)row - 1);
        if (figure >= DISTRIBUTION_FIGURE_COUNT) break;
        const DistributionFigure *facts = &DISTRIBUTION_FIGURES[figure];
        Rect name = area;
        name.columns = at;
        int end = canvas_write(canvas, name, row, at > LABEL ? LABEL : 0, ROLE_DIM, facts->label);
        if (facts->unit != NULL && facts->unit[0] != '\0')
            (void)canvas_print(canvas, name, row, end + 1, ROLE_DIM, "(%s)", facts->unit);
        write_average(canvas, area, row, at, VALUE, ROLE_VALUE, base, figure);
        write_average(canvas, area, row, at + VALUE, VALUE, ROLE_VALUE, sft, figure);
        if (estimate != NULL)
            write_estimate(canvas, area, row, at + 2 * VALUE, VALUE, estimate, figure);
        else
            write_average(canvas, area, row, at + 2 * VALUE, VALUE, stale ? ROLE_STALE : ROLE_VALUE, fused,
                          figure);
    }
    draw_rows(canvas, area, row, session);
    return row + 1;
}

/* ---- dormancy ---- */

int overview_draw_dormancy(Canvas *canvas, Rect area, const Session *session) {
    const NeuronTable *table = session_neurons(session);
    const BlockSources sources = session_block_sources(session, DORMANCY_TAU, DORMANCY_GRADIENT_TAU);
    if (table == NULL || (sources.sft == NULL && session_neurons_message(session) != NULL)) return 0;
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "Dormant");
    if (!block_metric_is_known(BLOCK_DORMANT_CHANGE, &sources)) {
        (void)canvas_write(canvas, area, 0, LABEL, ROLE_STALE, "measuring…");
        return 1;
    }
    static const struct {
        BlockMetric metric;
        Role role;
        const char *label;
    } SHOWN[] = {{BLOCK_DORMANT_BASE, ROLE_BASE, "base"}, {BLOCK_DORMANT_SFT, ROLE_SFT, "SFT"}};
    char value[FORMAT_SIZE];
    uint64_t layer;
    int column = canvas_print(canvas, area, 0, LABEL, ROLE_DIM, "inputs of down (τ %.4g)", sources.tau) + 2;
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        double share = block_metric_over_layers(SHOWN[i].metric, &sources, table, NEURON_DOWN);
        column = canvas_write(canvas, area, 0, column, SHOWN[i].role, SHOWN[i].label) + 1;
        column = canvas_write(canvas, area, 0, column, ROLE_VALUE, format_share(share, value)) + 2;
    }
    double most = block_metric_largest(BLOCK_DORMANT_SFT, &sources, table, NEURON_DOWN, &layer);
    if (most > 0) /* one layer can hold all of them */
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM, "most in layer %" PRIu64 ": %s", layer,
                           format_share(most, value));
    return 1;
}

/* ---- jobs ---- */

int overview_draw_jobs(Canvas *canvas, Rect area, Session *session, int most) {
    SessionJob jobs[JOBS_LIMIT];
    int count = (int)session_jobs(session, jobs, JOBS_LIMIT);
    if (count < 2) return 0; /* one is in the frame's line */
    if (count > most) count = most;
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "Running");
    (void)rect_cut_left(&area, LABEL);
    for (int i = 0; i < count; i++) {
        ProgressLine line = {jobs[i].label, jobs[i].done, jobs[i].total, jobs[i].seconds, jobs[i].rate, NULL};
        dial_bar_draw_progress(canvas, area, i, &line);
    }
    return count;
}

/* ---- preflight ---- */

static Role severity_role(Severity severity) {
    return severity == SEVERITY_ERROR ? ROLE_ERROR : severity == SEVERITY_WARNING ? ROLE_WARNING : ROLE_DIM;
}

static void write_finding(const Finding *finding, char text[FINDING_SIZE]) {
    char raw[FINDING_SIZE];
    (void)snprintf(raw, sizeof raw, "%s: %s", finding->subject, finding->text);
    (void)text_escape(raw, strlen(raw), TEXT_PLAIN, text, FINDING_SIZE);
}

static int draw_full(Canvas *canvas, Rect area, int row, const Finding *finding) {
    char text[FINDING_SIZE];
    write_finding(finding, text);
    (void)rect_cut_top(&area, row);
    Rect body = rect_cut_top(&area, FULL_ROWS);
    return row + canvas_write_wrapped(canvas, body, 0, ROLE_TEXT, text);
}

int overview_draw_findings(Canvas *canvas, Rect area, const Session *session, size_t *top, size_t cursor,
                           bool focused, int rows) {
    size_t count = session_finding_count(session);
    char text[FINDING_SIZE];
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "Preflight");
    if (count > (size_t)rows)
        (void)canvas_print(canvas, area, 1, 0, ROLE_DIM, "%zu of %zu", cursor + 1, count);
    (void)rect_cut_left(&area, LABEL);
    if (count == 0) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_GOOD, "nothing stands in the way");
        return 1;
    }
    if (cursor < *top) *top = cursor;
    if (cursor >= *top + (size_t)rows) *top = cursor - (size_t)rows + 1;
    if (*top + (size_t)rows > count) *top = count > (size_t)rows ? count - (size_t)rows : 0;
    int row = 0;
    for (; row < rows && *top + (size_t)row < count; row++) {
        const Finding *finding = session_finding(session, *top + (size_t)row);
        write_finding(finding, text);
        (void)canvas_write(canvas, area, row, 0, severity_role(finding->severity),
                           finding_severity_name(finding->severity));
        canvas_write_field(canvas, area, row, 8, area.columns - 8, false, ROLE_TEXT, text);
        if (focused && *top + (size_t)row == cursor)
            canvas_restyle(canvas, rect_make(area.row + row, area.column, 1, area.columns), ROLE_SELECTED);
    }
    return focused ? draw_full(canvas, area, row, session_finding(session, cursor)) : row;
}
