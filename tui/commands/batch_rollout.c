#include "tui/commands/batch_rollout.h"

#include "core/readiness/reward.h"
#include "core/readiness/reward_command.h"
#include "core/readiness/sample_prompts.h"
#include "core/support/memory.h"
#include "tui/commands/batch_sampling.h"
#include "tui/commands/rollout_ranks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const BATCH_ROLLOUT_STATES[SIDE_COUNT] = {
    [SIDE_BASE] = "base", [SIDE_SFT] = "sft", [SIDE_FUSED] = "fused"};

/* ---- before anything is opened ---- */

/* An expression with a mistake is told at once. */
static Status open_reward(const Options *options, Reward **reward, Error *error) {
    const char *rule = options_text(options, OPTION_REWARD);
    *reward = NULL;
    if (rule == NULL) return STATUS_OK;
    Status status = reward_open(rule, reward, error);
    return status == STATUS_OK ? status : status_add_context(error, "--reward");
}

Status batch_rollout_check(const Options *options, Error *error) {
    Status status = batch_sampling_check(options, error);
    if (status != STATUS_OK) return status;
    if (options_has(options, OPTION_REWARD_TIMEOUT) && !options_has(options, OPTION_REWARD_COMMAND))
        return status_fail(error, STATUS_ARGUMENT, "--reward-timeout is for --reward-command");
    const char *rows = options_text(options, OPTION_CALIBRATION);
    OptionId of_samples = options_has(options, OPTION_SAMPLES) ? OPTION_SAMPLES : OPTION_PROMPTS;
    const char *samples = options_text(options, of_samples);
    if (rows != NULL && samples != NULL && strcmp(rows, "-") == 0 && strcmp(samples, "-") == 0)
        return status_fail(error, STATUS_ARGUMENT, "--%s and --calibration cannot both be standard input",
                           option_facts(of_samples)->name);
    return STATUS_OK;
}

static Status check_options(const Options *options, Error *error) {
    if (!options_has(options, OPTION_SAMPLES) && !options_has(options, OPTION_PROMPTS))
        return status_fail(
            error, STATUS_ARGUMENT,
            "expected --samples FILE, samples with their rewards, or --prompts FILE, to be sampled");
    Status status = batch_rollout_check(options, error);
    return status == STATUS_OK ? dial_options_check(options, error) : status;
}

/* ---- samples ---- */

static Status read_samples(Batch *batch, BatchRollout *rollout, Error *error) {
    const CalibrationReading reading = {.tokenizer = batch->tokenizer,
                                        .config = batch->model->config,
                                        .end_token = options_text(batch->options, OPTION_END_TOKEN),
                                        .directory = checkpoint_text_directory(batch->pair->sft),
                                        .template = options_text(batch->options, OPTION_TEMPLATE)};
    const char *path = options_text(batch->options, OPTION_SAMPLES);
    Status status = sample_file_read(path, &reading, batch->job, &rollout->file, error);
    if (status == STATUS_OK) batch_say_rows(batch, rollout->file.facts);
    return status;
}

static Status read_prompts(Batch *batch, BatchRollout *rollout, Error *error) {
    const Options *options = batch->options;
    const CalibrationReading reading = {.tokenizer = batch->tokenizer,
                                        .config = batch->model->config,
                                        .end_token = options_text(options, OPTION_END_TOKEN),
                                        .directory = checkpoint_text_directory(batch->pair->sft),
                                        .template = options_text(options, OPTION_TEMPLATE),
                                        .are_questions = true,
                                        .limit =
                                            options_has(options, OPTION_FIRST_PROMPTS)
                                                ? (size_t)options_value(options, OPTION_FIRST_PROMPTS)->count
                                                : 0};
    Status status = calibration_read(options_text(options, OPTION_PROMPTS), &reading, batch->job,
                                     &rollout->file.facts, error);
    if (status != STATUS_OK) return status;
    batch_say_rows(batch, rollout->file.facts);
    return sample_prompts_add(rollout->file.facts, &rollout->file.set, error);
}

/* Before hours of sampling: a rule compares with answers. */
static Status check_answers(const SampleSet *set, const Reward *reward, Error *error) {
    for (size_t g = 0; g < set->count && reward != NULL; g++) {
        if (set->groups[g].answer == NULL)
            return status_fail(error, STATUS_ARGUMENT,
                               "prompt %zu has no answer, which --reward compares with", g);
    }
    return STATUS_OK;
}

/* Rewards of the file count where nothing else is asked for. */
static Status check_rewards(const SampleSet *set, Error *error) {
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++) {
            if (!isnan(set->groups[g].samples[i].reward)) continue;
            return status_fail(error, STATUS_ARGUMENT,
                               "sample %zu of prompt %zu has no reward: give one, or an answer and --reward",
                               i, g);
        }
    }
    return STATUS_OK;
}

