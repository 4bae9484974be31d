/*
 * gradient_rows — gradients of a matrix that is looked up by rows: an embedding, or learned positions. Its row i is the sum
 * over the tokens that looked i up; all other rows are 0, and are nowhere.
 */
#ifndef REJUV_CORE_GRADIENT_ROWS_H
#define REJUV_CORE_GRADIENT_ROWS_H

#include "core/support/status.h"

#include <stddef.h>

/* Which tokens looked up which row, by row and then by token. Zero-initialise; gradient_rows_free() releases. */
typedef struct GradientRows {
    struct GradientLookUp {
        size_t row, token;
    } * look_ups; /* [tokens] */
    size_t tokens;
    size_t *used; /* [used_count]: the rows, ascending */
    size_t used_count;
} GradientRows;

/* `rows` [tokens]. On failure *made is empty. */
Status gradient_rows_make(const size_t *rows, size_t tokens, GradientRows *made,
                          Error *error) STATUS_MUST_CHECK;
void gradient_rows_free(GradientRows *rows);

/* The first of the used rows that is not below `row`: used_count where there is none. */
size_t gradient_rows_find(const GradientRows *rows, size_t row);

/* ‖·‖² of the sums of gradient [tokens × width], on top of what else there is of the used rows: `others` [used_count × width],
 * or NULL. */
Status gradient_rows_square(const GradientRows *rows, const float *gradient, size_t width,
                            const float *others, double *square, Error *error) STATUS_MUST_CHECK;

#endif
