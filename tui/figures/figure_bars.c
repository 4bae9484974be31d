#include "tui/figures/figure_bars.h"

#include <math.h>
#include <stdio.h>

static const double LABEL = 8.0, TICK = 7.0, /* sizes of text */
    STEM = 3.0, GAP = 3.0, CAP = 2.5, FILLED = 0.6 /* of a bar's room */;
static const FigureLine AXIS = {FIGURE_BLACK, 0.6, NULL}, ERROR_BAR = {FIGURE_BLACK, 0.9, NULL};

/* From 0, which is always there, to the farthest ends. */
static FigureScale scale_of(const FigureBarPanel *panel, size_t count) {
    FigureScale scale = {false, 0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        double error = panel->errors != NULL && isfinite(panel->errors[i]) ? panel->errors[i] : 0.0;
        if (!isfinite(panel->values[i])) continue;
        figure_scale_include(&scale, panel->values[i] - error);
        figure_scale_include(&scale, panel->values[i] + error);
    }
    double room = (scale.high - scale.low) * 0.05;
    if (!(room > 0.0)) return (FigureScale){false, 0.0, 1.0}; /* nothing rises, or nothing is known */
    if (scale.low < 0.0) scale.low -= room;
    if (scale.high > 0.0) scale.high += room;
    return scale;
}

typedef struct Placed {
    const FigureBars *bars;
    const FigureBarPanel *panel;
    FigureScale scale;
    FigureBox plot;
    FILE *file;
} Placed;

static double place_y(const Placed *placed, double value) {
    return placed->plot.y + placed->plot.height * (1.0 - figure_scale_place(&placed->scale, value));
}

static void draw_error(const Placed *placed, double x, double value, double error) {
    double low = place_y(placed, value - error), high = place_y(placed, value + error);
    figure_svg_line(placed->file, x, low, x, high, ERROR_BAR);
    figure_svg_line(placed->file, x - CAP, low, x + CAP, low, ERROR_BAR);
    figure_svg_line(placed->file, x - CAP, high, x + CAP, high, ERROR_BAR);
}

static void draw_bar(const Placed *placed, size_t index) {
    const FigureBars *bars = placed->bars;
    double room = placed->plot.width / (double)bars->count, value = placed->panel->values[index];
    double x = placed->plot.x + ((double)index + 0.5) * room, zero = place_y(placed, 0.0);
    double error = placed->panel->errors != NULL ? placed->panel->errors[index] : NAN;
    FigureFont below = {.size = TICK, .anchor = FIGURE_MIDDLE};
    double bottom = placed->plot.y + placed->plot.height;
    figure_svg_text(placed->file, x, bottom + STEM + TICK * 0.7, below, bars->names[index]);
    char number[FIGURE_TICK_TEXT], note[128];
    figure_scale_write(value, 4, number);
    (void)snprintf(note, sizeof note, "%.60s: %s", bars->names[index], isnan(value) ? "not defined" : number);
    if (!isfinite(value)) {
        figure_svg_text(placed->file, x, zero - TICK, below, isnan(value) ? "not defined" : number);
        return;
    }
    double end = place_y(placed, value);
    FigureBox bar = {x - room * FILLED / 2.0, fmin(zero, end), room * FILLED, fabs(zero - end)};
    figure_svg_fill(placed->file, bar, figure_svg_series(index).colour, note);
    if (isfinite(error)) draw_error(placed, x, value, error);
}

static Status draw_panel(const FigureBars *bars, const FigureBarPanel *panel, FigureBox area, FILE *file,
                         Error *error) {
    Placed placed = {bars, panel, scale_of(panel, bars->count), area, file};
    FigureBox *plot = &placed.plot;
    plot->y += TICK * 0.6;
    plot->height -= TICK * 0.6 + STEM + TICK * 1.4;
    FigureTicks ticks = figure_scale_ticks(&placed.scale, (size_t)fmax(2.0, plot->height / (TICK * 2.6)));
    double widest = 0.0;
    for (size_t i = 0; i < ticks.count; i++)
        widest = fmax(widest, figure_svg_text_width(ticks.labels[i], TICK));
    plot->x += LABEL * 1.4 + widest + STEM + GAP;
    plot->width = area.x + area.width - TICK - plot->x;
    if (!(plot->width > 0.0 && plot->height > 0.0))
        return status_fail(error, STATUS_ARGUMENT,
                           "the figure is too small for its labels: expected a larger width or height");
    FigureFont beside = {.size = TICK, .anchor = FIGURE_END};
    FigureFont upright = {.size = LABEL, .anchor = FIGURE_MIDDLE, .upright = true};
    for (size_t i = 0; i < ticks.count; i++) {
        double y = place_y(&placed, ticks.values[i]);
        figure_svg_line(file, plot->x - STEM, y, plot->x, y, AXIS);
        figure_svg_text(file, plot->x - STEM - GAP / 2.0, y, beside, ticks.labels[i]);
    }
    figure_svg_text(file, area.x + LABEL * 0.5, plot->y + plot->height / 2.0, upright, panel->label);
    for (size_t i = 0; i < bars->count; i++) draw_bar(&placed, i);
    double zero = place_y(&placed, 0.0);
    figure_svg_line(file, plot->x, plot->y, plot->x, plot->y + plot->height, AXIS);
    figure_svg_line(file, plot->x, zero, plot->x + plot->width, zero, AXIS);
    return STATUS_OK;
}

Status figure_bars_draw(const FigureBars *bars, const FigureSheet *sheet, FILE *file, Error *error) {
    FigureBox area = figure_svg_begin(sheet, file);
    double width = area.width / (double)bars->panel_count, below = LABEL * 1.6;
    Status status = STATUS_OK;
    for (size_t i = 0; i < bars->panel_count && status == STATUS_OK; i++) {
        FigureBox box = {area.x + (double)i * width, area.y, width - GAP, area.height - below};
        status = draw_panel(bars, &bars->panels[i], box, file, error);
    }
    if (status != STATUS_OK) return status;
    FigureFont font = {.size = TICK, .anchor = FIGURE_MIDDLE};
    figure_svg_text(file, area.x + area.width / 2.0, area.y + area.height - TICK * 0.7, font, bars->note);
    return figure_svg_end(file, error);
}
