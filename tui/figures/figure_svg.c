#include "tui/figures/figure_svg.h"

#include "core/files/disk.h"
#include "tui/canvas/picture_svg.h"
#include "tui/text/text.h"

#include <math.h>
#include <string.h>

static const double TITLE_SIZE = 10.0, EDGE = 4.0, MILLIMETRE = 72.0 / 25.4;

/* ---- the sheet ---- */

FigureBox figure_svg_begin(const FigureSheet *sheet, FILE *file) {
    FigureBox area = {EDGE, EDGE, sheet->width - 2.0 * EDGE, sheet->height - 2.0 * EDGE};
    (void)fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.2fmm\" height=\"%.2fmm\" "
        "viewBox=\"0 0 %.2f %.2f\" font-family=\"Helvetica,Arial,Liberation Sans,Nimbus Sans,DejaVu "
        "Sans,sans-serif\" fill=\"#000000\">\n",
        sheet->width / MILLIMETRE, sheet->height / MILLIMETRE, sheet->width, sheet->height);
    if (sheet->title != NULL) {
        (void)fputs("<title>", file);
        picture_svg_write_text(sheet->title, file);
        (void)fputs("</title>\n", file);
    }
    (void)fputs("<desc>", file);
    picture_svg_write_text(sheet->description, file);
    (void)fprintf(file, "</desc>\n<rect width=\"%.2f\" height=\"%.2f\" fill=\"#ffffff\"/>\n", sheet->width,
                  sheet->height);
    if (sheet->title == NULL) return area;
    FigureFont font = {.size = TITLE_SIZE, .anchor = FIGURE_MIDDLE, .bold = true};
    figure_svg_text(file, sheet->width / 2.0, EDGE + TITLE_SIZE * 0.6, font, sheet->title);
    area.y += TITLE_SIZE * 1.6;
    area.height -= TITLE_SIZE * 1.6;
    return area;
}

Status figure_svg_end(FILE *file, Error *error) {
    (void)fputs("</svg>\n", file);
    return disk_check_stream(file, "the figure", error);
}

/* ---- drawing ---- */

void figure_svg_text(FILE *file, double x, double y, FigureFont font, const char *text) {
    static const char *const ANCHORS[] = {"start", "middle", "end"};
    double down = font.size * 0.35; /* from the middle of the characters to the baseline */
    if (font.upright)
        (void)fprintf(file, "<text transform=\"translate(%.2f %.2f) rotate(-90)\"", x + down, y);
    else
        (void)fprintf(file, "<text x=\"%.2f\" y=\"%.2f\"", x, y + down);
    (void)fprintf(file, " font-size=\"%.3g\"", font.size);
    if (font.anchor != FIGURE_START) (void)fprintf(file, " text-anchor=\"%s\"", ANCHORS[font.anchor]);
    if (font.bold) (void)fputs(" font-weight=\"bold\"", file);
    (void)fputs(">", file);
    picture_svg_write_text(text, file);
    (void)fputs("</text>\n", file);
}

static void write_stroke(FILE *file, FigureLine line) {
    (void)fprintf(file, " stroke=\"#%06x\" stroke-width=\"%.3g\"", line.colour, line.width);
    if (line.dashes != NULL) (void)fprintf(file, " stroke-dasharray=\"%s\"", line.dashes);
}

void figure_svg_line(FILE *file, double x1, double y1, double x2, double y2, FigureLine line) {
    (void)fprintf(file, "<path d=\"M%.2f %.2fL%.2f %.2f\" fill=\"none\"", x1, y1, x2, y2);
    write_stroke(file, line);
    (void)fputs("/>\n", file);
}

void figure_svg_curve(FILE *file, const double *x, const double *y, size_t count, FigureLine line) {
    bool joins = false;
    (void)fputs("<path d=\"", file);
    for (size_t i = 0; i < count; i++) {
        bool is_there = isfinite(x[i]) && isfinite(y[i]);
        if (is_there) (void)fprintf(file, "%c%.2f %.2f", joins ? 'L' : 'M', x[i], y[i]);
        joins = is_there;
    }
    (void)fputs("\" fill=\"none\" stroke-linejoin=\"round\"", file);
    write_stroke(file, line);
    (void)fputs("/>\n", file);
}

static void finish_element(FILE *file, const char *name, const char *note) {
    if (note == NULL) {
        (void)fputs("/>\n", file);
        return;
    }
    (void)fputs("><title>", file);
    picture_svg_write_text(note, file);
    (void)fprintf(file, "</title></%s>\n", name);
}

