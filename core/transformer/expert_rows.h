/*
 * expert_rows — tokens by the experts that they go to: each token once for each of its experts, an expert's rows side by
 * side, in the order of the text.
 */
#ifndef REJUV_CORE_EXPERT_ROWS_H
#define REJUV_CORE_EXPERT_ROWS_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ExpertRows {
    size_t count;     /* tokens · chosen */
    size_t experts;   /* that there are */
    size_t chosen;    /* for each token */
    size_t *firsts;   /* [experts + 1]: the first row of each */
    uint32_t *tokens; /* [count]: whose row it is */
    uint32_t *expert; /* [count]: and which expert's */
    float *weights;   /* [count] */
    size_t *row_of;   /* [tokens · chosen]: a token's rows, in the order of its choice */
} ExpertRows;

/* From numbers of experts and their weights, [tokens × chosen]. The caller frees, also after a failure. */
Status expert_rows_sort(ExpertRows *rows, size_t experts, size_t chosen, size_t tokens, const float *numbers,
                        const float *weights, Error *error) STATUS_MUST_CHECK;
void expert_rows_free(ExpertRows *rows);

#endif
