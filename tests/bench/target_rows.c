#include "tests/bench/target_rows.h"

void target_rows_lay_out(TargetRows *given, const Model *model) {
    enum { HALF = TARGET_ROW_TOKENS / 2, EACH = ATTRIBUTION_TARGETS / TARGET_ROWS };
    size_t vocabulary = forward_vocabulary(model);
    for (size_t i = 0; i < TARGET_ROWS_TOKENS; i++) given->ids[i] = (int32_t)(i * 7919 % vocabulary);
    for (size_t r = 0; r < TARGET_ROWS; r++)
        given->rows[r] = (EvaluationRow){.ids = given->ids + r * TARGET_ROW_TOKENS,
                                         .count = TARGET_ROW_TOKENS,
                                         .first = HALF - 1,
                                         .end = TARGET_ROW_TOKENS - 1};
    for (size_t i = 0; i < ATTRIBUTION_TARGETS; i++) {
        size_t row = i % TARGET_ROWS, position = HALF + i / TARGET_ROWS * HALF / EACH;
        given->targets[i] = (AttributionTarget){
            .row = row, .position = position, .token = given->rows[row].ids[position + 1]};
    }
}
