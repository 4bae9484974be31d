#include "core/evaluation/evaluation_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>

void evaluation_free_result(EvaluationResult *result) {
    free(result->positions);
    free(result->top);
    free(result->hidden);
    *result = (EvaluationResult){0};
}

Status evaluation_make_result(const Evaluation *evaluation, Settings settings, EvaluationResult *result,
                              Error *error) {
    *result = (EvaluationResult){
        .settings = settings, .count = evaluation->positions, .top_count = evaluation->top_count};
    size_t hidden_bytes = evaluation->model->config->hidden_size * sizeof(float);
    result->positions = memory_allocate(result->count, sizeof *result->positions);
    bool complete = result->positions != NULL;
    if (evaluation->top_count > 0) {
        result->top = memory_allocate(result->count, evaluation->top_count * sizeof *result->top);
        result->hidden = memory_allocate(result->count, hidden_bytes);
        complete = complete && result->top != NULL && result->hidden != NULL;
    }
    if (complete) return STATUS_OK;
    evaluation_free_result(result);
    return memory_fail(error, "an evaluation");
}
