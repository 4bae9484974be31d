#include "tui/canvas/chart.h"

#include "core/support/memory.h"
#include "tui/text/format.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EIGHTHS = 8,
    AXIS_COLUMNS = 8,
    SURFACE_ROWS = 4,
    BRAILLE_ROWS = 4,
    BRAILLE_COLUMNS = 2,
    POINT_COLUMNS = 3 /* from one point to the next, where the line shall show between them */
};

static const char *const LEFT_EIGHTHS[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const LOWER_EIGHTHS[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const LOWER_ASCII[] = {" ", "_", ".", "-", "=", "+", "*", "#", "@"};

/* Eighths of `length` cells that a share fills; anything above 0 shows. */
static int eighths_of(double share, int length) {
    if (!(share > 0)) return 0;
    int eighths = (int)lround(fmin(share, 1) * length * (double)EIGHTHS);
    return eighths > 0 ? eighths : 1;
}

void chart_draw_bar(Canvas *canvas, Rect area, int row, int column, int columns, double share, Role role) {
    if (columns <= 0) return;
    int eighths = eighths_of(share, columns);
    if (canvas->theme.ascii) eighths = eighths == 0 ? 0 : (eighths + EIGHTHS / 2) / EIGHTHS * EIGHTHS;
    if (canvas->theme.ascii && share > 0 && eighths == 0) eighths = EIGHTHS;
    int whole = eighths / EIGHTHS;
    canvas_fill_row(canvas, area, row, column, whole, role, "█");
    if (eighths % EIGHTHS != 0)
        (void)canvas_write(canvas, area, row, column + whole, role, LEFT_EIGHTHS[eighths % EIGHTHS]);
}

/* ---- curves ---- */

typedef struct Scale {
    double x_low, x_high, y_low, y_high;
    Rect plot;
} Scale;

static void widen(double value, double *low, double *high) {
    if (!isfinite(value)) return;
    if (!(*low <= value)) *low = value; /* also from NaN */
    if (!(*high >= value)) *high = value;
}

/* Where a value stands along the axis; NaN where it has no place on it. */
static double place(const Chart *chart, double y) {
    if (!chart->logarithmic) return y;
    return y > 0 ? log10(y) : NAN;
}

static double value_at(const Chart *chart, double place_of_it) {
    return chart->logarithmic ? pow(10, place_of_it) : place_of_it;
}

static Scale find_scale(const Chart *chart, Rect plot) {
    bool given = chart->y_low < chart->y_high;
    Scale scale = {NAN, NAN, given ? place(chart, chart->y_low) : NAN,
                   given ? place(chart, chart->y_high) : NAN, plot};
    for (size_t i = 0; i < chart->count; i++) {
        widen(chart->x[i], &scale.x_low, &scale.x_high);
        for (size_t s = 0; s < chart->series_count && !given; s++)
            widen(place(chart, chart->series[s].y[i]), &scale.y_low, &scale.y_high);
    }
    if (!given && scale.y_low == scale.y_high) { /* a level line stands in the middle, 0 at the bottom */
        double room = fabs(scale.y_low) * 0.5;
        scale.y_low -= room;
        scale.y_high += room > 0 ? room : 1;
    }
    return scale;
}

/* Where x and y fall among `count` places along their axis. */
static int across(const Scale *scale, double x, int count) {
    double range = scale->x_high - scale->x_low;
    return range > 0 ? (int)lround((x - scale->x_low) / range * (count - 1)) : 0;
}

static int down(const Scale *scale, double y, int count) {
    double range = scale->y_high - scale->y_low;
    double share = range > 0 ? fmin(1, fmax(0, (y - scale->y_low) / range)) : 0.5;
    return (int)lround((1 - share) * (count - 1));
}

/* What curves are drawn on: dots, one a cell, or 2 × 4 in each as braille has them. Where `bits` is NULL a dot is a cell
 * and is drawn at once. */
typedef struct Dots {
    Canvas *canvas;
    Rect plot;
    unsigned char *bits; /* [rows × columns] of the plot */
    int rows, columns;   /* in dots */
} Dots;

static Dots make_dots(Canvas *canvas, Rect plot, bool is_fine) {
    Dots dots = {canvas, plot, NULL, plot.rows, plot.columns};
    if (!is_fine || canvas->theme.ascii || canvas->theme.lacks_braille) return dots;
    dots.bits = memory_allocate((size_t)plot.rows * (size_t)plot.columns, 1);
    if (dots.bits == NULL) return dots; /* coarser, and no less true */
    dots.rows *= BRAILLE_ROWS;
    dots.columns *= BRAILLE_COLUMNS;
    return dots;
}

/* The later of two curves that cross in a cell gives the colour. */
static void set_dot(Dots *dots, int row, int column, Role role) {
    static const unsigned char BITS[BRAILLE_ROWS][BRAILLE_COLUMNS] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    if (dots->bits == NULL) {
        (void)canvas_write(dots->canvas, dots->plot, row, column, role, "·");
        return;
    }
    int r = row / BRAILLE_ROWS, c = column / BRAILLE_COLUMNS;
    unsigned char *bits = &dots->bits[(size_t)r * (size_t)dots->plot.columns + (size_t)c];
    *bits |= BITS[row % BRAILLE_ROWS][column % BRAILLE_COLUMNS];
    const char glyph[] = {'\xe2', (char)(0xa0 | *bits >> 6), (char)(0x80 | (*bits & 0x3f)),
                          '\0'}; /* U+2800 + bits */
    (void)canvas_write(dots->canvas, dots->plot, r, c, role, glyph);
}

/* A line from one dot to another; the first is there already. */
static void join(Dots *dots, int row, int column, int to_row, int to_column, Role role) {
    int width = abs(to_column - column), height = abs(to_row - row);
    int steps = width > height ? width : height;
    for (int i = 1; i <= steps; i++) {
        int r = row + (int)lround((double)(to_row - row) * i / steps);
        int c = column + (int)lround((double)(to_column - column) * i / steps);
        set_dot(dots, r, c, role);
    }
}

static const char *series_glyph(const Chart *chart, size_t index) {
    static const char *const GLYPHS[] = {"●", "×", "+", "■", "○", "▲"};
    const char *own = chart->series[index].glyph;
    return own != NULL ? own : GLYPHS[index % (sizeof GLYPHS / sizeof GLYPHS[0])];
}

static void draw_line(Dots *dots, const Chart *chart, const Scale *scale, size_t index) {
    const ChartSeries *series = &chart->series[index];
    int row = 0, column = 0;
    bool before = false;
    for (size_t i = 0; i < chart->count; i++) {
        double y = place(chart, series->y[i]);
        if (!isfinite(y) || !isfinite(chart->x[i])) {
            before = false;
            continue;
        }
        int next_row = down(scale, y, dots->rows), next_column = across(scale, chart->x[i], dots->columns);
        if (before)
            join(dots, row, column, next_row, next_column, series->role);
        else
            set_dot(dots, next_row, next_column, series->role);
        row = next_row;
        column = next_column;
        before = true;
    }
}

/* The points, which tell curves apart, in the cells of their dots; where they would hide a finer line, only so many that it
 * shows between them. */
static void draw_points(const Dots *dots, const Chart *chart, const Scale *scale, size_t index) {
    const ChartSeries *series = &chart->series[index];
    int high = dots->rows / dots->plot.rows, wide = dots->columns / dots->plot.columns, last = INT_MIN;
    for (size_t i = 0; i < chart->count; i++) {
        double y = place(chart, series->y[i]);
        if (!isfinite(y) || !isfinite(chart->x[i])) continue;
        int column = across(scale, chart->x[i], dots->columns) / wide;
        if (dots->bits != NULL && last != INT_MIN && column - last < POINT_COLUMNS) continue;
        (void)canvas_write(dots->canvas, dots->plot, down(scale, y, dots->rows) / high, column, series->role,
                           series_glyph(chart, index));
        last = column;
    }
}

/* y at a column, on a straight line between the points beside it; NaN where it has none on either side. */
static double y_at(const Chart *chart, const Scale *scale, const double *values, int column) {
    double range = scale->x_high - scale->x_low;
    double x =
        scale->plot.columns > 1 ? scale->x_low + range * column / (scale->plot.columns - 1) : scale->x_low;
    size_t after = 0;
    while (after + 1 < chart->count && chart->x[after] < x) after++;
    double y = place(chart, values[after]);
    if (after == 0 || !(chart->x[after] > x)) return y;
    double before = place(chart, values[after - 1]), width = chart->x[after] - chart->x[after - 1];
    return before + (y - before) * (x - chart->x[after - 1]) / width;
}

/* In a few rows points show a few heights only: the curve as the upper edge of a surface has eight in each. */
static void draw_surface(Canvas *canvas, const Chart *chart, const Scale *scale, int mark) {
    const char *const *glyphs = canvas->theme.ascii ? LOWER_ASCII : LOWER_EIGHTHS;
    double range = scale->y_high - scale->y_low;
    for (int column = 0; column < scale->plot.columns; column++) {
        double y = y_at(chart, scale, chart->series[0].y, column);
        if (!isfinite(y)) continue;
        double share = range > 0 ? fmin(1, fmax(0, (y - scale->y_low) / range)) : 0.5;
        int eighths = 1 + (int)lround(share * (scale->plot.rows * EIGHTHS - 1)); /* the lowest shows too */
        Role role = column == mark ? ROLE_MARK : chart->series[0].role;
        for (int row = scale->plot.rows - 1; row >= 0 && eighths > 0; row--, eighths -= EIGHTHS)
            (void)canvas_write(canvas, scale->plot, row, column, role,
                               glyphs[eighths > EIGHTHS ? EIGHTHS : eighths]);
    }
}

static void draw_axes(Canvas *canvas, Rect area, const Chart *chart, const Scale *scale) {
    char text[FORMAT_SIZE];
    Rect plot = scale->plot;
    Rect gutter = rect_make(area.row, area.column, area.rows, plot.column - area.column - 1);
    int top = plot.row - area.row, bottom = top + plot.rows - 1, left = plot.column - area.column;
    if (isfinite(scale->y_high))
        (void)canvas_write_right(canvas, gutter, top, gutter.columns, ROLE_DIM,
                                 format_fit(value_at(chart, scale->y_high), AXIS_COLUMNS - 2, text));
    if (isfinite(scale->y_low) && bottom > top)
        (void)canvas_write_right(canvas, gutter, bottom, gutter.columns, ROLE_DIM,
                                 format_fit(value_at(chart, scale->y_low), AXIS_COLUMNS - 2, text));
    canvas_fill_column(canvas, area, top, left - 1, plot.rows, ROLE_BAR_REST, "│");
    (void)canvas_write(canvas, area, top, left - 1, ROLE_BAR_REST, "┤");
    (void)canvas_write(canvas, area, bottom, left - 1, ROLE_BAR_REST, "┤");
    if (bottom + 1 >= area.rows || !isfinite(scale->x_low)) return;
    (void)canvas_write(canvas, area, bottom + 1, left, ROLE_DIM,
                       format_fit(scale->x_low, AXIS_COLUMNS - 2, text));
    (void)canvas_write_right(canvas, area, bottom + 1, area.columns, ROLE_DIM,
                             format_fit(scale->x_high, AXIS_COLUMNS - 2, text));
    if (chart->x_label == NULL) return;
    int middle = left + (plot.columns - text_width(chart->x_label)) / 2;
    if (middle > left + AXIS_COLUMNS)
        (void)canvas_write(canvas, area, bottom + 1, middle, ROLE_DIM, chart->x_label);
}

/* Where there is no room for axes: the range of y, in the row below the curves. */
static void draw_range(Canvas *canvas, Rect area, const Chart *chart, const Scale *scale) {
    char low[FORMAT_SIZE], high[FORMAT_SIZE];
    int bottom = scale->plot.row - area.row + scale->plot.rows;
    if (bottom >= area.rows || !isfinite(scale->y_low)) return;
    (void)canvas_print(canvas, area, bottom, 0, ROLE_DIM, "%s … %s",
                       format_number(value_at(chart, scale->y_low), 3, low),
                       format_number(value_at(chart, scale->y_high), 3, high));
}

static void draw_legend(Canvas *canvas, Rect row, const Chart *chart) {
    int column = 0;
    if (chart->title != NULL) column = canvas_write(canvas, row, 0, 0, ROLE_TITLE, chart->title) + 2;
    for (size_t i = 0; i < chart->series_count; i++) {
        if (chart->series[i].label == NULL) continue;
        column = canvas_write(canvas, row, 0, column, chart->series[i].role, series_glyph(chart, i));
        column = canvas_write(canvas, row, 0, column + 1, chart->series[i].role, chart->series[i].label) + 2;
    }
}

void chart_draw(Canvas *canvas, Rect area, const Chart *chart) {
    bool head = chart->title != NULL || (chart->series_count > 0 && chart->series[0].label != NULL);
    Rect plot = area;
    if (head && area.rows > 3) draw_legend(canvas, rect_cut_top(&plot, 1), chart);
    if (area.rows > 3) (void)rect_cut_bottom(&plot, 1);
    if (area.columns > 3 * AXIS_COLUMNS) (void)rect_cut_left(&plot, AXIS_COLUMNS);
    if (rect_is_empty(plot) || chart->count == 0) return;
    Scale scale = find_scale(chart, plot);
    if (plot.column > area.column)
        draw_axes(canvas, area, chart, &scale);
    else
        draw_range(canvas, area, chart, &scale);
    bool is_surface = chart->series_count == 1 && plot.rows <= SURFACE_ROWS;
    Dots dots = make_dots(canvas, plot, !is_surface);
    int mark = -1;
    if (chart->mark >= scale.x_low && chart->mark <= scale.x_high)
        mark = across(&scale, chart->mark, dots.columns) / (dots.columns / plot.columns);
    if (mark >= 0) canvas_fill_column(canvas, plot, 0, mark, plot.rows, ROLE_MARK, "│");
    if (is_surface) draw_surface(canvas, chart, &scale, mark);
    for (size_t i = 0; i < chart->series_count && !is_surface; i++) draw_line(&dots, chart, &scale, i);
    for (size_t i = 0; i < chart->series_count && !is_surface; i++) draw_points(&dots, chart, &scale, i);
    free(dots.bits);
}

/* ---- histograms ---- */

/* The largest of the bins that a column stands for; a column between two bins' beginnings belongs to the one
 * it lies in. */
static double pool(const double *counts, size_t bins, int column, int columns) {
    size_t begin = (size_t)column * bins / (size_t)columns,
           end = ((size_t)column + 1) * bins / (size_t)columns;
    if (end <= begin) end = begin + 1;
    double largest = 0;
    for (size_t i = begin; i < end && i < bins; i++)
        if (counts[i] > largest) largest = counts[i];
    return largest;
}

static double largest_of(const double *counts, size_t bins) {
    double largest = 0;
    for (size_t i = 0; i < bins; i++)
        if (counts[i] > largest) largest = counts[i];
    return largest;
}

void chart_draw_histogram(Canvas *canvas, Rect area, const double *counts, size_t bins, bool logarithmic,
                          const char *low, const char *high, Role role) {
    double largest = largest_of(counts, bins);
    if (area.rows >= 2 && low != NULL && high != NULL) {
        Rect labels = rect_cut_bottom(&area, 1);
        int end = canvas_write(canvas, labels, 0, 0, ROLE_DIM, low);
        if (end + 1 + text_width(high) <= labels.columns)
            (void)canvas_write_right(canvas, labels, 0, labels.columns, ROLE_DIM, high);
    }
    if (rect_is_empty(area) || bins == 0 || !(largest > 0)) return;
    const char *const *glyphs = canvas->theme.ascii ? LOWER_ASCII : LOWER_EIGHTHS;
    for (int column = 0; column < area.columns; column++) {
        double value = pool(counts, bins, column, area.columns);
        double share = logarithmic ? log1p(value) / log1p(largest) : value / largest;
        int eighths = eighths_of(share, area.rows);
        for (int row = area.rows - 1; row >= 0 && eighths > 0; row--, eighths -= EIGHTHS)
            (void)canvas_write(canvas, area, row, column, role,
                               glyphs[eighths > EIGHTHS ? EIGHTHS : eighths]);
    }
}

void chart_draw_spark(Canvas *canvas, Rect area, int row, int column, int columns, const double *values,
                      size_t count, Role role) {
    double largest = largest_of(values, count);
    if (count < (size_t)(columns > 0 ? columns : 0)) columns = (int)count;
    const char *const *glyphs = canvas->theme.ascii ? LOWER_ASCII : LOWER_EIGHTHS;
    for (int i = 0; i < columns; i++) {
        double share = largest > 0 ? pool(values, count, i, columns) / largest : 0;
        (void)canvas_write(canvas, area, row, column + i, role, glyphs[eighths_of(share, 1)]);
    }
}
