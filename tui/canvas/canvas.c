#include "tui/canvas/canvas.h"

#include "core/files/disk.h"
#include "core/support/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const Style PLAIN = {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0};

static int at_least(int value, int least) {
    return value < least ? least : value;
}

static int at_most(int value, int most) {
    return value > most ? most : value;
}

Rect rect_make(int row, int column, int rows, int columns) {
    return (Rect){row, column, at_least(rows, 0), at_least(columns, 0)};
}

bool rect_is_empty(Rect rect) {
    return rect.rows <= 0 || rect.columns <= 0;
}

Rect rect_intersect(Rect a, Rect b) {
    int row = at_least(a.row, b.row), column = at_least(a.column, b.column);
    return rect_make(row, column, at_most(a.row + a.rows, b.row + b.rows) - row,
                     at_most(a.column + a.columns, b.column + b.columns) - column);
}

Rect rect_cut_top(Rect *rest, int rows) {
    rows = at_most(at_least(rows, 0), at_least(rest->rows, 0));
    Rect cut = rect_make(rest->row, rest->column, rows, rest->columns);
    rest->row += rows;
    rest->rows -= rows;
    return cut;
}

Rect rect_cut_bottom(Rect *rest, int rows) {
    rows = at_most(at_least(rows, 0), at_least(rest->rows, 0));
    rest->rows -= rows;
    return rect_make(rest->row + rest->rows, rest->column, rows, rest->columns);
}

Rect rect_cut_left(Rect *rest, int columns) {
    columns = at_most(at_least(columns, 0), at_least(rest->columns, 0));
    Rect cut = rect_make(rest->row, rest->column, rest->rows, columns);
    rest->column += columns;
    rest->columns -= columns;
    return cut;
}

Rect rect_cut_right(Rect *rest, int columns) {
    columns = at_most(at_least(columns, 0), at_least(rest->columns, 0));
    rest->columns -= columns;
    return rect_make(rest->row, rest->column + rest->columns, rest->rows, columns);
}

Rect rect_pane(Rect area, int index, int count, int gap) {
    if (count < 1 || index < 0 || index >= count) return rect_make(area.row, area.column, 0, 0);
    int width = at_least(area.columns - gap * (count - 1), 0);
    int begin = width * index / count, end = width * (index + 1) / count;
    return rect_make(area.row, area.column + begin + gap * index, area.rows, end - begin);
}

static void blank(Cell *cell, Style style) {
    *cell = (Cell){.text = " ", .width = 1, .style = style};
}

static Status make_cells(int rows, int columns, Cell **cells, Error *error) {
    size_t count;
    if (!memory_multiply((size_t)rows, (size_t)columns, &count)) return memory_fail(error, "a canvas");
    *cells = memory_allocate(count, sizeof **cells);
    return *cells == NULL ? memory_fail(error, "a canvas") : STATUS_OK;
}

Status canvas_create(int rows, int columns, Theme theme, Canvas **canvas, Error *error) {
    *canvas = memory_allocate(1, sizeof **canvas);
    if (*canvas == NULL) return memory_fail(error, "a canvas");
    (*canvas)->theme = theme;
    Status status = canvas_resize(*canvas, rows, columns, error);
    if (status != STATUS_OK) {
        free(*canvas);
        *canvas = NULL;
    }
    return status;
}

void canvas_free(Canvas *canvas) {
    if (canvas == NULL) return;
    free(canvas->cells);
    free(canvas->zones);
    free(canvas);
}

Status canvas_resize(Canvas *canvas, int rows, int columns, Error *error) {
    Cell *cells;
    rows = at_least(rows, 0);
    columns = at_least(columns, 0);
    Status status = make_cells(rows, columns, &cells, error);
    if (status != STATUS_OK) return status;
    free(canvas->cells);
    canvas->cells = cells;
    canvas->rows = rows;
    canvas->columns = columns;
    canvas_clear(canvas);
    return STATUS_OK;
}

static Cell *cell_at(const Canvas *canvas, int row, int column) {
    return &canvas->cells[(size_t)row * (size_t)canvas->columns + (size_t)column];
}

void canvas_clear(Canvas *canvas) {
    canvas->cursor_row = canvas->cursor_column = -1;
    canvas->zone_count = 0;
    size_t count = (size_t)canvas->rows * (size_t)canvas->columns;
    for (size_t i = 0; i < count; i++) blank(&canvas->cells[i], PLAIN);
}

Rect canvas_area(const Canvas *canvas) {
    return rect_make(0, 0, canvas->rows, canvas->columns);
}

