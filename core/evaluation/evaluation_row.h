/*
 * evaluation_row — which positions of a row of tokens are measured: all between two of them, or spans, where what is
 * learned is several turns of a conversation.
 *
 *     for (size_t s = 0; s < evaluation_row_spans(row); s++) {
 *         EvaluationSpan span = evaluation_row_span(row, s);
 *         for (size_t t = span.first; t < span.end; t++) …
 *     }
 *
 * Position t predicts token t + 1. A row borrows its ids and spans.
 */
#ifndef REJUV_CORE_EVALUATION_ROW_H
#define REJUV_CORE_EVALUATION_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Positions [first, end). */
typedef struct EvaluationSpan {
    size_t first, end;
} EvaluationSpan;

typedef struct EvaluationRow {
    const int32_t *ids;
    size_t count;
    size_t first, end; /* positions measured: first ≤ end ≤ count; the last one may have no next token */
    /* NULL: all of [first, end); else those of it that are measured, ascending and apart */
    const EvaluationSpan *spans;
    size_t span_count;
} EvaluationRow;

size_t evaluation_row_spans(const EvaluationRow *row);
EvaluationSpan evaluation_row_span(const EvaluationRow *row, size_t index);

/* How many positions are measured; and of them, how many have a next token. */
size_t evaluation_row_positions(const EvaluationRow *row);
size_t evaluation_row_predictions(const EvaluationRow *row);

bool evaluation_row_measures(const EvaluationRow *row, size_t position);

#endif
