#include "tests/screens/screen_svg.h"

#include "core/memory.h"
#include "tests/screens/box_lines.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/*
 *      ┌──────────────────────────┐ ┐
 *      │ ● ● ●        title       │ │ SVG_BAR
 *      ├──────────────────────────┤ ┘
 *      │ SVG_MARGIN all around    │
 *      │   cells of 8 × 16 units: eighths and halves are whole numbers
 */
enum {
    SVG_CELL_WIDTH = 8,
    SVG_CELL_HEIGHT = 16,
    SVG_MARGIN = 8,
    SVG_BAR = 24,
    SVG_BASELINE = 12, /* of text, below a cell's top */
    SVG_DEFAULT_FOREGROUND = 0xd4d4d4,
    SVG_DEFAULT_BACKGROUND = 0x16181d
};

/* Rectangles of one colour are collected and written as one path. */
typedef struct SvgBox {
    unsigned colour;  /* 0xRRGGBB */
    unsigned layer;   /* 0 backgrounds, then in the order of drawing */
    unsigned opacity; /* quarters: 4 is opaque */
    int x, y, width, height;
} SvgBox;

typedef struct SvgWord {
    unsigned colour;
    bool bold, italic;
    int row, column, columns;
    char *text;
} SvgWord;

typedef struct Svg {
    const TerminalHost *host;
    SvgBox *boxes;
    size_t box_count, box_capacity;
    SvgWord *words;
    size_t word_count, word_capacity;
} Svg;

/* ---- colours ---- */

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

static void cell_colours(const TerminalCell *cell, unsigned *front, unsigned *back) {
    unsigned foreground = colour_value(cell->foreground, SVG_DEFAULT_FOREGROUND);
    unsigned background = colour_value(cell->background, SVG_DEFAULT_BACKGROUND);
    *front = cell->reverse ? background : foreground;
    *back = cell->reverse ? foreground : background;
}

/* ---- collecting ---- */

/* A box that continues the last one to its right makes that one wider. */
static Status add_box(Svg *svg, SvgBox box, Error *error) {
    if (svg->box_count > 0) {
        SvgBox *last = &svg->boxes[svg->box_count - 1];
        if (last->colour == box.colour && last->layer == box.layer && last->opacity == box.opacity &&
            last->y == box.y && last->height == box.height && last->x + last->width == box.x) {
            last->width += box.width;
            return STATUS_OK;
        }
    }
    Status status = memory_reserve((void **)&svg->boxes, &svg->box_capacity, svg->box_count + 1,
                                   sizeof *svg->boxes, error);
    if (status == STATUS_OK) svg->boxes[svg->box_count++] = box;
    return status;
}

/* Part of a cell, in eighths of its width and height; for quadrants a set of four. */
static Status add_block(Svg *svg, SvgBox cell, uint32_t character, Error *error) {
    static const unsigned char quadrants[10] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14}; /* U+2596 …: 1 2 / 4 8 */
    SvgBox box = cell;
    if (character == 0x2580) { /* upper half */
        box.height = 8;
    } else if (character <= 0x2588) { /* lower eighths up to the full block */
        box.height = 2 * (int)(character - 0x2580);
        box.y += SVG_CELL_HEIGHT - box.height;
    } else if (character <= 0x258F) { /* left eighths, seven to one */
        box.width = 8 - (int)(character - 0x2588);
    } else if (character == 0x2590) { /* right half */
        box.x += 4;
        box.width = 4;
    } else if (character <= 0x2593) { /* light, medium, dark shade */
        box.opacity = character - 0x2590;
    } else if (character == 0x2594) { /* upper eighth */
        box.height = 2;
    } else if (character == 0x2595) { /* right eighth */
        box.x += 7;
        box.width = 1;
    } else {
        Status status = STATUS_OK;
        for (unsigned i = 0; i < 4 && status == STATUS_OK; i++) {
            if ((quadrants[character - 0x2596] >> i & 1) == 0) continue;
            SvgBox part = {.colour = cell.colour, .layer = cell.layer, .opacity = 4, .width = 4, .height = 8};
            part.x = cell.x + (i % 2 == 0 ? 0 : 4);
            part.y = cell.y + (i < 2 ? 0 : 8);
            status = add_box(svg, part, error);
        }
        return status;
    }
    return add_box(svg, box, error);
}

