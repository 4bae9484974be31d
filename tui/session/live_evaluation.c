#include "tui/session/live_evaluation.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <time.h>

/* What one run works on: the job thread's while it runs, the UI thread's before and after. */
typedef struct Errand {
    Evaluation *evaluation;
    bool prepares; /* base and SFT; otherwise W at `settings` */
    Settings settings;
    EvaluationResult base, sft, fused;
} Errand;

struct LiveEvaluation {
    Evaluation *evaluation;
    unsigned threads;
    Task work;
    Errand errand;
    EvaluationResult base, sft, fused;
    bool is_prepared, has_fused;
    bool
        is_halted; /* cancelled by the user or failed: waits for live_evaluation_resume() or other settings */
    Settings halted_at;
    Settings wanted; /* by the last live_evaluation_refresh() */
    Error error;
    double began, seconds; /* the running measurement, monotonic; the last one of W that was completed */
};

static double read_clock(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

Status live_evaluation_create(const Model *model, const EvaluationRow *rows, size_t row_count,
                              size_t top_count, const char *label, unsigned threads,
                              LiveEvaluation **comparison, Error *error) {
    *comparison = memory_allocate(1, sizeof **comparison);
    if (*comparison == NULL) return memory_fail(error, label);
    (*comparison)->threads = threads;
    (*comparison)->work.label = label;
    Status status = evaluation_create(model, rows, row_count, top_count, &(*comparison)->evaluation, error);
    if (status == STATUS_OK) return STATUS_OK;
    live_evaluation_free(*comparison);
    *comparison = NULL;
    return status;
}

static void free_errand(Errand *errand) {
    evaluation_free_result(&errand->base);
    evaluation_free_result(&errand->sft);
    evaluation_free_result(&errand->fused);
}

void live_evaluation_free(LiveEvaluation *comparison) {
    if (comparison == NULL) return;
    task_stop(&comparison->work);
    free_errand(&comparison->errand);
    evaluation_free_result(&comparison->base);
    evaluation_free_result(&comparison->sft);
    evaluation_free_result(&comparison->fused);
    evaluation_free(comparison->evaluation);
    free(comparison);
}

static Status run_errand(Job *job, void *argument, Error *error) {
    Errand *errand = argument;
    if (errand->prepares)
        return evaluation_prepare(errand->evaluation, &errand->base, &errand->sft, job, error);
    return evaluation_measure(errand->evaluation, &errand->settings, 1, &errand->fused, job, error);
}

/* What runs may be at older settings than those wanted now, which shall not start either. */
static void halt(LiveEvaluation *comparison) {
    comparison->is_halted = true;
    comparison->halted_at = comparison->wanted;
}

static void collect(LiveEvaluation *comparison) {
    Errand *errand = &comparison->errand;
    if (comparison->work.status == STATUS_OK && errand->prepares) {
        comparison->base = errand->base;
        comparison->sft = errand->sft;
        comparison->is_prepared = true;
    } else if (comparison->work.status == STATUS_OK) {
        evaluation_free_result(&comparison->fused);
        comparison->fused = errand->fused;
        comparison->has_fused = true;
        comparison->seconds = read_clock() - comparison->began;
    } else if (comparison->work.status != STATUS_CANCELLED) {
        comparison->error = comparison->work.error;
        halt(comparison);
    }
    *errand = (Errand){0}; /* the results moved, or there are none */
}

static bool start(LiveEvaluation *comparison) {
    comparison->error = (Error){0};
    comparison->began = read_clock();
    comparison->errand = (Errand){.evaluation = comparison->evaluation,
                                  .prepares = !comparison->is_prepared,
                                  .settings = comparison->wanted};
    Status status = task_start(&comparison->work, comparison->threads, run_errand, &comparison->errand,
                               &comparison->error);
    if (status != STATUS_OK) halt(comparison);
    return true;
}

bool live_evaluation_refresh(LiveEvaluation *comparison, const Settings *wanted) {
    bool changed = false;
    comparison->wanted = *wanted;
    if (task_poll(&comparison->work)) {
        collect(comparison);
        changed = true;
    }
    if (comparison->is_halted && !settings_equal(&comparison->halted_at, wanted))
        comparison->is_halted = false;
    if (task_is_running(&comparison->work)) {
        bool outdated = !comparison->errand.prepares && !settings_equal(&comparison->errand.settings, wanted);
        if (outdated) (void)task_cancel(&comparison->work); /* it runs: that was just asked */
        return changed;
    }
    if (comparison->is_halted) return changed;
    if (!comparison->is_prepared || live_evaluation_is_stale(comparison, wanted))
        changed |= start(comparison);
    return changed;
}

const EvaluationResult *live_evaluation_base(const LiveEvaluation *comparison) {
    return comparison->is_prepared ? &comparison->base : NULL;
}

const EvaluationResult *live_evaluation_sft(const LiveEvaluation *comparison) {
    return comparison->is_prepared ? &comparison->sft : NULL;
}

const EvaluationResult *live_evaluation_fused(const LiveEvaluation *comparison) {
    return comparison->has_fused ? &comparison->fused : NULL;
}

bool live_evaluation_is_stale(const LiveEvaluation *comparison, const Settings *wanted) {
    return !comparison->has_fused || !settings_equal(&comparison->fused.settings, wanted);
}

const char *live_evaluation_error(const LiveEvaluation *comparison) {
    return comparison->error.status != STATUS_OK ? comparison->error.message : NULL;
}

Task *live_evaluation_work(LiveEvaluation *comparison) {
    return task_is_running(&comparison->work) ? &comparison->work : NULL;
}

bool live_evaluation_is_halted(const LiveEvaluation *comparison) {
    return comparison->is_halted;
}

double live_evaluation_seconds(const LiveEvaluation *comparison) {
    return comparison->seconds;
}

bool live_evaluation_cancel(LiveEvaluation *comparison) {
    if (!task_cancel(&comparison->work)) return false;
    halt(comparison);
    return true;
}

void live_evaluation_resume(LiveEvaluation *comparison) {
    comparison->is_halted = false;
}

const Evaluation *live_evaluation_evaluation(const LiveEvaluation *comparison) {
    return comparison->is_prepared ? comparison->evaluation : NULL;
}