static Status make_rewards(Batch *batch, SampleSet *set, const Reward *reward, Error *error) {
    const char *command = options_text(batch->options, OPTION_REWARD_COMMAND);
    if (reward == NULL && command == NULL) return check_rewards(set, error);
    Status status = reward_decode_texts(set, batch->tokenizer, batch->job, error);
    if (status == STATUS_OK && reward != NULL) status = reward_apply(reward, set, batch->job, error);
    if (command == NULL) return status;
    if (status == STATUS_OK && ranks_is_lead(batch->ranks)) /* a program may have effects, and is run once */
        status = reward_command_apply(command, options_value(batch->options, OPTION_REWARD_TIMEOUT)->number,
                                      set, batch->job, error);
    return rollout_ranks_share_rewards(batch, status, set, error);
}

/* The samples of the states that are not looked at further, and then of the one that is. */
static Status draw_samples(Batch *batch, BatchRollout *rollout, const Reward *reward, Error *error) {
    SampleFile *file = &rollout->file;
    Side own = batch_sampling_side(batch->options);
    Status status = check_answers(&file->set, reward, error);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++) {
        RolloutState *state = &rollout->states[side];
        if (side == own || !batch_sampling_draws(batch->options, side)) continue;
        status = sample_prompts_copy(&file->set, &state->drawn, error);
        if (status == STATUS_OK)
            status =
                batch_sampling_draw(batch, &rollout->dials.settings, side, file->facts, &state->drawn, error);
        if (status == STATUS_OK) status = make_rewards(batch, &state->drawn, reward, error);
        if (status == STATUS_OK)
            status = sample_figures_measure(&state->drawn, rollout->seed, &state->drawn_figures, error);
    }
    return status == STATUS_OK
               ? batch_sampling_draw(batch, &rollout->dials.settings, own, file->facts, &file->set, error)
               : status;
}

const SampleFigures *batch_rollout_drawn(const Batch *batch, const BatchRollout *rollout, Side side) {
    if (!rollout->is_sampled || !batch_sampling_draws(batch->options, side)) return NULL;
    return side == batch_sampling_side(batch->options) ? &rollout->figures
                                                       : &rollout->states[side].drawn_figures;
}

static Status take_samples(Batch *batch, BatchRollout *rollout, const Reward *reward, Error *error) {
    const char *out = options_text(batch->options, OPTION_OUT_SAMPLES);
    SampleSet *set = &rollout->file.set;
    Status status = rollout->is_sampled ? draw_samples(batch, rollout, reward, error) : STATUS_OK;
    if (status == STATUS_OK) status = make_rewards(batch, set, reward, error);
    if (status == STATUS_OK && out != NULL && ranks_is_lead(batch->ranks))
        status = sample_file_write(set, out, error);
    if (status == STATUS_OK) status = sample_rows_list(set, &rollout->rows, error);
    if (status == STATUS_OK) status = sample_figures_measure(set, rollout->seed, &rollout->figures, error);
    if (status != STATUS_OK) return status;
    rollout->advantages = memory_allocate(rollout->rows.count, sizeof *rollout->advantages);
    if (rollout->advantages == NULL) return memory_fail(error, "advantages");
    sample_figures_advantages(set, rollout->advantages);
    return STATUS_OK;
}

/* ---- the three states ---- */

/* L of scores: −(1/N) Σ A · ln π. */
static double surrogate_loss(const BatchRollout *rollout, const RolloutState *state) {
    double sum = 0.0;
    for (size_t i = 0; i < rollout->rows.count; i++)
        sum += rollout->advantages[i] * state->scores[i].log_probability;
    return -sum / (double)state->means.response_tokens;
}

static Status score(Batch *batch, BatchRollout *rollout, Error *error) {
    SampleScore *scores[SIDE_COUNT];
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        scores[side] = memory_allocate(rollout->rows.count, sizeof *scores[side]);
        rollout->states[side].scores = scores[side];
        if (scores[side] == NULL) return memory_fail(error, "scores");
    }
    Status status = sample_score_measure(batch->model, &rollout->dials.settings, &rollout->rows, scores,
                                         batch->job, error);
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++) {
        RolloutState *state = &rollout->states[side];
        state->means = sample_score_average(&rollout->rows, state->scores);
        state->loss = surrogate_loss(rollout, state);
    }
    return status;
}

