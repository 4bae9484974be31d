/*
 * matrix_terminals — the terminals in which every view is pinned, as matrix/terminals has them:
 *
 *     size 80x24 cells          COLUMNS and ROWS, and how much of the styles is kept (screen_golden.h)
 *     charset utf8 LANG=C.UTF-8
 *     depth 256 TERM=xterm-256color …
 *
 * Every size with every character set and every depth of colour is one terminal, named SIZE-DEPTH-CHARSET. A
 * terminal has a number: those of one size follow each other, and in a size those of one character set.
 */
#ifndef REJUV_TESTS_MATRIX_TERMINALS_H
#define REJUV_TESTS_MATRIX_TERMINALS_H

#include "core/support/status.h"
#include "tests/screens/screen_words.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum MatrixAxis { MATRIX_SIZE, MATRIX_CHARSET, MATRIX_DEPTH, MATRIX_AXES } MatrixAxis;

typedef struct MatrixTerminals {
    ScreenWords *choices[MATRIX_AXES]; /* each: its name, then what the line says of it */
    size_t counts[MATRIX_AXES], capacities[MATRIX_AXES];
} MatrixTerminals;

/* STATUS_FORMAT for a line that is none of those above. Free in any case. */
Status matrix_terminals_read(const char *path, MatrixTerminals *terminals, Error *error) STATUS_MUST_CHECK;
void matrix_terminals_free(MatrixTerminals *terminals);

size_t matrix_terminals_count(const MatrixTerminals *terminals);

/* A terminal by its place on each axis, and the other way round. */
size_t matrix_terminals_at(const MatrixTerminals *terminals, const size_t places[MATRIX_AXES]);
size_t matrix_terminals_place(const MatrixTerminals *terminals, size_t terminal, MatrixAxis axis);

/* What a place on an axis is called ("80x24", "utf8", "256"), and where a name stands; false when nowhere. */
const char *matrix_terminals_word(const MatrixTerminals *terminals, MatrixAxis axis, size_t place);
bool matrix_terminals_find_word(const MatrixTerminals *terminals, MatrixAxis axis, const char *word,
                                size_t *place);

/* "80x24-256-utf8", the caller frees it; NULL when out of memory. */
char *matrix_terminals_name(const MatrixTerminals *terminals, size_t terminal);
Status matrix_terminals_find(const MatrixTerminals *terminals, const char *name, size_t *terminal,
                             Error *error) STATUS_MUST_CHECK;

void matrix_terminals_size(const MatrixTerminals *terminals, size_t terminal, size_t *columns, size_t *rows);

/* Whether the styles of every cell are kept, or only which there are. */
bool matrix_terminals_keeps_cells(const MatrixTerminals *terminals, size_t terminal);

/* COLUMNS, ROWS and the NAME=VALUE of its lines, as variables for a script. */
Status matrix_terminals_set_variables(const MatrixTerminals *terminals, size_t terminal,
                                      ScreenVariables *variables, Error *error) STATUS_MUST_CHECK;

#endif