const Cell *canvas_cell(const Canvas *canvas, int row, int column) {
    if (row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns) return NULL;
    return cell_at(canvas, row, column);
}

/* Before a cell is overwritten: the other half of a wide character it belongs to becomes a space. */
static void break_wide(Canvas *canvas, int row, int column) {
    Cell *cell = cell_at(canvas, row, column);
    if (cell->width == 0 && column > 0) blank(cell - 1, (cell - 1)->style);
    if (cell->width == 2 && column + 1 < canvas->columns) blank(cell + 1, (cell + 1)->style);
    if (cell->width != 1) blank(cell, cell->style);
}

/* Puts one cluster at an absolute place; `clip` lies within the canvas. */
static void put(Canvas *canvas, Rect clip, int row, int column, Style style, const TextCluster *cluster) {
    int first = at_least(column, clip.column),
        end = at_most(column + cluster->width, clip.column + clip.columns);
    for (int c = first; c < end; c++) {
        break_wide(canvas, row, c);
        blank(cell_at(canvas, row, c), style);
    }
    if (end - first != cluster->width) return; /* cut in half: spaces */
    Cell *cell = cell_at(canvas, row, column);
    memcpy(cell->text, cluster->text, sizeof cell->text);
    cell->width = (uint8_t)cluster->width;
    if (cluster->width == 2) *(cell + 1) = (Cell){.text = "", .width = 0, .style = style};
}

/* The cluster as ASCII of the same width. */
static TextCluster in_ascii(TextCluster cluster) {
    int32_t character;
    if (text_decode(cluster.text, strlen(cluster.text), &character) == 1 && character >= 0) {
        cluster.text[1] = '\0'; /* no combining marks */
        return cluster;
    }
    cluster.text[0] = text_to_ascii(character);
    cluster.text[1] = '\0';
    return cluster;
}

static int write_bytes(Canvas *canvas, Rect area, int row, int column, Style style, const char *text,
                       size_t left) {
    Rect clip = rect_intersect(area, canvas_area(canvas));
    int line = area.row + row;
    bool visible = line >= clip.row && line < clip.row + clip.rows;
    while (left > 0) {
        TextCluster cluster = text_next(text, left);
        text += cluster.bytes;
        left -= cluster.bytes;
        int place = area.column + column, width = cluster.width;
        column += width;
        if (!visible || place + width <= clip.column || place >= clip.column + clip.columns) continue;
        if (canvas->theme.ascii) cluster = in_ascii(cluster);
        if (canvas->theme.ascii && width == 2) { /* two characters in place of a wide one */
            cluster.width = 1;
            if (place >= clip.column) put(canvas, clip, line, place, style, &cluster);
            place++;
        }
        put(canvas, clip, line, place, style, &cluster);
    }
    return column;
}

int canvas_write_styled(Canvas *canvas, Rect area, int row, int column, Style style, const char *text) {
    return write_bytes(canvas, area, row, column, style, text, strlen(text));
}

static bool is_inked(const char *text) {
    return text[strspn(text, " ")] != '\0';
}

/* Whether what stands past the right edge is text that goes on there; a glyph of a chart is none. */
static bool goes_on(Rect seen, int begin, const char *text) {
    int room = at_least(seen.column + seen.columns - begin, 0);
    return seen.columns > 0 && is_inked(text + text_prefix(text, room)) &&
           is_inked(text + text_prefix(text, 1));
}

/* Behind the text, or over the last column that is seen. */
static void mark_cut(Canvas *canvas, Rect seen, int line, int end, Style style) {
    static const char MARK[] = "…";
    Rect last = rect_intersect(seen, rect_make(line, at_most(end, seen.column + seen.columns - 1), 1, 1));
    (void)write_bytes(canvas, last, 0, 0, style, MARK, strlen(MARK));
}

int canvas_write(Canvas *canvas, Rect area, int row, int column, Role role, const char *text) {
    Style style = theme_style(&canvas->theme, role);
    int end = canvas_write_styled(canvas, area, row, column, style, text);
    Rect seen = rect_intersect(area, canvas_area(canvas));
    if (goes_on(seen, area.column + column, text))
        mark_cut(canvas, seen, area.row + row, area.column + end, style);
    return end;
}

int canvas_print(Canvas *canvas, Rect area, int row, int column, Role role, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return length < 0 ? column : canvas_write(canvas, area, row, column, role, text);
}

int canvas_write_right(Canvas *canvas, Rect area, int row, int end, Role role, const char *text) {
    int begin = end - text_width(text);
    (void)canvas_write(canvas, area, row, begin, role, text);
    return begin;
}

