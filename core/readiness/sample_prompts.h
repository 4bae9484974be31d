/*
 * sample_prompts — prompts to be sampled from, out of calibration rows: what stands before a row's response, and the answer
 * that is known.
 */
#ifndef REJUV_CORE_SAMPLE_PROMPTS_H
#define REJUV_CORE_SAMPLE_PROMPTS_H

#include "core/evaluation/calibration.h"
#include "core/readiness/sample_set.h"

/* Adds a group for each row, in their order. */
Status sample_prompts_add(const Calibration *rows, SampleSet *set, Error *error) STATUS_MUST_CHECK;

/* The same prompts, without samples. */
Status sample_prompts_copy(const SampleSet *from, SampleSet *set, Error *error) STATUS_MUST_CHECK;

#endif
