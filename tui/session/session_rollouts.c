#include "tui/session/session_rollouts.h"

#include "core/readiness/sample_prompts.h"
#include "core/support/memory.h"
#include "tui/session/session_cache.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_rollouts_internal.h"
#include "tui/text/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const SessionRolloutsChoice DEFAULTS = {
    .prompts = 64, .samples = 8, .most_tokens = 256, .sampling = {.temperature = 1.0, .top_p = 1.0}};

/* ---- with what the next are drawn ---- */

SessionRolloutsChoice session_rollouts_choice(const Session *session) {
    return session->rollouts->choice;
}

static Status check_number(double number, double least, double most, const char *what, Error *error) {
    if (number >= least && number <= most) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "expected %s", what);
}

static Status check_choice(const SessionRolloutsChoice *choice, Error *error) {
    static const double SEED_MOST = 9007199254740991.0, SMALLEST_P = 1e-9;
    const Sampling *sampling = &choice->sampling;
    Reward *reward = NULL;
    Status status =
        check_number((double)choice->prompts, 1, SESSION_ROLLOUTS_PROMPTS_MOST, "1 to 10000 prompts", error);
    if (status == STATUS_OK)
        status = check_number((double)choice->samples, 1, SESSION_ROLLOUTS_SAMPLES_MOST,
                              "1 to 4096 samples of each prompt", error);
    if (status == STATUS_OK)
        status = check_number((double)choice->most_tokens, 1, 1e6, "1 to 1000000 tokens", error);
    if (status == STATUS_OK)
        status = check_number(sampling->temperature, 0, 1000, "a temperature of 0 to 1000", error);
    if (status == STATUS_OK)
        status = check_number(sampling->top_p, SMALLEST_P, 1, "a share above 0 and up to 1", error);
    if (status == STATUS_OK)
        status = check_number((double)sampling->top_k, 0, 1e9, "0 (all) or more tokens", error);
    if (status == STATUS_OK)
        status = check_number((double)choice->seed, 0, SEED_MOST, "a seed below 2^53", error);
    const char *command = session_rollouts_command(choice->reward);
    if (status == STATUS_OK && command != NULL && command[strspn(command, " ")] == '\0')
        status =
            status_fail(error, STATUS_ARGUMENT, "expected a program behind \"%s\"", SESSION_ROLLOUTS_COMMAND);
    if (status == STATUS_OK && command == NULL && choice->reward[0] != '\0')
        status = reward_open(choice->reward, &reward, error);
    reward_free(reward);
    return status;
}

Status session_rollouts_choose(Session *session, const SessionRolloutsChoice *choice, Error *error) {
    Status status = check_choice(choice, error);
    if (status == STATUS_OK) session->rollouts->choice = *choice;
    return status;
}

static const char *rule_of(const SessionRolloutsChoice *choice, bool is_file) {
    if (choice->reward[0] != '\0') return choice->reward;
    return is_file ? "the file's" : SESSION_ROLLOUTS_DEFAULT_RULE;
}

const char *session_rollouts_rule(const Session *session, const SessionRolloutsChoice *choice) {
    const struct SessionRolloutsPart *part = session->rollouts;
    return rule_of(choice, part->columns > 0 ? part->drawn_from.is_file : part->source.is_file);
}

/* Of a file only the rule and the seed of the bootstrap matter. */
static bool choices_equal(const SessionRolloutsChoice *a, const SessionRolloutsChoice *b, bool is_file) {
    if (a->seed != b->seed || strcmp(rule_of(a, is_file), rule_of(b, is_file)) != 0) return false;
    return is_file ||
           (a->prompts == b->prompts && a->samples == b->samples && a->most_tokens == b->most_tokens &&
            a->sampling.temperature == b->sampling.temperature && a->sampling.top_p == b->sampling.top_p &&
            a->sampling.top_k == b->sampling.top_k);
}

static bool sources_equal(const RolloutsSource *a, const RolloutsSource *b) {
    if (a->is_file != b->is_file || (a->path == NULL) != (b->path == NULL)) return false;
    return a->path == NULL || strcmp(a->path, b->path) == 0;
}

bool session_rollouts_differs(const Session *session) {
    const struct SessionRolloutsPart *part = session->rollouts;
    return part->columns > 0 && (!sources_equal(&part->source, &part->drawn_from) ||
                                 !choices_equal(&part->choice, &part->drawn, part->source.is_file));
}

