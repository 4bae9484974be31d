#include "tui/figures/figure_landscape.h"

#include "core/support/memory.h"
#include "tui/commands/batch_landscape.h"
#include "tui/figures/figure_write.h"

#include <math.h>
#include <stdlib.h>

enum { TEXT_SIZE = 128 };

/* Where W is, and what of it is measured. */
#define PLACE_OPTIONS                                                                                        \
    OPTION_ALPHA_RANGE, OPTION_RHO_RANGE, OPTION_OMEGA, OPTION_SELECT, OPTION_TARGETS,                       \
        OPTION_SEED_DIRECTIONS, OPTION_CALIBRATION, OPTION_END_TOKEN, OPTION_TEMPLATE, OPTION_ROWS,          \
        OPTION_TOKENIZER_FILE, OPTION_ALPHA_LAYERS, OPTION_ALPHA_KIND, OPTION_PROTECT
enum { PLACE_OPTION_COUNT = 14 };

/* The sheet, saying also what was measured on. The caller frees *text. */
static Status describe_rows(const BatchLandscape *landscape, const FigureSheet *sheet, FigureSheet *described,
                            char **text, Error *error) {
    const Calibration *calibration = landscape->dials.calibration;
    const char *sum = calibration->sha256;
    *text = memory_format("%s\nMeans over %zu response tokens of %zu rows: %s%s%s.", sheet->description,
                          landscape->tokens, landscape->rows, calibration->source,
                          sum[0] != '\0' ? ", SHA-256 " : "", sum);
    if (*text == NULL) return memory_fail(error, "a figure");
    *described = *sheet;
    described->description = *text;
    return STATUS_OK;
}

/* Measures, draws and releases. */
typedef Status (*Draw)(Batch *batch, const BatchLandscape *landscape, const FigureSheet *sheet, Error *error);

static Status make(Batch *batch, const FigureSheet *sheet, Draw draw, Error *error) {
    BatchLandscape landscape = {0};
    FigureSheet described;
    char *text = NULL;
    Status status = batch_landscape_measure(batch, &landscape, error);
    if (status == STATUS_OK) status = describe_rows(&landscape, sheet, &described, &text, error);
    if (status == STATUS_OK) status = draw(batch, &landscape, &described, error);
    free(text);
    batch_landscape_free(&landscape);
    return status;
}

/* ---- the line ---- */

/* The loss at an α, where the line has a point there. */
static double loss_at(const BatchLandscape *landscape, double alpha) {
    for (size_t i = 0; i < landscape->line.points; i++)
        if (fabs(batch_landscape_alpha(landscape, i) - alpha) < 1e-9) return landscape->line_losses[i];
    return NAN;
}

Status figure_landscape_draw_line(Batch *batch, const BatchLandscape *landscape, const double *mark,
                                  const FigureSheet *sheet, Error *error) {
    size_t count = landscape->line.points;
    char mark_name[TEXT_SIZE];
    double *alphas = memory_allocate(count, sizeof *alphas);
    if (alphas == NULL) return memory_fail(error, "a figure");
    for (size_t i = 0; i < count; i++) alphas[i] = batch_landscape_alpha(landscape, i);
    (void)snprintf(mark_name, sizeof mark_name, "α = %.4g", mark != NULL ? *mark : 0.0);
    FigurePanel panel = {.label = "loss of responses (nat)",
                         .scale = figure_scale_around(landscape->line_losses, count, false, 0.05),
                         .y = (const double *const[]){landscape->line_losses},
                         .levels = {loss_at(landscape, 0.0), loss_at(landscape, 1.0)}};
    FigureCurves figure = {.x_label = "α, from base (0) to SFT (1)",
                           .x_scale = figure_scale_around(alphas, count, false, 0.02),
                           .series_count = 1,
                           .names = (const char *const[]){"on the line"},
                           .x = (const double *const[]){alphas},
                           .x_counts = &count,
                           .has_markers = true,
                           .panels = &panel,
                           .panel_count = 1,
                           .level_names = {"base", "SFT"},
                           .level_count = FIGURE_LEVELS_MOST,
                           .has_mark = mark != NULL,
                           .mark = mark != NULL ? *mark : 0.0,
                           .mark_name = mark_name};
    Status status = figure_write_curves(batch, &figure, sheet, error);
    free(alphas);
    return status;
}

