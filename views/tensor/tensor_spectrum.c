#include "core/support/memory.h"
#include "tui/canvas/chart.h"
#include "tui/canvas/list_box.h"
#include "tui/session/session_spectrum.h"
#include "tui/text/format.h"
#include "views/shared/tensor_facts.h"
#include "views/tensor/tensor_internal.h"

#include <stdio.h>

enum {
    FACTS_COLUMNS = 38,
    BESIDE_FROM_COLUMNS = 72,
    STACKED_FROM_ROWS = 30,
    FACTS_LIMIT = 12,
    DRIFT_ROWS = 17
};
static const double ENERGY = 0.9;

/* ---- why there is none ---- */

static const char *explain_absence(const PairTensor *tensor) {
    if (tensor->base == NULL)
        return "Only SFT has this tensor: there is no change Δ, and so no singular values.";
    if (tensor->sft->rank < 2)
        return "This tensor is no matrix: only a matrix has singular values. Its norm is with the drift.";
    return "The two sides cannot be compared (type or shape): there is no change Δ, and so no singular values.";
}

static void draw_reason(const Session *session, Canvas *canvas, Rect area, const PairTensor *tensor) {
    const char *error = session_spectrum_error(session);
    if (!spectrum_is_defined(tensor))
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_WARNING, explain_absence(tensor));
    else if (error != NULL)
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, error);
    else
        (void)canvas_write(canvas, area, 0, 0, ROLE_STALE, "measuring singular values…");
}

/* ---- figures ---- */

typedef struct Facts {
    Fact facts[FACTS_LIMIT];
    char texts[FACTS_LIMIT][LIST_CELL_SIZE];
    size_t count;
} Facts;

/* The place for the text of a further fact. */
static char *add(Facts *facts, const char *label, Role role) {
    size_t place = facts->count < FACTS_LIMIT ? facts->count++ : FACTS_LIMIT - 1;
    facts->facts[place] = (Fact){label, facts->texts[place], role};
    return facts->texts[place];
}

static void add_metric(Facts *facts, const Spectrum *spectrum, SpectrumMetric metric, const char *label,
                       bool ascii) {
    spectrum_format_value(spectrum, metric, ascii, add(facts, label, ROLE_VALUE), LIST_CELL_SIZE);
}

/* How many values hold most of the change, as far as the known ones tell. */
static void add_energy(Facts *facts, const Spectrum *spectrum) {
    char share[FORMAT_SIZE];
    size_t count = spectrum_count_energy(spectrum, ENERGY);
    char *text = add(facts, "90 % of ‖Δ‖²", ROLE_VALUE);
    if (count <= spectrum->count)
        (void)snprintf(text, LIST_CELL_SIZE, "in %zu value%s", count, count == 1 ? "" : "s");
    else
        (void)snprintf(text, LIST_CELL_SIZE, "in more: %zu hold %s", spectrum->count,
                       format_share(spectrum_energy(spectrum, spectrum->count), share));
}

static void add_method(Facts *facts, const Spectrum *spectrum) {
    char number[FORMAT_SIZE];
    if (spectrum->method == SPECTRUM_EXACT)
        (void)snprintf(add(facts, "method", ROLE_TEXT), LIST_CELL_SIZE, "exact, by LAPACK");
    else
        (void)snprintf(add(facts, "method", ROLE_TEXT), LIST_CELL_SIZE, "Lanczos, seed %llu",
                       (unsigned long long)spectrum->seed);
    (void)snprintf(add(facts, "error", ROLE_TEXT), LIST_CELL_SIZE, "each within %s",
                   format_number(spectrum_largest_error(spectrum), 2, number));
    if (spectrum->missed > 0)
        (void)snprintf(add(facts, "‖Δ‖₂ beyond", ROLE_TEXT), LIST_CELL_SIZE, "+%s: p < 1e-6",
                       format_share(spectrum->missed, number));
}

static int draw_facts(Canvas *canvas, Rect area, const Spectrum *spectrum) {
    Facts facts = {.count = 0};
    char number[FORMAT_SIZE];
    bool ascii = canvas->theme.ascii;
    size_t rank = spectrum_rank(spectrum);
    uint64_t all = spectrum->rows < spectrum->columns ? spectrum->rows : spectrum->columns;
    add_metric(&facts, spectrum, SPECTRUM_NORM, "σ₁ = ‖Δ‖₂", ascii);
    (void)snprintf(add(&facts, "‖Δ‖_F", ROLE_VALUE), LIST_CELL_SIZE, "%s",
                   format_number(spectrum->norm, 4, number));
    add_metric(&facts, spectrum, SPECTRUM_STABLE_RANK, "stable rank", ascii);
    add_metric(&facts, spectrum, SPECTRUM_EFFECTIVE_RANK, "effective rank", ascii);
    add_energy(&facts, spectrum);
    (void)snprintf(add(&facts, "values not 0", ROLE_VALUE), LIST_CELL_SIZE, "%s%zu of %llu",
                   spectrum->method == SPECTRUM_EXACT ? "" : "at least ", rank, (unsigned long long)all);
    add_method(&facts, spectrum);
    return list_box_draw_facts(canvas, area, facts.facts, facts.count);
}

