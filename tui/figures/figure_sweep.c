/*
 * Figures of what the dials do: curves over one dial, and the plane of two.
 */
#include "tui/figures/figure_sweep.h"

#include "core/method/dials.h"
#include "core/support/memory.h"
#include "tui/commands/dial_options.h"
#include "tui/commands/sweep.h"
#include "tui/figures/figure.h"
#include "tui/figures/figure_landscape.h"
#include "tui/figures/figure_options.h"
#include "tui/figures/figure_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 96 };

/* What both kinds are measured by. */
#define SWEEP_OPTIONS                                                                                        \
    OPTION_METRIC, OPTION_ALPHA_RANGE, OPTION_RHO_RANGE, OPTION_OMEGA, OPTION_SELECT, OPTION_TARGETS,        \
        OPTION_SEED_DIRECTIONS, OPTION_CALIBRATION, OPTION_END_TOKEN, OPTION_PROMPT, OPTION_PROMPT_FILE,     \
        OPTION_IDS, OPTION_CHAT, OPTION_TEMPLATE, OPTION_TOKENIZER_FILE, OPTION_ALPHA_LAYERS,                \
        OPTION_ALPHA_KIND, OPTION_PROTECT
enum { SWEEP_OPTION_COUNT = 18 };

static Status choose_figures(const Options *options, const char *const *initial, size_t initial_count,
                             size_t most, size_t *figures, size_t *count, Error *error) {
    enum { KEYS = 32 };
    const char *keys[KEYS], *chosen[FIGURE_METRICS_MOST];
    size_t key_count = DISTRIBUTION_FIGURE_COUNT < KEYS ? DISTRIBUTION_FIGURE_COUNT : KEYS;
    for (size_t i = 0; i < key_count; i++) keys[i] = DISTRIBUTION_FIGURES[i].key;
    Status status = figure_options_list_metrics(options, initial, initial_count, most, chosen, count, error);
    for (size_t i = 0; i < *count && status == STATUS_OK; i++)
        status = figure_options_find_metric(chosen[i], keys, key_count, &figures[i], error);
    return status;
}

/* ρ as people write it. */
static void write_rho(double rho, char text[TEXT_SIZE]) {
    (void)snprintf(text, TEXT_SIZE, "%.4g %%", rho * 100.0);
}

/* The sheet, saying also what was measured on. The caller frees *text. */
static Status describe_rows(const Sweep *sweep, const FigureSheet *sheet, FigureSheet *described, char **text,
                            Error *error) {
    const char *sum = sweep->calibration->sha256;
    *text = memory_format("%s\nMeans over %zu positions of %zu rows: %s%s%s.", sheet->description,
                          sweep->base.positions, sweep->calibration->count, sweep->calibration->source,
                          sum[0] != '\0' ? ", SHA-256 " : "", sum);
    if (*text == NULL) return memory_fail(error, "a figure");
    *described = *sheet;
    described->description = *text;
    return STATUS_OK;
}

/* ---- curves ---- */

typedef struct Curves {
    Sweep sweep;
    bool is_rho; /* x is ρ, in percent */
    size_t series, points;
    size_t figures[FIGURE_METRICS_MOST], figure_count;
    double *x; /* [points], the same for all */
    double *y; /* [figures × series × points] */
    char names[FIGURE_SERIES_MOST][TEXT_SIZE];
    char labels[FIGURE_METRICS_MOST][TEXT_SIZE];
} Curves;

static const Settings *setting_of(const Curves *curves, size_t series, size_t point, size_t *index) {
    *index = curves->is_rho ? point : series * curves->sweep.alphas + point;
    return &curves->sweep.settings[*index];
}