void canvas_write_field(Canvas *canvas, Rect area, int row, int column, int columns, bool right, Role role,
                        const char *text) {
    if (columns <= 0) return;
    Rect field = rect_intersect(area, rect_make(area.row + row, area.column + column, 1, columns));
    int shift = area.column + column - field.column; /* negative when the area cuts the field's left */
    canvas_fill_row(canvas, field, 0, 0, field.columns, role, " ");
    int width = text_width(text), cut = width > columns ? columns - 1 : columns;
    int begin = right && width < columns ? columns - width : 0;
    size_t bytes = text_prefix(text, cut);
    int end = write_bytes(canvas, field, 0, shift + begin, theme_style(&canvas->theme, role), text, bytes);
    if (width > columns) (void)canvas_write(canvas, field, 0, end, role, "…");
}

int canvas_write_raw(Canvas *canvas, Rect area, int row, int column, Role role, unsigned flags,
                     const char *bytes, size_t count) {
    Style style = theme_style(&canvas->theme, role);
    Rect seen = rect_intersect(area, canvas_area(canvas));
    bool is_cut = false;
    if (canvas->theme.ascii) flags |= TEXT_ASCII;
    flags &= ~(unsigned)TEXT_KEEP_NEWLINES;
    while (count > 0) { /* piece by piece, so that there is no limit on the length */
        char form[512];
        size_t piece = 0;
        while (piece < count && piece < 32) piece += text_next(bytes + piece, count - piece).bytes;
        (void)text_escape(bytes, piece, flags, form, sizeof form);
        int room = at_least(seen.column + seen.columns - area.column - column, 0);
        is_cut = is_cut || is_inked(form + text_prefix(form, room));
        column = write_bytes(canvas, area, row, column, style, form, strlen(form));
        bytes += piece;
        count -= piece;
    }
    if (is_cut) mark_cut(canvas, seen, area.row + row, area.column + column, style);
    return column;
}

/* How many bytes of `text` go on a row of `columns`: up to the last space that fits, or as much as fits. */
static size_t line_bytes(const char *text, int columns) {
    const char *newline = strchr(text, '\n');
    size_t fits = text_prefix(text, columns);
    if (newline != NULL && (size_t)(newline - text) <= fits) return (size_t)(newline - text);
    if (text[fits] == '\0' || text[fits] == ' ') return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i - 1] == ' ') return i;
    if (fits > 0) return fits;
    return text_next(text, strlen(text)).bytes; /* wider than the row: cut by the canvas */
}

/* Behind the row of `bytes` that `text` begins with. */
static const char *next_line(const char *text, size_t bytes) {
    text += bytes;
    if (*text == '\n') return text + 1;
    while (*text == ' ') text++;
    return text;
}

int canvas_write_wrapped(Canvas *canvas, Rect area, int row, Role role, const char *text) {
    Rect seen = rect_intersect(area, canvas_area(canvas));
    int last = seen.row + seen.rows - 1;
    if (area.columns <= 0) return row;
    while (*text != '\0') {
        size_t bytes = line_bytes(text, area.columns);
        Style style = theme_style(&canvas->theme, role);
        int end = write_bytes(canvas, area, row, 0, style, text, bytes);
        text = next_line(text, bytes);
        if (area.row + row++ == last && *text != '\0') mark_cut(canvas, seen, last, area.column + end, style);
    }
    return row;
}

int canvas_count_wrapped(int columns, const char *text) {
    int rows = 0;
    for (; columns > 0 && *text != '\0'; rows++) text = next_line(text, line_bytes(text, columns));
    return rows;
}

void canvas_fill_row(Canvas *canvas, Rect area, int row, int column, int columns, Role role,
                     const char *glyph) {
    int end = at_most(column + at_least(columns, 0), area.columns);
    for (int c = at_least(column, 0); c < end; c++) (void)canvas_write(canvas, area, row, c, role, glyph);
}

void canvas_fill_column(Canvas *canvas, Rect area, int row, int column, int rows, Role role,
                        const char *glyph) {
    int end = at_most(row + at_least(rows, 0), area.rows);
    for (int r = at_least(row, 0); r < end; r++) (void)canvas_write(canvas, area, r, column, role, glyph);
}

void canvas_erase(Canvas *canvas, Rect area) {
    Rect clip = rect_intersect(area, canvas_area(canvas));
    for (int row = clip.row; row < clip.row + clip.rows; row++) {
        for (int column = clip.column; column < clip.column + clip.columns; column++) {
            break_wide(canvas, row, column);
            blank(cell_at(canvas, row, column), PLAIN);
        }
    }
}