/* ---- the curve ---- */

/* Values that may as well be 0 stand at 0: in a logarithmic curve, nowhere. */
static void draw_curve(TensorView *view, Canvas *canvas, Rect area, const Spectrum *spectrum) {
    size_t count = spectrum->count, rank = spectrum_rank(spectrum);
    if (MEMORY_RESERVE(view->curve, &view->curve_capacity, 2 * count, NULL) != STATUS_OK)
        return; /* the next frame tries again */
    double *ranks = view->curve, *values = view->curve + count;
    for (size_t i = 0; i < count; i++) {
        ranks[i] = (double)(i + 1);
        values[i] = i < rank ? spectrum->values[i] : 0;
    }
    size_t energy = spectrum_count_energy(spectrum, ENERGY);
    ChartSeries series = {.y = values, .glyph = "•", .role = ROLE_BAR};
    Chart chart = {.x = ranks,
                   .count = count,
                   .series = &series,
                   .series_count = 1,
                   .title = view->curve_linear ? "singular values of Δ, linear" : "singular values of Δ, log",
                   .x_label = energy <= count ? "rank  │ 90 %" : "rank",
                   .mark = energy <= count ? (double)energy : -1, /* left of all ranks */
                   .logarithmic = !view->curve_linear};
    chart_draw(canvas, area, &chart);
}

static void draw_known(TensorView *view, const Session *session, Canvas *canvas, Rect area,
                       const Spectrum *spectrum) {
    bool stacked = area.columns < BESIDE_FROM_COLUMNS || area.rows >= STACKED_FROM_ROWS;
    if (!stacked) {
        Rect facts = rect_cut_right(&area, FACTS_COLUMNS);
        (void)rect_cut_right(&area, 2);
        draw_curve(view, canvas, area, spectrum);
        (void)rect_cut_top(&facts, 1);
        (void)draw_facts(canvas, facts, spectrum);
        return;
    }
    int figures = spectrum->missed > 0 ? 9 : 8, drift = area.rows >= STACKED_FROM_ROWS + 4 ? DRIFT_ROWS : 0;
    Rect rest = rect_cut_bottom(&area, drift), facts = rect_cut_bottom(&area, figures);
    (void)rect_cut_bottom(&area, area.rows > 6 ? 1 : 0);
    draw_curve(view, canvas, area, spectrum);
    (void)draw_facts(canvas, facts, spectrum);
    if (rect_is_empty(rest)) return;
    (void)rect_cut_top(&rest, 1);
    (void)canvas_write(canvas, rest, 0, 0, ROLE_TITLE, "drift");
    (void)canvas_write(canvas, rest, 0, 6, ROLE_DIM, "of the whole tensor");
    (void)rect_cut_top(&rest, 1);
    (void)tensor_facts_draw_drift(canvas, rest, session, view->index);
}

void tensor_draw_spectrum(TensorView *view, Session *session, Canvas *canvas, Rect area) {
    const PairTensor *tensor = tensor_current(view, session);
    Spectrum spectrum;
    if (spectrum_is_defined(tensor)) session_request_spectrum(session, view->index);
    bool known = session_spectrum(session, view->index, &spectrum) && spectrum.method != SPECTRUM_NONE;
    if (known && spectrum.method != SPECTRUM_NOT_FINITE && spectrum.norm > 0) {
        draw_known(view, session, canvas, area, &spectrum);
        return;
    }
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "singular values of Δ");
    (void)rect_cut_top(&area, 1);
    if (known && spectrum.method == SPECTRUM_NOT_FINITE)
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR,
                                   "Δ has NaN or infinite elements: it has no singular values.");
    else if (known)
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_GOOD,
            "Δ is 0: both models hold the same values, and all singular values are 0.");
    else
        draw_reason(session, canvas, area, tensor);
}

/* ---- numbers ---- */

Status tensor_number_spectrum(const TensorView *view, const Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"rank", NULL, NULL, TABLE_INTEGER, 0},
                                          {"singular_value", NULL, NULL, TABLE_NUMBER, 0},
                                          {"error", NULL, NULL, TABLE_NUMBER, 0},
                                          {"energy", NULL, NULL, TABLE_NUMBER, 0}};
    const PairTensor *tensor = tensor_current(view, session);
    Spectrum spectrum;
    if (!spectrum_is_defined(tensor))
        return status_fail(error, STATUS_ARGUMENT, "the tensor has no singular values");
    if (!session_spectrum(session, view->index, &spectrum))
        return status_fail(error, STATUS_ARGUMENT, "the singular values are not measured yet");
    if (spectrum.method == SPECTRUM_NOT_FINITE)
        return status_fail(error, STATUS_ARGUMENT, "the change has NaN or infinite elements");
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < spectrum.count && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_integer(*table, (int64_t)i + 1);
        table_add_number(*table, spectrum.values[i]);
        table_add_number(*table, spectrum.errors[i]);
        table_add_number(*table, spectrum_energy(&spectrum, i + 1));
    }
    return status;
}
