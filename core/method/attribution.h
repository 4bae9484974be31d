/*
 * attribution — which neurons drive the tokens that fine-tuning made the model sure of (arXiv 2606.09932,
 * with the choices that the paper leaves open made here and stated).
 *
 * Targets: over all response positions of all rows, the `count` with the largest |H_S(t) − H_B(t)|; ties:
 * lower row, then lower position. The target token y is the row's own next token; for a prompt without a
 * response, position t is its last and y the SFT model's most likely token.
 *
 * Logit direction: with h the residual stream before the final norm at t, γ that norm's weight and w_y the
 * row of the head, d = γ ⊙ w_y / rms(h), rms frozen. z̃ = h·d; |z̃ − z| is the reconstruction error (rounding
 * only: the norm has no bias, and freezing rms at h changes nothing at h itself).
 *
 * Scores, one for each neuron and target, on the SFT model:
 *     o, down             neuron j is input column j, with input x:   |x_j(t) · (W[:,j]·d)|     exact
 *     q, k, v, gate, up   neuron j is output row j (bias included, before q/k norm and rotary embedding):
 *                         Σ_s |x_j(s) · ∂z̃/∂x_j(s)|, s ≤ t                                      first order
 *
 * Where what is on the stream is scaled on its way, or normed past a block, d goes the same way down, the norms' scales as they
 * are: W[:,j]·d is what the neuron adds to z̃ past the blocks above it. Where there are several streams it goes down all of
 * them, what they are mixed by as it is, and past a learned residual through its two matrices.
 *
 * Experts (attribution_experts.h): the choice of the router is taken as it is, its weights are not; a neuron of an expert
 * that a position is not routed to scores 0 there. The shared expert's down is multiplied by its switch.
 *
 * Rank: for each target all neurons are ranked by score, largest first, rank 0 the largest (ties: lower
 * layer, then module in the order q k v gate up o down, then lower index). A neuron's rank is its best over
 * the targets; the reset set at ρ is the neurons of rank < round(ρ·M), halves up. The ranking does not depend
 * on ρ.
 *
 * The room: the paper, attribution, dormancy, the other selectors, all that is known of a neuron, all dials as one
 * value. Results are structs that the caller owns and frees; measuring runs on the caller's Job.
 */
#ifndef REJUV_CORE_ATTRIBUTION_H
#define REJUV_CORE_ATTRIBUTION_H

#include "core/evaluation/evaluation.h"
#include "core/transformer/backward.h"

enum { ATTRIBUTION_TARGETS = 32 }; /* the default number of targets */

typedef struct AttributionTarget {
    size_t row, position;
    int32_t token;                    /* y */
    double entropy_base, entropy_sft; /* nats */
    double logit;                     /* z, by the head */
    double logit_linear;              /* z̃ = h·d */
} AttributionTarget;

typedef struct Attribution {
    AttributionTarget *targets;
    size_t target_count;
    size_t neurons;        /* M */
    int32_t *best_rank;    /* [M] */
    int32_t *best_target;  /* [M]: the target that gave it, the first of equals */
    float *best_score;     /* [M]: the neuron's score at that target */
    float *scores;         /* [targets × M], or NULL */
    size_t blocks;         /* of neurons: modules of layers */
    double *masses;        /* [blocks]: the share of attribution in each (attribution_rank.h) */
    double *shared_masses; /* [blocks]: what of it is the shared expert's; NULL where there is none */
} Attribution;

/* Chooses at most `count` targets out of the positions of base and SFT as evaluation_prepare() gives them for
 * `rows`; their logits are filled in by attribution_run(). The caller frees *targets. STATUS_FORMAT, and none,
 * where an entropy that is not a number would be among the chosen: the rule then says nothing. */
Status attribution_choose_targets(const EvaluationRow *rows, size_t row_count, const EvaluationResult *base,
                                  const EvaluationResult *sft, size_t count, AttributionTarget **targets,
                                  size_t *target_count, Error *error) STATUS_MUST_CHECK;

/* Scores and ranks every neuron. Targets go through the model in groups whose activations, gradients and scores stay
 * within about `budget` bytes (0: 256 MiB; a single target may need more, up to
 * forward_memory_limit(): one that needs more is refused). keep_scores: fill
 * attribution->scores too. STATUS_FORMAT where a score is not finite: a set chosen by such is none. On failure
 * *attribution is empty. Reports "attribution" in targets. */
Status attribution_run(const Model *model, const EvaluationRow *rows, const AttributionTarget *targets,
                       size_t target_count, bool keep_scores, uint64_t budget, Attribution *attribution,
                       Job *job, Error *error) STATUS_MUST_CHECK;
void attribution_free(Attribution *attribution);

/* round(ρ·M), halves up: how many neurons each target contributes at most. */
size_t attribution_cut(size_t neurons, double rho);

#endif