/* One arm of a line character, from the middle outwards. Double lines are two light ones. */
static Status add_arm(Svg *svg, SvgBox cell, int arm, char weight, Error *error) {
    if (weight == '0') return STATUS_OK;
    int thick = weight == '2' ? 2 : 1, strokes = weight == '3' ? 2 : 1;
    bool across = arm < 2;
    Status status = STATUS_OK;
    for (int stroke = 0; stroke < strokes && status == STATUS_OK; stroke++) {
        int shift = strokes == 2 ? (stroke == 0 ? -1 : 1) : 0;
        SvgBox box = cell;
        box.width = across ? 4 + (arm == 0 ? 1 : 0) : thick;
        box.height = across ? thick : 8 + (arm == 2 ? 1 : 0);
        box.x += across ? (arm == 0 ? 0 : 4) : 4 + shift - (thick == 2 ? 1 : 0);
        box.y += across ? 8 + shift - (thick == 2 ? 1 : 0) : (arm == 2 ? 0 : 8);
        status = add_box(svg, box, error);
    }
    return status;
}

static Status add_lines(Svg *svg, SvgBox cell, uint32_t character, Error *error) {
    Status status = STATUS_OK;
    for (int arm = 0; arm < 4 && status == STATUS_OK; arm++)
        status = add_arm(svg, cell, arm, box_lines[character - 0x2500][arm], error);
    return status;
}

/* A character in ASCII joins the word before it; any other is a word of its own, because it may come from
 * another font with another width. */
static Status add_character(Svg *svg, const TerminalCell *cell, unsigned front, int row, int column,
                            Error *error) {
    SvgWord word = {.colour = front,
                    .bold = cell->bold,
                    .italic = cell->italic,
                    .row = row,
                    .column = column,
                    .columns = cell->width};
    SvgWord *last = svg->word_count == 0 ? NULL : &svg->words[svg->word_count - 1];
    bool joins = last != NULL && last->row == row && last->column + last->columns == column &&
                 last->colour == front && last->bold == word.bold && last->italic == word.italic &&
                 (unsigned char)cell->text[0] < 0x80 && (unsigned char)last->text[0] < 0x80;
    word.text = memory_format("%s%s", joins ? last->text : "", cell->text);
    if (word.text == NULL) return memory_fail(error, "a drawing");
    if (joins) {
        free(last->text);
        last->text = word.text;
        last->columns += cell->width;
        return STATUS_OK;
    }
    Status status = memory_reserve((void **)&svg->words, &svg->word_capacity, svg->word_count + 1,
                                   sizeof *svg->words, error);
    if (status != STATUS_OK) {
        free(word.text);
        return status;
    }
    svg->words[svg->word_count++] = word;
    return STATUS_OK;
}

static Status add_background(Svg *svg, int row, int column, Error *error) {
    TerminalCell cell = terminal_host_cell(svg->host, row, column);
    unsigned front, back;
    cell_colours(&cell, &front, &back);
    if (back == SVG_DEFAULT_BACKGROUND || cell.width == 0) return STATUS_OK;
    return add_box(svg,
                   (SvgBox){.colour = back,
                            .opacity = 4,
                            .x = column * SVG_CELL_WIDTH,
                            .y = row * SVG_CELL_HEIGHT,
                            .width = cell.width * SVG_CELL_WIDTH,
                            .height = SVG_CELL_HEIGHT},
                   error);
}

