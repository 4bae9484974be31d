/* Drawing the samples of one column: session_rollouts_errand.h. */
#include "core/support/memory.h"
#include "tui/session/session_rollouts_errand.h"

#include <stdlib.h>

/* ---- figures ---- */

static bool is_complete(const RolloutsErrand *errand, size_t group) {
    return errand->ended == NULL || errand->ended[group] == errand->choice.samples;
}

/* Figures of the groups that have all their samples; of a file that is all of them. The view of the set borrows them. */
Status rollouts_tell_figures(RolloutsErrand *errand, size_t column, Error *error) {
    const SampleSet *set = &errand->sets[column];
    SampleSet complete = {.groups = memory_allocate(set->count, sizeof *set->groups), .count = 0};
    RolloutsNews *news = rollouts_make_news(ROLLOUTS_NEWS_FIGURES, error);
    Status status = complete.groups == NULL ? memory_fail(error, "figures of samples")
                    : news == NULL          ? STATUS_NO_MEMORY
                                            : STATUS_OK;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++)
        if (is_complete(errand, g)) complete.groups[complete.count++] = set->groups[g];
    if (status == STATUS_OK && complete.count > 0)
        status = sample_figures_measure(&complete, errand->choice.seed, &news->figures, error);
    bool has_figures = status == STATUS_OK && complete.count > 0;
    free(complete.groups);
    if (has_figures) {
        news->column = column;
        rollouts_tell(errand, news);
    } else if (news != NULL) {
        rollouts_free_news(news);
    }
    return status;
}

static double seconds_since(const struct timespec *then) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) * 1e-9;
}

/* Now and then: the bootstrap of many prompts takes its time, of which it shall have a twentieth. */
static void tell_interim_figures(RolloutsErrand *errand, size_t column) {
    enum { PART = 20 };
    const double SOONEST = 0.5;
    double since = seconds_since(&errand->told);
    if (since < SOONEST || since < PART * errand->telling) return;
    (void)clock_gettime(CLOCK_MONOTONIC, &errand->told);
    Status status = rollouts_tell_figures(errand, column, NULL);
    (void)status; /* the last figures, over all of them, tell of it */
    errand->telling = seconds_since(&errand->told);
}

/* ---- a sample ---- */

static Status tell_sample(RolloutsErrand *errand, size_t column, size_t g, size_t number, Error *error) {
    Sample *sample = &errand->sets[column].groups[g].samples[number];
    RolloutsNews *news = rollouts_make_news(ROLLOUTS_NEWS_SAMPLE, error);
    if (news == NULL) return STATUS_NO_MEMORY;
    news->column = column;
    news->group = g;
    news->number = number;
    Status status = sample_set_copy_sample(sample, &news->sample, error);
    if (status != STATUS_OK) {
        rollouts_free_news(news);
        return status;
    }
    rollouts_tell(errand, news);
    errand->ended[g]++;
    return STATUS_OK;
}

/* ---- a reward command ---- */

/* Those that it has answered by now, in their order: until then a sample is not told of. */
static Status tell_graded(RolloutsErrand *errand, size_t column, Error *error) {
    Status status = STATUS_OK;
    double reward;
    while (status == STATUS_OK && reward_command_take(errand->command, &reward)) {
        const struct RolloutsPending *next = &errand->pending[errand->graded++];
        errand->sets[column].groups[next->group].samples[next->number].reward = reward;
        status = tell_sample(errand, column, next->group, next->number, error);
    }
    return status;
}

static Status ask_for_grade(RolloutsErrand *errand, size_t column, size_t g, size_t number, Error *error) {
    const SampleGroup *group = &errand->sets[column].groups[g];
    Status status =
        MEMORY_RESERVE(errand->pending, &errand->pending_capacity, errand->pending_count + 1, error);
    if (status != STATUS_OK) return status;
    errand->pending[errand->pending_count++] = (struct RolloutsPending){g, number};
    status = reward_command_send(errand->command, group->prompt, group->samples[number].text, group->answer,
                                 errand->job, error);
    return status == STATUS_OK ? tell_graded(errand, column, error) : status;
}

Status rollouts_begin_grading(RolloutsErrand *errand, Error *error) {
    const char *command = session_rollouts_command(errand->choice.reward);
    reward_command_close(errand->command);
    errand->command = NULL;
    errand->pending_count = errand->graded = 0;
    return command == NULL ? STATUS_OK
                           : reward_command_open(command, SESSION_ROLLOUTS_SILENCE, &errand->command, error);
}

/* The rest of its answers, and its end. */
static Status end_grading(RolloutsErrand *errand, size_t column, Error *error) {
    if (errand->command == NULL) return STATUS_OK;
    rollouts_begin(errand, "rewards by the program");
    Status status = reward_command_end(errand->command, errand->job, error);
    return status == STATUS_OK ? tell_graded(errand, column, error) : status;
}

/* ---- a sample that has ended ---- */

