#include "core/transformer/expert_rows.h"

#include "core/support/memory.h"

#include <stdlib.h>

void expert_rows_free(ExpertRows *rows) {
    free(rows->firsts);
    free(rows->tokens);
    free(rows->expert);
    free(rows->weights);
    free(rows->row_of);
    *rows = (ExpertRows){0};
}

static Status reserve(ExpertRows *rows, size_t tokens, Error *error) {
    if (!memory_multiply(tokens, rows->chosen, &rows->count)) return memory_fail(error, "the experts");
    rows->firsts = memory_allocate(rows->experts + 2, sizeof *rows->firsts);
    rows->tokens = memory_allocate(rows->count, sizeof *rows->tokens);
    rows->expert = memory_allocate(rows->count, sizeof *rows->expert);
    rows->weights = memory_allocate(rows->count, sizeof *rows->weights);
    rows->row_of = memory_allocate(rows->count, sizeof *rows->row_of);
    bool complete = rows->firsts != NULL && rows->tokens != NULL && rows->expert != NULL &&
                    rows->weights != NULL && rows->row_of != NULL;
    return complete ? STATUS_OK : memory_fail(error, "the experts");
}

Status expert_rows_sort(ExpertRows *rows, size_t experts, size_t chosen, size_t tokens, const float *numbers,
                        const float *weights, Error *error) {
    *rows = (ExpertRows){.experts = experts, .chosen = chosen};
    Status status = reserve(rows, tokens, error);
    if (status != STATUS_OK) return status;
    size_t *firsts = rows->firsts;
    /* while rows are dealt out, an expert's next row is at firsts[expert + 1] */
    for (size_t i = 0; i < rows->count; i++) firsts[(size_t)numbers[i] + 2]++;
    for (size_t e = 0; e < experts; e++) firsts[e + 2] += firsts[e + 1];
    for (size_t i = 0; i < rows->count; i++) {
        size_t expert = (size_t)numbers[i], row = firsts[expert + 1]++;
        rows->tokens[row] = (uint32_t)(i / chosen);
        rows->expert[row] = (uint32_t)expert;
        rows->weights[row] = weights[i];
        rows->row_of[i] = row;
    }
    return STATUS_OK;
}