/* Underlining and striking out, under all that is text: fonts disagree about where they belong. */
static Status add_rules(Svg *svg, int row, int column, Error *error) {
    TerminalCell cell = terminal_host_cell(svg->host, row, column);
    unsigned front, back;
    cell_colours(&cell, &front, &back);
    SvgBox box = {.colour = front,
                  .layer = 1,
                  .opacity = 4,
                  .x = column * SVG_CELL_WIDTH,
                  .width = cell.width * SVG_CELL_WIDTH,
                  .height = 1};
    Status status = STATUS_OK;
    if (cell.underline) {
        box.y = row * SVG_CELL_HEIGHT + SVG_BASELINE + 2;
        status = add_box(svg, box, error);
    }
    if (cell.strike && status == STATUS_OK) {
        box.y = row * SVG_CELL_HEIGHT + SVG_BASELINE - 4;
        status = add_box(svg, box, error);
    }
    return status;
}

static Status add_foreground(Svg *svg, int row, int column, Error *error) {
    TerminalCell cell = terminal_host_cell(svg->host, row, column);
    unsigned front, back;
    cell_colours(&cell, &front, &back);
    if (cell.width == 0 || strcmp(cell.text, " ") == 0) return STATUS_OK;
    utf8proc_int32_t first = 0;
    (void)utf8proc_iterate((const utf8proc_uint8_t *)cell.text, -1,
                           &first); /* made by terminal_host_cell() */
    uint32_t character = (uint32_t)first;
    SvgBox box = {.colour = front,
                  .layer = 1,
                  .opacity = 4,
                  .x = column * SVG_CELL_WIDTH,
                  .y = row * SVG_CELL_HEIGHT,
                  .width = SVG_CELL_WIDTH,
                  .height = SVG_CELL_HEIGHT};
    if (character >= 0x2580 && character <= 0x259F) return add_block(svg, box, character, error);
    if (character >= 0x2500 && character <= 0x257F && strcmp(box_lines[character - 0x2500], "0000") != 0)
        return add_lines(svg, box, character, error);
    return add_character(svg, &cell, front, row, column, error);
}

static Status add_cursor(Svg *svg, Error *error) {
    int row, column;
    if (!terminal_host_is_running(svg->host) || !terminal_host_cursor(svg->host, &row, &column))
        return STATUS_OK;
    return add_box(svg,
                   (SvgBox){.colour = SVG_DEFAULT_FOREGROUND,
                            .layer = 2,
                            .opacity = 2,
                            .x = column * SVG_CELL_WIDTH,
                            .y = row * SVG_CELL_HEIGHT,
                            .width = SVG_CELL_WIDTH,
                            .height = SVG_CELL_HEIGHT},
                   error);
}

/* One kind after the other, so that boxes of one kind can run together. */
static Status collect(Svg *svg, Error *error) {
    static Status (*const adders[])(Svg *, int, int, Error *) = {add_background, add_foreground, add_rules};
    for (size_t kind = 0; kind < sizeof adders / sizeof adders[0]; kind++) {
        for (int row = 0; row < terminal_host_rows(svg->host); row++) {
            for (int column = 0; column < terminal_host_columns(svg->host); column++) {
                Status status = adders[kind](svg, row, column, error);
                if (status != STATUS_OK) return status;
            }
        }
    }
    return add_cursor(svg, error);
}

/* ---- writing ---- */

static int compare_boxes(const void *left, const void *right) {
    const SvgBox *a = left, *b = right;
    if (a->layer != b->layer) return a->layer < b->layer ? -1 : 1;
    if (a->opacity != b->opacity) return a->opacity < b->opacity ? -1 : 1;
    if (a->colour != b->colour) return a->colour < b->colour ? -1 : 1;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a->x < b->x ? -1 : a->x > b->x;
}

static unsigned word_style(const SvgWord *word) {
    return (unsigned)word->bold | (unsigned)word->italic << 1;
}

