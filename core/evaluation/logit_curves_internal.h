/*
 * logit_curves_internal — how curves are kept (logit_curves_keep.c), read (logit_curves.c) and how wrong they are
 * (logit_curves_error.c). Not for others.
 */
#ifndef REJUV_CORE_LOGIT_CURVES_INTERNAL_H
#define REJUV_CORE_LOGIT_CURVES_INTERNAL_H

#include "core/evaluation/logit_curves.h"
#include "core/numerics/chebyshev.h"

/* What is interpolated of a position besides its tokens; behind them in its row. */
enum { CURVE_REST, CURVE_REST_MEAN, CURVE_KL_BASE, CURVE_KL_SFT, CURVE_EXTRA };

enum { CURVE_MOST_WIDTH = LOGIT_CURVES_TOKENS + CURVE_EXTRA };

/* Of one position, the same at every α. */
typedef struct CurvePosition {
    int32_t next, base_top, sft_top;
    size_t next_slot; /* of the next token, where there is one */
    double base_next; /* p of it at base */
} CurvePosition;

struct LogitCurves {
    Settings settings; /* of the first point */
    double points[CHEBYSHEV_MOST];
    size_t count;             /* points */
    size_t tokens, top_count; /* kept of a position; given of it */
    bool has_rest;            /* tokens that are not kept */
    size_t positions, width;  /* width: tokens + CURVE_EXTRA */
    int32_t *ids;             /* [positions × tokens], rising within a position */
    float *values;            /* [positions × count × width] */
    CurvePosition *facts;     /* [positions] */
    LogitErrors *errors;      /* [positions] */
    DistributionAverages wrong;
};

/* Points [first, first + count) at one position, beside base and SFT. */
typedef struct CurveRow {
    size_t position, first, count, vocabulary;
    int32_t next;
    const DistributionReference *base, *sft;
    const float *logits; /* of the first point; those of the next are `stride` further */
    size_t stride;
    float *scratch; /* [vocabulary] */
} CurveRow;

/* *curves is NULL where they would take more than LOGIT_CURVES_BYTES. */
Status logit_curves_create(const Settings *settings, size_t count, size_t positions, size_t vocabulary,
                           size_t top_count, LogitCurves **curves, Error *error) STATUS_MUST_CHECK;

/* Takes these points of a position in; described[] is what they were measured to be. Its first points choose the tokens. Any
 * thread, each position by one. */
void logit_curves_keep(LogitCurves *curves, const CurveRow *row, const DistributionPosition *described);

/* What the curves of a position say at the α of these coefficients; ln p of its tokens go to logs[tokens]. */
DistributionPosition logit_curves_describe(const LogitCurves *curves, size_t position,
                                           const double *coefficients, float *logs);

/* Holds the curves against the results at their points. */
Status logit_curves_measure_errors(LogitCurves *curves, const EvaluationResult *results, Job *job,
                                   Error *error) STATUS_MUST_CHECK;

#endif
