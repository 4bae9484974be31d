/*
 * target_rows — the rows that the method's passes are measured on, and what attribution explains of them: two rows of 64
 * tokens, of each of which the second half is its response, with 16 targets spread over it.
 */
#ifndef REJUV_TESTS_BENCH_TARGET_ROWS_H
#define REJUV_TESTS_BENCH_TARGET_ROWS_H

#include "core/method/attribution.h"

enum { TARGET_ROWS = 2, TARGET_ROW_TOKENS = 64, TARGET_ROWS_TOKENS = TARGET_ROWS * TARGET_ROW_TOKENS };

/* The rows' ids are borrowed from `ids`: not to be copied. */
typedef struct TargetRows {
    int32_t ids[TARGET_ROWS_TOKENS];
    EvaluationRow rows[TARGET_ROWS];
    AttributionTarget targets[ATTRIBUTION_TARGETS];
} TargetRows;

void target_rows_lay_out(TargetRows *given, const Model *model);

#endif
