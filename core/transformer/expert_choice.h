/*
 * expert_choice — which experts a token goes to, and with what weights, from its router's logits (expert_plan.h).
 *
 * Scores are float32, sums of a softmax double. For block_experts.c.
 */
#ifndef REJUV_CORE_EXPERT_CHOICE_H
#define REJUV_CORE_EXPERT_CHOICE_H

#include "core/checkpoint/expert_plan.h"

typedef struct ExpertChoice {
    float *logits;           /* [count]: becomes the scores */
    float *rivals;           /* [count]: scratch */
    float *groups;           /* [plan->groups]: scratch */
    const float *correction; /* [count], or NULL */
    float *chosen;           /* [plan->chosen]: their numbers, the best first */
    float *weights;          /* [plan->chosen] */
} ExpertChoice;

/* The weights of experts that are chosen already, by numbers that are there. */
void expert_weigh(const ExpertPlan *plan, const ExpertChoice *choice);

void expert_choose(const ExpertPlan *plan, const ExpertChoice *choice);

/* The way back, the choice taken as it is: from the gradient at the weights, slopes[plan->chosen], which is lost, to that at
 * the logits, out[plan->count]. `scores` and `chosen` are what expert_choose() left in logits and chosen. */
void expert_choice_descend(const ExpertPlan *plan, const float *scores, const float *chosen, float *slopes,
                           float *out);

#endif
