/*
 * logit_curves — distributions at any α between those that were measured: the logits of each position as curves over α,
 * each a polynomial through what they are at Chebyshev's points (core/numerics/chebyshev.h).
 *
 *     logit_curves_measure()         W at n points of α, all other dials as they stand ──► results and curves
 *     logit_curves_estimate()        figures and tokens at another α, some milliseconds later
 *
 * What is kept. With l_x(α) the logit of token x at a position, ln p_x = l_x − ln Σ exp(l) is kept of the K tokens that
 * come highest at any of the points, at base or at SFT, and of the true next token; of all others together the logarithm R
 * of their mass and the mean M of their ln p, weighed by p; and KL(base ‖ W) and KL(SFT ‖ W). All are functions of α that
 * are interpolated. ln p differs from l by what all tokens have in common, which normalising takes out again:
 *
 *     Z = Σ_kept exp(ln p) + exp(R)          1 at the points, and next to it between them
 *     p = exp(ln p) / Z                      H = −Σ_kept p ln p − exp(R) / Z · (M − ln Z)
 *     KL = interpolated KL + ln Z            for Σ p_base ln p_x is a sum of logits, so interpolated exactly as they are
 *
 * The tokens are chosen when a position is first seen. Where not all points run side by side (evaluation_measure()) only the
 * first of them are looked at, besides base and SFT.
 *
 * The error is measured, by leaving points out: each but the ends in turn, and each two neighbours, of which a quarter
 * counts (one point more made that much of it, or less); figures at the point that is missing are held against what was
 * measured there. The largest difference is the error, and with it what rounding of logits to float32 does: 4e-6 of the
 * largest probability, as much of an entropy of 1 nat, and in proportion of a larger one. It covers what was
 * seen between the points (tests/unit/test_logit_curves.c), and proves nothing: a model may do between two points what
 * no polynomial foresees. Shares count positions, which are on one side or the other: of theirs the error is how many
 * are closer to the edge than their own error, and more.
 *
 * Memory is bounded: LOGIT_CURVES_BYTES for all positions. K is LOGIT_CURVES_TOKENS, or less where there are many
 * positions; where even LOGIT_CURVES_FEWEST would be too many, there are no curves.
 *
 * Figures that hold NaN at a point are NaN, and their error with them.
 */
#ifndef REJUV_CORE_LOGIT_CURVES_H
#define REJUV_CORE_LOGIT_CURVES_H

#include "core/evaluation/evaluation.h"

enum {
    LOGIT_CURVES_POINTS = 13, /* of a sweep that dials are to follow */
    LOGIT_CURVES_TOKENS = 60,
    LOGIT_CURVES_FEWEST = 12,
    LOGIT_CURVES_BYTES = 16 << 20
};

typedef struct LogitCurves LogitCurves;

/* Of one position, in nats and as probabilities: how wrong its figures may be. */
typedef struct LogitErrors {
    double entropy, kl_base, kl_sft;
    double probability; /* of any token that is kept; the next one's and Δp too */
} LogitErrors;

/* At one α. Zero-initialise; logit_curves_free_estimate() releases. */
typedef struct LogitEstimate {
    EvaluationResult result;    /* top tokens: as many as are kept at most; log_normalizer NaN, no hidden */
    const LogitErrors *errors;  /* [result.count], borrowed from the curves */
    DistributionAverages wrong; /* the error of each of result.averages' figures */
} LogitEstimate;

/* `settings` at `count` Chebyshev points of α from 0 to 1. */
void logit_curves_list_points(const Settings *settings, size_t count, Settings *points);

/* evaluation_measure(), and the curves through its results, which the caller frees. The settings differ in α alone, which
 * rises through `count` ≤ CHEBYSHEV_MOST points, 4 at least. *curves is NULL where they would take too much memory. Stages
 * as evaluation_measure(), then "errors". On failure there are neither results nor curves. */
Status logit_curves_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                            EvaluationResult *results, LogitCurves **curves, Job *job,
                            Error *error) STATUS_MUST_CHECK;
void logit_curves_free(LogitCurves *curves); /* takes NULL */

/* Whether these settings differ from those measured in α alone, if at all, and that lies between the points. */
bool logit_curves_cover(const LogitCurves *curves, const Settings *settings);

/* At settings that are covered: one pass over what is kept, at most LOGIT_CURVES_BYTES, so short enough for the thread
 * that draws. An estimate that was made before by the same curves is written over. STATUS_NO_MEMORY. */
Status logit_curves_estimate(const LogitCurves *curves, const Settings *settings, LogitEstimate *estimate,
                             Error *error) STATUS_MUST_CHECK;
void logit_curves_free_estimate(LogitEstimate *estimate);

/* p of a token at a position: of the next one and of the top tokens; NaN of all others. */
double logit_curves_probability(const LogitEstimate *estimate, size_t position, int32_t token);

size_t logit_curves_bytes(const LogitCurves *curves); /* that are kept */

#endif
