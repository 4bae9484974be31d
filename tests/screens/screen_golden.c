#include "tests/screens/screen_golden.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

const char screen_golden_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static void free_section(GoldenSection *section) {
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++) {
        GoldenPlane *of = &section->planes[plane];
        for (size_t i = 0; i < of->count; i++) screen_words_free(&of->legend[i]);
        free(of->legend);
        screen_words_free(&of->layout);
    }
    screen_words_free(&section->lines);
    free(section->terminals);
}

void screen_golden_free(ScreenGolden *golden) {
    for (size_t i = 0; i < golden->count; i++) free_section(&golden->sections[i]);
    free(golden->sections);
    *golden = (ScreenGolden){0};
}

static bool same_lines(const ScreenWords *a, const ScreenWords *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

/* ---- from screens to sections ---- */

/* What all terminals of a section have in one cell, as places in their palettes. */
typedef struct Tuples {
    uint16_t *places; /* count × width */
    size_t count, capacity, width;
} Tuples;

/* Which tuple this is; a new one is put behind the others, and *is_new set. */
static Status find_tuple(Tuples *tuples, const uint16_t *places, size_t *tuple, bool *is_new, Error *error) {
    size_t bytes = tuples->width * sizeof *places;
    *is_new = false;
    for (*tuple = 0; *tuple < tuples->count; ++*tuple)
        if (memcmp(tuples->places + *tuple * tuples->width, places, bytes) == 0) return STATUS_OK;
    Status status =
        MEMORY_RESERVE(tuples->places, &tuples->capacity, (tuples->count + 1) * tuples->width, error);
    if (status != STATUS_OK) return status;
    memcpy(tuples->places + tuples->count++ * tuples->width, places, bytes);
    *is_new = true;
    return STATUS_OK;
}

static Status add_legend(GoldenPlane *of, const GoldenSection *section, const ScreenShot *shots,
                         ScreenPlane plane, const uint16_t *places, Error *error) {
    Status status = MEMORY_RESERVE(of->legend, &of->capacity, of->count + 1, error);
    if (status != STATUS_OK) return status;
    ScreenWords *names = &of->legend[of->count++];
    *names = (ScreenWords){0};
    for (size_t t = 0; t < section->terminal_count && status == STATUS_OK; t++) {
        const char *name = shots[section->terminals[t]].palettes[plane].items[places[t]];
        status = screen_words_add(names, name, strlen(name), error);
    }
    return status;
}

/* The letter of one cell: a blank where all terminals have "-", which is the first of every palette. */
static Status letter_of(GoldenPlane *of, const GoldenSection *section, const ScreenShot *shots,
                        ScreenPlane plane, size_t cell, Tuples *tuples, uint16_t *places, char *letter,
                        Error *error) {
    bool is_blank = true, is_new;
    for (size_t t = 0; t < section->terminal_count; t++) {
        places[t] = shots[section->terminals[t]].cells[plane][cell];
        is_blank = is_blank && places[t] == 0;
    }
    *letter = ' ';
    if (is_blank) return STATUS_OK;
    size_t tuple;
    Status status = find_tuple(tuples, places, &tuple, &is_new, error);
    if (status == STATUS_OK && is_new) status = add_legend(of, section, shots, plane, places, error);
    *letter = tuple < SCREEN_GOLDEN_LETTERS ? screen_golden_letters[tuple] : '*';
    return status;
}

static Status build_plane(GoldenSection *section, const ScreenShot *shots, ScreenPlane plane, bool has_cells,
                          Error *error) {
    const ScreenShot *first = &shots[section->terminals[0]];
    GoldenPlane *of = &section->planes[plane];
    Tuples tuples = {.width = section->terminal_count};
    uint16_t *places = memory_allocate(tuples.width, sizeof *places);
    char *letters = memory_allocate(first->columns + 1, 1);
    Status status = places == NULL || letters == NULL ? memory_fail(error, "a layout") : STATUS_OK;
    for (size_t row = 0; row < first->rows && status == STATUS_OK; row++) {
        size_t used = 0;
        for (size_t column = 0; column < first->columns && status == STATUS_OK; column++) {
            status = letter_of(of, section, shots, plane, row * first->columns + column, &tuples, places,
                               &letters[column], error);
            if (letters[column] != ' ') used = column + 1;
        }
        if (status == STATUS_OK && has_cells) status = screen_words_add(&of->layout, letters, used, error);
    }
    if (status == STATUS_OK && has_cells && of->count > SCREEN_GOLDEN_LETTERS)
        status = status_fail(error, STATUS_UNSUPPORTED, "%zu styles in one screen: there are %d letters",
                             of->count, SCREEN_GOLDEN_LETTERS);
    free(tuples.places);
    free(letters);
    free(places);
    return status;
}

/* Whether a terminal that shows `lines` belongs there; one of another size does not, however it looks. */
static bool belongs(const GoldenSection *section, const MatrixTerminals *terminals, size_t terminal,
                    const ScreenWords *lines) {
    return matrix_terminals_place(terminals, section->terminals[0], MATRIX_SIZE) ==
               matrix_terminals_place(terminals, terminal, MATRIX_SIZE) &&
           same_lines(&section->lines, lines);
}

/* The section of a terminal's text, made unless it is there. */
static Status place_terminal(ScreenGolden *golden, const MatrixTerminals *terminals, const ScreenShot *shots,
                             size_t terminal, Error *error) {
    const ScreenWords *lines = &shots[terminal].lines;
    size_t at = 0;
    while (at < golden->count && !belongs(&golden->sections[at], terminals, terminal, lines)) at++;
    Status status = STATUS_OK;
    if (at == golden->count) {
        status = MEMORY_RESERVE(golden->sections, &golden->capacity, at + 1, error);
        if (status != STATUS_OK) return status;
        golden->sections[golden->count++] = (GoldenSection){0};
        for (size_t i = 0; i < lines->count && status == STATUS_OK; i++)
            status = screen_words_add(&golden->sections[at].lines, lines->items[i], strlen(lines->items[i]),
                                      error);
    }
    GoldenSection *section = &golden->sections[at];
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(section->terminals, &section->terminal_capacity, section->terminal_count + 1,
                                error);
    if (status == STATUS_OK) section->terminals[section->terminal_count++] = terminal;
    return status;
}

Status screen_golden_build(const ScreenShot *shots, const MatrixTerminals *terminals, bool all_cells,
                           ScreenGolden *golden, Error *error) {
    *golden = (ScreenGolden){0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < matrix_terminals_count(terminals) && status == STATUS_OK; i++)
        if (shots[i].lines.count > 0) status = place_terminal(golden, terminals, shots, i, error);
    for (size_t i = 0; i < golden->count && status == STATUS_OK; i++) {
        GoldenSection *section = &golden->sections[i];
        bool has_cells = all_cells || matrix_terminals_keeps_cells(terminals, section->terminals[0]);
        for (ScreenPlane plane = 0; plane < SCREEN_PLANES && status == STATUS_OK; plane++)
            status = build_plane(section, shots, plane, has_cells, error);
    }
    return status;
}

/* ---- from a section to a screen ---- */

/* The styles of one terminal, the one of number `t` in the section. Letters are known to be in the legend. */
static Status fill_plane(const GoldenPlane *from, ScreenPlane plane, size_t t, ScreenShot *shot,
                         Error *error) {
    uint16_t places[SCREEN_GOLDEN_LETTERS], place;
    Status status = STATUS_OK;
    for (size_t i = 0; i < from->count && status == STATUS_OK; i++) {
        status = screen_shot_name(shot, plane, from->legend[i].items[t], &place, error);
        if (i < SCREEN_GOLDEN_LETTERS) places[i] = place;
    }
    for (size_t row = 0; row < from->layout.count && status == STATUS_OK; row++) {
        const char *letters = from->layout.items[row];
        for (size_t column = 0; letters[column] != '\0'; column++)
            if (letters[column] != ' ')
                shot->cells[plane][row * shot->columns + column] =
                    places[strchr(screen_golden_letters, letters[column]) - screen_golden_letters];
    }
    return status;
}

/* Where a legend stands alone the cells are not known; where there is no legend they are all blank. */
static bool section_has_cells(const GoldenSection *section) {
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES; plane++)
        if (section->planes[plane].count > 0 && section->planes[plane].layout.count == 0) return false;
    return true;
}

