#include "core/method/attribution.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

static const double NO_GAP = -1.0; /* below all others: for a NaN */

typedef struct Candidate {
    double gap;
    size_t row, position, measured; /* measured: index into the evaluation's positions */
} Candidate;

static int compare_candidates(const void *a, const void *b) {
    const Candidate *left = a, *right = b;
    if (left->gap != right->gap) return left->gap > right->gap ? -1 : 1;
    if (left->row != right->row) return left->row < right->row ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

/* Those without a gap come last: where one is among the chosen, which they are says nothing. */
static Status check_gaps(const Candidate *chosen, size_t count, Error *error) {
    if (count == 0 || chosen[count - 1].gap != NO_GAP) return STATUS_OK;
    const Candidate *first = chosen;
    while (first->gap != NO_GAP) first++;
    return status_fail(
        error, STATUS_FORMAT,
        "row %zu, position %zu: the entropy of base or SFT is not a number: the weights, or what "
        "they make of the row, are not all finite",
        first->row, first->position);
}

Status attribution_choose_targets(const EvaluationRow *rows, size_t row_count, const EvaluationResult *base,
                                  const EvaluationResult *sft, size_t count, AttributionTarget **targets,
                                  size_t *target_count, Error *error) {
    *target_count = sft->count < count ? sft->count : count;
    Candidate *candidates = memory_allocate(sft->count, sizeof *candidates);
    *targets = memory_allocate(*target_count, sizeof **targets);
    if (candidates == NULL || *targets == NULL) {
        free(candidates);
        free(*targets);
        *targets = NULL;
        return memory_fail(error, "targets");
    }
    size_t measured = 0;
    for (size_t r = 0; r < row_count; r++) {
        for (size_t s = 0; s < evaluation_row_spans(&rows[r]); s++) {
            EvaluationSpan span = evaluation_row_span(&rows[r], s);
            for (size_t t = span.first; t < span.end; t++, measured++) {
                double gap = fabs(sft->positions[measured].entropy - base->positions[measured].entropy);
                candidates[measured] = (Candidate){isnan(gap) ? NO_GAP : gap, r, t, measured};
            }
        }
    }
    qsort(candidates, measured, sizeof *candidates, compare_candidates);
    Status status = check_gaps(candidates, *target_count, error);
    for (size_t i = 0; i < *target_count; i++) {
        const Candidate *chosen = &candidates[i];
        const DistributionPosition *position = &sft->positions[chosen->measured];
        (*targets)[i] = (AttributionTarget){.row = chosen->row,
                                            .position = chosen->position,
                                            .token = position->next >= 0 ? position->next : position->top,
                                            .entropy_base = base->positions[chosen->measured].entropy,
                                            .entropy_sft = position->entropy};
    }
    free(candidates);
    if (status == STATUS_OK) return STATUS_OK;
    free(*targets);
    *targets = NULL;
    *target_count = 0;
    return status;
}