static Status arrange(Curves *curves, Error *error) {
    const Sweep *sweep = &curves->sweep;
    curves->is_rho = sweep->alphas == 1;
    curves->points = curves->is_rho ? sweep->rhos : sweep->alphas;
    curves->series = curves->is_rho ? 1 : sweep->rhos;
    if (curves->points < 2)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a range to draw a curve over, such as --alpha 0:1:21 or --rho 0:4%%:9");
    if (curves->series > FIGURE_SERIES_MOST)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected at most %d of --rho, a curve for each (rejuv figure plane takes more)",
                           FIGURE_SERIES_MOST);
    curves->x = memory_allocate(curves->points, sizeof *curves->x);
    curves->y = memory_allocate(curves->figure_count * curves->series * curves->points, sizeof *curves->y);
    if (curves->x == NULL || curves->y == NULL) return memory_fail(error, "a figure");
    double *y = curves->y;
    for (size_t figure = 0; figure < curves->figure_count; figure++) {
        for (size_t series = 0; series < curves->series; series++) {
            for (size_t point = 0; point < curves->points; point++) {
                size_t index;
                const Settings *settings = setting_of(curves, series, point, &index);
                curves->x[point] = curves->is_rho ? settings->rho * 100.0 : settings->alpha;
                *y++ = distribution_figure(&sweep->fused[index], curves->figures[figure]);
            }
        }
    }
    return STATUS_OK;
}

static void name_series(Curves *curves) {
    for (size_t series = 0; series < curves->series; series++) {
        size_t index;
        char rho[TEXT_SIZE];
        const Settings *settings = setting_of(curves, series, 0, &index);
        write_rho(settings->rho, rho);
        bool resets = settings->ranking != NULL && (settings->rho > 0.0 || curves->series > 1);
        if (curves->is_rho)
            (void)snprintf(curves->names[series], TEXT_SIZE, "W at α = %.4g", settings->alpha);
        else
            (void)snprintf(curves->names[series], TEXT_SIZE, resets ? "W at ρ = %.64s" : "W", rho);
    }
}

static FigurePanel make_panel(Curves *curves, size_t figure, const double **rows) {
    const DistributionFigure *facts = &DISTRIBUTION_FIGURES[curves->figures[figure]];
    size_t count = curves->series * curves->points;
    const double *y = curves->y + figure * count;
    FigurePanel panel = {.label = curves->labels[figure], .y = rows};
    figure_write_label(facts->label, facts->unit, curves->labels[figure], TEXT_SIZE);
    for (size_t series = 0; series < curves->series; series++) rows[series] = y + series * curves->points;
    panel.levels[0] = distribution_figure(&curves->sweep.base, curves->figures[figure]);
    panel.levels[1] = distribution_figure(&curves->sweep.sft, curves->figures[figure]);
    /* from the lowest to the highest of all that is drawn, and a little more */
    panel.scale = figure_scale_around(y, count, false, 0.0);
    for (size_t i = 0; i < FIGURE_LEVELS_MOST; i++) figure_scale_include(&panel.scale, panel.levels[i]);
    double room = (panel.scale.high - panel.scale.low) * 0.05;
    panel.scale.low -= room;
    panel.scale.high += room;
    return panel;
}

static Status draw_curves(Batch *batch, Curves *curves, const double *mark, const FigureSheet *sheet,
                          Error *error) {
    FigurePanel panels[FIGURE_METRICS_MOST];
    const double *rows[FIGURE_METRICS_MOST][FIGURE_SERIES_MOST], *x[FIGURE_SERIES_MOST];
    const char *names[FIGURE_SERIES_MOST];
    size_t counts[FIGURE_SERIES_MOST];
    char mark_name[TEXT_SIZE], rho[TEXT_SIZE];
    for (size_t i = 0; i < curves->figure_count; i++) panels[i] = make_panel(curves, i, rows[i]);
    for (size_t i = 0; i < curves->series; i++) {
        x[i] = curves->x;
        counts[i] = curves->points;
        names[i] = curves->names[i];
    }
    FigureCurves figure = {.x_label = curves->is_rho ? "reset fraction ρ (%)" : "fusion weight α",
                           .x_scale = figure_scale_around(curves->x, curves->points, false, 0.02),
                           .series_count = curves->series,
                           .names = names,
                           .x = x,
                           .x_counts = counts,
                           .has_markers = true,
                           .panels = panels,
                           .panel_count = curves->figure_count,
                           .level_names = {"base", "SFT"},
                           .level_count = FIGURE_LEVELS_MOST,
                           .has_mark = mark != NULL,
                           .mark = mark == NULL     ? 0.0
                                   : curves->is_rho ? *mark * 100.0
                                                    : *mark,
                           .mark_name = mark_name};
    write_rho(mark == NULL ? 0.0 : *mark, rho);
    if (curves->is_rho)
        (void)snprintf(mark_name, sizeof mark_name, "ρ = %.64s", rho);
    else
        (void)snprintf(mark_name, sizeof mark_name, "α = %.4g", figure.mark);
    return figure_write_curves(batch, &figure, sheet, error);
}

