#include "core/readiness/sample_figures.h"

#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RIGHT = 1.0, SMALLEST_DEVIATION = 1e-6;

bool sample_figures_is_right(double reward) {
    return reward >= RIGHT;
}

/* The product of (n − c − i) / (n − i): never a large binomial. */
double sample_figures_pass(size_t n, size_t c, size_t k) {
    if (n - c < k) return 1.0;
    double missed = 1.0;
    for (size_t i = 0; i < k; i++) missed *= (double)(n - c - i) / (double)(n - i);
    return 1.0 - missed;
}

/* ---- a prompt ---- */

static int compare_samples(const void *a, const void *b) {
    const Sample *left = *(const Sample *const *)a, *right = *(const Sample *const *)b;
    if (left->count != right->count) return left->count < right->count ? -1 : 1;
    return left->count == 0 ? 0 : memcmp(left->ids, right->ids, left->count * sizeof *left->ids);
}

static double share_repeated(const SampleGroup *group, const Sample **order) {
    size_t repeated = 0;
    for (size_t i = 0; i < group->sample_count; i++) order[i] = &group->samples[i];
    qsort(order, group->sample_count, sizeof *order, compare_samples);
    for (size_t i = 1; i < group->sample_count; i++)
        repeated += compare_samples(&order[i - 1], &order[i]) == 0;
    return (double)repeated / (double)group->sample_count;
}

static PromptFigures measure_prompt(const SampleGroup *group, const Sample **order) {
    PromptFigures figures = {.samples = group->sample_count};
    for (size_t i = 0; i < group->sample_count; i++) {
        const Sample *sample = &group->samples[i];
        figures.right += sample_figures_is_right(sample->reward);
        figures.mean_reward += sample->reward;
        figures.tokens += (double)sample->count;
        figures.is_mixed = figures.is_mixed || sample->reward != group->samples[0].reward;
    }
    double samples = (double)group->sample_count;
    figures.average = (double)figures.right / samples;
    figures.mean_reward /= samples;
    figures.tokens /= samples;
    figures.repeated = share_repeated(group, order);
    return figures;
}

Status sample_figures_measure_prompt(const SampleGroup *group, PromptFigures *figures, Error *error) {
    const Sample **order = memory_allocate(group->sample_count, sizeof *order);
    if (order == NULL) return memory_fail(error, "figures of samples");
    *figures = measure_prompt(group, order);
    free(order);
    return STATUS_OK;
}

static Status check_group(const SampleGroup *group, size_t index, Error *error) {
    if (group->sample_count == 0)
        return status_fail(error, STATUS_ARGUMENT, "prompt %zu has no samples", index);
    for (size_t i = 0; i < group->sample_count; i++) {
        if (isnan(group->samples[i].reward))
            return status_fail(error, STATUS_ARGUMENT, "sample %zu of prompt %zu has no reward", i, index);
    }
    return STATUS_OK;
}

static Status measure_prompts(const SampleSet *set, SampleFigures *figures, Error *error) {
    size_t most = 0;
    figures->prompt_count = set->count;
    figures->fewest = SIZE_MAX;
    for (size_t g = 0; g < set->count; g++) {
        Status status = check_group(&set->groups[g], g, error);
        if (status != STATUS_OK) return status;
        size_t samples = set->groups[g].sample_count;
        if (samples > most) most = samples;
        if (samples < figures->fewest) figures->fewest = samples;
    }
    const Sample **order = memory_allocate(most, sizeof *order);
    figures->prompts = memory_allocate(set->count, sizeof *figures->prompts);
    bool complete = order != NULL && figures->prompts != NULL;
    for (size_t g = 0; g < set->count && complete; g++) {
        figures->prompts[g] = measure_prompt(&set->groups[g], order);
        figures->samples += figures->prompts[g].samples;
    }
    free(order);
    return complete ? STATUS_OK : memory_fail(error, "figures of samples");
}

/* ---- over all prompts ---- */

/* The figures of one prompt, in one row: those of SampleFigures in order, then pass@k. */
enum { FIXED = 6 };

static void fill_row(const SampleFigures *figures, const PromptFigures *prompt, double *row) {
    size_t fewest = figures->fewest;
    for (size_t k = 1; k <= fewest; k++)
        row[FIXED + k - 1] = sample_figures_pass(prompt->samples, prompt->right, k);
    row[0] = prompt->average;
    row[1] = prompt->mean_reward;
    row[2] = prompt->is_mixed ? 1.0 : 0.0;
    row[3] = prompt->tokens;
    row[4] = prompt->repeated;
    row[5] = row[FIXED + fewest - 1] - prompt->average;
}

/* A prompt out of all, drawn with replacement. */
static size_t draw_prompt(size_t prompts, uint64_t seed, size_t index, size_t i) {
    return (size_t)(random_uniform(seed, (uint64_t)index * prompts + i) * (double)prompts);
}

/* Draws as many prompts as there are, and adds their mean's deviation and its square. */
static void draw(const double *rows, size_t prompts, size_t width, uint64_t seed, size_t index,
                 const double *means, double *drawn, double *sums, double *squares) {
    memset(drawn, 0, width * sizeof *drawn);
    for (size_t i = 0; i < prompts; i++) {
        size_t at = draw_prompt(prompts, seed, index, i);
        for (size_t c = 0; c < width; c++) drawn[c] += rows[at * width + c];
    }
    for (size_t c = 0; c < width; c++) {
        double deviation = drawn[c] / (double)prompts - means[c];
        sums[c] += deviation;
        squares[c] += deviation * deviation;
    }
}

