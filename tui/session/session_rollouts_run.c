/* What a session's rollouts are made of, one after another: session_rollouts_errand.h. */
#include "core/readiness/sample_prompts.h"
#include "core/support/memory.h"
#include "tui/session/session_rollouts_errand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- prompts, or a file of samples ---- */

/* What a person should know about the file, in one line. */
static void note_remarks(const Calibration *facts, char note[SESSION_ROLLOUTS_NOTE]) {
    char remark[CALIBRATION_REMARK_SIZE];
    size_t used = 0;
    note[0] = '\0';
    for (size_t i = 0; calibration_remark(facts, i, remark); i++) {
        int length = snprintf(note + used, SESSION_ROLLOUTS_NOTE - used, "%s%s", i > 0 ? "; " : "", remark);
        if (length < 0 || (size_t)length >= SESSION_ROLLOUTS_NOTE - used) return;
        used += (size_t)length;
    }
}

static Status tell_set(RolloutsErrand *errand, const SampleSet *set, const Calibration *facts, Error *error) {
    RolloutsNews *news = rollouts_make_news(ROLLOUTS_NEWS_PROMPTS, error);
    if (news == NULL) return STATUS_NO_MEMORY;
    if (facts != NULL) note_remarks(facts, news->note);
    Status status = rollouts_copy_set(set, &news->set, error);
    if (status == STATUS_OK)
        rollouts_tell(errand, news);
    else
        rollouts_free_news(news);
    return status;
}

static bool are_same_prompts(const SampleSet *a, const SampleSet *b) {
    bool same = a->count == b->count;
    for (size_t g = 0; g < a->count && same; g++) {
        const SampleGroup *left = &a->groups[g], *right = &b->groups[g];
        same = left->count == right->count &&
               memcmp(left->ids, right->ids, left->count * sizeof *left->ids) == 0 &&
               (left->answer == NULL) == (right->answer == NULL) &&
               (left->answer == NULL || strcmp(left->answer, right->answer) == 0);
    }
    return same;
}

/* The prompts of the file. What was kept of others is let go. */
static Status read_prompts(RolloutsErrand *errand, Calibration **facts, Error *error) {
    CalibrationReading reading = errand->reading;
    SampleSet prompts = {0};
    reading.are_questions = true;
    reading.limit = errand->choice.prompts;
    Status status = calibration_read(errand->path, &reading, errand->job, facts, error);
    if (status != STATUS_OK) return status;
    errand->end = (*facts)->end.id;
    status = sample_prompts_add(*facts, &prompts, error);
    for (size_t g = 0; g < prompts.count && status == STATUS_OK; g++)
        if (prompts.groups[g].answer == NULL && session_rollouts_command(errand->choice.reward) == NULL)
            status = status_fail(error, STATUS_ARGUMENT, "%s: prompt %zu has no answer to compare with",
                                 (*facts)->source, g);
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++) {
        if (are_same_prompts(&prompts, &errand->sets[side])) continue;
        sample_set_free(&errand->sets[side]);
        status = sample_prompts_copy(&prompts, &errand->sets[side], error);
    }
    sample_set_free(&prompts);
    return status;
}

/* Their texts: those of rows of ids are made of these. */
static Status complete_prompts(RolloutsErrand *errand, Error *error) {
    Status status = STATUS_OK;
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++)
        status = reward_decode_texts(&errand->sets[side], errand->tokenizer, errand->job, error);
    return status;
}

static bool have_rewards(const SampleSet *set) {
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++)
            if (isnan(set->groups[g].samples[i].reward)) return false;
    }
    return true;
}

/* By the program, of samples that are all there. */
static Status grade_all(RolloutsErrand *errand, SampleSet *set, Error *error) {
    Status status = rollouts_begin_grading(errand, error);
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        const SampleGroup *group = &set->groups[g];
        for (size_t i = 0; i < group->sample_count && status == STATUS_OK; i++)
            status = reward_command_send(errand->command, group->prompt, group->samples[i].text,
                                         group->answer, errand->job, error);
    }
    if (status == STATUS_OK) status = reward_command_end(errand->command, errand->job, error);
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++)
        for (size_t i = 0; i < set->groups[g].sample_count; i++)
            (void)reward_command_take(errand->command, &set->groups[g].samples[i].reward); /* all are there */
    return status;
}