static Status draw_line(Batch *batch, const BatchLandscape *landscape, const FigureSheet *sheet,
                        Error *error) {
    const OptionValue *mark = options_value(batch->options, OPTION_MARK);
    return figure_landscape_draw_line(batch, landscape, mark->given ? &mark->number : NULL, sheet, error);
}

static Status make_line(Batch *batch, const FigureSheet *sheet, Error *error) {
    return make(batch, sheet, draw_line, error);
}

const FigureKind figure_landscape = {
    .name = "landscape",
    .summary = "The loss along the line through base and SFT; the numbers are those of rejuv landscape.",
    .width = 110.0,
    .height = 75.0,
    .options = {OPTION_CALIBRATION, OPTION_END_TOKEN, OPTION_TEMPLATE, OPTION_ROWS, OPTION_TOKENIZER_FILE,
                OPTION_LINE, OPTION_MARK},
    .option_count = 7,
    .make = make_line,
};

/* ---- the plane ---- */

typedef struct Plane {
    double *values; /* [points × points], the largest y first */
    char (*text)[FIGURE_TICK_TEXT];
    const char **names; /* [2 × points] */
    FigureHeatmapMark smallest, centre;
    bool has_smallest, has_centre;
    char smallest_note[TEXT_SIZE], place_note[TEXT_SIZE];
} Plane;

/* Short, with the minus that ticks have. */
static void write_step(double step, char text[FIGURE_TICK_TEXT]) {
    (void)snprintf(text, FIGURE_TICK_TEXT, "%s%.4g", step < 0.0 ? "−" : "", fabs(step));
}

/* Where W is; or the third checkpoint. */
static void mark_place(const BatchLandscape *landscape, Plane *plane) {
    const Triangle *triangle = landscape->triangle;
    const Settings *place = &landscape->dials.settings;
    size_t x, y;
    plane->has_centre = range_find(&landscape->plane, triangle != NULL ? triangle->x : 0.0, &x) &&
                        range_find(&landscape->plane, triangle != NULL ? triangle->y : 0.0, &y);
    if (!plane->has_centre) return;
    plane->centre =
        (FigureHeatmapMark){x, landscape->plane.points - 1 - y, true}; /* the largest y is above */
    if (triangle != NULL)
        (void)snprintf(plane->place_note, TEXT_SIZE, "dashed frame: nearest to the third, x = %.4g, y = %.4g",
                       triangle->x, triangle->y);
    else
        (void)snprintf(plane->place_note, TEXT_SIZE, "dashed frame: nearest to W, α = %.4g, ρ = %.4g %%",
                       place->alpha, place->rho * 100.0);
}

static void mark_smallest(Plane *plane, size_t count) {
    size_t smallest = figure_scale_smallest(plane->values, count * count);
    size_t x = smallest % count, y = smallest / count;
    char value[FIGURE_TICK_TEXT];
    plane->has_smallest = smallest < count * count;
    if (!plane->has_smallest) return;
    plane->smallest = (FigureHeatmapMark){x, y, false};
    figure_scale_write(plane->values[smallest], 4, value);
    (void)snprintf(plane->smallest_note, TEXT_SIZE, "frame: smallest loss, %s, at x = %.16s, y = %.16s",
                   value, plane->names[x], plane->names[count + y]);
}

static Status arrange(const BatchLandscape *landscape, Plane *plane, Error *error) {
    size_t count = landscape->plane.points;
    plane->values = memory_allocate(count, count * sizeof *plane->values);
    plane->text = memory_allocate(2 * count, sizeof *plane->text);
    plane->names = memory_allocate(2 * count, sizeof *plane->names);
    if (plane->values == NULL || plane->text == NULL || plane->names == NULL)
        return memory_fail(error, "a figure");
    for (size_t i = 0; i < count; i++) {
        write_step(landscape->steps[i], plane->text[i]);
        write_step(landscape->steps[count - 1 - i], plane->text[count + i]);
    }
    for (size_t i = 0; i < 2 * count; i++) plane->names[i] = plane->text[i];
    for (size_t i = 0; i < count * count; i++)
        plane->values[i] = landscape->plane_losses[(count - 1 - i / count) * count + i % count];
    mark_smallest(plane, count);
    mark_place(landscape, plane);
    return STATUS_OK;
}

