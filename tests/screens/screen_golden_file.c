#include "core/support/memory.h"
#include "tests/screens/screen_golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How the two planes look in the file. */
static const struct {
    const char *head;
    char row;
} planes[SCREEN_PLANES] = {{"ink", ':'}, {"ground", ';'}};

enum { LETTER_COLUMN = 8, STYLE_COLUMN = 16, COLUMN_GAP = 2 };

/* What a terminal is called in the head of a legend: its depth, with its character set where the section has more
 * than one. The caller frees it; NULL when out of memory. */
static char *column_name(const GoldenSection *section, const MatrixTerminals *terminals, size_t t) {
    size_t terminal = section->terminals[t], last = section->terminals[section->terminal_count - 1];
    const char *depth = matrix_terminals_word(terminals, MATRIX_DEPTH,
                                              matrix_terminals_place(terminals, terminal, MATRIX_DEPTH));
    const char *charset = matrix_terminals_word(terminals, MATRIX_CHARSET,
                                                matrix_terminals_place(terminals, terminal, MATRIX_CHARSET));
    bool alone = matrix_terminals_place(terminals, section->terminals[0], MATRIX_CHARSET) ==
                 matrix_terminals_place(terminals, last, MATRIX_CHARSET);
    return alone ? memory_format("%s", depth) : memory_format("%s-%s", charset, depth);
}

/* ---- reading ---- */

typedef struct Reader {
    const MatrixTerminals *terminals;
    ScreenGolden *golden;
    GoldenSection *section; /* the one that is being read, or NULL */
    GoldenPlane *plane;     /* of it, once its head was read, or NULL */
} Reader;

static Status fail_line(const char *what, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s", what);
}

/* Terminals are kept in ascending order, which the columns of a legend follow. */
static Status add_terminal(GoldenSection *section, size_t terminal, Error *error) {
    if (section->terminal_count > 0 && section->terminals[section->terminal_count - 1] >= terminal)
        return fail_line("a terminal twice, or not in the order of the list of terminals", error);
    Status status =
        MEMORY_RESERVE(section->terminals, &section->terminal_capacity, section->terminal_count + 1, error);
    if (status == STATUS_OK) section->terminals[section->terminal_count++] = terminal;
    return status;
}

/* "== SIZE CHARSET …: DEPTH …" as words, the last charset with its colon. */
static Status read_head(Reader *reader, const ScreenWords *words, Error *error) {
    const MatrixTerminals *terminals = reader->terminals;
    size_t colon = 2, places[MATRIX_AXES];
    while (colon < words->count && strchr(words->items[colon], ':') == NULL) colon++;
    if (colon >= words->count) return fail_line("expected == SIZE CHARSET ...: DEPTH ...", error);
    *strchr(words->items[colon], ':') = '\0';
    if (!matrix_terminals_find_word(terminals, MATRIX_SIZE, words->items[1], &places[MATRIX_SIZE]))
        return status_fail(error, STATUS_FORMAT, "no terminal shows this: there is no size %s",
                           words->items[1]);
    if (colon + 1 == words->count) return fail_line("no terminal shows this", error);
    const GoldenSection *section = reader->section;
    if (section->terminal_count > 0 &&
        matrix_terminals_place(terminals, section->terminals[0], MATRIX_SIZE) != places[MATRIX_SIZE])
        return fail_line("two sizes in one section", error);
    Status status = STATUS_OK;
    for (size_t i = 2; i <= colon; i++) {
        for (size_t j = colon + 1; j < words->count && status == STATUS_OK; j++) {
            if (!matrix_terminals_find_word(terminals, MATRIX_CHARSET, words->items[i],
                                            &places[MATRIX_CHARSET]) ||
                !matrix_terminals_find_word(terminals, MATRIX_DEPTH, words->items[j], &places[MATRIX_DEPTH]))
                return status_fail(error, STATUS_FORMAT, "no terminal shows this: there is no %s %s",
                                   words->items[i], words->items[j]);
            status = add_terminal(reader->section, matrix_terminals_at(terminals, places), error);
        }
    }
    return status;
}

