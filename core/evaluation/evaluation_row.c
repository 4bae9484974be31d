#include "core/evaluation/evaluation_row.h"

size_t evaluation_row_spans(const EvaluationRow *row) {
    return row->spans == NULL ? 1 : row->span_count;
}

EvaluationSpan evaluation_row_span(const EvaluationRow *row, size_t index) {
    return row->spans == NULL ? (EvaluationSpan){row->first, row->end} : row->spans[index];
}

size_t evaluation_row_positions(const EvaluationRow *row) {
    size_t positions = 0;
    for (size_t s = 0; s < evaluation_row_spans(row); s++) {
        EvaluationSpan span = evaluation_row_span(row, s);
        positions += span.end - span.first;
    }
    return positions;
}

size_t evaluation_row_predictions(const EvaluationRow *row) {
    size_t positions = evaluation_row_positions(row);
    return positions > 0 && row->end == row->count ? positions - 1 : positions;
}

bool evaluation_row_measures(const EvaluationRow *row, size_t position) {
    for (size_t s = 0; s < evaluation_row_spans(row); s++) {
        EvaluationSpan span = evaluation_row_span(row, s);
        if (position >= span.first && position < span.end) return true;
    }
    return false;
}