Status figure_landscape_draw_plane(Batch *batch, const BatchLandscape *landscape, const FigureSheet *sheet,
                                   Error *error) {
    size_t count = landscape->plane.points;
    Plane plane = {0};
    char x_label[TEXT_SIZE];
    bool has_third = landscape->triangle != NULL;
    if (has_third)
        (void)snprintf(x_label, sizeof x_label, "x, from base (0) to SFT (1)");
    else
        (void)snprintf(x_label, sizeof x_label, "x, along direction 0 of seed %llu",
                       (unsigned long long)landscape->seed);
    Status status =
        count >= 2 ? arrange(landscape, &plane, error)
                   : status_fail(error, STATUS_ARGUMENT, "expected a range, such as --plane -0.3:0.3:13");
    if (status == STATUS_OK) {
        FigureHeatmap map = {
            .x = {x_label, plane.names, count},
            .y = {has_third ? "y, towards the third" : "y, along direction 1", plane.names + count, count},
            .values = plane.values,
            .bar_label = "loss of responses (nat)",
            .scale = figure_scale_around(plane.values, count * count, options_has(batch->options, OPTION_LOG),
                                         0.0),
            .ramp = FIGURE_SEQUENTIAL,
            .has_contours = true,
        };
        if (plane.has_smallest) figure_heatmap_add_mark(&map, plane.smallest, plane.smallest_note);
        if (plane.has_centre) figure_heatmap_add_mark(&map, plane.centre, plane.place_note);
        status = figure_write_heatmap(batch, &map, sheet, error);
    }
    free(plane.values);
    free(plane.text);
    free(plane.names);
    return status;
}

Status figure_landscape_make_plane(Batch *batch, const FigureSheet *sheet, Error *error) {
    static const OptionId OF_DIALS[] = {OPTION_METRIC, OPTION_PROMPT, OPTION_PROMPT_FILE, OPTION_IDS,
                                        OPTION_CHAT};
    for (size_t i = 0; i < sizeof OF_DIALS / sizeof *OF_DIALS; i++)
        if (options_has(batch->options, OF_DIALS[i]))
            return status_fail(error, STATUS_ARGUMENT, "--%s does nothing with --plane",
                               option_facts(OF_DIALS[i])->name);
    return make(batch, sheet, figure_landscape_draw_plane, error);
}

/* ---- sharpness ---- */

Status figure_landscape_draw_sharpness(Batch *batch, const BatchLandscape *landscape,
                                       const FigureSheet *sheet, Error *error) {
    enum { PANELS = 3 };
    double values[PANELS][SIDE_COUNT], errors[SIDE_COUNT];
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        const LandscapeSharpness *sharpness = &landscape->sharpness[side];
        values[0][side] = sharpness->mean_rise;
        values[1][side] = sharpness->worst_rise;
        values[2][side] = sharpness->mean_curvature;
        errors[side] = sharpness->curvature_error;
    }
    const FigureBarPanel panels[PANELS] = {{"mean rise of the loss (nat)", values[0], NULL},
                                           {"worst rise (nat)", values[1], NULL},
                                           {"curvature (nat), ± its error", values[2], errors}};
    char note[TEXT_SIZE];
    (void)snprintf(note, sizeof note,
                   "steps of ±%.4g along %zu directions of seed %llu; W: α = %.4g, ρ = %.4g %%",
                   landscape->sharpness[0].sigma, landscape->sharpness[0].directions,
                   (unsigned long long)landscape->seed, landscape->dials.settings.alpha,
                   landscape->dials.settings.rho * 100.0);
    const FigureBars bars = {.names = (const char *const[]){"base", "SFT", "W"},
                             .count = SIDE_COUNT,
                             .panels = panels,
                             .panel_count = PANELS,
                             .note = note};
    return figure_write_bars(batch, &bars, sheet, error);
}

static Status make_sharpness(Batch *batch, const FigureSheet *sheet, Error *error) {
    if (!options_has(batch->options, OPTION_SHARPNESS))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --sharpness SIGMA, how long a step is, such as 0.1");
    return make(batch, sheet, figure_landscape_draw_sharpness, error);
}

const FigureKind figure_sharpness = {
    .name = "sharpness",
    .summary = "How the loss rises around base, SFT and W; the numbers are those of rejuv landscape.",
    .width = 140.0,
    .height = 65.0,
    .options = {PLACE_OPTIONS, OPTION_SHARPNESS, OPTION_DIRECTIONS},
    .option_count = PLACE_OPTION_COUNT + 2,
    .make = make_sharpness,
};
