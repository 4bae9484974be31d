#include "core/transformer/expert_choice.h"

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

void expert_choose(const ExpertPlan *plan, const ExpertChoice *choice) {
    size_t count = (size_t)plan->count;
    if (plan->scoring == EXPERTS_SPARSE_MIXER) {
        mix_sparsely(plan, choice);
        return;
    }
    if (plan->scoring == EXPERTS_SOFTMAX) softmax(choice->logits, count);
    if (plan->scoring == EXPERTS_SIGMOID) sigmoid(choice->logits, count);
    for (size_t i = 0; i < count; i++)
        choice->rivals[i] = choice->logits[i] + (choice->correction != NULL ? choice->correction[i] : 0.0F);
    if (plan->groups > 1) keep_best_groups(plan, choice);
    take_best(plan, choice);
    if (plan->scoring == EXPERTS_SOFTMAX_CHOSEN) softmax(choice->weights, (size_t)plan->chosen);
    if (plan->scoring == EXPERTS_SIGMOID_CHOSEN) sigmoid(choice->weights, (size_t)plan->chosen);
    scale_weights(plan, choice->weights);
}
