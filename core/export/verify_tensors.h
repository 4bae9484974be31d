/*
 * verify_tensors — the weights of an export, tensor by tensor, against a recipe's sums and, where the inputs are at
 * hand, against the blend. Internal to verify.c.
 */
#ifndef REJUV_CORE_VERIFY_TENSORS_H
#define REJUV_CORE_VERIFY_TENSORS_H

#include "core/export/verify.h"

typedef struct VerifyTensors {
    size_t equal;           /* with the recipe's bytes */
    size_t blended;         /* blended, now or as `made` was run, and found equal */
    size_t made;            /* of these, not again */
    uint64_t bytes;         /* that were read */
    uint64_t nonfinite;     /* values that are NaN or infinite */
    uint64_t nonfinite_new; /* of these, where neither input is */
} VerifyTensors;

/* Every tensor of the recipe against its sum and, where `pair` is not NULL, against the blend. What differs is an error
 * among the findings. Of the options `made`, which is not asked where `pair` is NULL, and `ranks`: each reads a stretch
 * of the tensors, and all find the same. */
Status verify_tensors(const Checkpoint *export, const Pair *pair, const Recipe *recipe,
                      const VerifyOptions *options, Job *job, VerifyTensors *found, FindingList *findings,
                      Error *error) STATUS_MUST_CHECK;

#endif