/* estimates[c]: of column c of rows [prompts × width]. */
static Status estimate(const double *rows, size_t prompts, size_t width, uint64_t seed,
                       SampleEstimate *estimates, Error *error) {
    enum { PARTS = 4 };
    double *means = memory_allocate(width, PARTS * sizeof *means);
    if (means == NULL) return memory_fail(error, "figures of samples");
    double *drawn = means + width, *sums = drawn + width, *squares = sums + width;
    for (size_t i = 0; i < prompts; i++) {
        for (size_t c = 0; c < width; c++) means[c] += rows[i * width + c];
    }
    for (size_t c = 0; c < width; c++) means[c] /= (double)prompts;
    for (size_t i = 0; i < SAMPLE_FIGURES_DRAWS && prompts > 1; i++)
        draw(rows, prompts, width, seed, i, means, drawn, sums, squares);
    const double draws = SAMPLE_FIGURES_DRAWS;
    for (size_t c = 0; c < width; c++) {
        double variance = (squares[c] - sums[c] * sums[c] / draws) / (draws - 1.0);
        estimates[c] = (SampleEstimate){means[c], prompts > 1 ? sqrt(fmax(variance, 0.0)) : NAN};
    }
    free(means);
    return STATUS_OK;
}

static Status measure_all(SampleFigures *figures, uint64_t seed, Error *error) {
    size_t width = FIXED + figures->fewest, bytes;
    if (!memory_multiply(width, sizeof(double), &bytes)) return memory_fail(error, "figures of samples");
    double *rows = memory_allocate(figures->prompt_count, bytes);
    SampleEstimate *estimates = memory_allocate(width, sizeof *estimates);
    figures->pass = memory_allocate(figures->fewest, sizeof *figures->pass);
    Status status = rows == NULL || estimates == NULL || figures->pass == NULL
                        ? memory_fail(error, "figures of samples")
                        : STATUS_OK;
    if (status == STATUS_OK) {
        for (size_t i = 0; i < figures->prompt_count; i++)
            fill_row(figures, &figures->prompts[i], rows + i * width);
        status = estimate(rows, figures->prompt_count, width, seed, estimates, error);
    }
    if (status == STATUS_OK) {
        SampleEstimate *const to[FIXED] = {&figures->average, &figures->mean_reward, &figures->mixed,
                                           &figures->tokens,  &figures->repeated,    &figures->gap};
        for (size_t c = 0; c < FIXED; c++) *to[c] = estimates[c];
        memcpy(figures->pass, estimates + FIXED, figures->fewest * sizeof *figures->pass);
    }
    free(estimates);
    free(rows);
    return status;
}

Status sample_figures_measure(const SampleSet *set, uint64_t seed, SampleFigures *figures, Error *error) {
    *figures = (SampleFigures){0};
    if (set->count == 0)
        return status_fail(error, STATUS_ARGUMENT, "expected one sample at least, found none");
    Status status = measure_prompts(set, figures, error);
    if (status == STATUS_OK) status = measure_all(figures, seed, error);
    if (status != STATUS_OK) sample_figures_free(figures);
    return status;
}

void sample_figures_free(SampleFigures *figures) {
    free(figures->prompts);
    free(figures->pass);
    *figures = (SampleFigures){0};
}

SampleEstimate sample_figures_estimate_ratio(const double *sums, const double *counts, size_t prompts,
                                             uint64_t seed) {
    double sum = 0.0, count = 0.0, deviations = 0.0, squares = 0.0;
    size_t draws = 0;
    for (size_t i = 0; i < prompts; i++) {
        sum += sums[i];
        count += counts[i];
    }
    const double value = count > 0.0 ? sum / count : NAN;
    for (size_t d = 0; d < SAMPLE_FIGURES_DRAWS && prompts > 1 && count > 0.0; d++) {
        double drawn = 0.0, over = 0.0;
        for (size_t i = 0; i < prompts; i++) {
            size_t at = draw_prompt(prompts, seed, d, i);
            drawn += sums[at];
            over += counts[at];
        }
        if (!(over > 0.0)) continue; /* none of those drawn has any */
        double deviation = drawn / over - value;
        deviations += deviation;
        squares += deviation * deviation;
        draws++;
    }
    double variance = (squares - deviations * deviations / (double)draws) / ((double)draws - 1.0);
    return (SampleEstimate){value, draws > 1 ? sqrt(fmax(variance, 0.0)) : NAN};
}

/* ---- advantages ---- */

static void advantages_of(const SampleGroup *group, double *advantages) {
    size_t count = group->sample_count;
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) mean += group->samples[i].reward;
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        double deviation = group->samples[i].reward - mean;
        squares += deviation * deviation;
    }
    double deviation = sqrt(squares / (double)(count - 1));
    for (size_t i = 0; i < count; i++)
        advantages[i] = (group->samples[i].reward - mean) / (deviation + SMALLEST_DEVIATION);
}

/* Where all rewards are equal their mean may differ from them by a rounding, which would count against 1e-6. */
static bool is_mixed(const SampleGroup *group) {
    for (size_t i = 1; i < group->sample_count; i++) {
        if (group->samples[i].reward != group->samples[0].reward) return true;
    }
    return false;
}

void sample_figures_advantages(const SampleSet *set, double *advantages) {
    for (size_t g = 0; g < set->count; g++) {
        const SampleGroup *group = &set->groups[g];
        if (is_mixed(group))
            advantages_of(group, advantages);
        else
            for (size_t i = 0; i < group->sample_count; i++) advantages[i] = 0.0;
        advantages += group->sample_count;
    }
}
