/*
 * sample_rows — the samples of a set as rows that models are measured on: a prompt's ids and a response's, the positions
 * that predict the response. In the order of the groups, and of the samples within one.
 */
#ifndef REJUV_CORE_SAMPLE_ROWS_H
#define REJUV_CORE_SAMPLE_ROWS_H

#include "core/evaluation/evaluation_row.h"
#include "core/readiness/sample_set.h"

/* Zero-initialise; sample_rows_free() releases. */
typedef struct SampleRows {
    EvaluationRow *rows; /* [count]; they borrow `ids` */
    int32_t *ids;
    size_t count;
    size_t tokens, response_tokens;
} SampleRows;

/* STATUS_ARGUMENT for a prompt without tokens. */
Status sample_rows_list(const SampleSet *set, SampleRows *rows, Error *error) STATUS_MUST_CHECK;
void sample_rows_free(SampleRows *rows);

#endif
