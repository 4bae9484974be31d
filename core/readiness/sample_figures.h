/*
 * sample_figures — what samples and their rewards say about a prompt and about all of them.
 *
 *     avg@K      the share of right samples, c / n; right is a reward of 1 or more
 *     pass@k     1 − C(n − c, k) / C(n, k), for each k up to the fewest samples that a prompt has: the chance that one of k
 *                samples is right (Chen et al. 2021, without bias)
 *     gap        pass@K − avg@K, K the fewest samples
 *     mixed      rewards of a group are not all equal: the only groups that a group-relative step learns from
 *     repeated   the share of answers that are, token by token, one that the prompt already had
 *     advantage  A = (r − mean) / (std + 1e-6), std with n − 1; 0 in a group of one
 *
 * Figures over all prompts are means over prompts; standard errors are those of the bootstrap over prompts, seeded.
 */
#ifndef REJUV_CORE_SAMPLE_FIGURES_H
#define REJUV_CORE_SAMPLE_FIGURES_H

#include "core/readiness/sample_set.h"

typedef struct PromptFigures {
    size_t samples, right;
    double average, mean_reward;
    double tokens; /* mean length of a response */
    double repeated;
    bool is_mixed;
} PromptFigures;

typedef struct SampleEstimate {
    double value, error; /* NaN: the standard error of one prompt */
} SampleEstimate;

/* Zero-initialise; sample_figures_free() releases. */
typedef struct SampleFigures {
    PromptFigures *prompts;       /* [prompt_count] */
    size_t prompt_count, samples; /* all of them */
    size_t fewest;                /* K: the fewest samples that a prompt has */
    SampleEstimate average, mean_reward, mixed, tokens, repeated, gap;
    SampleEstimate *pass; /* [fewest]: pass@1 … */
} SampleFigures;

enum { SAMPLE_FIGURES_DRAWS = 1000 }; /* of the bootstrap */

/* STATUS_ARGUMENT without prompts, or where a prompt has no sample or a sample no reward. */
Status sample_figures_measure(const SampleSet *set, uint64_t seed, SampleFigures *figures,
                              Error *error) STATUS_MUST_CHECK;
/* The same of one prompt, whose samples all have a reward. */
Status sample_figures_measure_prompt(const SampleGroup *group, PromptFigures *figures,
                                     Error *error) STATUS_MUST_CHECK;

/* Σ sums / Σ counts over prompts, such as the entropy of all response tokens, and its standard error by the same
 * bootstrap. NaN where the counts add up to 0. */
SampleEstimate sample_figures_estimate_ratio(const double *sums, const double *counts, size_t prompts,
                                             uint64_t seed);

void sample_figures_free(SampleFigures *figures);

/* From 1 on. */
bool sample_figures_is_right(double reward);

/* pass@k of n samples of which c are right; k ≤ n. */
double sample_figures_pass(size_t n, size_t c, size_t k);

/* Of all samples, group by group, into advantages[sample_set_samples(set)]. */
void sample_figures_advantages(const SampleSet *set, double *advantages);

#endif
