/*
 * Sampling: answers that grow side by side beside answers one after another.
 */
#include "core/evaluation/generation.h"
#include "tests/bench/bench.h"
#include "tests/bench/sampler.h"

#include <stdio.h>

enum { TOGETHER = 8, ALONE = 4 /* tokens of an answer */ };

static Status sample_together(void *argument, Error *error) {
    return sampler_run(argument, TOGETHER, error);
}

static Status sample_first(void *argument, Error *error) {
    return sampler_run(argument, 1, error);
}

static Status continue_with(const Sampler *sampler, size_t tokens, Error *error) {
    int32_t out[ALONE];
    size_t count;
    const GenerationOptions options = {.tokens = tokens, .sampling = {.temperature = 1.0}, .seed = 1};
    return generation_run(sampler->model, &sampler->settings, sampler->ids, SAMPLER_PROMPT, &options, NULL,
                          NULL, out, &count, sampler->job, error);
}

static Status continue_alone(void *argument, Error *error) {
    return continue_with(argument, ALONE, error);
}

static Status continue_first(void *argument, Error *error) {
    return continue_with(argument, 1, error);
}

/* Rates are of the tokens behind the first: prompts cost both the same. */
Status bench_rollout(Bench *bench, Error *error) {
    Sampler sampler = sampler_create(bench->model, bench->job);
    const Measure measures[] = {{.run = sample_together, .argument = &sampler},
                                {.run = sample_first, .argument = &sampler},
                                {.run = continue_alone, .argument = &sampler},
                                {.run = continue_first, .argument = &sampler}};
    MeasureTimes times;
    double together[MEASURE_ROUNDS], alone[MEASURE_ROUNDS], ratios[MEASURE_ROUNDS];
    Status status = measure_alternate(measures, 4, bench->clock, bench->seconds, &times, error);
    if (status != STATUS_OK) return status;
    for (size_t r = 0; r < times.rounds; r++) {
        together[r] = SAMPLER_ANSWERS * (TOGETHER - 1) / (times.seconds[0][r] - times.seconds[1][r]);
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
    (void)snprintf(row.what, sizeof row.what, "sampling %d side by side, W", SAMPLER_ANSWERS);
    return report_add(&bench->report, &row, error);
}
