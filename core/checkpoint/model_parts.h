/*
 * model_parts — which tensor of a pair is which part of a layer (part_set.h), and whether it has the size that config.json
 * gives it. For model.c.
 */
#ifndef REJUV_CORE_MODEL_PARTS_H
#define REJUV_CORE_MODEL_PARTS_H

#include "core/checkpoint/pair.h"

/* By the end of its name, in both models; layer −1: of none. STATUS_FORMAT: there is none, or of another size than the
 * config.json of its side says. `config`: SFT's. */
Status model_parts_find(const Pair *pair, const ModelConfig *config, TensorPart part, int layer,
                        const PairTensor **tensor, Error *error) STATUS_MUST_CHECK;

/* Of a layer whose convolution is stored in pieces: together they have all channels. transformers 5.24 saves OLMo Hybrid's in
 * even thirds, as they are published they are those of queries, keys and values. */
Status model_parts_check_pieces(const Pair *pair, const PairTensor *const parts[TENSOR_PART_COUNT],
                                Error *error) STATUS_MUST_CHECK;

#endif
