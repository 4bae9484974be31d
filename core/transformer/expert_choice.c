#include "core/transformer/expert_choice.h"

#include "core/transformer/activation.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Whoever is out of the running. */
static const float OUT = -INFINITY;

static void softmax(float *x, size_t count) {
    float largest = OUT;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) largest = fmaxf(largest, x[i]);
    for (size_t i = 0; i < count; i++) {
        x[i] = expf(x[i] - largest);
        sum += (double)x[i];
    }
    for (size_t i = 0; i < count; i++) x[i] = (float)((double)x[i] / sum);
}

static void sigmoid(float *x, size_t count) {
    for (size_t i = 0; i < count; i++) x[i] = 1.0F / (1.0F + expf(-x[i]));
}

/* Always one of them, also where none is a number. */
static size_t find_best(const float *rivals, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (rivals[i] > rivals[best]) best = i;
    return best;
}

/* ---- groups ---- */

/* Its best, or the sum of its two best. */
static float score_group(const float *rivals, size_t size, bool of_two) {
    float best = OUT, second = OUT;
    for (size_t i = 0; i < size; i++) {
        if (rivals[i] > best) {
            second = best;
            best = rivals[i];
        } else if (rivals[i] > second) {
            second = rivals[i];
        }
    }
    return of_two ? best + second : best;
}

/* How many groups are better: ties are won by the lower number. */
static size_t rank_group(const float *scores, size_t groups, size_t group) {
    size_t rank = 0;
    for (size_t i = 0; i < groups; i++)
        rank += scores[i] > scores[group] || (scores[i] == scores[group] && i < group);
    return rank;
}

/* Puts all that are not in the best groups out of the running. */
static void keep_best_groups(const ExpertPlan *plan, const ExpertChoice *choice) {
    size_t groups = (size_t)plan->groups, size = (size_t)plan->count / groups;
    for (size_t g = 0; g < groups; g++)
        choice->groups[g] = score_group(choice->rivals + g * size, size, plan->group_best == 2);
    for (size_t g = 0; g < groups; g++) {
        if (rank_group(choice->groups, groups, g) < plan->groups_chosen) continue;
        for (size_t i = 0; i < size; i++) choice->rivals[g * size + i] = OUT;
    }
}

/* ---- the choice ---- */

static void take_best(const ExpertPlan *plan, const ExpertChoice *choice) {
    for (size_t k = 0; k < plan->chosen; k++) {
        size_t best = find_best(choice->rivals, (size_t)plan->count);
        choice->chosen[k] = (float)best;
        choice->weights[k] = choice->logits[best];
        choice->rivals[best] = OUT;
    }
}

/* Phi-3.5-MoE's: the best, weighed by a softmax over those that come near it; then again without it. */
static void mix_sparsely(const ExpertPlan *plan, const ExpertChoice *choice) {
    size_t count = (size_t)plan->count;
    memcpy(choice->rivals, choice->logits, count * sizeof *choice->rivals);
    for (size_t k = 0; k < plan->chosen; k++) {
        size_t best = find_best(choice->rivals, count);
        float largest = choice->rivals[best];
        double sum = 0.0;
        for (size_t i = 0; i < count; i++) {
            float distance = (largest - choice->logits[i]) / fmaxf(fabsf(choice->logits[i]), largest);
            if (!(distance > 2.0F * (float)plan->mixer_jitter))
                sum += (double)expf(choice->rivals[i] - largest);
        }
        choice->chosen[k] = (float)best;
        choice->weights[k] = (float)(1.0 / sum);
        choice->rivals[best] = OUT;
    }
}

static void scale_weights(const ExpertPlan *plan, float *weights) {
    float sum = 0.0F;
    for (size_t k = 0; k < plan->chosen; k++) sum += weights[k];
    sum += (float)plan->added_sum;
    if (sum < (float)plan->least_sum) sum = (float)plan->least_sum;
    for (size_t k = 0; k < plan->chosen; k++) {
        if (plan->normalises) weights[k] /= sum;
        weights[k] *= (float)plan->scale;
    }
}

/* Logits to scores, where all are scored. */
static void score_all(const ExpertPlan *plan, float *logits) {
    size_t count = (size_t)plan->count;
    if (plan->scoring == EXPERTS_SOFTMAX) softmax(logits, count);
    if (plan->scoring == EXPERTS_SIGMOID) sigmoid(logits, count);
    for (size_t i = 0; i < count && plan->scoring == EXPERTS_SOFTPLUS_ROOT; i++)
        logits[i] = activation_value(ACTIVATION_SOFTPLUS_ROOT, logits[i]);
}

static void finish_weights(const ExpertPlan *plan, float *weights) {
    if (plan->scoring == EXPERTS_SOFTMAX_CHOSEN) softmax(weights, (size_t)plan->chosen);
    if (plan->scoring == EXPERTS_SIGMOID_CHOSEN) sigmoid(weights, (size_t)plan->chosen);
    scale_weights(plan, weights);
}

void expert_choose(const ExpertPlan *plan, const ExpertChoice *choice) {
    size_t count = (size_t)plan->count;
    if (plan->scoring == EXPERTS_SPARSE_MIXER) {
        mix_sparsely(plan, choice);
        return;
    }
    score_all(plan, choice->logits);
    for (size_t i = 0; i < count; i++)
        choice->rivals[i] = choice->logits[i] + (choice->correction != NULL ? choice->correction[i] : 0.0F);
    if (plan->groups > 1) keep_best_groups(plan, choice);
    take_best(plan, choice);
    finish_weights(plan, choice->weights);
}

