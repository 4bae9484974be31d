/*
 * dormancy — neurons that hardly speak (Sokar et al. 2023, ReDo), and neurons that hardly learn (Liu et al.
 * 2025, GraMa).
 *
 *     s_j = E|h_j| / (mean_k E|h_k| + 1e-9)        dormant iff s_j ≤ τ
 *
 * h is the input of down_proj, act(gate) ⊙ up; E the mean over every position of every row, padding never
 * counted (there is none here). Attention: the same over o_proj inputs, per channel; a head is the mean of
 * its channels. Gradient dormancy: E|∂L/∂h_j| in place of E|h_j|, L the mean cross-entropy over all response
 * tokens of all rows; undefined, NaN, where no row has a response, or the model, or a text so
 * long, has no way back. The scale of L cancels, but for the 1e-9.
 *
 * A mixture of experts is one layer: its neurons are those of all its experts, then of the shared one, in the order of
 * down's block (neurons.h); h of an expert is 0 at a position that is not routed to it, so that one that no position is
 * routed to scores 0. Weights of the routing are not in h, but in its gradient.
 *
 * A score of 1 is the average neuron of its layer. Scores are per layer and only comparable within one.
 */
#ifndef REJUV_CORE_DORMANCY_H
#define REJUV_CORE_DORMANCY_H

#include "core/evaluation/evaluation.h"
#include "core/method/routing.h"

static const double DORMANCY_TAU = 0.025, DORMANCY_GRADIENT_TAU = 0.01;

typedef struct Dormancy {
    uint64_t layers;
    size_t mlp, channels, heads; /* neurons a layer, or most: beyond a layer's own, scores are NaN */
    size_t tokens, response_tokens;
    double *mlp_scores;      /* [layers × mlp]; NaN of a layer without an MLP */
    double *channel_scores;  /* [layers × channels]; NaN, as its heads are, of a layer without attention */
    double *head_scores;     /* [layers × heads] */
    double *gradient_scores; /* [layers × mlp]; NULL where it was not asked for */
    Error no_gradient; /* why all of them are NaN, where no way back is known; STATUS_OK: not for that */
    Routing routing;
} Dormancy;

/* Runs the rows under `settings`. A row's measured positions are those of its response, as calibration_positions()
 * gives them; activations count over all positions of the row. with_gradient also goes backward. Reports
 * "dormancy". STATUS_UNSUPPORTED where neurons_check_model() refuses the model. On failure *dormancy is empty. */
Status dormancy_run(const Model *model, const Settings *settings, const EvaluationRow *rows, size_t row_count,
                    bool with_gradient, Dormancy *dormancy, Job *job, Error *error) STATUS_MUST_CHECK;
void dormancy_free(Dormancy *dormancy);

/* Whether L has a gradient here: STATUS_UNSUPPORTED, by name, for a model without a head, and for one with a block that has no way
 * back (backward.h). Forward dormancy needs neither. */
Status dormancy_check_gradient(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Whether any gradient score is a number. */
bool dormancy_has_gradient(const Dormancy *dormancy);

/* Over how many tokens L is the mean: a row's last position predicts none, though it may be measured. */
size_t dormancy_count_responses(const EvaluationRow *rows, size_t row_count);

/* The share of `count` scores that are at most τ, NaNs left out; NaN where all are. */
double dormancy_share(const double *scores, size_t count, double tau);

#endif
