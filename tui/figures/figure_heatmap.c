#include "tui/figures/figure_heatmap.h"

#include "core/support/memory.h"
#include "tui/figures/figure_contour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double LABEL = 8.0, TICK = 7.0, /* sizes of text */
    STEM = 3.0, GAP = 3.0, BAR = 9.0;
static const FigureLine FRAME = {FIGURE_BLACK, 0.6, NULL};
static const FigureLine NOT_KNOWN = {FIGURE_GREY, 0.5, NULL};
static const FigureLine HALO = {0xffffff, 1.6, NULL}, CONTOUR = {FIGURE_BLACK, 0.6, NULL};

void figure_heatmap_add_mark(FigureHeatmap *map, FigureHeatmapMark mark, const char *note) {
    map->marks[map->mark_count++] = mark;
    map->notes[map->note_count++] = note;
}

/* How many names stand apart from each other: every first, second, fifth, tenth, …. */
static size_t name_stride(const FigureHeatmapAxis *axis, double cell, bool is_across) {
    static const size_t LEADS[] = {1, 2, 5};
    double widest = TICK * 1.1;
    for (size_t i = 0; i < axis->count && is_across; i++)
        widest = fmax(widest, figure_svg_text_width(axis->names[i], TICK) + TICK * 0.6);
    for (size_t power = 1;; power *= 10)
        for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++)
            if (cell * (double)(LEADS[i] * power) >= widest || LEADS[i] * power >= axis->count)
                return LEADS[i] * power;
}

static double widest_name(const FigureHeatmapAxis *axis) {
    double widest = 0.0;
    for (size_t i = 0; i < axis->count; i++)
        widest = fmax(widest, figure_svg_text_width(axis->names[i], TICK));
    return widest;
}

/* Black on white: one of them stands out from any colour. `width` and `height` are a cell's. */
static void draw_mark(const FigureHeatmapMark *mark, double left, double top, double width, double height,
                      FILE *file) {
    double inset = mark->is_dashed ? fmin(2.4, fmin(width, height) / 4.0) : 0.0;
    FigureBox marked = {left + (double)mark->x * width + inset, top + (double)mark->y * height + inset,
                        width - 2.0 * inset, height - 2.0 * inset};
    figure_svg_outline(file, marked, (FigureLine){0xffffff, 2.4, NULL});
    figure_svg_outline(file, marked, (FigureLine){FIGURE_BLACK, 1.0, mark->is_dashed ? "2 2" : NULL});
}

static void draw_cells(const FigureHeatmap *map, FigureBox plot, FILE *file) {
    double width = plot.width / (double)map->x.count, height = plot.height / (double)map->y.count;
    for (size_t y = 0; y < map->y.count; y++) {
        for (size_t x = 0; x < map->x.count; x++) {
            double value = map->values[y * map->x.count + x];
            FigureBox cell = {plot.x + (double)x * width, plot.y + (double)y * height, width, height};
            char text[FIGURE_TICK_TEXT], note[256];
            figure_scale_write(value, 4, text);
            (void)snprintf(note, sizeof note, "%s, %s: %s", map->x.names[x], map->y.names[y],
                           isnan(value) ? "not defined" : text);
            double place = figure_scale_place(&map->scale, value);
            figure_svg_fill(file, cell, isnan(place) ? FIGURE_LIGHT : figure_svg_colour(map->ramp, place),
                            note);
            if (isnan(place))
                figure_svg_line(file, cell.x, cell.y + cell.height, cell.x + cell.width, cell.y, NOT_KNOWN);
        }
    }
}

/* In the places of the colours, so that a logarithmic scale bends the lines as it does those; black on white, as marks. */
static Status draw_contours(const FigureHeatmap *map, const FigureTicks *ticks, FigureBox plot, FILE *file,
                            Error *error) {
    size_t columns = map->x.count, rows = map->y.count;
    double *places = memory_allocate(rows, columns * sizeof *places);
    if (places == NULL) return memory_fail(error, "a figure");
    for (size_t i = 0; i < rows * columns; i++) places[i] = figure_scale_place(&map->scale, map->values[i]);
    for (size_t i = 0; i < ticks->count; i++) {
        double level = figure_scale_place(&map->scale, ticks->values[i]);
        figure_contour_draw(places, columns, rows, level, plot, HALO, file);
        figure_contour_draw(places, columns, rows, level, plot, CONTOUR, file);
    }
    free(places);
    return STATUS_OK;
}

static void draw_frames(const FigureHeatmap *map, FigureBox plot, FILE *file) {
    double width = plot.width / (double)map->x.count, height = plot.height / (double)map->y.count;
    figure_svg_outline(file, plot, FRAME);
    for (size_t i = 0; i < map->mark_count; i++)
        draw_mark(&map->marks[i], plot.x, plot.y, width, height, file);
}

