#include "tui/commands/batch_sampling.h"

#include "core/support/memory.h"
#include "tui/commands/rollout_ranks.h"

#include <string.h>
#include <time.h>

enum { FROM_ALL = SIDE_COUNT }; /* of --from base|sft|fused|all */

static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};

Status batch_sampling_check(const Options *options, Error *error) {
    static const OptionId OF_SAMPLING[] = {
        OPTION_SAMPLES_EACH, OPTION_SAMPLE_FROM, OPTION_SAMPLE_TEMPERATURE, OPTION_TOP_P,
        OPTION_TOP_K,        OPTION_MOST_TOKENS, OPTION_SIDE_BY_SIDE,       OPTION_FIRST_PROMPTS};
    bool has_prompts = options_has(options, OPTION_PROMPTS);
    if (has_prompts && options_has(options, OPTION_SAMPLES))
        return status_fail(error, STATUS_ARGUMENT, "--samples and --prompts exclude each other");
    for (size_t i = 0; i < sizeof OF_SAMPLING / sizeof *OF_SAMPLING && !has_prompts; i++) {
        if (options_has(options, OF_SAMPLING[i]))
            return status_fail(error, STATUS_ARGUMENT, "--%s says how to sample --prompts, which is missing",
                               option_facts(OF_SAMPLING[i])->name);
    }
    if (!has_prompts) return STATUS_OK;
    if (!options_has(options, OPTION_REWARD) && !options_has(options, OPTION_REWARD_COMMAND))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --reward or --reward-command: what an answer to --prompts earns");
    bool is_all = options_value(options, OPTION_SAMPLE_FROM)->count == FROM_ALL;
    if (is_all && options_has(options, OPTION_OUT_SAMPLES))
        return status_fail(error, STATUS_ARGUMENT,
                           "--out writes the samples of one state: --from base, sft or fused");
    return STATUS_OK;
}

bool batch_sampling_draws(const Options *options, Side side) {
    size_t from = (size_t)options_value(options, OPTION_SAMPLE_FROM)->count;
    return from == FROM_ALL || from == (size_t)side;
}

Side batch_sampling_side(const Options *options) {
    size_t from = (size_t)options_value(options, OPTION_SAMPLE_FROM)->count;
    return from == FROM_ALL ? SIDE_FUSED : (Side)from;
}

RolloutOptions batch_sampling_options(const Options *options, const Calibration *rows) {
    return (RolloutOptions){
        .samples = (size_t)options_value(options, OPTION_SAMPLES_EACH)->count,
        .most_tokens = (size_t)options_value(options, OPTION_MOST_TOKENS)->count,
        .slots = (size_t)options_value(options, OPTION_SIDE_BY_SIDE)->count,
        .sampling = {.temperature = options_value(options, OPTION_SAMPLE_TEMPERATURE)->number,
                     .top_p = options_value(options, OPTION_TOP_P)->number,
                     .top_k = (size_t)options_value(options, OPTION_TOP_K)->count},
        .seed = options_value(options, dial_options_seed(options))->count,
        .end = rows->end.id};
}

/* What was sampled, in how much time. */
static void say_rate(Batch *batch, Side side, const SampleSet *set, const struct timespec *began) {
    struct timespec now;
    size_t tokens = 0, ended = 0, samples = sample_set_samples(set);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) * 1e-9;
    for (size_t g = 0; g < set->count; g++) {
        for (size_t k = 0; k < set->groups[g].sample_count; k++) {
            tokens += set->groups[g].samples[k].count;
            ended += set->groups[g].samples[k].is_ended;
        }
    }
    batch_say(batch, "%s: %zu samples of %zu prompt%s, %zu tokens, %.0f tokens/s; %zu ran out of tokens",
              NAMES[side], samples, set->count, set->count == 1 ? "" : "s", tokens,
              (double)tokens / (seconds > 0.0 ? seconds : 1e-9), samples - ended);
}

Status batch_sampling_draw(Batch *batch, const Settings *dials, Side side, const Calibration *rows,
                           SampleSet *set, Error *error) {
    RolloutOptions options = batch_sampling_options(batch->options, rows);
    Settings settings = settings_of_side(side, dials);
    struct timespec began;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    Status status = rollout_ranks_sample(batch, &settings, &options, set, error);
    if (status == STATUS_OK) say_rate(batch, side, set, &began);
    return status == STATUS_OK || status == STATUS_CANCELLED
               ? status
               : status_add_context(error, "sampling from %s", NAMES[side]);
}
