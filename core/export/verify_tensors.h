/*
 * verify_tensors — the weights of an export, tensor by tensor, against a recipe's sums and, where the inputs are at
 * hand, against the blend. Internal to verify.c.
 */
#ifndef REJUV_CORE_VERIFY_TENSORS_H
#define REJUV_CORE_VERIFY_TENSORS_H

#include "core/checkpoint/finding.h"
#include "core/checkpoint/pair.h"
#include "core/export/recipe.h"
#include "core/support/job.h"

typedef struct VerifyTensors {
    size_t equal;           /* with the recipe's bytes */
    size_t blended;         /* blended again and found equal */
    uint64_t bytes;         /* that were read */
    uint64_t nonfinite;     /* values that are NaN or infinite */
    uint64_t nonfinite_new; /* of these, where neither input is */
} VerifyTensors;

/* Every tensor of the recipe against its sum and, where `pair` is not NULL, against the blend. What differs is an error
 * among the findings. */
Status verify_tensors(const Checkpoint *export, const Pair *pair, const Recipe *recipe, Job *job,
                      VerifyTensors *found, FindingList *findings, Error *error) STATUS_MUST_CHECK;

#endif
