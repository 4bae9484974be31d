#include "tui/figures/figure_curves.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double LABEL = 8.0, TICK = 7.0, /* sizes of text */
    STEM = 3.0, GAP = 3.0, MARKER = 3.4, SAMPLE = 20.0, BETWEEN = 12.0;
static const FigureLine AXIS = {FIGURE_BLACK, 0.6, NULL}, MARK = {FIGURE_GREY, 0.8, "1 2"};
static const FigureLine LEVELS[FIGURE_LEVELS_MOST] = {{FIGURE_GREY, 0.9, "6 3"},
                                                      {FIGURE_GREY, 0.9, "6 2 1 2"}};

/* ---- one panel ---- */

typedef struct Placed {
    const FigureCurves *curves;
    const FigurePanel *panel;
    FigureBox plot;
    FILE *file;
} Placed;

static double place_x(const Placed *placed, double value) {
    return placed->plot.x + placed->plot.width * figure_scale_place(&placed->curves->x_scale, value);
}

static double place_y(const Placed *placed, double value) {
    return placed->plot.y + placed->plot.height * (1.0 - figure_scale_place(&placed->panel->scale, value));
}

static void draw_axes(const Placed *placed, const FigureTicks *y_ticks, double left) {
    const FigureBox *plot = &placed->plot;
    FILE *file = placed->file;
    double bottom = plot->y + plot->height;
    FigureTicks x_ticks = figure_scale_ticks(&placed->curves->x_scale, (size_t)fmax(2.0, plot->width / 26.0));
    FigureFont below = {.size = TICK, .anchor = FIGURE_MIDDLE}, beside = {.size = TICK, .anchor = FIGURE_END};
    FigureFont name = {.size = LABEL, .anchor = FIGURE_MIDDLE}, upright = name;
    upright.upright = true;
    for (size_t i = 0; i < x_ticks.count; i++) {
        double x = place_x(placed, x_ticks.values[i]);
        figure_svg_line(file, x, bottom, x, bottom + STEM, AXIS);
        figure_svg_text(file, x, bottom + STEM + TICK * 0.7, below, x_ticks.labels[i]);
    }
    for (size_t i = 0; i < y_ticks->count; i++) {
        double y = place_y(placed, y_ticks->values[i]);
        figure_svg_line(file, plot->x - STEM, y, plot->x, y, AXIS);
        figure_svg_text(file, plot->x - STEM - GAP / 2.0, y, beside, y_ticks->labels[i]);
    }
    figure_svg_text(file, plot->x + plot->width / 2.0, bottom + STEM + TICK * 1.4 + LABEL * 0.7, name,
                    placed->curves->x_label);
    figure_svg_text(file, left + LABEL * 0.5, plot->y + plot->height / 2.0, upright, placed->panel->label);
    figure_svg_line(file, plot->x, plot->y, plot->x, bottom, AXIS);
    figure_svg_line(file, plot->x, bottom, plot->x + plot->width, bottom, AXIS);
}

static void draw_markers(const Placed *placed, size_t series, const double *x, const double *y) {
    const FigureCurves *curves = placed->curves;
    for (size_t i = 0; i < curves->x_counts[series]; i++) {
        char note[2 * FIGURE_TICK_TEXT + 4], at[FIGURE_TICK_TEXT], value[FIGURE_TICK_TEXT];
        figure_scale_write(curves->x[series][i], 4, at);
        figure_scale_write(placed->panel->y[series][i], 4, value);
        (void)snprintf(note, sizeof note, "%s: %s", at, value);
        figure_svg_marker(placed->file, x[i], y[i], series, MARKER, note);
    }
}

static Status draw_series(const Placed *placed, size_t series, Error *error) {
    const FigureCurves *curves = placed->curves;
    size_t count = curves->x_counts[series];
    double *x = memory_allocate(count + 1, sizeof *x), *y = memory_allocate(count + 1, sizeof *y);
    if (x != NULL && y != NULL) {
        for (size_t i = 0; i < count; i++) {
            x[i] = place_x(placed, curves->x[series][i]);
            y[i] = place_y(placed, placed->panel->y[series][i]);
        }
        figure_svg_curve(placed->file, x, y, count, figure_svg_series(series));
        if (curves->has_markers) draw_markers(placed, series, x, y);
    }
    bool complete = x != NULL && y != NULL;
    free(x);
    free(y);
    return complete ? STATUS_OK : memory_fail(error, "a figure");
}