static Status measure_gradient(Batch *batch, BatchRollout *rollout, size_t side, Error *error) {
    Settings settings = settings_of_side((Side)side, &rollout->dials.settings);
    Status status = gradient_measure(batch->model, &settings, &rollout->rows, rollout->advantages, 0,
                                     &rollout->states[side].gradient, batch->job, error);
    return status == STATUS_OK || status == STATUS_CANCELLED
               ? status
               : status_add_context(error, "%s", BATCH_ROLLOUT_STATES[side]);
}

/* As the view says it of such samples: a gradient of 0 is no fault. */
static void say_what_is_learned(Batch *batch, const BatchRollout *rollout) {
    for (size_t i = 0; i < rollout->rows.count; i++)
        if (rollout->advantages[i] != 0.0) return;
    batch_say(batch,
              "no prompt has answers that earn differently: the gradient is 0, a step would learn nothing");
}

/* Of several ranks each measures a stretch of the states. */
Status batch_rollout_measure_gradients(Batch *batch, BatchRollout *rollout, Error *error) {
    static const uint64_t WEIGHTS[SIDE_COUNT] = {1, 1, 1};
    size_t *firsts, own = ranks_own(batch->ranks);
    if (!rollout->has_gradient) return STATUS_OK;
    Status status = ranks_deal(batch->ranks, WEIGHTS, SIDE_COUNT, &firsts, error);
    if (status != STATUS_OK) return status;
    for (size_t side = firsts[own]; side < firsts[own + 1] && status == STATUS_OK; side++)
        status = measure_gradient(batch, rollout, side, error);
    for (size_t r = 0; r < ranks_count(batch->ranks); r++) {
        for (size_t side = firsts[r]; side < firsts[r + 1]; side++)
            status = rollout_ranks_pass_gradient(batch, status, r, &rollout->states[side].gradient, error);
    }
    free(firsts);
    if (status == STATUS_OK && ranks_is_lead(batch->ranks)) say_what_is_learned(batch, rollout);
    return status;
}

static Status look_at_samples(Batch *batch, BatchRollout *rollout, const Reward *reward, Error *error) {
    Status status = take_samples(batch, rollout, reward, error);
    /* scores are the leader's to print, and go into nothing that follows */
    return status == STATUS_OK && ranks_is_lead(batch->ranks) ? score(batch, rollout, error) : status;
}

static Status read_file(Batch *batch, BatchRollout *rollout, Error *error) {
    return rollout->is_sampled ? read_prompts(batch, rollout, error) : read_samples(batch, rollout, error);
}

static void begin(const Batch *batch, BatchRollout *rollout) {
    rollout->seed = options_value(batch->options, dial_options_seed(batch->options))->count;
    rollout->is_sampled = options_has(batch->options, OPTION_PROMPTS);
}

static Status measure(Batch *batch, BatchRollout *rollout, const Reward *reward, Error *error) {
    Status status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &rollout->dials, error);
    if (status == STATUS_OK) status = model_check_logits(batch->model, error);
    if (status == STATUS_OK) status = read_file(batch, rollout, error);
    if (status == STATUS_OK && dial_options_want_reset(batch->options))
        status = batch_method_rank(batch, &rollout->dials, error);
    if (status == STATUS_OK) status = look_at_samples(batch, rollout, reward, error);
    return status == STATUS_OK ? batch_rollout_measure_gradients(batch, rollout, error) : status;
}

Status batch_rollout_measure_samples(Batch *batch, BatchRollout *rollout, Error *error) {
    Reward *reward = NULL;
    begin(batch, rollout);
    Status status = open_reward(batch->options, &reward, error);
    if (status == STATUS_OK) status = model_check_logits(batch->model, error);
    if (status == STATUS_OK) status = read_file(batch, rollout, error);
    if (status == STATUS_OK) status = look_at_samples(batch, rollout, reward, error);
    reward_free(reward);
    return status;
}

Status batch_rollout_measure(Batch *batch, BatchRollout *rollout, Error *error) {
    Reward *reward = NULL;
    begin(batch, rollout);
    rollout->has_gradient = options_has(batch->options, OPTION_GRADIENT);
    Status status = check_options(batch->options, error);
    if (status == STATUS_OK) status = open_reward(batch->options, &reward, error);
    if (status == STATUS_OK) status = measure(batch, rollout, reward, error);
    reward_free(reward);
    return status;
}

void batch_rollout_free(BatchRollout *rollout) {
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        free(rollout->states[side].scores);
        gradient_free(&rollout->states[side].gradient);
        sample_figures_free(&rollout->states[side].drawn_figures);
        sample_set_free(&rollout->states[side].drawn);
    }
    free(rollout->advantages);
    sample_figures_free(&rollout->figures);
    sample_rows_free(&rollout->rows);
    sample_file_free(&rollout->file);
    batch_method_free(&rollout->dials);
    *rollout = (BatchRollout){0};
}
