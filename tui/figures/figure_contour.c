#include "tui/figures/figure_contour.h"

#include <math.h>

typedef struct Point {
    double x, y;
} Point;

/* Corners of a square between four middles, clockwise from the upper left; side i goes from corner i to i + 1. */
enum { CORNERS = 4 };

/* Where the line crosses each side of a square; the number of crossings: 0, 2 or 4. */
static size_t find_crossings(const double *values, const Point *corners, double level, Point *crossings) {
    size_t count = 0;
    for (size_t i = 0; i < CORNERS; i++) {
        size_t next = (i + 1) % CORNERS;
        double a = values[i] - level, b = values[next] - level;
        if ((a < 0.0) == (b < 0.0)) continue;
        double share = a / (a - b);
        crossings[count++] = (Point){corners[i].x + share * (corners[next].x - corners[i].x),
                                     corners[i].y + share * (corners[next].y - corners[i].y)};
    }
    return count;
}

/* Of a saddle, whose four crossings are in the order of the sides, the middle tells which corners belong together. */
static void draw_square(const double *values, const Point *corners, double level, FigureLine line,
                        FILE *file) {
    Point at[CORNERS];
    size_t count = find_crossings(values, corners, level, at);
    if (count == 2) figure_svg_line(file, at[0].x, at[0].y, at[1].x, at[1].y, line);
    if (count != CORNERS) return;
    double middle = (values[0] + values[1] + values[2] + values[3]) / CORNERS;
    bool with_first = (middle < level) == (values[0] < level);
    size_t other = with_first ? 1 : 3; /* the crossing that pairs with the first */
    size_t left = with_first ? 2 : 1, right = with_first ? 3 : 2;
    figure_svg_line(file, at[0].x, at[0].y, at[other].x, at[other].y, line);
    figure_svg_line(file, at[left].x, at[left].y, at[right].x, at[right].y, line);
}

void figure_contour_draw(const double *places, size_t columns, size_t rows, double level, FigureBox box,
                         FigureLine line, FILE *file) {
    double width = box.width / (double)columns, height = box.height / (double)rows;
    for (size_t row = 0; row + 1 < rows; row++) {
        for (size_t column = 0; column + 1 < columns; column++) {
            const double *upper = places + row * columns + column, *lower = upper + columns;
            const double values[CORNERS] = {upper[0], upper[1], lower[1], lower[0]};
            double left = box.x + ((double)column + 0.5) * width, right = left + width;
            double top = box.y + ((double)row + 0.5) * height, bottom = top + height;
            const Point corners[CORNERS] = {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
            bool is_known = true;
            for (size_t i = 0; i < CORNERS; i++) is_known = is_known && isfinite(values[i]);
            if (is_known) draw_square(values, corners, level, line, file);
        }
    }
}