/* Cut where two blanks or more stand: names of styles have single ones. */
static Status split_columns(const char *line, ScreenWords *columns, Error *error) {
    Status status = STATUS_OK;
    for (*columns = (ScreenWords){0}; *line != '\0' && status == STATUS_OK;) {
        const char *gap = strstr(line, "  ");
        size_t length = gap == NULL ? strlen(line) : (size_t)(gap - line);
        status = screen_words_add(columns, line, length, error);
        line += length;
        while (*line == ' ') line++;
    }
    return status;
}

static Status read_legend_head(Reader *reader, ScreenPlane plane, const ScreenWords *columns, Error *error) {
    GoldenSection *section = reader->section;
    reader->plane = &section->planes[plane];
    if (reader->plane->count > 0) return fail_line("a second legend", error);
    if (columns->count != section->terminal_count + 1)
        return fail_line("expected a column for every terminal of the section", error);
    for (size_t t = 0; t < section->terminal_count; t++) {
        char *name = column_name(section, reader->terminals, t);
        if (name == NULL) return memory_fail(error, "a legend");
        bool same = strcmp(name, columns->items[t + 1]) == 0;
        free(name);
        if (!same) return fail_line("the columns are not the terminals of the section in their order", error);
    }
    return STATUS_OK;
}

static Status read_legend(Reader *reader, const ScreenWords *columns, Error *error) {
    GoldenPlane *plane = reader->plane;
    const char *letter = columns->items[0];
    if (plane == NULL || columns->count != reader->section->terminal_count + 1 || strlen(letter) != 1)
        return fail_line("expected a letter and a style for every terminal of the section", error);
    if (*letter != '*' &&
        (plane->count >= SCREEN_GOLDEN_LETTERS || *letter != screen_golden_letters[plane->count]))
        return fail_line("this letter's turn has not come", error);
    Status status = MEMORY_RESERVE(plane->legend, &plane->capacity, plane->count + 1, error);
    if (status != STATUS_OK) return status;
    ScreenWords *names = &plane->legend[plane->count++];
    *names = (ScreenWords){0};
    for (size_t i = 1; i < columns->count && status == STATUS_OK; i++)
        status = screen_words_add(names, columns->items[i], strlen(columns->items[i]), error);
    return status;
}

static Status read_layout(Reader *reader, ScreenPlane plane, const char *letters, Error *error) {
    if (reader->plane == NULL || reader->plane != &reader->section->planes[plane])
        return fail_line("letters without a legend", error);
    for (const char *at = letters; *at != '\0'; at++) {
        const char *known = strchr(screen_golden_letters, *at);
        if (*at != ' ' && (known == NULL || (size_t)(known - screen_golden_letters) >= reader->plane->count))
            return status_fail(error, STATUS_FORMAT, "the letter %c is not in the legend", *at);
    }
    return screen_words_add(&reader->plane->layout, letters, strlen(letters), error);
}

static Status check_plane(const GoldenSection *section, const GoldenPlane *plane, bool keeps_cells,
                          size_t columns, Error *error) {
    if (plane->layout.count == 0)
        return keeps_cells && plane->count > 0 ? fail_line("a legend without its rows", error) : STATUS_OK;
    if (plane->layout.count != section->lines.count)
        return fail_line("expected as many rows of letters as of text", error);
    for (size_t i = 0; i < plane->layout.count; i++)
        if (strlen(plane->layout.items[i]) > columns) return fail_line("too many letters in a row", error);
    for (size_t letter = 0; letter < plane->count; letter++) {
        bool used = false;
        for (size_t i = 0; i < plane->layout.count && !used; i++)
            used = strchr(plane->layout.items[i], screen_golden_letters[letter]) != NULL;
        if (!used)
            return status_fail(error, STATUS_FORMAT, "the letter %c of the legend is nowhere",
                               screen_golden_letters[letter]);
    }
    return STATUS_OK;
}

/* What can be seen only when a section is complete. */
static Status end_section(const Reader *reader, Error *error) {
    const GoldenSection *section = reader->section;
    if (section == NULL) return STATUS_OK;
    size_t columns, rows;
    matrix_terminals_size(reader->terminals, section->terminals[0], &columns, &rows);
    Status status = section->lines.count == rows
                        ? STATUS_OK
                        : status_fail(error, STATUS_FORMAT, "expected %zu rows of text, found %zu", rows,
                                      section->lines.count);
    bool keeps_cells = matrix_terminals_keeps_cells(reader->terminals, section->terminals[0]);
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES && status == STATUS_OK; plane++)
        status = check_plane(section, &section->planes[plane], keeps_cells, columns, error);
    return status == STATUS_OK ? status : status_add_context(error, "the section of line %zu", section->line);
}