static int compare_words(const void *left, const void *right) {
    const SvgWord *a = left, *b = right;
    if (a->colour != b->colour) return a->colour < b->colour ? -1 : 1;
    if (word_style(a) != word_style(b)) return word_style(a) < word_style(b) ? -1 : 1;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static void write_escaped(const char *text, FILE *file) {
    for (; *text != '\0'; text++) {
        if (*text == '<') {
            (void)fputs("&lt;", file);
        } else if (*text == '&') {
            (void)fputs("&amp;", file);
        } else {
            (void)fputc(*text, file);
        }
    }
}

static void write_boxes(const Svg *svg, FILE *file) {
    for (size_t i = 0; i < svg->box_count; i++) {
        const SvgBox *box = &svg->boxes[i], *last = i == 0 ? NULL : box - 1;
        if (last == NULL || last->layer != box->layer || last->colour != box->colour ||
            last->opacity != box->opacity) {
            if (last != NULL) (void)fputs("\"/>\n", file);
            (void)fprintf(file, "<path fill=\"#%06x\"", box->colour);
            if (box->opacity < 4) (void)fprintf(file, " opacity=\".%u\"", 25 * box->opacity);
            (void)fputs(" d=\"", file);
        }
        (void)fprintf(file, "M%d %dh%dv%dh-%dz", box->x, box->y, box->width, box->height, box->width);
    }
    if (svg->box_count > 0) (void)fputs("\"/>\n", file);
}

static void write_words(const Svg *svg, FILE *file) {
    for (size_t i = 0; i < svg->word_count; i++) {
        const SvgWord *word = &svg->words[i], *last = i == 0 ? NULL : word - 1;
        if (last == NULL || last->colour != word->colour || word_style(last) != word_style(word)) {
            if (last != NULL) (void)fputs("</g>\n", file);
            (void)fprintf(file, "<g fill=\"#%06x\"%s%s>\n", word->colour,
                          word->bold ? " font-weight=\"bold\"" : "",
                          word->italic ? " font-style=\"italic\"" : "");
        }
        (void)fprintf(file, "<text x=\"%d\" y=\"%d\" textLength=\"%d\">", word->column * SVG_CELL_WIDTH,
                      word->row * SVG_CELL_HEIGHT + SVG_BASELINE, word->columns * SVG_CELL_WIDTH);
        write_escaped(word->text, file);
        (void)fputs("</text>\n", file);
    }
    if (svg->word_count > 0) (void)fputs("</g>\n", file);
}

static void write_frame(const Svg *svg, const char *title, FILE *file) {
    int width = terminal_host_columns(svg->host) * SVG_CELL_WIDTH + 2 * SVG_MARGIN;
    int height = terminal_host_rows(svg->host) * SVG_CELL_HEIGHT + 2 * SVG_MARGIN + SVG_BAR;
    (void)fprintf(
        file,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "font-family=\"DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace\" "
        "font-size=\"13.29\" xml:space=\"preserve\">\n",
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
    write_escaped(title, file);
    (void)fprintf(file, "</text>\n<g transform=\"translate(%d %d)\">\n<g shape-rendering=\"crispEdges\">\n",
                  SVG_MARGIN, SVG_MARGIN + SVG_BAR);
}

Status screen_svg_write(const TerminalHost *host, const char *title, FILE *file, Error *error) {
    Svg svg = {.host = host};
    Status status = collect(&svg, error);
    if (status == STATUS_OK) {
        if (svg.box_count > 0) qsort(svg.boxes, svg.box_count, sizeof *svg.boxes, compare_boxes);
        if (svg.word_count > 0) qsort(svg.words, svg.word_count, sizeof *svg.words, compare_words);
        write_frame(&svg, title, file);
        write_boxes(&svg, file);
        (void)fputs("</g>\n", file);
        write_words(&svg, file);
        (void)fputs("</g>\n</svg>\n", file);
        if (ferror(file)) status = status_fail(error, STATUS_IO, "the drawing cannot be written");
    }
    for (size_t i = 0; i < svg.word_count; i++) free(svg.words[i].text);
    free(svg.words);
    free(svg.boxes);
    return status;
}
