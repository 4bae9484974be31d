/*
 * expert_plan — how a layer's mixture of experts is computed: an ExpertPlan, a part of the layer's plan (architecture.h).
 *
 *     logits = router · x (+ bias)                         one for each expert
 *     scores = softmax(logits), or sigmoid(logits)
 *     chosen = the best by scores + correction, of the best groups, where there are groups
 *     weight = score of each that is chosen, without the correction; normalised, scaled
 *     y      = Σ weight · expert(x) + switch · shared(x)   or Σ expert(weight · x) (Llama 4)
 *     expert = down( act(gate(x)) ⊙ up(x) )                with biases and bounds of its own in gpt-oss
 *
 * Ties of scores are won by the expert of the lower number.
 */
#ifndef REJUV_CORE_EXPERT_PLAN_H
#define REJUV_CORE_EXPERT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

typedef enum ExpertScoring {
    EXPERTS_SOFTMAX,
    EXPERTS_SOFTMAX_CHOSEN, /* over the logits of those that are chosen */
    EXPERTS_SIGMOID,
    EXPERTS_SOFTPLUS_ROOT,  /* √log(1 + eˣ) */
    EXPERTS_SIGMOID_CHOSEN, /* the same of the logits of those that are chosen by them */
    EXPERTS_SPARSE_MIXER /* Phi-3.5-MoE: two, each weighed by a softmax over those near the best that is left */
} ExpertScoring;

/* How all experts lie in one tensor, where they do. Stored one by one, they are as [outputs × inputs]. */
typedef enum ExpertLayout {
    EXPERTS_UPRIGHT,    /* [E × 2I × H], gate before up, and [E × H × I] */
    EXPERTS_TRANSPOSED, /* [E × H × 2I] and [E × I × H] (gpt-oss, Llama 4) */
    EXPERTS_IN_A_ROW    /* [E·I × H] for gate, for up, and for down, which is transposed (DBRX) */
} ExpertLayout;

typedef struct ExpertPlan {
    uint64_t count;        /* 0: the layer has none, but the shared one, where that has a width */
    uint64_t chosen;       /* for each token */
    uint64_t width;        /* of an expert: I */
    uint64_t shared_width; /* of the expert that every token passes; 0: none */
    ExpertScoring scoring;
    ExpertLayout layout;
    uint64_t groups, groups_chosen; /* 1 of 1: all compete */
    uint64_t group_best;            /* a group's score is its best, or (2) the sum of its two best */
    bool normalises;                /* weights to a sum of 1 */
    double added_sum,
        least_sum;       /* to which the one is added, and which is taken for no less than the other */
    double scale;        /* of the weights, in the end */
    double logit_cap;    /* cap·tanh(x / cap) of the router's logits; 0: none */
    double shared_scale; /* of the shared expert */
    bool scales_input;   /* the weight is the input's, not the output's */
    double mixer_jitter; /* EXPERTS_SPARSE_MIXER: how near */
    bool is_plain;       /* an expert is down( act(up(x)) ) */
    bool has_bias;       /* experts have */
    bool is_interleaved; /* gate and up alternate in their tensor */
    /* > 0: a gate is at most that, before it is activated, and up within ± it; of the shared expert, too */
    double clamp;
    double glu_limit, glu_alpha; /* limit > 0: (clamp(up) + 1) · clamp(gate) · sigmoid(alpha · clamp(gate)) */
} ExpertPlan;

#endif