/* Of a sweep that is whole; it stays the caller's. */
static Status draw_sweep(Batch *batch, Curves *curves, const double *mark, const FigureSheet *sheet,
                         Error *error) {
    FigureSheet described;
    char *text = NULL;
    Status status = arrange(curves, error);
    if (status == STATUS_OK) status = describe_rows(&curves->sweep, sheet, &described, &text, error);
    if (status == STATUS_OK) {
        name_series(curves);
        status = draw_curves(batch, curves, mark, &described, error);
    }
    free(text);
    free(curves->x);
    free(curves->y);
    return status;
}

Status figure_sweep_draw(Batch *batch, const Sweep *sweep, const char *const *metrics, size_t count,
                         const double *mark, const FigureSheet *sheet, Error *error) {
    Curves curves = {.sweep = *sweep};
    for (; curves.figure_count < count; curves.figure_count++)
        for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
            if (strcmp(DISTRIBUTION_FIGURES[i].key, metrics[curves.figure_count]) == 0)
                curves.figures[curves.figure_count] = i;
    return draw_sweep(batch, &curves, mark, sheet, error);
}

static Status make_curves(Batch *batch, const FigureSheet *sheet, Error *error) {
    static const char *const INITIAL[] = {"entropy", "kl_base", "kl_sft", "loss"};
    const OptionValue *mark = options_value(batch->options, OPTION_MARK);
    Curves curves = {0};
    Status status = choose_figures(batch->options, INITIAL, sizeof INITIAL / sizeof *INITIAL,
                                   FIGURE_METRICS_MOST, curves.figures, &curves.figure_count, error);
    if (status == STATUS_OK) status = sweep_measure(batch, &curves.sweep, error);
    if (status == STATUS_OK)
        status = draw_sweep(batch, &curves, mark->given ? &mark->number : NULL, sheet, error);
    sweep_free(&curves.sweep);
    return status;
}

const FigureKind figure_sweep = {
    .name = "sweep",
    .summary = "Figures of the output space over a dial; the numbers are those of rejuv sweep.",
    .width = 150.0,
    .height = 105.0,
    .options = {SWEEP_OPTIONS, OPTION_MARK},
    .option_count = SWEEP_OPTION_COUNT + 1,
    .make = make_curves,
};

/* ---- the plane ---- */

typedef struct Plane {
    Sweep sweep;
    size_t figure;
    double *values; /* [rhos × alphas], the largest ρ first */
    char (*text)[TEXT_SIZE];
    const char **names; /* [alphas + rhos] */
    FigureHeatmapMark smallest, paper;
    bool has_smallest; /* some figure is a number */
    bool has_paper;    /* a point of the grid is near enough */
    char smallest_note[2 * TEXT_SIZE], paper_note[TEXT_SIZE];
} Plane;

static Status arrange_plane(Plane *plane, Error *error) {
    const Sweep *sweep = &plane->sweep;
    if (sweep->alphas < 2 || sweep->rhos < 2)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected two ranges, such as --alpha 0:1:11 --rho 0:4%%:9");
    size_t names = sweep->alphas + sweep->rhos;
    plane->values = memory_allocate(sweep->points, sizeof *plane->values);
    plane->text = memory_allocate(names, sizeof *plane->text);
    plane->names = memory_allocate(names, sizeof *plane->names);
    if (plane->values == NULL || plane->text == NULL || plane->names == NULL)
        return memory_fail(error, "a figure");
    for (size_t i = 0; i < names; i++) plane->names[i] = plane->text[i];
    for (size_t i = 0; i < sweep->alphas; i++)
        (void)snprintf(plane->text[i], TEXT_SIZE, "%.4g", sweep->settings[i].alpha);
    for (size_t row = 0; row < sweep->rhos; row++) {
        size_t first = (sweep->rhos - 1 - row) * sweep->alphas;
        (void)snprintf(plane->text[sweep->alphas + row], TEXT_SIZE, "%.4g",
                       sweep->settings[first].rho * 100.0);
        for (size_t i = 0; i < sweep->alphas; i++)
            plane->values[row * sweep->alphas + i] =
                distribution_figure(&sweep->fused[first + i], plane->figure);
    }
    return STATUS_OK;
}

