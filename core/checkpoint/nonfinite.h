/*
 * nonfinite — values that are NaN or infinite, tensor by tensor, and how that is said in one line.
 *
 * A model that holds one gives NaN for every token, and so does what is blended of it; training runs that overflowed
 * leave them behind, and nothing else says so.
 */
#ifndef REJUV_CORE_NONFINITE_H
#define REJUV_CORE_NONFINITE_H

#include "core/checkpoint/checkpoint.h"
#include "core/support/buffer.h"
#include "core/support/job.h"

/* Zero-initialise; nonfinite_tell() releases. */
typedef struct NonfiniteTensors {
    size_t tensors;  /* that hold some */
    uint64_t values; /* of them all */
    Buffer names;    /* of the first few */
} NonfiniteTensors;

/* Adds a tensor, unless `values` is 0. */
void nonfinite_add(NonfiniteTensors *list, const char *name, uint64_t values);

/* Where there are any, a warning about `subject`: "2 tensors hold 3 values that are NaN or infinite`how`: a.weight (1),
 * b.weight (2)". The list is empty afterwards. */
Status nonfinite_tell(NonfiniteTensors *list, FindingList *findings, const char *subject, const char *how,
                      Error *error) STATUS_MUST_CHECK;

/* Reads all weights of a checkpoint, scales too, and tells. Progress: stage "reading", in bytes. */
Status nonfinite_scan(const Checkpoint *checkpoint, const char *subject, Job *job, FindingList *findings,
                      Error *error) STATUS_MUST_CHECK;

#endif