void canvas_restyle(Canvas *canvas, Rect area, Role role) {
    Rect clip = rect_intersect(area, canvas_area(canvas));
    Style over = theme_style(&canvas->theme, role);
    for (int row = clip.row; row < clip.row + clip.rows; row++) {
        for (int column = clip.column; column < clip.column + clip.columns; column++) {
            Cell *cell = cell_at(canvas, row, column);
            cell->style = theme_overlay(cell->style, over);
        }
    }
}

void canvas_underline(Canvas *canvas, Rect area) {
    Rect clip = rect_intersect(area, canvas_area(canvas));
    for (int row = clip.row; row < clip.row + clip.rows; row++)
        for (int column = clip.column; column < clip.column + clip.columns; column++)
            cell_at(canvas, row, column)->style.attributes |= THEME_UNDERLINE;
}

Rect canvas_frame(Canvas *canvas, Rect area, const char *title) {
    int right = area.columns - 1, bottom = area.rows - 1;
    canvas_fill_row(canvas, area, 0, 1, right - 1, ROLE_BORDER, "─");
    canvas_fill_row(canvas, area, bottom, 1, right - 1, ROLE_BORDER, "─");
    canvas_fill_column(canvas, area, 1, 0, bottom - 1, ROLE_BORDER, "│");
    canvas_fill_column(canvas, area, 1, right, bottom - 1, ROLE_BORDER, "│");
    (void)canvas_write(canvas, area, 0, 0, ROLE_BORDER, "┌");
    (void)canvas_write(canvas, area, 0, right, ROLE_BORDER, "┐");
    (void)canvas_write(canvas, area, bottom, 0, ROLE_BORDER, "└");
    (void)canvas_write(canvas, area, bottom, right, ROLE_BORDER, "┘");
    Rect head = rect_intersect(area, rect_make(area.row, area.column + 2, 1, area.columns - 4));
    if (title != NULL && head.columns > 2) {
        int end = canvas_write(canvas, head, 0, 1, ROLE_TITLE, title);
        (void)canvas_write(canvas, head, 0, 0, ROLE_TITLE, " ");
        (void)canvas_write(canvas, head, 0, end, ROLE_TITLE, " ");
    }
    return rect_intersect(area, rect_make(area.row + 1, area.column + 1, area.rows - 2, area.columns - 2));
}

void canvas_set_cursor(Canvas *canvas, Rect area, int row, int column) {
    Rect clip = rect_intersect(area, canvas_area(canvas));
    int r = area.row + row, c = area.column + column;
    bool inside =
        r >= clip.row && r < clip.row + clip.rows && c >= clip.column && c < clip.column + clip.columns;
    canvas->cursor_row = inside ? r : -1;
    canvas->cursor_column = inside ? c : -1;
}

Status canvas_to_text(const Canvas *canvas, char **text, Error *error) {
    size_t cells = (size_t)canvas->rows * (size_t)canvas->columns, bytes;
    *text = NULL;
    if (!memory_multiply(cells, TEXT_CLUSTER_BYTES, &bytes) ||
        !memory_add(bytes, (size_t)canvas->rows + 1, &bytes))
        return memory_fail(error, "the text of a screen");
    char *out = memory_allocate(bytes, 1);
    if (out == NULL) return memory_fail(error, "the text of a screen");
    size_t used = 0;
    for (int row = 0; row < canvas->rows; row++) {
        size_t kept = used; /* the end of the row's last character that is not a blank */
        for (int column = 0; column < canvas->columns; column++) {
            const Cell *cell = cell_at(canvas, row, column);
            size_t length = strlen(cell->text);
            memcpy(out + used, cell->text, length);
            used += length;
            if (length > 0 && strcmp(cell->text, " ") != 0) kept = used;
        }
        used = kept;
        out[used++] = '\n';
    }
    out[used] = '\0';
    *text = out;
    return STATUS_OK;
}

Status canvas_dump(const Canvas *canvas, FILE *file, Error *error) {
    char *text;
    Status status = canvas_to_text(canvas, &text, error);
    if (status != STATUS_OK) return status;
    (void)fputs(text, file);
    status = disk_check_stream(file, "the text of the screen", error);
    free(text);
    return status;
}

bool cell_equals(const Cell *a, const Cell *b) {
    return a->width == b->width && strcmp(a->text, b->text) == 0 &&
           a->style.foreground == b->style.foreground && a->style.background == b->style.background &&
           a->style.attributes == b->style.attributes;
}
