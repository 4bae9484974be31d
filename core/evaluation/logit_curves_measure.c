#include "core/evaluation/evaluation_internal.h"
#include "core/evaluation/logit_curves_internal.h"

void logit_curves_list_points(const Settings *settings, size_t count, Settings *points) {
    for (size_t i = 0; i < count; i++) {
        points[i] = *settings;
        points[i].alpha = chebyshev_point(0.0, 1.0, count, i);
    }
}

Status logit_curves_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                            EvaluationResult *results, LogitCurves **curves, Job *job, Error *error) {
    for (size_t i = 0; i < count; i++) results[i] = (EvaluationResult){0};
    Status status =
        logit_curves_create(settings, count, evaluation->positions, forward_vocabulary(evaluation->model),
                            evaluation->top_count, curves, error);
    if (status == STATUS_OK)
        status = evaluation_measure_keeping(evaluation, settings, count, results, *curves, job, error);
    if (status == STATUS_OK) return STATUS_OK;
    logit_curves_free(*curves);
    *curves = NULL;
    return status;
}