static void draw_axes(const FigureHeatmap *map, FigureBox plot, double left, FILE *file) {
    double width = plot.width / (double)map->x.count, height = plot.height / (double)map->y.count;
    double bottom = plot.y + plot.height;
    FigureFont across = {.size = TICK, .anchor = FIGURE_MIDDLE}, along = {.size = TICK, .anchor = FIGURE_END};
    for (size_t i = 0; i < map->x.count; i += name_stride(&map->x, width, true)) {
        double x = plot.x + ((double)i + 0.5) * width;
        figure_svg_line(file, x, bottom, x, bottom + STEM, FRAME);
        figure_svg_text(file, x, bottom + STEM + TICK * 0.7, across, map->x.names[i]);
    }
    for (size_t i = 0; i < map->y.count; i += name_stride(&map->y, height, false)) {
        double y = plot.y + ((double)i + 0.5) * height;
        figure_svg_line(file, plot.x - STEM, y, plot.x, y, FRAME);
        figure_svg_text(file, plot.x - STEM - GAP / 2.0, y, along, map->y.names[i]);
    }
    FigureFont name = {.size = LABEL, .anchor = FIGURE_MIDDLE}, upright = name;
    upright.upright = true;
    figure_svg_text(file, plot.x + plot.width / 2.0, bottom + STEM + TICK * 1.4 + LABEL * 0.7, name,
                    map->x.label);
    figure_svg_text(file, left + LABEL * 0.5, plot.y + plot.height / 2.0, upright, map->y.label);
}

/* Names within a page are one for all its figures. */
static void draw_ramp(const FigureHeatmap *map, const FigureSheet *sheet, FigureBox bar, FILE *file) {
    char name[64] = "ramp";
    if (sheet->name != NULL) (void)snprintf(name, sizeof name, "%.48s-ramp", sheet->name);
    figure_svg_gradient(file, bar, map->ramp, name);
    figure_svg_outline(file, bar, FRAME);
}

static void draw_bar(const FigureHeatmap *map, const FigureTicks *ticks, FigureBox bar, double label,
                     FILE *file) {
    FigureFont font = {.size = TICK}, name = {.size = LABEL, .anchor = FIGURE_MIDDLE, .upright = true};
    for (size_t i = 0; i < ticks->count; i++) {
        double y = bar.y + bar.height * (1.0 - figure_scale_place(&map->scale, ticks->values[i]));
        figure_svg_line(file, bar.x + bar.width, y, bar.x + bar.width + STEM, y, FRAME);
        figure_svg_text(file, bar.x + bar.width + STEM + GAP / 2.0, y, font, ticks->labels[i]);
    }
    figure_svg_text(file, label, bar.y + bar.height / 2.0, name, map->bar_label);
}

Status figure_heatmap_draw(const FigureHeatmap *map, const FigureSheet *sheet, FILE *file, Error *error) {
    FigureBox area = figure_svg_begin(sheet, file);
    double below = STEM + TICK * 1.4 + LABEL * 1.3 + LABEL * 1.4 * (double)map->note_count;
    FigureBox plot = {.y = area.y + TICK * 0.5, .height = area.height - below - TICK * 0.5};
    FigureTicks ticks = figure_scale_ticks(&map->scale, (size_t)fmax(2.0, plot.height / (TICK * 2.5)));
    double ticks_width = 0.0;
    for (size_t i = 0; i < ticks.count; i++)
        ticks_width = fmax(ticks_width, figure_svg_text_width(ticks.labels[i], TICK));
    plot.x = area.x + LABEL * 1.4 + widest_name(&map->y) + STEM + GAP;
    double bar_label = area.x + area.width - LABEL * 0.5;
    FigureBox bar = {.y = plot.y, .width = BAR, .height = plot.height};
    bar.x = bar_label - LABEL * 0.9 - ticks_width - STEM - GAP - BAR;
    plot.width = bar.x - LABEL - plot.x;
    if (!(plot.width > 0.0 && plot.height > 0.0))
        return status_fail(error, STATUS_ARGUMENT,
                           "the figure is too small for its labels: expected a larger width or height");
    draw_cells(map, plot, file);
    Status status = map->has_contours ? draw_contours(map, &ticks, plot, file, error) : STATUS_OK;
    if (status != STATUS_OK) return status;
    draw_frames(map, plot, file);
    draw_axes(map, plot, area.x, file);
    draw_ramp(map, sheet, bar, file);
    draw_bar(map, &ticks, bar, bar_label, file);
    for (size_t i = 0; i < map->note_count; i++) {
        FigureFont font = {.size = TICK, .anchor = FIGURE_MIDDLE};
        double up = TICK * 0.5 + LABEL * 1.4 * (double)(map->note_count - 1 - i);
        figure_svg_text(file, plot.x + plot.width / 2.0, area.y + area.height - up, font, map->notes[i]);
    }
    return figure_svg_end(file, error);
}