/* ---- whether they can be ---- */

SessionRolloutsNext session_rollouts_next(const Session *session) {
    const struct SessionRolloutsPart *part = session->rollouts;
    const Calibration *rows = session_calibration(session, NULL);
    SessionRolloutsNext next = {
        .path = part->source.path, .is_file = part->source.is_file, .prompts = part->choice.prompts};
    bool needs_none = session_rollouts_command(part->choice.reward) != NULL;
    for (size_t i = 0; rows != NULL && i < rows->count; i++)
        next.answers += needs_none || rows->rows[i].answer != NULL;
    if (next.path == NULL && next.answers < next.prompts) next.prompts = next.answers;
    return next;
}

static bool needs_ranking(const Session *session) {
    return session->settings.rho > 0.0 && session->settings.ranking == NULL;
}

const char *session_rollouts_message(const Session *session) {
    const RolloutsSource *source = &session->rollouts->source;
    const char *message = NULL;
    if (session->model == NULL) return session->model_error.message;
    if (session_tokenizers_are_loading(session)) return NULL;
    if (!source->is_file && session_tokenizer(session, &message) == NULL) return message;
    if (source->path == NULL) {
        if (session_calibration(session, &message) == NULL) return message;
        if (session_rollouts_next(session).prompts == 0)
            return "no calibration row has an answer to compare with: give a file of prompts (:prompts-file) or of "
                   "samples (:samples-file)";
    }
    return needs_ranking(session) ? session_ranking_message(session) : NULL;
}

static bool is_ready(const Session *session) {
    return session_rollouts_message(session) == NULL && !session_tokenizers_are_loading(session) &&
           !needs_ranking(session);
}

/* ---- an errand ---- */

/* The calibration rows that have an answer, as prompts. */
static Status take_rows(const Session *session, SampleSet *prompts, Error *error) {
    SampleSet all = {0};
    Status status = sample_prompts_add(session_calibration(session, NULL), &all, error);
    for (size_t g = 0; g < all.count && status == STATUS_OK; g++) {
        SampleGroup *group;
        const SessionRolloutsChoice *choice = &session->rollouts->choice;
        bool fits = all.groups[g].answer != NULL || session_rollouts_command(choice->reward) != NULL;
        if (!fits || prompts->count == choice->prompts) continue;
        status = sample_set_add_group(prompts, &group, error);
        if (status != STATUS_OK) break;
        *group = all.groups[g];
        all.groups[g] = (SampleGroup){0};
    }
    sample_set_free(&all);
    return status;
}

static bool is_stale(const Session *session) {
    const struct SessionRolloutsPart *part = session->rollouts;
    Settings then = part->settings;
    if (part->columns == 0) return false;
    if (then.rho == 0.0 && session->settings.rho == 0.0)
        then.ranking = session->settings.ranking; /* which does nothing yet */
    return !settings_equal(&then, &session->settings);
}

/* Whether the samples of a column would come out as they are. */
static bool is_kept(const Session *session, size_t c) {
    const struct SessionRolloutsPart *part = session->rollouts;
    bool is_whole =
        c < part->columns && part->data[c].total > 0 && part->data[c].ready == part->data[c].total;
    return is_whole && !part->source.is_file && !session_rollouts_differs(session) &&
           (c != SIDE_FUSED || !is_stale(session));
}

static Status give_prompts(const Session *session, RolloutsErrand *errand, Error *error) {
    SampleSet prompts = {0};
    Status status = errand->path == NULL ? take_rows(session, &prompts, error) : STATUS_OK;
    for (size_t c = 0; c < SIDE_COUNT && status == STATUS_OK; c++) {
        if (is_kept(session, c))
            status = rollouts_copy_set(&session->rollouts->data[c].set, &errand->sets[c], error);
        else
            status = sample_prompts_copy(&prompts, &errand->sets[c], error);
    }
    sample_set_free(&prompts);
    return status;
}

