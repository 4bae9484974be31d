#include "tui/canvas/picture.h"

#include "core/files/disk.h"
#include "tui/canvas/picture_svg.h"

#include <assert.h>
#include <string.h>

enum { MARGIN = 8 }; /* of an SVG, all around */

static_assert((int)PICTURE_SVG_TEXT_SIZE > (int)TEXT_CLUSTER_BYTES, "a cell's text fits");

static const struct {
    const char *end;
    PictureFormat format;
} ENDS[] = {{".svg", PICTURE_SVG}, {".ansi", PICTURE_ANSI}, {".ans", PICTURE_ANSI}, {".txt", PICTURE_TEXT}};

bool picture_find_format(const char *path, PictureFormat *format) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        size_t bytes = strlen(ENDS[i].end);
        if (length <= bytes || strcasecmp(path + length - bytes, ENDS[i].end) != 0) continue;
        *format = ENDS[i].format;
        return true;
    }
    return false;
}

/* ---- SVG ---- */

/* What the terminal's own colours are taken for: a terminal knows, a file has to be told. */
typedef struct Ground {
    unsigned front, back; /* 0xRRGGBB */
} Ground;

static const Ground DARK_GROUND = {0xd4d4d4, 0x16181d}, LIGHT_GROUND = {0x1f2328, 0xffffff};

typedef struct Source {
    const Canvas *canvas;
    Ground ground;
} Source;

static unsigned colour_value(Colour colour, unsigned fallback) {
    uint8_t rgb[3];
    if (colour == THEME_DEFAULT_COLOUR) return fallback;
    theme_rgb(colour, rgb);
    return (unsigned)rgb[0] << 16 | (unsigned)rgb[1] << 8 | rgb[2];
}

static Ground ground_of(const Theme *theme) {
    Ground ground = theme->kind == THEME_LIGHT ? LIGHT_GROUND : DARK_GROUND;
    if (theme_paints(theme))
        ground = (Ground){colour_value(theme_foreground(theme), ground.front),
                          colour_value(theme_background(theme), ground.back)};
    return ground;
}

static PictureSvgCell cell_of(const void *user, int row, int column) {
    const Source *source = user;
    const Cell *cell = canvas_cell(source->canvas, row, column);
    unsigned front = colour_value(cell->style.foreground, source->ground.front);
    unsigned back = colour_value(cell->style.background, source->ground.back);
    bool reverse = (cell->style.attributes & THEME_REVERSE) != 0;
    PictureSvgCell drawn = {.width = cell->width,
                            .front = reverse ? back : front,
                            .back = reverse ? front : back,
                            .bold = (cell->style.attributes & THEME_BOLD) != 0,
                            .underline = (cell->style.attributes & THEME_UNDERLINE) != 0};
    memcpy(drawn.text, cell->text, sizeof cell->text);
    return drawn;
}

static Status write_svg(const Canvas *canvas, const char *title, FILE *file, Error *error) {
    const Source source = {canvas, ground_of(&canvas->theme)};
    const PictureSvgGrid grid = {.source = &source,
                                 .cell = cell_of,
                                 .rows = canvas->rows,
                                 .columns = canvas->columns,
                                 .background = source.ground.back,
                                 .cursor_row = canvas->cursor_row,
                                 .cursor_column = canvas->cursor_column,
                                 .cursor_colour = source.ground.front};
    int width = canvas->columns * PICTURE_SVG_CELL_WIDTH + 2 * MARGIN;
    int height = canvas->rows * PICTURE_SVG_CELL_HEIGHT + 2 * MARGIN;
    (void)fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" " PICTURE_SVG_FONT
        ">\n<title>",
        width, height, width, height);
    picture_svg_write_text(title, file);
    (void)fprintf(file,
                  "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n"
                  "<g transform=\"translate(%d %d)\">\n",
                  width, height, grid.background, MARGIN, MARGIN);
    Status status = picture_svg_write(&grid, file, error);
    (void)fputs("</g>\n</svg>\n", file); /* checked by the caller, as all of this */
    return status;
}

/* ---- ANSI ---- */