static Status draw_panel(const FigureCurves *curves, const FigurePanel *panel, FigureBox area, FILE *file,
                         Error *error) {
    double below = STEM + TICK * 1.4 + LABEL * 1.4, widest = 0.0;
    Placed placed = {
        curves, panel, {.y = area.y + TICK * 0.6, .height = area.height - below - TICK * 0.6}, file};
    FigureTicks ticks =
        figure_scale_ticks(&panel->scale, (size_t)fmax(2.0, placed.plot.height / (TICK * 2.6)));
    for (size_t i = 0; i < ticks.count; i++)
        widest = fmax(widest, figure_svg_text_width(ticks.labels[i], TICK));
    placed.plot.x = area.x + LABEL * 1.4 + widest + STEM + GAP;
    placed.plot.width = area.x + area.width - TICK - placed.plot.x;
    if (!(placed.plot.width > 0.0 && placed.plot.height > 0.0))
        return status_fail(error, STATUS_ARGUMENT,
                           "the figure is too small for its labels: expected a larger width or height");
    const FigureBox *plot = &placed.plot;
    for (size_t i = 0; i < curves->level_count; i++) {
        double y = place_y(&placed, panel->levels[i]);
        if (isfinite(y)) figure_svg_line(file, plot->x, y, plot->x + plot->width, y, LEVELS[i]);
    }
    if (curves->has_mark) {
        double x = place_x(&placed, curves->mark);
        figure_svg_line(file, x, plot->y, x, plot->y + plot->height, MARK);
    }
    draw_axes(&placed, &ticks, area.x);
    Status status = STATUS_OK;
    for (size_t i = 0; i < curves->series_count && status == STATUS_OK; i++)
        status = draw_series(&placed, i, error);
    return status;
}

/* ---- the legend ---- */

enum { ITEMS_MOST = FIGURE_SERIES_MOST + FIGURE_LEVELS_MOST + 1 };

typedef struct Item {
    const char *name;
    FigureLine line;
    size_t series; /* FIGURE_SERIES_MOST: no marker */
    double width;
} Item;

static size_t list_items(const FigureCurves *curves, Item items[ITEMS_MOST]) {
    size_t count = 0;
    for (size_t i = 0; i < curves->series_count; i++)
        items[count++] = (Item){.name = curves->names[i],
                                .line = figure_svg_series(i),
                                .series = curves->has_markers ? i : FIGURE_SERIES_MOST};
    for (size_t i = 0; i < curves->level_count; i++)
        items[count++] =
            (Item){.name = curves->level_names[i], .line = LEVELS[i], .series = FIGURE_SERIES_MOST};
    if (curves->has_mark)
        items[count++] = (Item){.name = curves->mark_name, .line = MARK, .series = FIGURE_SERIES_MOST};
    for (size_t i = 0; i < count; i++)
        items[i].width = SAMPLE + GAP + figure_svg_text_width(items[i].name, TICK) + BETWEEN;
    return count;
}

/* How many of the items from `first` on stand in one row, and how wide they are. */
static size_t row_of_items(const Item *items, size_t first, size_t count, double room, double *width) {
    size_t end = first;
    *width = -BETWEEN;
    for (; end < count && (end == first || *width + items[end].width <= room); end++)
        *width += items[end].width;
    return end - first;
}

/* The rows' height, and the width of the widest: all begin where that begins. */
static double legend_height(const Item *items, size_t count, double room, double *widest) {
    double width, height = 0.0;
    *widest = 0.0;
    for (size_t at = 0; at < count; height += TICK * 1.5) {
        at += row_of_items(items, at, count, room, &width);
        *widest = fmax(*widest, width);
    }
    return height + (count > 0 ? GAP : 0.0);
}

static void draw_item(const Item *item, double x, double y, FILE *file) {
    FigureFont font = {.size = TICK};
    figure_svg_line(file, x, y, x + SAMPLE, y, item->line);
    if (item->series < FIGURE_SERIES_MOST)
        figure_svg_marker(file, x + SAMPLE / 2.0, y, item->series, MARKER, item->name);
    figure_svg_text(file, x + SAMPLE + GAP, y, font, item->name);
}

static void draw_legend(const Item *items, size_t count, FigureBox area, double widest, FILE *file) {
    double y = area.y + GAP + TICK * 0.75, width;
    for (size_t at = 0; at < count; y += TICK * 1.5) {
        size_t taken = row_of_items(items, at, count, area.width, &width);
        double x = area.x + fmax(0.0, (area.width - widest) / 2.0);
        for (; taken > 0; taken--, at++) {
            draw_item(&items[at], x, y, file);
            x += items[at].width;
        }
    }
}

/* ---- the whole ---- */

Status figure_curves_draw(const FigureCurves *curves, const FigureSheet *sheet, FILE *file, Error *error) {
    Item items[ITEMS_MOST];
    FigureBox area = figure_svg_begin(sheet, file);
    size_t item_count = list_items(curves, items);
    size_t across = curves->panel_count <= 1 ? 1 : curves->panel_count <= 4 ? 2 : 3;
    size_t down = (curves->panel_count + across - 1) / across;
    double widest, legend = legend_height(items, item_count, area.width, &widest);
    double width = (area.width - (double)(across - 1) * GAP) / (double)across;
    double height = (area.height - legend) / (double)down;
    Status status = STATUS_OK;
    for (size_t i = 0; i < curves->panel_count && status == STATUS_OK; i++) {
        const size_t column = i % across, row = i / across;
        FigureBox box = {area.x + (double)column * (width + GAP), area.y + (double)row * height, width,
                         height};
        status = draw_panel(curves, &curves->panels[i], box, file, error);
    }
    if (status != STATUS_OK) return status;
    FigureBox rest = {area.x, area.y + area.height - legend, area.width, legend};
    draw_legend(items, item_count, rest, widest, file);
    return figure_svg_end(file, error);
}
