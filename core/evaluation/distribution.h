/*
 * distribution — next-token distributions, compared: what the method calls the output space.
 *
 * H(t) is the entropy in nats of the distribution at position t, which predicts token t + 1. Every figure of
 * a model x is taken beside base and SFT at the same position; names are those of llama.cpp's perplexity tool
 * where it has them.
 *
 *     entropy      −Σ p ln p
 *     top1         the largest probability
 *     confident    share of positions with top1 > 0.99
 *     kl_base      KL(base ‖ x) = Σ p_base (ln p_base − ln p_x)
 *     kl_sft       KL(sft ‖ x)
 *     same_top1    share of positions whose most likely token agrees
 *     dp           p_x − p_base of the true next token, as mean and root mean square
 *     perplexity   exp of the mean −ln p of the true next token; `loss` is that mean
 *
 * Logits are float32, exponentials float32, sums double. A KL that rounding makes negative is 0.
 */
#ifndef REJUV_CORE_DISTRIBUTION_H
#define REJUV_CORE_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const double DISTRIBUTION_CONFIDENT; /* 0.99 */

typedef struct DistributionPosition {
    int32_t top;  /* most likely token; the lower id of equals */
    int32_t next; /* the true next token; -1 where there is none */
    bool same_top_base, same_top_sft;
    double log_normalizer; /* ln Σ exp(logit): ln p of a token is its logit less this */
    double entropy, top1;
    double next_log_probability; /* NaN where there is no next token */
    double kl_base, kl_sft;
    double dp_base; /* NaN where there is no next token */
} DistributionPosition;

typedef struct DistributionToken {
    int32_t id;
    float log_probability;
} DistributionToken;

/* Means over positions. Those over the true next token leave out positions without one; NaN over none. A NaN
 * among a position's logits makes all of them NaN, the shares too; one among base's or SFT's those that compare
 * with it. */
typedef struct DistributionAverages {
    size_t positions, response_tokens;
    double entropy, kl_base, kl_sft, top1, confident, same_top1_base, same_top1_sft;
    double dp_base, dp_base_rms, loss, perplexity;
} DistributionAverages;

/* What is computed once at a position for base and for SFT, and compared with by every model. */
typedef struct DistributionReference {
    const float *logits;                     /* [vocabulary] */
    float *probabilities;                    /* [vocabulary], scratch of the caller's */
    double log_normalizer, negative_entropy; /* Σ p ln p */
    int32_t top;
    double next_probability; /* NaN where there is no next token */
} DistributionReference;

/* Fills `reference` (its `logits` and `probabilities` given) at a position whose true next token is `next` or
 * -1. */
void distribution_make_reference(DistributionReference *reference, size_t vocabulary, int32_t next);

/* Describes a model's logits at a position beside base and SFT. */
DistributionPosition distribution_describe(const float *logits, size_t vocabulary, int32_t next,
                                           const DistributionReference *base,
                                           const DistributionReference *sft);

/* ln p of one token at a position, which is all that a loss needs. NaN where the logits hold one. */
double distribution_log_probability(const float *logits, size_t vocabulary, int32_t token);

/* Whether tokens have an order at the position: not where a logit is not a number, whose `top` and most likely tokens are
 * any. */
bool distribution_has_order(const DistributionPosition *position);

/* The `count` most likely tokens, most likely first (equals: lower id first); `count` ≤ vocabulary. */
void distribution_find_top(const float *logits, size_t vocabulary, double log_normalizer,
                           DistributionToken *top, size_t count);

DistributionAverages distribution_average(const DistributionPosition *positions, size_t count);

/* ---- the averages as a table, for screens, CSV and JSON alike ---- */

typedef struct DistributionFigure {
    const char *key;   /* in JSON and CSV, the golden data's name: "kl_base" */
    const char *label; /* "KL to base" */
    const char *unit;  /* "nat", "" */
    const char *help;  /* one sentence */
    bool is_share;     /* shown in percent */
    size_t offset;     /* of the double within DistributionAverages */
} DistributionFigure;

extern const DistributionFigure DISTRIBUTION_FIGURES[];
extern const size_t DISTRIBUTION_FIGURE_COUNT;

double distribution_figure(const DistributionAverages *averages, size_t figure);
double *distribution_figure_of(DistributionAverages *averages, size_t figure); /* to be changed */

/* Whether it is NaN because there is nothing to average: no position, or no true next token. */
bool distribution_figure_is_undefined(const DistributionAverages *averages, size_t figure);

#endif