/* By the rule, where one was chosen; else those of the file. */
static Status earn_rewards(RolloutsErrand *errand, SampleSet *set, Error *error) {
    if (errand->choice.reward[0] == '\0' && have_rewards(set)) return STATUS_OK;
    if (errand->choice.reward[0] == '\0')
        return status_fail(error, STATUS_ARGUMENT,
                           "%s: not every sample has a reward: give them, or answers and a rule (:reward)",
                           errand->path);
    if (session_rollouts_command(errand->choice.reward) != NULL) return grade_all(errand, set, error);
    Status status = reward_open(errand->choice.reward, &errand->reward, error);
    return status == STATUS_OK ? reward_apply(errand->reward, set, errand->job, error) : status;
}

static Status read_samples(RolloutsErrand *errand, Error *error) {
    SampleFile file = {0};
    Status status = sample_file_read(errand->path, &errand->reading, errand->job, &file, error);
    errand->sets[0] = file.set;
    file.set = (SampleSet){0};
    if (status == STATUS_OK && errand->tokenizer != NULL)
        status = reward_decode_texts(&errand->sets[0], errand->tokenizer, errand->job, error);
    if (status == STATUS_OK) status = earn_rewards(errand, &errand->sets[0], error);
    if (status == STATUS_OK) status = tell_set(errand, &errand->sets[0], file.facts, error);
    sample_file_free(&file);
    return status;
}

/* ---- scores ---- */

/* Over all tokens and prompt by prompt. */
static Status sum_up(const RolloutsErrand *errand, const SampleSet *set, Side side,
                     SessionRolloutsScores *scores, Error *error) {
    double *sums = memory_allocate(set->count, 2 * sizeof *sums), log_probability = 0.0;
    scores->prompts[side] = memory_allocate(set->count, sizeof *scores->prompts[side]);
    if (sums == NULL || scores->prompts[side] == NULL) {
        free(sums);
        return memory_fail(error, "scores of samples");
    }
    double *counts = sums + set->count, tokens = 0.0;
    const SampleTokenScore *token = scores->tokens[side];
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++) {
            for (size_t t = 0; t < set->groups[g].samples[i].count; t++, token++) {
                sums[g] += (double)token->entropy;
                counts[g] += 1.0;
                log_probability += (double)token->log_probability;
            }
        }
        scores->prompts[side][g] = sums[g] / counts[g]; /* over none: NaN */
        tokens += counts[g];
    }
    scores->entropy[side] = sample_figures_estimate_ratio(sums, counts, set->count, errand->choice.seed);
    scores->log_probability[side] = log_probability / tokens;
    free(sums);
    return STATUS_OK;
}

static Status measure_scores(RolloutsErrand *errand, const SampleRows *rows,
                             SampleTokenScore *const tokens[SIDE_COUNT], Error *error) {
    if (rollouts_may_recall(errand) &&
        cache_samples_recall_scores(errand->cache, &errand->origin, &errand->settings, rows, tokens))
        return STATUS_OK;
    Status status =
        sample_score_measure_tokens(errand->model, &errand->settings, rows, tokens, errand->job, error);
    if (status == STATUS_OK && rollouts_may_keep(errand)) {
        Status kept = cache_samples_keep_scores(errand->cache, &errand->origin, &errand->settings, rows,
                                                tokens, &errand->keeping);
        (void)kept; /* the session says why */
    }
    return status;
}

static Status score(RolloutsErrand *errand, size_t column, Error *error) {
    const SampleSet *set = &errand->sets[column];
    SampleRows rows = {0};
    RolloutsNews *news = rollouts_make_news(ROLLOUTS_NEWS_SCORES, error);
    if (news == NULL) return STATUS_NO_MEMORY;
    news->column = column;
    Status status = sample_rows_list(set, &rows, error);
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++) {
        news->scores.tokens[side] = memory_allocate(rows.response_tokens, sizeof(SampleTokenScore));
        if (news->scores.tokens[side] == NULL) status = memory_fail(error, "scores of samples");
    }
    if (status == STATUS_OK) status = measure_scores(errand, &rows, news->scores.tokens, error);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++)
        status = sum_up(errand, set, side, &news->scores, error);
    sample_rows_free(&rows);
    if (status == STATUS_OK)
        rollouts_tell(errand, news);
    else
        rollouts_free_news(news);
    return status;
}

