/*
 * weight_norm — how large a blended tensor is: ‖W‖_F, in double, without W in memory.
 */
#ifndef REJUV_CORE_WEIGHT_NORM_H
#define REJUV_CORE_WEIGHT_NORM_H

#include "core/fusion/blend.h"
#include "core/support/job.h"

/* NaN or infinite where an element is. The same for any number of threads. */
Status weight_norm_measure(const Blend *blend, double *norm, Job *job, Error *error) STATUS_MUST_CHECK;

#endif