void expert_weigh(const ExpertPlan *plan, const ExpertChoice *choice) {
    score_all(plan, choice->logits);
    for (size_t k = 0; k < plan->chosen; k++) choice->weights[k] = choice->logits[(size_t)choice->chosen[k]];
    finish_weights(plan, choice->weights);
}

/* ---- the way back ---- */

/* Of those that are chosen: the largest logit, and the sum of exp(logit − largest). */
typedef struct ChosenSums {
    float largest;
    double sum;
} ChosenSums;

static ChosenSums sum_chosen(const ExpertPlan *plan, const float *scores, const float *chosen) {
    ChosenSums sums = {OUT, 0.0};
    for (size_t k = 0; k < plan->chosen; k++) sums.largest = fmaxf(sums.largest, scores[(size_t)chosen[k]]);
    for (size_t k = 0; k < plan->chosen; k++)
        sums.sum += exp((double)(scores[(size_t)chosen[k]] - sums.largest));
    return sums;
}

/* A weight before it is normalised and scaled. */
static double raw_weight(const ExpertPlan *plan, const ChosenSums *sums, float score) {
    if (plan->scoring == EXPERTS_SOFTMAX_CHOSEN) return exp((double)(score - sums->largest)) / sums->sum;
    if (plan->scoring == EXPERTS_SIGMOID_CHOSEN) return 1.0 / (1.0 + exp(-(double)score));
    return (double)score;
}

/* Of a score that is a logit's own, by the logit: of √log(1 + eˣ) = s it is (1 − e^−s²) / 2s. */
static double score_slope(const ExpertPlan *plan, double score) {
    if (plan->scoring != EXPERTS_SOFTPLUS_ROOT) return score * (1.0 - score);
    return score > 0.0 ? -expm1(-score * score) / (2.0 * score) : 0.0;
}

/* From the weights to what they are before they are normalised and scaled. */
static void descend_scale(const ExpertPlan *plan, const ChosenSums *sums, const float *scores,
                          const float *chosen, float *slopes) {
    double sum = plan->added_sum, mean = 0.0;
    for (size_t k = 0; k < plan->chosen && plan->normalises; k++) {
        double raw = raw_weight(plan, sums, scores[(size_t)chosen[k]]);
        sum += raw;
        mean += raw * (double)slopes[k];
    }
    if (sum < plan->least_sum) { /* a number: no weight moves it */
        sum = plan->least_sum;
        mean = 0.0;
    }
    for (size_t k = 0; k < plan->chosen; k++) {
        double slope = (double)slopes[k];
        if (plan->normalises) slope = (slope - mean / sum) / sum;
        slopes[k] = (float)(slope * plan->scale);
    }
}

/* Each a softmax over those near the best that is left (mix_sparsely()). */
static void descend_mixer(const ExpertPlan *plan, const float *logits, const float *chosen,
                          const float *slopes, float *out) {
    size_t count = (size_t)plan->count;
    for (size_t k = 0; k < plan->chosen; k++) {
        size_t best = (size_t)chosen[k];
        double sum = 0.0;
        for (int pass = 0; pass < 2; pass++) {
            double weight = pass == 0 ? 0.0 : 1.0 / sum;
            for (size_t i = 0; i < count; i++) {
                float distance = (logits[best] - logits[i]) / fmaxf(fabsf(logits[i]), logits[best]);
                bool is_out = distance > 2.0F * (float)plan->mixer_jitter;
                for (size_t before = 0; before < k; before++) is_out |= (size_t)chosen[before] == i;
                double share = is_out ? 0.0 : exp((double)(logits[i] - logits[best]));
                if (pass == 0)
                    sum += share;
                else
                    out[i] +=
                        (float)((double)slopes[k] * weight * ((i == best ? 1.0 : 0.0) - share * weight));
            }
        }
    }
}

void expert_choice_descend(const ExpertPlan *plan, const float *scores, const float *chosen, float *slopes,
                           float *out) {
    size_t count = (size_t)plan->count;
    memset(out, 0, count * sizeof *out);
    if (plan->scoring == EXPERTS_SPARSE_MIXER) {
        descend_mixer(plan, scores, chosen, slopes, out);
        return;
    }
    const ChosenSums sums = sum_chosen(plan, scores, chosen);
    descend_scale(plan, &sums, scores, chosen, slopes);
    /* of a softmax over all no expert is chosen twice: those that a table chooses have scores of their own */
    double mean = 0.0;
    for (size_t k = 0; k < plan->chosen; k++)
        mean += raw_weight(plan, &sums, scores[(size_t)chosen[k]]) * (double)slopes[k];
    for (size_t k = 0; k < plan->chosen; k++) {
        double raw = raw_weight(plan, &sums, scores[(size_t)chosen[k]]), slope = (double)slopes[k];
        bool is_softmax = plan->scoring == EXPERTS_SOFTMAX || plan->scoring == EXPERTS_SOFTMAX_CHOSEN;
        out[(size_t)chosen[k]] += (float)(is_softmax ? raw * (slope - mean) : slope * score_slope(plan, raw));
    }
    if (plan->scoring != EXPERTS_SOFTMAX) return;
    for (size_t i = 0; i < count; i++) { /* those that are not chosen are in the softmax all the same */
        bool is_chosen = false;
        for (size_t k = 0; k < plan->chosen; k++) is_chosen |= (size_t)chosen[k] == i;
        if (!is_chosen) out[i] = (float)(-(double)scores[i] * mean);
    }
}