/* A head begins a section unless it stands right under another one. */
static Status begin_section(Reader *reader, size_t line, Error *error) {
    if (reader->section != NULL && reader->section->lines.count == 0) return STATUS_OK;
    Status status = end_section(reader, error);
    if (status != STATUS_OK) return status;
    ScreenGolden *golden = reader->golden;
    status = MEMORY_RESERVE(golden->sections, &golden->capacity, golden->count + 1, error);
    if (status != STATUS_OK) return status;
    reader->section = &golden->sections[golden->count++];
    *reader->section = (GoldenSection){.line = line};
    reader->plane = NULL;
    return STATUS_OK;
}

static Status read_words(Reader *reader, const char *text, size_t line, Error *error) {
    ScreenWords words = {0};
    bool is_head = strncmp(text, "== ", 3) == 0;
    if (!is_head && reader->section == NULL) return fail_line("expected a section to begin", error);
    Status status = is_head ? screen_words_split(text, &(ScreenVariables){0}, &words, error)
                            : split_columns(text, &words, error);
    if (status == STATUS_OK && is_head) {
        status = begin_section(reader, line, error);
        if (status == STATUS_OK) status = read_head(reader, &words, error);
    } else if (status == STATUS_OK) {
        ScreenPlane plane = 0;
        while (plane < SCREEN_PLANES && strcmp(words.items[0], planes[plane].head) != 0) plane++;
        status = plane < SCREEN_PLANES ? read_legend_head(reader, plane, &words, error)
                                       : read_legend(reader, &words, error);
    }
    screen_words_free(&words);
    return status;
}

static Status read_line(Reader *reader, const char *text, size_t line, Error *error) {
    if (*text == '\0' || *text == '#') return STATUS_OK;
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++)
        if (*text == planes[plane].row)
            return reader->section == NULL ? fail_line("letters without a section", error)
                                           : read_layout(reader, plane, text + 1, error);
    if (*text != '|') return read_words(reader, text, line, error);
    if (reader->section == NULL || reader->plane != NULL) return fail_line("text without a section", error);
    return screen_words_add(&reader->section->lines, text + 1, strlen(text + 1), error);
}

Status screen_golden_read(const char *path, const MatrixTerminals *terminals, ScreenGolden *golden,
                          Error *error) {
    *golden = (ScreenGolden){0};
    Reader reader = {.terminals = terminals, .golden = golden};
    ScreenWords lines = {0};
    Status status = screen_words_read_lines(path, &lines, error);
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        status = read_line(&reader, lines.items[i], i + 1, error);
        if (status != STATUS_OK) (void)status_add_context(error, "%s:%zu", path, i + 1);
    }
    screen_words_free(&lines);
    if (status != STATUS_OK) return status;
    status = end_section(&reader, error);
    return status == STATUS_OK ? status : status_add_context(error, "%s", path);
}

/* ---- writing ---- */

static bool shows(const GoldenSection *section, size_t terminal) {
    for (size_t t = 0; t < section->terminal_count; t++)
        if (section->terminals[t] == terminal) return true;
    return false;
}

/* Whether two character sets show the section at the same depths. */
static bool same_depths(const GoldenSection *section, const MatrixTerminals *terminals, size_t a, size_t b) {
    size_t size = matrix_terminals_place(terminals, section->terminals[0], MATRIX_SIZE);
    for (size_t depth = 0; depth < terminals->counts[MATRIX_DEPTH]; depth++)
        if (shows(section, matrix_terminals_at(terminals, (size_t[]){size, a, depth})) !=
            shows(section, matrix_terminals_at(terminals, (size_t[]){size, b, depth})))
            return false;
    return true;
}

static bool has_charset(const GoldenSection *section, const MatrixTerminals *terminals, size_t charset) {
    for (size_t t = 0; t < section->terminal_count; t++)
        if (matrix_terminals_place(terminals, section->terminals[t], MATRIX_CHARSET) == charset) return true;
    return false;
}

