/*
 * sampler — 64 answers of W(0.5) to one prompt of 64 tokens, side by side, at temperature 1; none ends early.
 */
#ifndef REJUV_TESTS_BENCH_SAMPLER_H
#define REJUV_TESTS_BENCH_SAMPLER_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"
#include "core/support/job.h"

enum { SAMPLER_ANSWERS = 64, SAMPLER_PROMPT = 64 };

typedef struct Sampler {
    const Model *model;
    Job *job;
    Settings settings;
    int32_t ids[SAMPLER_PROMPT];
    size_t tokens; /* of answers, of the last run */
} Sampler;

Sampler sampler_create(const Model *model, Job *job);

/* Answers of `most` tokens. */
Status sampler_run(Sampler *sampler, size_t most, Error *error) STATUS_MUST_CHECK;

#endif