static Status fill_errand(const Session *session, RolloutsKind kind, RolloutsErrand *errand, Error *error) {
    const struct SessionRolloutsPart *part = session->rollouts;
    const Calibration *rows = session_calibration(session, NULL);
    bool is_gradient = kind == ROLLOUTS_GRADIENT;
    errand->kind = kind;
    errand->model = session->model;
    errand->pair = session->pair;
    errand->tokenizer = session_tokenizer(session, NULL);
    errand->reading = session_rows_reading(session);
    errand->choice = part->choice;
    errand->settings = is_gradient ? part->settings : session->settings;
    errand->of = &part->data[part->columns == 1 ? 0 : SIDE_FUSED].set;
    errand->cache = session_cache_place(session, &errand->origin, &errand->may_keep);
    errand->only_kept = part->recalls;
    errand->kept_columns = part->recalled;
    if (rows != NULL) errand->end = rows->end.id;
    if (is_gradient) return STATUS_OK;
    if (part->source.path != NULL) {
        errand->path = memory_copy_text(part->source.path, strlen(part->source.path));
        if (errand->path == NULL) return memory_fail(error, "rollouts");
    }
    return kind == ROLLOUTS_DRAW ? give_prompts(session, errand, error) : STATUS_OK;
}

static void free_errand(struct SessionRolloutsPart *part) {
    rollouts_free(part->errand);
    part->errand = NULL;
}

static void start(Session *session, RolloutsKind kind) {
    struct SessionRolloutsPart *part = session->rollouts;
    part->error = (Error){0};
    Status status = rollouts_create(&part->errand, &part->error);
    if (status == STATUS_OK) status = fill_errand(session, kind, part->errand, &part->error);
    part->measuring.label = kind == ROLLOUTS_GRADIENT ? "gradient" : "rollouts";
    if (status == STATUS_OK)
        status = task_start(&part->measuring, session->threads, rollouts_run, part->errand, &part->error);
    if (status != STATUS_OK) free_errand(part);
}

/* ---- asking ---- */

void session_start_rollouts(Session *session) {
    const char *message = session_rollouts_message(session);
    if (message != NULL) {
        session_say(session, SESSION_WARNING, "no samples: %s", message);
        return;
    }
    session->rollouts->wants_samples = true;
    session->rollouts->wants_gradient = session->rollouts->recalls = false;
    (void)task_cancel(&session->rollouts->measuring); /* it makes way */
}

void session_rollouts_recall(Session *session, size_t columns, bool with_gradient) {
    struct SessionRolloutsPart *part = session->rollouts;
    part->wants_samples = part->recalls = true;
    part->recalled = columns;
    part->wants_gradient = with_gradient && columns == SIDE_COUNT;
}

/* Whose samples the gradient is of. */
static const RolloutsColumn *learned_column(const struct SessionRolloutsPart *part) {
    return &part->data[part->columns == 1 ? 0 : SIDE_FUSED];
}

void session_start_rollouts_gradient(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    const RolloutsColumn *column = learned_column(part);
    bool is_there = part->columns > 0 && column->total > 0 && column->ready == column->total;
    if (!is_there && !task_is_running(&part->measuring) && !part->wants_samples) {
        session_say(session, SESSION_WARNING, "no gradient: it is of samples, of which there are none yet%s",
                    part->columns > 0 ? " for every prompt" : "");
        return;
    }
    part->recalls = false;
    part->wants_gradient = true; /* after the samples, where these are on their way */
}

void session_rollouts_measure(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    bool is_there = part->columns > 0 || task_is_running(&part->measuring) || part->wants_samples;
    if (!is_there && session_rollouts_message(session) == NULL) session_start_rollouts(session);
}

Status session_rollouts_take_file(Session *session, const char *path, bool are_samples, Error *error) {
    if (path != NULL && strcmp(path, "-") == 0)
        return status_fail(error, STATUS_ARGUMENT, "standard input is the keyboard here: give a file");
    Status status = rollouts_copy_source(path, are_samples, &session->rollouts->source, error);
    if (status != STATUS_OK) return status;
    session->rollouts->error = (Error){0}; /* it was of the other */
    if (are_samples) session_start_rollouts(session);
    return STATUS_OK;
}

/* ---- taking what comes ---- */

static bool take_news(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    RolloutsNews *news = part->errand == NULL ? NULL : rollouts_take_news(part->errand), *next;
    bool any = news != NULL;
    for (; news != NULL; news = next) {
        Error error = {0};
        next = news->next;
        rollouts_accept(part, part->errand, news, &error);
        rollouts_free_news(news);
        if (error.status == STATUS_OK) continue;
        part->error = error;
        (void)task_cancel(&part->measuring);
    }
    return any;
}

