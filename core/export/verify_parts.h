/* verify_parts — what verify.c and verify_tensors.c share; nothing outside them includes this. */
#ifndef REJUV_CORE_VERIFY_PARTS_H
#define REJUV_CORE_VERIFY_PARTS_H

#include "core/export/verify.h"

/* Every tensor of the recipe against its sum and, where `pair` is not NULL, against the blend. */
Status verify_tensors(const Checkpoint *export, const Pair *pair, Job *job, VerifyResult *result,
                      Error *error) STATUS_MUST_CHECK;

#endif