static Status section_shot(const GoldenSection *section, const MatrixTerminals *terminals, size_t t,
                           ScreenShot *shot, Error *error) {
    size_t columns, rows;
    matrix_terminals_size(terminals, section->terminals[t], &columns, &rows);
    Status status = screen_shot_make(rows, columns, section_has_cells(section), shot, error);
    for (size_t i = 0; i < section->lines.count && status == STATUS_OK; i++)
        status =
            screen_words_add(&shot->lines, section->lines.items[i], strlen(section->lines.items[i]), error);
    for (ScreenPlane plane = 0; plane < SCREEN_PLANES && status == STATUS_OK; plane++)
        status = fill_plane(&section->planes[plane], plane, t, shot, error);
    return status;
}

static Status fail_missing(const MatrixTerminals *terminals, size_t terminal, Error *error) {
    char *name = matrix_terminals_name(terminals, terminal);
    Status status = status_fail(error, STATUS_MISMATCH, "no section shows %s", name == NULL ? "?" : name);
    free(name);
    return status;
}

Status screen_golden_shot(const ScreenGolden *golden, const MatrixTerminals *terminals, size_t terminal,
                          ScreenShot *shot, size_t *line, Error *error) {
    *shot = (ScreenShot){0};
    for (size_t i = 0; i < golden->count; i++) {
        const GoldenSection *section = &golden->sections[i];
        for (size_t t = 0; t < section->terminal_count; t++) {
            if (section->terminals[t] != terminal) continue;
            *line = section->line;
            return section_shot(section, terminals, t, shot, error);
        }
    }
    return fail_missing(terminals, terminal, error);
}

/* ---- the whole file ---- */

Status screen_golden_check(const ScreenGolden *golden, const MatrixTerminals *terminals, Error *error) {
    for (size_t terminal = 0; terminal < matrix_terminals_count(terminals); terminal++) {
        size_t shown = 0;
        for (size_t i = 0; i < golden->count; i++)
            for (size_t t = 0; t < golden->sections[i].terminal_count; t++)
                if (golden->sections[i].terminals[t] == terminal) shown++;
        if (shown == 0) return fail_missing(terminals, terminal, error);
        if (shown > 1)
            return status_fail(error, STATUS_MISMATCH, "%zu sections show the same terminal", shown);
    }
    for (size_t i = 1; i < golden->count; i++)
        if (golden->sections[i].terminals[0] < golden->sections[i - 1].terminals[0])
            return status_fail(error, STATUS_MISMATCH, "the section of line %zu stands too late",
                               golden->sections[i].line);
    for (size_t i = 0; i < golden->count; i++)
        for (size_t other = 0; other < i; other++)
            if (belongs(&golden->sections[other], terminals, golden->sections[i].terminals[0],
                        &golden->sections[i].lines))
                return status_fail(error, STATUS_MISMATCH, "the same text in lines %zu and %zu",
                                   golden->sections[other].line, golden->sections[i].line);
    return STATUS_OK;
}
