#include "tests/screens/screen_shot.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char *const plane_names[SCREEN_PLANES] = {"ink", "ground"};

/* ---- making one ---- */

Status screen_shot_make(size_t rows, size_t columns, bool has_cells, ScreenShot *shot, Error *error) {
    *shot = (ScreenShot){.rows = rows, .columns = columns};
    size_t count;
    if (!memory_multiply(rows, columns, &count)) return memory_fail(error, "a screen");
    Status status = STATUS_OK;
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES && status == STATUS_OK; plane++) {
        status = screen_words_add(&shot->palettes[plane], "-", 1, error);
        if (status != STATUS_OK || !has_cells) continue;
        shot->cells[plane] = memory_allocate(count, sizeof *shot->cells[plane]);
        if (shot->cells[plane] == NULL) status = memory_fail(error, "a screen");
    }
    return status;
}

void screen_shot_free(ScreenShot *shot) {
    screen_words_free(&shot->lines);
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++) {
        screen_words_free(&shot->palettes[plane]);
        free(shot->cells[plane]);
    }
    *shot = (ScreenShot){0};
}

static bool find_name(const ScreenWords *palette, const char *name, size_t *place) {
    for (*place = 0; *place < palette->count; ++*place)
        if (strcmp(palette->items[*place], name) == 0) return true;
    return false;
}

Status screen_shot_name(ScreenShot *shot, ScreenPlane plane, const char *name, uint16_t *place,
                        Error *error) {
    ScreenWords *palette = &shot->palettes[plane];
    size_t found;
    if (!find_name(palette, name, &found)) {
        if (found > UINT16_MAX) return status_fail(error, STATUS_UNSUPPORTED, "a screen of too many styles");
        Status status = screen_words_add(palette, name, strlen(name), error);
        if (status != STATUS_OK) return status;
    }
    *place = (uint16_t)found;
    return STATUS_OK;
}

/* ---- a cell's names ---- */

enum { STYLE_NAME_BYTES = 80, COLOUR_NAME_BYTES = 16 };

static void name_colour(TerminalColour colour, char name[COLOUR_NAME_BYTES]) {
    if (colour.kind == TERMINAL_COLOUR_DEFAULT) {
        (void)snprintf(name, COLOUR_NAME_BYTES, "-");
    } else if (colour.kind == TERMINAL_COLOUR_INDEXED) {
        (void)snprintf(name, COLOUR_NAME_BYTES, "%d", colour.index);
    } else {
        (void)snprintf(name, COLOUR_NAME_BYTES, "#%02x%02x%02x", colour.red, colour.green, colour.blue);
    }
}

static void name_ink(const TerminalCell *cell, char name[STYLE_NAME_BYTES]) {
    bool shows = strcmp(cell->text, " ") != 0 || cell->reverse || cell->underline || cell->strike;
    char colour[COLOUR_NAME_BYTES];
    name_colour(shows ? cell->foreground : (TerminalColour){0}, colour);
    (void)snprintf(name, STYLE_NAME_BYTES, "%s%s%s%s%s%s%s", shows && cell->bold ? "bold " : "",
                   shows && cell->italic ? "italic " : "", shows && cell->blink ? "blink " : "",
                   cell->underline ? "underline " : "", cell->reverse ? "reverse " : "",
                   cell->strike ? "strike " : "", colour); /* always fits */
    size_t length = strlen(name);
    if (length > 2 && strcmp(name + length - 2, " -") == 0) name[length - 2] = '\0';
}

/* ---- what the masks hide ---- */

static int last_column(const TerminalHost *host, int row) {
    int column = terminal_host_columns(host) - 1;
    while (column >= 0 && strcmp(terminal_host_cell(host, row, column).text, " ") == 0) column--;
    return column;
}

/* Which columns stand under a mask: a ~ that is none on the screen, and all behind one that ended the line. */
static void find_hidden(const TerminalHost *host, int row, const char *masked, bool *hidden) {
    int column = 0, columns = terminal_host_columns(host);
    memset(hidden, 0, (size_t)columns * sizeof *hidden);
    for (utf8proc_int32_t character; *masked != '\0' && column < columns;) {
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)masked, -1, &character);
        if (used <= 0) return;
        if (character == '~' && strcmp(terminal_host_cell(host, row, column).text, "~") != 0)
            hidden[column] = true;
        column += utf8proc_charwidth(character);
        masked += used;
    }
    if (column == 0 || column > columns || !hidden[column - 1] || last_column(host, row) < column) return;
    for (; column < columns; column++) hidden[column] = true;
}