static void find_smallest(Plane *plane, const DistributionFigure *facts) {
    const Sweep *sweep = &plane->sweep;
    char value[FIGURE_TICK_TEXT];
    size_t smallest = figure_scale_smallest(plane->values, sweep->points);
    plane->has_smallest = smallest < sweep->points;
    if (!plane->has_smallest) return;
    plane->smallest = (FigureHeatmapMark){smallest % sweep->alphas, smallest / sweep->alphas, false};
    figure_scale_write(plane->values[smallest], 4, value);
    (void)snprintf(plane->smallest_note, sizeof plane->smallest_note,
                   "frame: smallest %.40s, %s, at α = %.16s, ρ = %.16s %%", facts->label, value,
                   plane->names[plane->smallest.x], plane->names[sweep->alphas + plane->smallest.y]);
}

/* Where the paper stands: the nearest point, if the grid reaches it. */
static void find_paper(const Options *options, Plane *plane) {
    const Range across = option_range(options_value(options, OPTION_ALPHA_RANGE)),
                down = option_range(dial_options_rho(options));
    size_t row;
    plane->has_paper =
        range_find(&across, DIALS_PAPER_ALPHA, &plane->paper.x) && range_find(&down, DIALS_PAPER_RHO, &row);
    if (!plane->has_paper) return;
    plane->paper.y = plane->sweep.rhos - 1 - row; /* the largest ρ is above */
    plane->paper.is_dashed = true;
    (void)snprintf(plane->paper_note, sizeof plane->paper_note,
                   "dashed frame: nearest to the paper's α = %.4g, ρ = %.4g %%", DIALS_PAPER_ALPHA,
                   DIALS_PAPER_RHO * 100.0);
}

static Status draw_plane(Batch *batch, Plane *plane, const FigureSheet *sheet, Error *error) {
    const Sweep *sweep = &plane->sweep;
    const DistributionFigure *facts = &DISTRIBUTION_FIGURES[plane->figure];
    char label[TEXT_SIZE];
    figure_write_label(facts->label, facts->unit, label, sizeof label);
    find_smallest(plane, facts);
    find_paper(batch->options, plane);
    FigureHeatmap map = {
        .x = {"fusion weight α", plane->names, sweep->alphas},
        .y = {"reset fraction ρ (%)", plane->names + sweep->alphas, sweep->rhos},
        .values = plane->values,
        .bar_label = label,
        .scale = figure_scale_around(plane->values, sweep->points, false, 0.0),
        .ramp = FIGURE_SEQUENTIAL,
    };
    if (plane->has_smallest) figure_heatmap_add_mark(&map, plane->smallest, plane->smallest_note);
    if (plane->has_paper) figure_heatmap_add_mark(&map, plane->paper, plane->paper_note);
    return figure_write_heatmap(batch, &map, sheet, error);
}

static Status make_plane(Batch *batch, const FigureSheet *sheet, Error *error) {
    static const char *const INITIAL[] = {"loss"};
    if (options_has(batch->options, OPTION_PLANE)) return figure_landscape_make_plane(batch, sheet, error);
    Plane plane = {0};
    FigureSheet described;
    char *text = NULL;
    size_t count;
    Status status = choose_figures(batch->options, INITIAL, 1, 1, &plane.figure, &count, error);
    if (status == STATUS_OK) status = sweep_measure(batch, &plane.sweep, error);
    if (status == STATUS_OK) status = arrange_plane(&plane, error);
    if (status == STATUS_OK) status = describe_rows(&plane.sweep, sheet, &described, &text, error);
    if (status == STATUS_OK) status = draw_plane(batch, &plane, &described, error);
    free(text);
    free(plane.values);
    free(plane.text);
    free(plane.names);
    sweep_free(&plane.sweep);
    return status;
}

const FigureKind figure_plane = {
    .name = "plane",
    .summary =
        "A figure over a plane; the numbers are those of rejuv sweep, or with --plane of rejuv landscape.",
    .width = 110.0,
    .height = 80.0,
    .options = {SWEEP_OPTIONS, OPTION_PLANE, OPTION_THIRD, OPTION_ROWS, OPTION_LOG},
    .option_count = SWEEP_OPTION_COUNT + 4,
    .make = make_plane,
};