/* ---- the gradient ---- */

static Status measure_gradient(RolloutsErrand *errand, const Settings *settings, const SampleRows *rows,
                               const double *advantages, Gradient *gradient, Error *error) {
    if (rollouts_may_recall(errand) &&
        cache_samples_recall_gradient(errand->cache, &errand->origin, settings, rows, advantages,
                                      errand->pair, gradient))
        return STATUS_OK;
    if (errand->only_kept)
        return status_fail(error, STATUS_IO, "the gradient of the last time is not kept any more");
    Status status =
        gradient_measure(errand->model, settings, rows, advantages, 0, gradient, errand->job, error);
    if (status == STATUS_OK && rollouts_may_keep(errand)) {
        Status kept = cache_samples_keep_gradient(errand->cache, &errand->origin, settings, rows, advantages,
                                                  gradient, &errand->keeping);
        (void)kept; /* the session says why */
    }
    return status;
}

static Status measure_gradients(RolloutsErrand *errand, Error *error) {
    static const char *const DOING[SIDE_COUNT] = {"gradient of base", "gradient of SFT", "gradient of W"};
    SampleRows rows = {0};
    double *advantages = memory_allocate(sample_set_samples(errand->of), sizeof *advantages);
    RolloutsNews *news = rollouts_make_news(ROLLOUTS_NEWS_GRADIENT, error);
    Status status = advantages == NULL ? memory_fail(error, "advantages")
                    : news == NULL     ? STATUS_NO_MEMORY
                                       : sample_rows_list(errand->of, &rows, error);
    if (status == STATUS_OK) sample_figures_advantages(errand->of, advantages);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++) {
        Settings settings = settings_of_side(side, &errand->settings);
        rollouts_begin(errand, DOING[side]);
        status = measure_gradient(errand, &settings, &rows, advantages, &news->gradients[side], error);
    }
    sample_rows_free(&rows);
    free(advantages);
    if (status == STATUS_OK)
        rollouts_tell(errand, news);
    else if (news != NULL)
        rollouts_free_news(news);
    return status;
}

/* ---- the job ---- */

static Status draw_all(RolloutsErrand *errand, Error *error) {
    static const char *const SCORING[SIDE_COUNT] = {"scores of base's", "scores of SFT's", "scores of W's"};
    Calibration *facts = NULL;
    const char *rule =
        errand->choice.reward[0] != '\0' ? errand->choice.reward : SESSION_ROLLOUTS_DEFAULT_RULE;
    bool has_command = session_rollouts_command(rule) != NULL;
    Status status = has_command ? STATUS_OK : reward_open(rule, &errand->reward, error);
    if (status == STATUS_OK && errand->path != NULL) status = read_prompts(errand, &facts, error);
    if (status == STATUS_OK) status = complete_prompts(errand, error);
    if (status == STATUS_OK) {
        SampleSet prompts = {0};
        status = sample_prompts_copy(&errand->sets[0], &prompts, error);
        if (status == STATUS_OK) status = tell_set(errand, &prompts, facts, error);
        sample_set_free(&prompts);
    }
    calibration_free(facts);
    for (size_t column = 0; column < SIDE_COUNT && status == STATUS_OK; column++)
        status = rollouts_draw(errand, column, error);
    for (size_t i = SIDE_COUNT; i-- > 0 && status == STATUS_OK;) { /* W's first: RL would begin with them */
        rollouts_begin(errand, SCORING[i]);
        status = score(errand, i, error);
    }
    return status;
}

static Status read_all(RolloutsErrand *errand, Error *error) {
    rollouts_begin(errand, "reading samples");
    Status status = read_samples(errand, error);
    rollouts_begin(errand, "scores of samples");
    if (status == STATUS_OK) status = rollouts_tell_figures(errand, 0, error);
    return status == STATUS_OK ? score(errand, 0, error) : status;
}

Status rollouts_run(Job *job, void *argument, Error *error) {
    RolloutsErrand *errand = argument;
    errand->job = job;
    errand->origin.threads = job_threads(job);
    switch (errand->kind) {
    case ROLLOUTS_DRAW:
        return draw_all(errand, error);
    case ROLLOUTS_READ:
        return read_all(errand, error);
    default:
        return measure_gradients(errand, error);
    }
}