static Status take_sample(RolloutsErrand *errand, size_t column, size_t g, size_t number, Error *error) {
    SampleGroup *group = &errand->sets[column].groups[g];
    Sample *sample = &group->samples[number];
    size_t bytes;
    Status status = STATUS_OK;
    if (sample->text == NULL)
        status = tokenizer_decode(errand->tokenizer, sample->ids, sample->count, true, &sample->text, &bytes,
                                  error);
    if (status == STATUS_OK && errand->command == NULL)
        status = reward_measure(errand->reward, sample->text, group->answer, &sample->reward, error);
    if (status != STATUS_OK) return status_add_context(error, "sample %zu of prompt %zu", number, g);
    (void)atomic_fetch_add_explicit(&errand->tokens, sample->count, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&errand->samples, 1, memory_order_relaxed);
    return errand->command != NULL ? ask_for_grade(errand, column, g, number, error)
                                   : tell_sample(errand, column, g, number, error);
}

/* What goes wrong with one ends the job: the others would not be worth more. */
static void observe(void *user, size_t group, size_t sample) {
    RolloutsErrand *errand = user;
    if (errand->failure.status != STATUS_OK) return;
    Status status = take_sample(errand, errand->column, group, sample, &errand->failure);
    if (status != STATUS_OK)
        job_cancel(errand->job);
    else if (is_complete(errand, group))
        tell_interim_figures(errand, errand->column);
}

/* ---- a column ---- */

static Status take_all(RolloutsErrand *errand, size_t column, Error *error) {
    const SampleSet *set = &errand->sets[column];
    Status status = STATUS_OK;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        if (!job_report(errand->job, "kept samples", g, set->count)) return job_cancelled(error);
        for (size_t i = 0; i < set->groups[g].sample_count && status == STATUS_OK; i++)
            status = take_sample(errand, column, g, i, error);
    }
    return status;
}

static Status draw(RolloutsErrand *errand, const CacheSampling *sampling, SampleSet *set, Error *error) {
    Settings settings = settings_of_side(sampling->side, sampling->dials);
    Status status =
        rollout_run(errand->model, &settings, set, sampling->options, observe, errand, errand->job, error);
    if (errand->failure.status != STATUS_OK) {
        if (error != NULL) *error = errand->failure;
        return errand->failure.status;
    }
    if (status == STATUS_OK && rollouts_may_keep(errand)) {
        Status kept = cache_samples_keep(errand->cache, sampling, set, &errand->keeping);
        (void)kept; /* the session says why */
    }
    return status;
}

const char *rollouts_state_name(size_t column) {
    static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
    return NAMES[column < SIDE_COUNT ? column : SIDE_FUSED];
}

static Status begin_column(RolloutsErrand *errand, size_t column, Error *error) {
    static const char *const DOING[SIDE_COUNT] = {"sampling base", "sampling SFT", "sampling W"};
    free(errand->ended);
    errand->ended = memory_allocate(errand->sets[column].count, sizeof *errand->ended);
    if (errand->ended == NULL) return memory_fail(error, "samples");
    Status status = rollouts_begin_grading(errand, error);
    if (status != STATUS_OK) return status;
    errand->column = column;
    atomic_store_explicit(&errand->tokens, 0, memory_order_relaxed);
    atomic_store_explicit(&errand->samples, 0, memory_order_relaxed);
    rollouts_begin(errand, DOING[column]);
    (void)clock_gettime(CLOCK_MONOTONIC, &errand->told);
    return job_report(errand->job, "kept samples", 0, 1) ? STATUS_OK
                                                         : job_cancelled(error); /* its own clock */
}

Status rollouts_draw(RolloutsErrand *errand, size_t column, Error *error) {
    SampleSet *set = &errand->sets[column];
    const RolloutOptions options = {.samples = errand->choice.samples,
                                    .most_tokens = errand->choice.most_tokens,
                                    .sampling = errand->choice.sampling,
                                    .seed = errand->choice.seed,
                                    .end = errand->end};
    const CacheSampling sampling = {.origin = &errand->origin,
                                    .side = (Side)column,
                                    .dials = &errand->settings,
                                    .prompts = set,
                                    .options = &options,
                                    .vocabulary = forward_vocabulary(errand->model)};
    Status status = begin_column(errand, column, error);
    if (status != STATUS_OK) return status;
    bool is_there = sample_set_samples(set) > 0 ||
                    (rollouts_may_recall(errand) && cache_samples_recall(errand->cache, &sampling, set));
    if (!is_there && errand->only_kept && column >= errand->kept_columns) {
        errand->was_unended = true;
        return job_cancelled(error);
    }
    if (!is_there && errand->only_kept)
        return status_fail(error, STATUS_IO, "the samples of %s of the last time are not kept any more",
                           rollouts_state_name(column));
    status = is_there ? take_all(errand, column, error) : draw(errand, &sampling, set, error);
    if (status == STATUS_OK) status = end_grading(errand, column, error);
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        return status_add_context(error, "sampling from %s", rollouts_state_name(column));
    Status told = rollouts_tell_figures(errand, column, status == STATUS_OK ? error : NULL);
    return status == STATUS_OK ? told : status;
}
