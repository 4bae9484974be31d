/* What a session shows of samples: news of the job as columns, and figures of their gradient. */
#include "core/readiness/sample_prompts.h"
#include "core/support/memory.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_rollouts_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop_column(RolloutsColumn *column) {
    sample_set_free(&column->set);
    sample_figures_free(&column->figures);
    free(column->ended);
    free(column->right);
    free(column->prompts);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        free(column->scores.tokens[side]);
        free(column->scores.prompts[side]);
    }
    *column = (RolloutsColumn){0};
}

static void drop_gradient(struct SessionRolloutsPart *part) {
    for (size_t side = 0; side < SIDE_COUNT; side++) gradient_table_free(&part->gradients[side]);
    part->has_gradient = false;
}

void rollouts_drop(struct SessionRolloutsPart *part) {
    for (size_t c = 0; c < SIDE_COUNT; c++) drop_column(&part->data[c]);
    drop_gradient(part);
    part->groups = part->columns = 0;
    part->note[0] = '\0';
}

static void show_column(struct SessionRolloutsPart *part, size_t c) {
    const RolloutsColumn *column = &part->data[c];
    part->shown[c] = (SessionRolloutsColumn){.set = &column->set,
                                             .total = column->total,
                                             .ready = column->ready,
                                             .ended = column->ended,
                                             .right = column->right,
                                             .prompts = column->prompts,
                                             .figures = column->has_figures ? &column->figures : NULL,
                                             .scores = column->has_scores ? &column->scores : NULL,
                                             .side = part->drawn_from.is_file ? SIDE_COUNT : (Side)c};
}

/* ---- news ---- */

/* A sample that has just been put into its place. */
static Status count_sample(RolloutsColumn *column, size_t g, const Sample *sample, Error *error) {
    const SampleGroup *group = &column->set.groups[g];
    column->ready++;
    column->ended[g]++;
    column->right[g] += sample_figures_is_right(sample->reward);
    if (column->ended[g] < group->sample_count) return STATUS_OK;
    return sample_figures_measure_prompt(group, &column->prompts[g], error);
}

static Status open_column(RolloutsColumn *column, Error *error) {
    size_t groups = column->set.count;
    column->total = sample_set_samples(&column->set);
    column->ended = memory_allocate(groups, sizeof *column->ended);
    column->right = memory_allocate(groups, sizeof *column->right);
    column->prompts = memory_allocate(groups, sizeof *column->prompts);
    bool complete = column->ended != NULL && column->right != NULL && column->prompts != NULL;
    return complete ? STATUS_OK : memory_fail(error, "samples");
}

/* Prompts with places for the samples that are to come. */
static Status open_empty(RolloutsColumn *column, const SampleSet *prompts, size_t samples, Error *error) {
    Status status = sample_prompts_copy(prompts, &column->set, error);
    for (size_t g = 0; g < column->set.count && status == STATUS_OK; g++) {
        Sample *sample;
        for (size_t i = 0; i < samples && status == STATUS_OK; i++)
            status = sample_set_add_sample(&column->set.groups[g], &sample, error);
    }
    return status == STATUS_OK ? open_column(column, error) : status;
}

/* A file's: all of its samples are there. */
static Status open_full(RolloutsColumn *column, SampleSet *set, Error *error) {
    column->set = *set;
    *set = (SampleSet){0};
    Status status = open_column(column, error);
    for (size_t g = 0; g < column->set.count && status == STATUS_OK; g++) {
        const SampleGroup *group = &column->set.groups[g];
        for (size_t i = 0; i < group->sample_count && status == STATUS_OK; i++)
            status = count_sample(column, g, &group->samples[i], error);
    }
    return status;
}

Status rollouts_copy_source(const char *path, bool is_file, RolloutsSource *to, Error *error) {
    char *copy = path == NULL ? NULL : memory_copy_text(path, strlen(path));
    if (path != NULL && copy == NULL) return memory_fail(error, "rollouts");
    free(to->path);
    *to = (RolloutsSource){copy, is_file};
    return STATUS_OK;
}

static Status accept_prompts(struct SessionRolloutsPart *part, const RolloutsErrand *errand,
                             RolloutsNews *news, Error *error) {
    rollouts_drop(part);
    Status status =
        rollouts_copy_source(errand->path, errand->kind == ROLLOUTS_READ, &part->drawn_from, error);
    if (status != STATUS_OK) return status;
    part->drawn = errand->choice;
    part->settings = errand->settings;
    (void)snprintf(part->note, sizeof part->note, "%s", news->note);
    part->groups = news->set.count;
    part->columns = part->drawn_from.is_file ? 1 : SIDE_COUNT;
    if (part->drawn_from.is_file) return open_full(&part->data[0], &news->set, error);
    for (size_t c = 0; c < part->columns && status == STATUS_OK; c++)
        status = open_empty(&part->data[c], &news->set, part->drawn.samples, error);
    return status;
}

