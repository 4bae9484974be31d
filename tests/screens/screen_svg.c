#include "tests/screens/screen_svg.h"

#include "tui/canvas/picture_svg.h"

#include <string.h>

/*
 *      ┌──────────────────────────┐ ┐
 *      │ ● ● ●        title       │ │ SVG_BAR
 *      ├──────────────────────────┤ ┘
 *      │ SVG_MARGIN all around    │
 *      │   cells
 */
enum { SVG_MARGIN = 8, SVG_BAR = 24, SVG_DEFAULT_FOREGROUND = 0xd4d4d4, SVG_DEFAULT_BACKGROUND = 0x16181d };

static unsigned indexed_colour(unsigned index) {
    static const unsigned basic[16] = {0x2b2f38, 0xe06c75, 0x8fc379, 0xd9b363, 0x61a5ee, 0xc678dd,
                                       0x56b6c2, 0xd4d4d4, 0x6b7280, 0xff8b94, 0xaee39a, 0xf2d58a,
                                       0x8cc4ff, 0xe0a0f2, 0x7fdbe6, 0xffffff};
    if (index < 16) return basic[index];
    if (index >= 232) return (8 + 10 * (index - 232)) * 0x010101;
    static const unsigned levels[6] = {0, 95, 135, 175, 215, 255};
    index -= 16;
    return levels[index / 36] << 16 | levels[index / 6 % 6] << 8 | levels[index % 6];
}

static unsigned colour_value(TerminalColour colour, unsigned fallback) {
    if (colour.kind == TERMINAL_COLOUR_DEFAULT) return fallback;
    if (colour.kind == TERMINAL_COLOUR_INDEXED) return indexed_colour(colour.index);
    return (unsigned)colour.red << 16 | (unsigned)colour.green << 8 | colour.blue;
}

static PictureSvgCell terminal_cell(const void *source, int row, int column) {
    const TerminalCell cell = terminal_host_cell(source, row, column);
    unsigned foreground = colour_value(cell.foreground, SVG_DEFAULT_FOREGROUND);
    unsigned background = colour_value(cell.background, SVG_DEFAULT_BACKGROUND);
    PictureSvgCell drawn = {.width = cell.width,
                            .front = cell.reverse ? background : foreground,
                            .back = cell.reverse ? foreground : background,
                            .bold = cell.bold,
                            .italic = cell.italic,
                            .underline = cell.underline,
                            .strike = cell.strike};
    _Static_assert(sizeof drawn.text == sizeof cell.text, "the texts of cells");
    memcpy(drawn.text, cell.text, sizeof drawn.text);
    return drawn;
}

static void write_frame(const PictureSvgGrid *grid, const char *title, FILE *file) {
    int width = grid->columns * PICTURE_SVG_CELL_WIDTH + 2 * SVG_MARGIN;
    int height = grid->rows * PICTURE_SVG_CELL_HEIGHT + 2 * SVG_MARGIN + SVG_BAR;
    (void)fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" " PICTURE_SVG_FONT
        ">\n",
        width, height, width, height);
    (void)fprintf(file,
                  "<rect width=\"%d\" height=\"%d\" rx=\"7\" fill=\"#%06x\"/>\n"
                  "<path d=\"M0 %dV7a7 7 0 0 1 7-7H%da7 7 0 0 1 7 7V%dz\" fill=\"#2a2d35\"/>\n",
                  width, height, SVG_DEFAULT_BACKGROUND, SVG_BAR, width - 7, SVG_BAR);
    static const char *const lights[] = {"#ec6a5e", "#f4bf4f", "#61c554"};
    for (int i = 0; i < 3; i++)
        (void)fprintf(file, "<circle cx=\"%d\" cy=\"12\" r=\"5\" fill=\"%s\"/>\n", 15 + 17 * i, lights[i]);
    (void)fprintf(file, "<text x=\"%d\" y=\"16\" text-anchor=\"middle\" font-size=\"12\" fill=\"#a0a4ad\">",
                  width / 2);
    picture_svg_write_text(title, file);
    (void)fprintf(file, "</text>\n<g transform=\"translate(%d %d)\">\n", SVG_MARGIN, SVG_MARGIN + SVG_BAR);
}

Status screen_svg_write(const TerminalHost *host, const char *title, FILE *file, Error *error) {
    PictureSvgGrid grid = {.source = host,
                           .cell = terminal_cell,
                           .rows = terminal_host_rows(host),
                           .columns = terminal_host_columns(host),
                           .background = SVG_DEFAULT_BACKGROUND,
                           .cursor_colour = SVG_DEFAULT_FOREGROUND};
    if (!terminal_host_is_running(host) || !terminal_host_cursor(host, &grid.cursor_row, &grid.cursor_column))
        grid.cursor_row = grid.cursor_column = -1;
    write_frame(&grid, title, file);
    Status status = picture_svg_write(&grid, file, error);
    (void)fputs("</g>\n</svg>\n", file);
    if (status == STATUS_OK && ferror(file))
        status = status_fail(error, STATUS_IO, "the drawing cannot be written");
    return status;
}