/* A line for the character sets that have the same depths as `charset`, unless an earlier one had it already. */
static void write_head(const GoldenSection *section, const MatrixTerminals *terminals, size_t charset,
                       FILE *file) {
    for (size_t other = 0; other < charset; other++)
        if (same_depths(section, terminals, other, charset)) return;
    size_t size = matrix_terminals_place(terminals, section->terminals[0], MATRIX_SIZE);
    (void)fprintf(file, "== %s", matrix_terminals_word(terminals, MATRIX_SIZE, size));
    for (size_t other = charset; other < terminals->counts[MATRIX_CHARSET]; other++)
        if (same_depths(section, terminals, other, charset))
            (void)fprintf(file, " %s", matrix_terminals_word(terminals, MATRIX_CHARSET, other));
    (void)fputc(':', file);
    for (size_t depth = 0; depth < terminals->counts[MATRIX_DEPTH]; depth++)
        if (shows(section, matrix_terminals_at(terminals, (size_t[]){size, charset, depth})))
            (void)fprintf(file, " %s", matrix_terminals_word(terminals, MATRIX_DEPTH, depth));
    (void)fputc('\n', file);
}

/* A column of at least `width`, and two blanks before the next one. */
static void write_column(const char *text, size_t width, bool is_last, FILE *file) {
    (void)fputs(text, file);
    size_t length = strlen(text), fill = length + COLUMN_GAP > width ? COLUMN_GAP : width - length;
    for (size_t i = 0; !is_last && i < fill; i++) (void)fputc(' ', file);
    if (is_last) (void)fputc('\n', file);
}

static Status write_plane(const GoldenSection *section, const MatrixTerminals *terminals, ScreenPlane plane,
                          FILE *file, Error *error) {
    const GoldenPlane *of = &section->planes[plane];
    if (of->count == 0) return STATUS_OK;
    write_column(planes[plane].head, LETTER_COLUMN, false, file);
    for (size_t t = 0; t < section->terminal_count; t++) {
        char *name = column_name(section, terminals, t);
        if (name == NULL) return memory_fail(error, "a legend");
        write_column(name, STYLE_COLUMN, t + 1 == section->terminal_count, file);
        free(name);
    }
    for (size_t i = 0; i < of->count; i++) {
        char letter[2] = {of->layout.count == 0 ? '*' : screen_golden_letters[i], '\0'};
        write_column(letter, LETTER_COLUMN, false, file);
        for (size_t t = 0; t < section->terminal_count; t++)
            write_column(of->legend[i].items[t], STYLE_COLUMN, t + 1 == section->terminal_count, file);
    }
    for (size_t i = 0; i < of->layout.count; i++)
        (void)fprintf(file, "%c%s\n", planes[plane].row, of->layout.items[i]);
    return STATUS_OK;
}

static Status write_sections(const ScreenGolden *golden, const MatrixTerminals *terminals, const char *note,
                             FILE *file, Error *error) {
    Status status = STATUS_OK;
    (void)fprintf(file, "# %s\n", note);
    for (size_t i = 0; i < golden->count && status == STATUS_OK; i++) {
        const GoldenSection *section = &golden->sections[i];
        (void)fputc('\n', file);
        for (size_t charset = 0; charset < terminals->counts[MATRIX_CHARSET]; charset++)
            if (has_charset(section, terminals, charset)) write_head(section, terminals, charset, file);
        for (size_t row = 0; row < section->lines.count; row++)
            (void)fprintf(file, "|%s\n", section->lines.items[row]);
        for (ScreenPlane plane = 0; plane < SCREEN_PLANES && status == STATUS_OK; plane++)
            status = write_plane(section, terminals, plane, file, error);
    }
    return status;
}

/* Beside it and renamed, so that what is interrupted leaves the old one. */
Status screen_golden_write(const ScreenGolden *golden, const MatrixTerminals *terminals, const char *note,
                           const char *path, Error *error) {
    char *beside = memory_format("%s.new", path);
    if (beside == NULL) return memory_fail(error, "a path");
    FILE *file = fopen(beside, "we");
    Status status = file == NULL ? status_fail_errno(error, errno, "%s cannot be written", beside)
                                 : write_sections(golden, terminals, note, file, error);
    bool written = file != NULL && ferror(file) == 0;
    if (file != NULL && fclose(file) != 0) written = false;
    if (status == STATUS_OK && (!written || rename(beside, path) != 0))
        status = status_fail_errno(error, errno, "%s cannot be written", path);
    if (status != STATUS_OK) (void)unlink(beside); /* it may not be there */
    free(beside);
    return status;
}
