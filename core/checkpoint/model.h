/*
 * model — a pair as a runnable network: its configuration, its tensors by role and layer, checked against
 * each other.
 *
 * One Model serves every setting of the dials; what depends on them is in a ForwardState (forward.h).
 */
#ifndef REJUV_CORE_MODEL_H
#define REJUV_CORE_MODEL_H

#include "core/checkpoint/model_experts.h"
#include "core/checkpoint/pair.h"

typedef struct ModelLayer {
    const PairTensor *tensors[TENSOR_ROLE_COUNT]; /* NULL where the architecture has none */
    const PairTensor *biases[TENSOR_ROLE_COUNT];  /* of norms */
    const PairTensor *parts[TENSOR_PART_COUNT];
    const PairTensor *const *q_norms, *const *k_norms; /* of each head, where they are apart; else NULL */
    ModelExperts experts;                              /* of a layer that has some */
    ExpertStack query_experts, output_experts;         /* of attention, the same */
    ModelExperts head_experts;                         /* both as up and down of experts */
    ExpertStack output_groups;                         /* of groups of heads */
    ModelExperts group_experts;                        /* they as up of experts */
} ModelLayer;

/* How one of the two is computed. */
typedef struct ModelSide {
    const ModelConfig *config;
} ModelSide;

typedef struct Model {
    const Pair *pair;
    const ModelConfig *config; /* the SFT model's: sizes, which are one for both */
    ModelSide base, sft;       /* all else, each by its own config.json */
    /* tensors that belong to no layer; TENSOR_HEAD is what gives logits: the embedding if tied, NULL where
     * one of the two has no head (head.h) */
    ModelLayer whole;
    ModelLayer *layers;
    const PairTensor **apart; /* what the layers' q_norms and k_norms point into */
} Model;

/* Resolves and checks: a configuration that is not known, a tensor that is missing or has another shape than
 * the configuration says is refused by name. The pair must outlive the model. The caller frees. */
Status model_open(const Pair *pair, Model **model, Error *error) STATUS_MUST_CHECK;
void model_close(Model *model); /* takes NULL */

/* Adds a warning where both configurations are known and the two can be fused, and yet a tensor that config.json asks for
 * is missing or of another shape: neither this program nor a loader runs such a model. */
Status model_add_misfit(const Pair *pair, FindingList *findings, Error *error) STATUS_MUST_CHECK;

/* Marks the tensors that the model runs with, is_used[pair->count]: its layers' and its own, a tied head once. */
void model_mark_used(const Model *model, bool *is_used);

/* Whether both models have a head; STATUS_UNSUPPORTED and which of them has none, for whoever needs logits. Without one
 * states can be computed, and dormancy with them. */
bool model_has_logits(const Model *model);
Status model_check_logits(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Rotary frequencies θ^(−2i/d), scaled as the kind says, for a text of so many tokens; out[rope->dims / 2]. In float32, as
 * transformers has them. */
void model_rope_frequencies(const Rope *rope, uint64_t length, float *out);

#endif