/* ---- taking one ---- */

static bool same_colour(TerminalColour a, TerminalColour b) {
    return a.kind == b.kind && a.index == b.index && a.red == b.red && a.green == b.green && a.blue == b.blue;
}

/* Whether two cells have the same names for certain: most have those of the cell before. */
static bool same_look(const TerminalCell *a, const TerminalCell *b) {
    return same_colour(a->foreground, b->foreground) && same_colour(a->background, b->background) &&
           a->bold == b->bold && a->italic == b->italic && a->underline == b->underline &&
           a->blink == b->blink && a->reverse == b->reverse && a->strike == b->strike &&
           (strcmp(a->text, " ") == 0) == (strcmp(b->text, " ") == 0);
}

static Status name_cell(const TerminalCell *cell, ScreenShot *shot, uint16_t places[SCREEN_PLANES],
                        Error *error) {
    char name[STYLE_NAME_BYTES];
    name_ink(cell, name);
    Status status = screen_shot_name(shot, SCREEN_INK, name, &places[SCREEN_INK], error);
    if (status != STATUS_OK) return status;
    name_colour(cell->background, name);
    return screen_shot_name(shot, SCREEN_GROUND, name, &places[SCREEN_GROUND], error);
}

static Status take_cells(const TerminalHost *host, int row, const bool *hidden, ScreenShot *shot,
                         Error *error) {
    uint16_t places[SCREEN_PLANES] = {0};
    TerminalCell cell = {.text = " "}; /* whose places those are: a blank one in no colour */
    for (size_t column = 0; column < shot->columns; column++) {
        TerminalCell next = terminal_host_cell(host, row, (int)column);
        if (hidden[column] || next.width == 0) next = hidden[column] ? (TerminalCell){.text = " "} : cell;
        Status status = same_look(&cell, &next) ? STATUS_OK : name_cell(&next, shot, places, error);
        if (status != STATUS_OK) return status;
        cell = next;
        for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++)
            shot->cells[plane][(size_t)row * shot->columns + column] = places[plane];
    }
    return STATUS_OK;
}

static Status take_row(const TerminalHost *host, const ScreenMasks *masks, int row, bool *hidden,
                       ScreenShot *shot, Error *error) {
    char *line = terminal_host_line(host, row);
    char *masked = line == NULL ? NULL : screen_masks_apply(masks, line);
    Status status = masked == NULL ? memory_fail(error, "a screen")
                                   : screen_words_add(&shot->lines, masked, strlen(masked), error);
    if (status == STATUS_OK) {
        find_hidden(host, row, masked, hidden);
        status = take_cells(host, row, hidden, shot, error);
    }
    free(masked);
    free(line);
    return status;
}

Status screen_shot_take(const TerminalHost *host, const ScreenMasks *masks, ScreenShot *shot, Error *error) {
    int rows = terminal_host_rows(host), columns = terminal_host_columns(host);
    Status status = screen_shot_make((size_t)rows, (size_t)columns, true, shot, error);
    bool *hidden = memory_allocate((size_t)columns, sizeof *hidden);
    if (status == STATUS_OK && hidden == NULL) status = memory_fail(error, "a screen");
    for (int row = 0; row < rows && status == STATUS_OK; row++)
        status = take_row(host, masks, row, hidden, shot, error);
    free(hidden);
    return status;
}

/* ---- comparing ---- */

static bool same_text(const ScreenShot *a, const ScreenShot *b) {
    bool same = a->lines.count == b->lines.count;
    for (size_t row = 0; same && row < a->lines.count; row++)
        same = strcmp(a->lines.items[row], b->lines.items[row]) == 0;
    return same;
}

static bool has_all(const ScreenWords *palette, const ScreenWords *names) {
    size_t place;
    for (size_t i = 0; i < names->count; i++)
        if (!find_name(palette, names->items[i], &place)) return false;
    return true;
}

static const char *style_at(const ScreenShot *shot, ScreenPlane plane, size_t cell) {
    return shot->palettes[plane].items[shot->cells[plane][cell]];
}

