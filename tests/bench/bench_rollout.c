/*
 * Sampling: answers that grow side by side beside answers one after another.
 */
#include "core/evaluation/generation.h"
#include "core/readiness/rollout.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 64, PROMPT = 64, TOGETHER = 8, ALONE = 4 /* tokens of an answer */ };

typedef struct Sampler {
    Bench *bench;
    Settings settings;
    int32_t ids[PROMPT];
    size_t tokens; /* of answers, of the last run */
} Sampler;

static Status sample(Sampler *sampler, size_t most, Error *error) {
    SampleSet set = {0};
    SampleGroup *group;
    const RolloutOptions options = {
        .samples = SAMPLES, .most_tokens = most, .sampling = {.temperature = 1.0}, .seed = 1, .end = -1};
    Status status = sample_set_add_group(&set, &group, error);
    if (status == STATUS_OK) {
        group->ids = memory_allocate(PROMPT, sizeof *group->ids);
        group->count = group->ids == NULL ? 0 : PROMPT;
        for (size_t i = 0; i < group->count; i++) group->ids[i] = sampler->ids[i];
        status = rollout_run(sampler->bench->model, &sampler->settings, &set, &options, NULL, NULL,
                             sampler->bench->job, error);
    }
    sampler->tokens = 0;
    for (size_t k = 0; status == STATUS_OK && k < set.groups[0].sample_count; k++)
        sampler->tokens += set.groups[0].samples[k].count;
    sample_set_free(&set);
    return status;
}

static Status sample_together(void *argument, Error *error) {
    return sample(argument, TOGETHER, error);
}

static Status sample_first(void *argument, Error *error) {
    return sample(argument, 1, error);
}

static Status continue_with(const Sampler *sampler, size_t tokens, Error *error) {
    int32_t out[ALONE];
    size_t count;
    const GenerationOptions options = {.tokens = tokens, .sampling = {.temperature = 1.0}, .seed = 1};
    return generation_run(sampler->bench->model, &sampler->settings, sampler->ids, PROMPT, &options, NULL,
                          NULL, out, &count, sampler->bench->job, error);
}

static Status continue_alone(void *argument, Error *error) {
    return continue_with(argument, ALONE, error);
}

static Status continue_first(void *argument, Error *error) {
    return continue_with(argument, 1, error);
}

/* Rates are of the tokens behind the first: prompts cost both the same. */
Status bench_rollout(Bench *bench, Error *error) {
    Sampler sampler = {.bench = bench, .settings = {.alpha = 0.5}};
    for (size_t i = 0; i < PROMPT; i++)
        sampler.ids[i] = (int32_t)(i * 7919 % forward_vocabulary(bench->model));
    const Measure measures[] = {{.run = sample_together, .argument = &sampler},
                                {.run = sample_first, .argument = &sampler},
                                {.run = continue_alone, .argument = &sampler},
                                {.run = continue_first, .argument = &sampler}};
    MeasureTimes times;
    double together[MEASURE_ROUNDS], alone[MEASURE_ROUNDS], ratios[MEASURE_ROUNDS];
    Status status = measure_alternate(measures, 4, bench->clock, bench->seconds, &times, error);
    if (status != STATUS_OK) return status;
    for (size_t r = 0; r < times.rounds; r++) {
        together[r] = SAMPLES * (TOGETHER - 1) / (times.seconds[0][r] - times.seconds[1][r]);
        alone[r] = (ALONE - 1) / (times.seconds[2][r] - times.seconds[3][r]);
        ratios[r] = together[r] / alone[r];
    }
    ReportRow row = {.value = spread_of(together, times.rounds),
                     .unit = "tokens/s",
                     .limit_what = "one after another",
                     .limit = spread_of(alone, times.rounds),
                     .ratio = spread_of(ratios, times.rounds),
                     .aim = 12.0,
                     .usual = 9.0};
    (void)snprintf(row.what, sizeof row.what, "sampling %d side by side, W", SAMPLES);
    return report_add(&bench->report, &row, error);
}
