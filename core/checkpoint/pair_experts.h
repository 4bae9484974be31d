/*
 * pair_experts — experts that one side stores as one tensor and the other one by one.
 *
 *     fused   mlp.experts.gate_up_proj [E × 2I × H], mlp.experts.down_proj [E × H × I]
 *     single  mlp.experts.3.gate_proj.weight [I × H], up_proj [I × H], down_proj [H × I]
 *
 * As transformers 5 fuses them: gate before up, each expert's matrix as it stands. Where SFT's are single, base's are
 * slices of the one tensor; where SFT's is fused, base's is the single ones in a row. Tensors that are transposed
 * (gpt-oss, Llama 4), coded with scales, or of several dtypes do not meet.
 */
#ifndef REJUV_CORE_PAIR_EXPERTS_H
#define REJUV_CORE_PAIR_EXPERTS_H

#include "core/checkpoint/pair_names.h"

/* Tensors of base that are made of others; base_of points into them. Zero-initialise, release with pair_experts_free(). */
typedef struct PairExperts {
    Tensor *slices;
    size_t slice_count;
    TensorParts *parts; /* of those of the slices that have some */
    size_t part_count;
    size_t met; /* tensors of SFT */
} PairExperts;

/* Matches what pair_names_match() left. */
Status pair_experts_match(const Checkpoint *base, const Checkpoint *sft, PairNames *names,
                          PairExperts *experts, Error *error) STATUS_MUST_CHECK;

void pair_experts_free(PairExperts *experts);

#endif