static bool is_plain(Style style) {
    return style.attributes == 0 && style.foreground == THEME_DEFAULT_COLOUR &&
           style.background == THEME_DEFAULT_COLOUR;
}

static bool is_same(Style a, Style b) {
    return a.attributes == b.attributes && a.foreground == b.foreground && a.background == b.background;
}

/* `first` is 30 for a foreground, 40 for a background. */
static void write_colour(Colour colour, int first, FILE *file) {
    if (colour == THEME_DEFAULT_COLOUR) return;
    if (colour >= THEME_RGB)
        (void)fprintf(file, ";%d;2;%d;%d;%d", first + 8, colour >> 16 & 0xFF, colour >> 8 & 0xFF,
                      colour & 0xFF);
    else if (colour >= 16)
        (void)fprintf(file, ";%d;5;%d", first + 8, colour);
    else
        (void)fprintf(file, ";%d", colour < 8 ? first + colour : first + 60 + colour - 8);
}

static void write_style(Style style, FILE *file) {
    (void)fputs("\033[0", file);
    if ((style.attributes & THEME_BOLD) != 0) (void)fputs(";1", file);
    if ((style.attributes & THEME_UNDERLINE) != 0) (void)fputs(";4", file);
    if ((style.attributes & THEME_REVERSE) != 0) (void)fputs(";7", file);
    write_colour(style.foreground, 30, file);
    write_colour(style.background, 40, file);
    (void)fputs("m", file);
}

/* The style of a cell, on the background that a theme may paint. */
static Style painted_style(const Canvas *canvas, const Cell *cell) {
    Style ground = {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0};
    if (theme_paints(&canvas->theme))
        ground = (Style){theme_foreground(&canvas->theme), theme_background(&canvas->theme), 0};
    return theme_overlay(ground, cell->style);
}

/* One more than the last column that shows anything. */
static int row_end(const Canvas *canvas, int row) {
    int end = canvas->columns;
    for (; end > 0; end--) {
        const Cell *cell = canvas_cell(canvas, row, end - 1);
        Style style = painted_style(canvas, cell);
        bool shows = style.background != THEME_DEFAULT_COLOUR ||
                     (style.attributes & (THEME_REVERSE | THEME_UNDERLINE)) != 0;
        if (shows || strcmp(cell->text, " ") != 0) break;
    }
    return end;
}

static void write_ansi(const Canvas *canvas, FILE *file) {
    const Style plain = {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0};
    for (int row = 0; row < canvas->rows; row++) {
        Style style = plain;
        int end = row_end(canvas, row);
        for (int column = 0; column < end; column++) {
            const Cell *cell = canvas_cell(canvas, row, column);
            Style own = painted_style(canvas, cell);
            if (!is_same(own, style)) write_style(own, file);
            style = own;
            (void)fputs(cell->text, file);
        }
        (void)fputs(is_plain(style) ? "\n" : "\033[0m\n", file);
    }
}

/* ---- files ---- */

ThemeDepth picture_depth(PictureFormat format) {
    return format == PICTURE_SVG ? THEME_DIRECT : THEME_256;
}

Status picture_write(const Canvas *canvas, PictureFormat format, const char *title, FILE *file,
                     Error *error) {
    Status status = STATUS_OK;
    if (format == PICTURE_SVG) status = write_svg(canvas, title, file, error);
    if (format == PICTURE_ANSI) write_ansi(canvas, file);
    if (format == PICTURE_TEXT) status = canvas_dump(canvas, file, error);
    return status == STATUS_OK ? disk_check_stream(file, "the picture", error) : status;
}

Status picture_save(const Canvas *canvas, const char *title, const char *path, Error *error) {
    PictureFormat format;
    if (!picture_find_format(path, &format))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a name that ends in .svg, .ansi or .txt, found \"%s\"", path);
    DiskFile file;
    Status status = disk_file_begin_new(&file, path, error);
    if (status != STATUS_OK) return status;
    status = picture_write(canvas, format, title, file.stream, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_NONE, error);
    disk_file_discard(&file);
    return status == STATUS_IO ? status_add_context(error, "%s", path) : status;
}