static void collect(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    Status status = part->measuring.status;
    if (status != STATUS_OK && status != STATUS_CANCELLED) part->error = part->measuring.error;
    if (part->errand->was_unended)
        session_say(session, SESSION_NOTE, "sampling from %s had not ended: what it had is not kept",
                    rollouts_state_name(part->errand->kept_columns));
    if (part->errand->keeping.status != STATUS_OK) session_cache_give_up(session, &part->errand->keeping);
    if (status != STATUS_OK && !part->wants_samples) part->wants_gradient = false;
    free_errand(part);
}

/* What would wait for ever goes, and says so. */
static void drop_hopeless(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    const char *message = part->wants_samples ? session_rollouts_message(session) : NULL;
    if (message == NULL) return;
    part->wants_samples = part->wants_gradient = false;
    session_say(session, SESSION_WARNING, "no samples: %s", message);
}

bool session_rollouts_refresh(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    bool is_over = task_poll(&part->measuring); /* before the last news: none come after it */
    bool changed = take_news(session) || is_over;
    if (is_over) collect(session);
    drop_hopeless(session);
    if (task_is_running(&part->measuring)) return changed;
    if (part->wants_samples && is_ready(session)) {
        part->wants_samples = false;
        start(session, part->source.is_file ? ROLLOUTS_READ : ROLLOUTS_DRAW);
        return true;
    }
    if (part->wants_gradient && !part->wants_samples && part->columns > 0) {
        part->wants_gradient = false;
        start(session, ROLLOUTS_GRADIENT);
        return true;
    }
    return changed;
}

/* ---- what is there ---- */

SessionRollouts session_rollouts(const Session *session) {
    const struct SessionRolloutsPart *part = session->rollouts;
    bool is_there = part->columns > 0, is_running = task_is_running(&part->measuring);
    const RolloutsSource *source = is_there ? &part->drawn_from : &part->source;
    bool waits = part->wants_samples || part->wants_gradient;
    return (SessionRollouts){.choice = is_there ? part->drawn : part->choice,
                             .settings = is_there ? &part->settings : NULL,
                             .is_file = source->is_file,
                             .path = source->path,
                             .note = part->note,
                             .groups = part->groups,
                             .columns = part->columns,
                             .column = part->shown,
                             .has_gradient = part->has_gradient,
                             .is_running = is_running || waits,
                             .is_waiting = !is_running && waits,
                             .wants_gradient = part->wants_gradient,
                             .is_gradient =
                                 is_running ? part->errand->kind == ROLLOUTS_GRADIENT : !part->wants_samples,
                             .is_stale = is_stale(session),
                             .error = part->error.status != STATUS_OK ? part->error.message : NULL};
}

void session_rollouts_describe(const Session *session, JobProgress progress, SessionJob *job) {
    const RolloutsErrand *errand = session->rollouts->errand;
    if (errand == NULL) return;
    (void)snprintf(job->label, sizeof job->label, "%s",
                   atomic_load_explicit(&errand->doing, memory_order_acquire));
    bool is_sampling = progress.stage != NULL && strcmp(progress.stage, "sampling") == 0;
    if (!is_sampling || progress.seconds < 0.2) return;
    size_t ended = atomic_load_explicit(&errand->samples, memory_order_relaxed);
    size_t tokens = atomic_load_explicit(&errand->tokens, memory_order_relaxed);
    uint64_t counted = (uint64_t)ended * errand->choice.most_tokens; /* as which the progress counts them */
    uint64_t grown = progress.done / session->model->config->layers;
    char rate[FORMAT_SIZE];
    double all = (double)tokens + (grown > counted ? (double)(grown - counted) : 0.0);
    (void)snprintf(job->rate, sizeof job->rate, "%s tok/s",
                   format_count((uint64_t)(all / progress.seconds), rate));
}