static Status accept_sample(struct SessionRolloutsPart *part, RolloutsNews *news, Error *error) {
    RolloutsColumn *column = &part->data[news->column];
    Sample *place = &column->set.groups[news->group].samples[news->number];
    sample_set_free_sample(place);
    *place = news->sample;
    news->sample = (Sample){0};
    return count_sample(column, news->group, place, error);
}

static Status accept_gradient(struct SessionRolloutsPart *part, const RolloutsNews *news, Error *error) {
    Status status = STATUS_OK;
    drop_gradient(part);
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++)
        status = gradient_table_make(&news->gradients[side], &part->gradients[side], error);
    part->has_gradient = status == STATUS_OK;
    return status;
}

void rollouts_accept(struct SessionRolloutsPart *part, const RolloutsErrand *errand, RolloutsNews *news,
                     Error *error) {
    RolloutsColumn *column = &part->data[news->column];
    Status status = STATUS_OK;
    bool is_of_column = news->kind != ROLLOUTS_NEWS_PROMPTS && news->kind != ROLLOUTS_NEWS_GRADIENT;
    if (is_of_column && news->column >= part->columns) return; /* there was no memory for its prompts */
    switch (news->kind) {
    case ROLLOUTS_NEWS_PROMPTS:
        status = accept_prompts(part, errand, news, error);
        break;
    case ROLLOUTS_NEWS_SAMPLE:
        status = accept_sample(part, news, error);
        break;
    case ROLLOUTS_NEWS_FIGURES:
        sample_figures_free(&column->figures);
        column->figures = news->figures;
        column->has_figures = true;
        news->figures = (SampleFigures){0};
        break;
    case ROLLOUTS_NEWS_SCORES:
        column->scores = news->scores; /* the first: prompts are told anew before the next */
        column->has_scores = true;
        news->scores = (SessionRolloutsScores){0};
        break;
    case ROLLOUTS_NEWS_GRADIENT:
        status = accept_gradient(part, news, error);
        break;
    }
    if (status != STATUS_OK) rollouts_drop(part);
    for (size_t c = 0; c < part->columns; c++) show_column(part, c);
}

/* ---- what is there ---- */

bool session_rollouts_is_complete(const SessionRolloutsColumn *column, size_t group) {
    return column->ended[group] > 0 && column->ended[group] == column->set->groups[group].sample_count;
}

size_t session_rollouts_whole(const Session *session) {
    const struct SessionRolloutsPart *part = session->rollouts;
    size_t c = 0;
    while (c < part->columns && part->data[c].total > 0 && part->data[c].ready == part->data[c].total) c++;
    return c;
}

size_t session_rollouts_first_token(const SessionRolloutsColumn *column, size_t group, size_t sample) {
    size_t tokens = 0;
    for (size_t g = 0; g <= group; g++) {
        const SampleGroup *own = &column->set->groups[g];
        size_t end = g == group ? sample : own->sample_count;
        for (size_t i = 0; i < end; i++) tokens += own->samples[i].count;
    }
    return tokens;
}

/* ---- its gradient ---- */

static double figure_of(const GradientNorms *norms, bool is_relative) {
    if (norms->tensors == 0) return NAN;
    if (!is_relative) return norms->gradient;
    return norms->weight > 0.0 ? norms->gradient / norms->weight : NAN;
}

double session_rollouts_gradient(const Session *session, Side side, int layer, TensorRole role,
                                 bool is_relative) {
    GradientNorms norms = gradient_table_find(&session->rollouts->gradients[side], layer, role);
    return figure_of(&norms, is_relative);
}

double session_rollouts_tensor_gradient(const Session *session, Side side, const PairTensor *tensor,
                                        bool is_relative) {
    GradientNorms norms = gradient_table_tensor(&session->rollouts->gradients[side], tensor);
    return figure_of(&norms, is_relative);
}

bool session_rollouts_has_gradient(const Session *session, int layer, TensorRole role) {
    const struct SessionRolloutsPart *part = session->rollouts;
    bool any = false;
    for (size_t side = 0; side < SIDE_COUNT; side++)
        any = any || gradient_table_find(&part->gradients[side], layer, role).tensors > 0;
    return any;
}