static bool same_plane(const ScreenShot *expected, const ScreenShot *found, ScreenPlane plane) {
    if (expected->cells[plane] == NULL)
        return has_all(&expected->palettes[plane], &found->palettes[plane]) &&
               has_all(&found->palettes[plane], &expected->palettes[plane]);
    bool same = expected->rows == found->rows && expected->columns == found->columns;
    for (size_t cell = 0; same && cell < found->rows * found->columns; cell++)
        same = strcmp(style_at(expected, plane, cell), style_at(found, plane, cell)) == 0;
    return same;
}

bool screen_shot_equal(const ScreenShot *expected, const ScreenShot *found) {
    bool same = same_text(expected, found);
    for (ScreenPlane plane = 0; same && plane < SCREEN_PLANES; plane++)
        same = same_plane(expected, found, plane);
    return same;
}

/* ---- what is different ---- */

static void print_text(const ScreenShot *expected, const ScreenShot *found, FILE *report) {
    size_t rows = expected->lines.count > found->lines.count ? expected->lines.count : found->lines.count;
    for (size_t row = 0; row < rows; row++) {
        const char *before = row < expected->lines.count ? expected->lines.items[row] : NULL;
        const char *now = row < found->lines.count ? found->lines.items[row] : NULL;
        if (before != NULL && now != NULL && strcmp(before, now) == 0) {
            (void)fprintf(report, " %s\n", now);
            continue;
        }
        if (before != NULL) (void)fprintf(report, "-%s\n", before);
        if (now != NULL) (void)fprintf(report, "+%s\n", now);
    }
}

/* What is in one palette and not in the other. */
static void print_palette(const ScreenShot *has, const ScreenShot *lacks, ScreenPlane plane, char sign,
                          FILE *report) {
    size_t place;
    for (size_t i = 0; i < has->palettes[plane].count; i++)
        if (!find_name(&lacks->palettes[plane], has->palettes[plane].items[i], &place))
            (void)fprintf(report, "%c%s %s\n", sign, plane_names[plane], has->palettes[plane].items[i]);
}

/* One pair of styles, expected and found: all its cells are counted, and marked as seen. */
static void print_pair(const ScreenShot *expected, const ScreenShot *found, ScreenPlane plane, size_t first,
                       bool *seen, FILE *report) {
    size_t count = 0, columns = found->columns, row = first / columns;
    uint16_t before = expected->cells[plane][first], now = found->cells[plane][first];
    for (size_t cell = first; cell < found->rows * columns; cell++) {
        if (expected->cells[plane][cell] != before || found->cells[plane][cell] != now) continue;
        seen[cell] = true;
        count++;
    }
    (void)fprintf(report, "-%s %s\n+%s %s: cells %zu, the first in row %zu:\n  %s\n  ", plane_names[plane],
                  expected->palettes[plane].items[before], plane_names[plane],
                  found->palettes[plane].items[now], count, row, found->lines.items[row]);
    size_t last = columns;
    while (last > 0 && (expected->cells[plane][row * columns + last - 1] != before ||
                        found->cells[plane][row * columns + last - 1] != now))
        last--;
    for (size_t column = 0; column < last; column++) {
        size_t cell = row * columns + column;
        bool is_it = expected->cells[plane][cell] == before && found->cells[plane][cell] == now;
        (void)fputc(is_it ? '^' : ' ', report);
    }
    (void)fputc('\n', report);
}

static void print_cells(const ScreenShot *expected, const ScreenShot *found, ScreenPlane plane,
                        FILE *report) {
    size_t count = found->rows * found->columns;
    bool *seen = memory_allocate(count, sizeof *seen);
    for (size_t cell = 0; seen != NULL && cell < count; cell++)
        if (!seen[cell] && strcmp(style_at(expected, plane, cell), style_at(found, plane, cell)) != 0)
            print_pair(expected, found, plane, cell, seen, report);
    free(seen);
}

void screen_shot_print_difference(const ScreenShot *expected, const ScreenShot *found, FILE *report) {
    if (!same_text(expected, found)) print_text(expected, found, report);
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++) {
        if (expected->cells[plane] == NULL) {
            print_palette(expected, found, plane, '-', report);
            print_palette(found, expected, plane, '+', report);
        } else if (expected->rows == found->rows && expected->columns == found->columns) {
            print_cells(expected, found, plane, report);
        }
    }
}
