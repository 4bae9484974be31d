#include "tui/canvas/picture_svg.h"

#include "core/files/disk.h"
#include "core/support/memory.h"
#include "tui/canvas/box_lines.h"
#include "tui/text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    SVG_CELL_WIDTH = PICTURE_SVG_CELL_WIDTH,
    SVG_CELL_HEIGHT = PICTURE_SVG_CELL_HEIGHT,
    SVG_BASELINE = 12 /* of text, below a cell's top */
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
    const PictureSvgGrid *grid;
    SvgBox *boxes;
    size_t box_count, box_capacity;
    SvgWord *words;
    size_t word_count, word_capacity;
} Svg;

static PictureSvgCell cell_at(const Svg *svg, int row, int column) {
    return svg->grid->cell(svg->grid->source, row, column);
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
    Status status = MEMORY_RESERVE(svg->boxes, &svg->box_capacity, svg->box_count + 1, error);
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
static Status add_character(Svg *svg, const PictureSvgCell *cell, int row, int column, Error *error) {
    SvgWord word = {.colour = cell->front,
                    .bold = cell->bold,
                    .italic = cell->italic,
                    .row = row,
                    .column = column,
                    .columns = cell->width};
    SvgWord *last = svg->word_count == 0 ? NULL : &svg->words[svg->word_count - 1];
    bool joins = last != NULL && last->row == row && last->column + last->columns == column &&
                 last->colour == cell->front && last->bold == word.bold && last->italic == word.italic &&
                 (unsigned char)cell->text[0] < 0x80 && (unsigned char)last->text[0] < 0x80;
    word.text = memory_format("%s%s", joins ? last->text : "", cell->text);
    if (word.text == NULL) return memory_fail(error, "a drawing");
    if (joins) {
        free(last->text);
        last->text = word.text;
        last->columns += cell->width;
        return STATUS_OK;
    }
    Status status = MEMORY_RESERVE(svg->words, &svg->word_capacity, svg->word_count + 1, error);
    if (status != STATUS_OK) {
        free(word.text);
        return status;
    }
    svg->words[svg->word_count++] = word;
    return STATUS_OK;
}

static Status add_background(Svg *svg, int row, int column, Error *error) {
    PictureSvgCell cell = cell_at(svg, row, column);
    if (cell.back == svg->grid->background || cell.width == 0) return STATUS_OK;
    return add_box(svg,
                   (SvgBox){.colour = cell.back,
                            .opacity = 4,
                            .x = column * SVG_CELL_WIDTH,
                            .y = row * SVG_CELL_HEIGHT,
                            .width = cell.width * SVG_CELL_WIDTH,
                            .height = SVG_CELL_HEIGHT},
                   error);
}

/* Underlining and striking out, under all that is text: fonts disagree about where they belong. */
static Status add_rules(Svg *svg, int row, int column, Error *error) {
    PictureSvgCell cell = cell_at(svg, row, column);
    SvgBox box = {.colour = cell.front,
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
    PictureSvgCell cell = cell_at(svg, row, column);
    if (cell.width == 0 || strcmp(cell.text, " ") == 0) return STATUS_OK;
    int32_t first;
    (void)text_decode(cell.text, strlen(cell.text), &first); /* -1 for what is no UTF-8: drawn as text */
    uint32_t character = (uint32_t)first;
    SvgBox box = {.colour = cell.front,
                  .layer = 1,
                  .opacity = 4,
                  .x = column * SVG_CELL_WIDTH,
                  .y = row * SVG_CELL_HEIGHT,
                  .width = SVG_CELL_WIDTH,
                  .height = SVG_CELL_HEIGHT};
    if (character >= 0x2580 && character <= 0x259F) return add_block(svg, box, character, error);
    if (character >= 0x2500 && character <= 0x257F && strcmp(box_lines[character - 0x2500], "0000") != 0)
        return add_lines(svg, box, character, error);
    return add_character(svg, &cell, row, column, error);
}

static Status add_cursor(Svg *svg, Error *error) {
    const PictureSvgGrid *grid = svg->grid;
    if (grid->cursor_row < 0 || grid->cursor_column < 0) return STATUS_OK;
    return add_box(svg,
                   (SvgBox){.colour = grid->cursor_colour,
                            .layer = 2,
                            .opacity = 2,
                            .x = grid->cursor_column * SVG_CELL_WIDTH,
                            .y = grid->cursor_row * SVG_CELL_HEIGHT,
                            .width = SVG_CELL_WIDTH,
                            .height = SVG_CELL_HEIGHT},
                   error);
}

/* One kind after the other, so that boxes of one kind can run together. */
static Status collect(Svg *svg, Error *error) {
    static Status (*const adders[])(Svg *, int, int, Error *) = {add_background, add_foreground, add_rules};
    for (size_t kind = 0; kind < sizeof adders / sizeof adders[0]; kind++) {
        for (int row = 0; row < svg->grid->rows; row++) {
            for (int column = 0; column < svg->grid->columns; column++) {
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

/* XML 1.0 takes no control characters but white space, no surrogates and neither U+FFFE nor U+FFFF. */
static bool is_allowed(int32_t character) {
    if (character < 0x20) return character == '\t' || character == '\n';
    return character != 0x7F && character != 0xFFFE && character != 0xFFFF;
}

/* What changes how other text reads, such as the overrides of direction. Joiners shape the letters beside them. */
static bool is_hidden(int32_t character) {
    bool is_space = character == '\n' || character == '\t',
         is_joiner = character == 0x200C || character == 0x200D;
    return text_character_width(character) < 0 && !is_space && !is_joiner;
}

void picture_svg_write_text(const char *text, FILE *file) {
    const char *begin = text;
    for (size_t left = strlen(text); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        if (!is_allowed(character) || is_hidden(character))
            (void)fputs("\xEF\xBF\xBD", file);
        else if (character == '<')
            (void)fputs("&lt;", file);
        else if (character == '&')
            (void)fputs("&amp;", file);
        else if (character == '>' && text - begin >= 2 && memcmp(text - 2, "]]", 2) == 0)
            (void)fputs("&gt;", file); /* "]]>" may not occur in text */
        else
            (void)fwrite(text, 1, bytes, file);
        text += bytes;
        left -= bytes;
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
        picture_svg_write_text(word->text, file);
        (void)fputs("</text>\n", file);
    }
    if (svg->word_count > 0) (void)fputs("</g>\n", file);
}

Status picture_svg_write(const PictureSvgGrid *grid, FILE *file, Error *error) {
    Svg svg = {.grid = grid};
    Status status = collect(&svg, error);
    if (status == STATUS_OK) {
        if (svg.box_count > 0) qsort(svg.boxes, svg.box_count, sizeof *svg.boxes, compare_boxes);
        if (svg.word_count > 0) qsort(svg.words, svg.word_count, sizeof *svg.words, compare_words);
        (void)fputs("<g shape-rendering=\"crispEdges\">\n", file);
        write_boxes(&svg, file);
        (void)fputs("</g>\n", file);
        write_words(&svg, file);
        status = disk_check_stream(file, "the drawing", error);
    }
    for (size_t i = 0; i < svg.word_count; i++) free(svg.words[i].text);
    free(svg.words);
    free(svg.boxes);
    return status;
}
