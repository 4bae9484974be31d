#include "tests/screens/matrix_terminals.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const axes[MATRIX_AXES] = {"size", "charset", "depth"};

/* ---- the file ---- */

static bool read_size(const char *word, int *columns, int *rows) {
    int used = 0;
    return sscanf(word, "%dx%d%n", columns, rows, &used) == 2 && word[used] == '\0' && *columns > 0 &&
           *rows > 0;
}

static bool makes_sense(MatrixAxis axis, const ScreenWords *choice) {
    int columns, rows;
    if (choice->count < 2) return false;
    if (axis == MATRIX_SIZE)
        return read_size(choice->items[0], &columns, &rows) && choice->count == 2 &&
               (strcmp(choice->items[1], "cells") == 0 || strcmp(choice->items[1], "palette") == 0);
    for (size_t i = 1; i < choice->count; i++)
        if (strchr(choice->items[i], '=') == NULL) return false;
    return true;
}

static Status add_line(MatrixTerminals *terminals, const char *line, Error *error) {
    ScreenWords words = {0};
    Status status = screen_words_split(line, &(ScreenVariables){0}, &words, error);
    if (status == STATUS_OK && words.count > 0) {
        MatrixAxis axis = MATRIX_SIZE;
        while (axis < MATRIX_AXES && strcmp(words.items[0], axes[axis]) != 0) axis++;
        ScreenWords choice = {0};
        for (size_t i = 1; i < words.count && status == STATUS_OK; i++)
            status = screen_words_add(&choice, words.items[i], strlen(words.items[i]), error);
        if (status == STATUS_OK && (axis == MATRIX_AXES || !makes_sense(axis, &choice)))
            status = status_fail(error, STATUS_FORMAT, "\"%s\" says nothing of terminals", line);
        if (status == STATUS_OK)
            status = MEMORY_RESERVE(terminals->choices[axis], &terminals->capacities[axis],
                                    terminals->counts[axis] + 1, error);
        if (status == STATUS_OK) {
            terminals->choices[axis][terminals->counts[axis]++] = choice;
        } else {
            screen_words_free(&choice);
        }
    }
    screen_words_free(&words);
    return status;
}

Status matrix_terminals_read(const char *path, MatrixTerminals *terminals, Error *error) {
    *terminals = (MatrixTerminals){0};
    ScreenWords lines = {0};
    Status status = screen_words_read_lines(path, &lines, error);
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        status = add_line(terminals, lines.items[i], error);
        if (status != STATUS_OK) (void)status_add_context(error, "%s:%zu", path, i + 1);
    }
    screen_words_free(&lines);
    if (status == STATUS_OK && matrix_terminals_count(terminals) == 0)
        status = status_fail(error, STATUS_FORMAT, "%s names no terminal", path);
    return status;
}

void matrix_terminals_free(MatrixTerminals *terminals) {
    for (MatrixAxis axis = 0; axis < MATRIX_AXES; axis++) {
        for (size_t i = 0; i < terminals->counts[axis]; i++) screen_words_free(&terminals->choices[axis][i]);
        free(terminals->choices[axis]);
    }
    *terminals = (MatrixTerminals){0};
}

/* ---- numbers and names ---- */

size_t matrix_terminals_count(const MatrixTerminals *terminals) {
    return terminals->counts[MATRIX_SIZE] * terminals->counts[MATRIX_CHARSET] *
           terminals->counts[MATRIX_DEPTH];
}

size_t matrix_terminals_at(const MatrixTerminals *terminals, const size_t places[MATRIX_AXES]) {
    size_t terminal = 0;
    for (MatrixAxis axis = 0; axis < MATRIX_AXES; axis++)
        terminal = terminal * terminals->counts[axis] + places[axis];
    return terminal;
}

size_t matrix_terminals_place(const MatrixTerminals *terminals, size_t terminal, MatrixAxis axis) {
    for (MatrixAxis last = MATRIX_AXES - 1; last > axis; last--) terminal /= terminals->counts[last];
    return terminal % terminals->counts[axis];
}

const char *matrix_terminals_word(const MatrixTerminals *terminals, MatrixAxis axis, size_t place) {
    return terminals->choices[axis][place].items[0];
}

bool matrix_terminals_find_word(const MatrixTerminals *terminals, MatrixAxis axis, const char *word,
                                size_t *place) {
    for (*place = 0; *place < terminals->counts[axis]; ++*place)
        if (strcmp(matrix_terminals_word(terminals, axis, *place), word) == 0) return true;
    return false;
}

/* What the lines of the terminal's place on the axis say. */
static const ScreenWords *choice_of(const MatrixTerminals *terminals, size_t terminal, MatrixAxis axis) {
    return &terminals->choices[axis][matrix_terminals_place(terminals, terminal, axis)];
}

char *matrix_terminals_name(const MatrixTerminals *terminals, size_t terminal) {
    return memory_format("%s-%s-%s", choice_of(terminals, terminal, MATRIX_SIZE)->items[0],
                         choice_of(terminals, terminal, MATRIX_DEPTH)->items[0],
                         choice_of(terminals, terminal, MATRIX_CHARSET)->items[0]);
}

Status matrix_terminals_find(const MatrixTerminals *terminals, const char *name, size_t *terminal,
                             Error *error) {
    for (*terminal = 0; *terminal < matrix_terminals_count(terminals); ++*terminal) {
        char *other = matrix_terminals_name(terminals, *terminal);
        if (other == NULL) return memory_fail(error, "a name");
        bool same = strcmp(name, other) == 0;
        free(other);
        if (same) return STATUS_OK;
    }
    return status_fail(error, STATUS_ARGUMENT, "there is no terminal %s", name);
}

void matrix_terminals_size(const MatrixTerminals *terminals, size_t terminal, size_t *columns, size_t *rows) {
    int across = 0, down = 0;
    (void)read_size(choice_of(terminals, terminal, MATRIX_SIZE)->items[0], &across, &down);
    *columns = (size_t)across;
    *rows = (size_t)down;
}

bool matrix_terminals_keeps_cells(const MatrixTerminals *terminals, size_t terminal) {
    return strcmp(choice_of(terminals, terminal, MATRIX_SIZE)->items[1], "cells") == 0;
}

/* ---- for a script ---- */

static Status set_number(ScreenVariables *variables, const char *name, size_t number, Error *error) {
    char text[24];
    (void)snprintf(text, sizeof text, "%zu", number); /* always fits */
    return screen_variables_set(variables, name, text, error);
}

static Status set_words(ScreenVariables *variables, const ScreenWords *choice, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 1; i < choice->count && status == STATUS_OK; i++) {
        const char *equals = strchr(choice->items[i], '=');
        char *name = memory_copy_text(choice->items[i], (size_t)(equals - choice->items[i]));
        status = name == NULL ? memory_fail(error, "a variable")
                              : screen_variables_set(variables, name, equals + 1, error);
        free(name);
    }
    return status;
}

Status matrix_terminals_set_variables(const MatrixTerminals *terminals, size_t terminal,
                                      ScreenVariables *variables, Error *error) {
    size_t columns, rows;
    matrix_terminals_size(terminals, terminal, &columns, &rows);
    Status status = set_number(variables, "COLUMNS", columns, error);
    if (status == STATUS_OK) status = set_number(variables, "ROWS", rows, error);
    if (status == STATUS_OK)
        status = set_words(variables, choice_of(terminals, terminal, MATRIX_CHARSET), error);
    if (status == STATUS_OK)
        status = set_words(variables, choice_of(terminals, terminal, MATRIX_DEPTH), error);
    return status;
}