void figure_svg_marker(FILE *file, double x, double y, size_t series, double size, const char *note) {
    /* circle, square, triangle, diamond, triangle downwards, cross, plus: in units of half the size */
    static const char *const SHAPES[FIGURE_SERIES_MOST] = {
        "M-1 0A1 1 0 1 1 1 0A1 1 0 1 1-1 0z",
        "M-.9-.9H.9V.9H-.9z",
        "M0-1.1L1.1.9H-1.1z",
        "M0-1.2L1.2 0L0 1.2L-1.2 0z",
        "M0 1.1L1.1-.9H-1.1z",
        "M-1-.6L-.6-1L0-.4L.6-1L1-.6L.4 0L1 .6L.6 1L0 .4L-.6 1L-1 .6L-.4 0z",
        "M-.3-1H.3V-.3H1V.3H.3V1H-.3V.3H-1V-.3H-.3z"};
    if (!isfinite(x) || !isfinite(y)) return;
    (void)fprintf(file, "<path transform=\"translate(%.2f %.2f) scale(%.3g)\" d=\"%s\" fill=\"#%06x\"", x, y,
                  size / 2.0, SHAPES[series % FIGURE_SERIES_MOST], figure_svg_series(series).colour);
    finish_element(file, "path", note);
}

void figure_svg_fill(FILE *file, FigureBox box, unsigned colour, const char *note) {
    (void)fprintf(file,
                  "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\" "
                  "shape-rendering=\"crispEdges\"",
                  box.x, box.y, box.width, box.height, colour);
    finish_element(file, "rect", note);
}

void figure_svg_outline(FILE *file, FigureBox box, FigureLine line) {
    (void)fprintf(file, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"none\"", box.x,
                  box.y, box.width, box.height);
    write_stroke(file, line);
    (void)fputs("/>\n", file);
}

/* ---- looks ---- */

/* Where none of the fonts asked for is there, another takes its place, and most are wider. */
static const double ROOM = 1.12;

/* Thousandths of the size, for U+0020 … U+007E: the metrics of Helvetica. */
static const short WIDTHS[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

double figure_svg_text_width(const char *text, double size) {
    enum { OTHER = 584, WIDE = 1000 };
    double width = 0.0;
    for (size_t left = strlen(text); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        if (character >= 0x20 && character < 0x7F)
            width += WIDTHS[character - 0x20];
        else
            width += text_character_width(character) == 2   ? WIDE
                     : text_character_width(character) == 0 ? 0
                                                            : OTHER;
        text += bytes;
        left -= bytes;
    }
    return width * size * ROOM / 1000.0;
}

/* Nine of viridis' 256 colours, evenly spaced; and blue–white–red. Between them colours are mixed. */
enum { STOPS = 9 };
static const unsigned RAMPS[][STOPS] = {
    [FIGURE_SEQUENTIAL] = {0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30,
                           0xfde725},
    [FIGURE_DIVERGING] = {0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d,
                          0xb2182b},
};

unsigned figure_svg_colour(FigureRamp ramp, double share) {
    if (!(share > 0.0)) return RAMPS[ramp][0];
    if (share >= 1.0) return RAMPS[ramp][STOPS - 1];
    double place = share * (STOPS - 1);
    size_t stop = (size_t)place;
    double rest = place - (double)stop;
    unsigned colour = 0, from = RAMPS[ramp][stop], to = RAMPS[ramp][stop + 1];
    for (unsigned shift = 0; shift < 24; shift += 8) {
        double mixed = (from >> shift & 0xFF) * (1.0 - rest) + (to >> shift & 0xFF) * rest;
        colour |= (unsigned)lround(mixed) << shift;
    }
    return colour;
}

void figure_svg_gradient(FILE *file, FigureBox box, FigureRamp ramp, const char *name) {
    (void)fprintf(file, "<linearGradient id=\"%s\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">\n", name);
    for (size_t i = 0; i < STOPS; i++)
        (void)fprintf(file, "<stop offset=\"%.4g\" stop-color=\"#%06x\"/>\n", (double)i / (STOPS - 1),
                      RAMPS[ramp][i]);
    (void)fprintf(file,
                  "</linearGradient>\n<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
                  "fill=\"url(#%s)\"/>\n",
                  box.x, box.y, box.width, box.height, name);
}

FigureLine figure_svg_series(size_t series) {
    static const FigureLine LINES[FIGURE_SERIES_MOST] = {
        {0x0072b2, 1.25, NULL},      {0xd55e00, 1.25, "5 2"}, {0x009e73, 1.25, "2 1.5"},
        {0xcc79a7, 1.25, "7 2 1 2"}, {0xe69f00, 1.25, "9 3"}, {0x56b4e9, 1.25, "4 1.5 1 1.5"},
        {0x000000, 1.25, "1 1.5"},
    };
    return LINES[series % FIGURE_SERIES_MOST];
}