/* The samples that have ended, as a set that borrows them; the caller frees what it adds. */
static Status list_ended(const SampleSet *set, SampleSet *ended, Error *error) {
    ended->groups = memory_allocate(set->count, sizeof *ended->groups);
    if (ended->groups == NULL) return memory_fail(error, "samples");
    for (size_t g = 0; g < set->count; g++) {
        const SampleGroup *from = &set->groups[g];
        SampleGroup *to = &ended->groups[ended->count++];
        *to = *from;
        to->sample_count = 0;
        to->samples = memory_allocate(from->sample_count, sizeof *to->samples);
        if (to->samples == NULL) return memory_fail(error, "samples");
        for (size_t i = 0; i < from->sample_count; i++)
            if (from->samples[i].ids != NULL) to->samples[to->sample_count++] = from->samples[i];
    }
    return STATUS_OK;
}

Status session_rollouts_save(Session *session, size_t column, const char *path, Error *error) {
    const struct SessionRolloutsPart *part = session->rollouts;
    SampleSet ended = {0};
    if (column >= part->columns || part->data[column].ready == 0)
        return status_fail(error, STATUS_ARGUMENT, "there are no samples to write yet");
    if (access(path, F_OK) == 0)
        return status_fail(error, STATUS_IO, "%s exists already: it would be replaced", path);
    Status status = list_ended(&part->data[column].set, &ended, error);
    if (status == STATUS_OK) status = sample_file_write(&ended, path, error);
    for (size_t g = 0; g < ended.count; g++) free(ended.groups[g].samples);
    free(ended.groups);
    return status;
}

/* ---- for session.c ---- */

Status session_rollouts_open(Session *session, const SessionOptions *options, Error *error) {
    session->rollouts = memory_allocate(1, sizeof *session->rollouts);
    if (session->rollouts == NULL) return memory_fail(error, "the session");
    struct SessionRolloutsPart *part = session->rollouts;
    part->choice = DEFAULTS;
    part->measuring.label = "rollouts";
    SessionRolloutsChoice choice = DEFAULTS;
    if (options->samples != NULL && options->prompts != NULL)
        return status_fail(error, STATUS_ARGUMENT, "--samples and --prompts exclude each other");
    const char *rule = options->reward_command != NULL ? options->reward_command : options->reward;
    const char *option = options->reward_command != NULL ? "--reward-command" : "--reward";
    int length = rule == NULL
                     ? 0
                     : snprintf(choice.reward, sizeof choice.reward, "%s%s",
                                options->reward_command != NULL ? SESSION_ROLLOUTS_COMMAND : "", rule);
    if (length < 0 || (size_t)length >= sizeof choice.reward)
        return status_fail(error, STATUS_ARGUMENT, "%s: expected less than %zu bytes", option,
                           sizeof choice.reward);
    Status status = session_rollouts_choose(session, &choice, error);
    if (status != STATUS_OK) return status_add_context(error, "%s", option);
    const char *path = options->samples != NULL ? options->samples : options->prompts;
    if (path != NULL && strcmp(path, "-") == 0)
        return status_fail(error, STATUS_ARGUMENT, "--%s: standard input is the keyboard here: give a file",
                           options->samples != NULL ? "samples" : "prompts");
    part->wants_samples = options->samples != NULL;
    return rollouts_copy_source(path, options->samples != NULL, &part->source, error);
}

/* What is of files does not mind. */
void session_rollouts_forget(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    bool is_of_rows = part->drawn_from.path == NULL;
    const RolloutsErrand *errand = part->errand;
    bool runs_on_rows =
        errand != NULL && (errand->kind == ROLLOUTS_GRADIENT ? is_of_rows : errand->path == NULL);
    if (runs_on_rows) {
        task_stop(&part->measuring);
        free_errand(part);
    }
    if (part->source.path == NULL) part->wants_samples = part->wants_gradient = false;
    if (!is_of_rows) return;
    rollouts_drop(part);
    part->wants_gradient = false;
    part->error = (Error){0};
}

bool session_rollouts_cancel(Session *session, SessionTask task) {
    (void)task;
    session->rollouts->wants_samples = session->rollouts->wants_gradient = false;
    return task_cancel(&session->rollouts->measuring);
}

void session_rollouts_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_ROLLOUTS] = &session->rollouts->measuring;
}

void session_rollouts_free(Session *session) {
    struct SessionRolloutsPart *part = session->rollouts;
    if (part == NULL) return;
    task_stop(&part->measuring);
    free_errand(part);
    rollouts_drop(part);
    free(part->source.path);
    free(part->drawn_from.path);
    free(part);
}
