/*
 * backward_experts_internal — what is at hand of a layer's mixture of experts on the way back. For backward_experts.c and
 * backward_experts_weights.c alone.
 */
#ifndef REJUV_CORE_BACKWARD_EXPERTS_INTERNAL_H
#define REJUV_CORE_BACKWARD_EXPERTS_INTERNAL_H

#include "core/transformer/descent.h"

struct ExpertsPast {
    BackwardExperts seen;
    ExpertRows rows, sequences;
    /* of tokens of the group: [chosen], [chosen], [experts], [1], [chosen · width]; logits, before their bias, as scores, and
     * NULL where none are capped */
    float *numbers, *weights, *scores, *logits, *shares, *activations[BACKWARD_EXPERT_SITES];
    /* of tokens of sequences: [chosen], [chosen], [chosen], [experts], [1], [chosen · width], [chosen · hidden_size] */
    float *own_numbers, *own_weights, *weight_slopes, *logit_slopes, *switch_slopes;
    float *gradients[BACKWARD_EXPERT_SITES], *routed;
    float *biases; /* [experts × hidden_size]: of down */
    size_t sequence_tokens;
};

/* Gives out what meets at all weights of the layer's mixture, where that is wanted: backward_experts_descend() has just come
 * down. What the shared expert's down took is weighed by its switch in place. */
Status backward_experts_give(const Descent *descent, const ExpertsPast *past, Error *error) STATUS_MUST_CHECK;

#endif
