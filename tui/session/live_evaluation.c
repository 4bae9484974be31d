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

/* The same of W at points of α: the job thread's while it runs. */
typedef struct CurvesErrand {
    Evaluation *evaluation;
    Settings settings;
    LogitCurves *curves;
} CurvesErrand;

struct LiveEvaluation {
    Evaluation *evaluation;
    unsigned threads;
    Task work;
    Errand errand;
    EvaluationResult base, sft, fused;
    bool is_prepared, has_fused;
    bool is_halted; /* by the user or a failure: waits for live_evaluation_resume() or other settings */
    Settings halted_at;
    Settings wanted; /* by the last live_evaluation_refresh() */
    Error error;
    Task curving;
    CurvesErrand curves_errand;
    LogitCurves *curves; /* through W at other α; or NULL */
    LogitEstimate estimate;
    bool wants_curves, has_estimate;
    bool is_spent; /* measuring curves at these settings was tried last, whatever became of it */
    Settings spent_at;
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
    (*comparison)->curving.label = "curves over α";
    Status status = evaluation_create(model, rows, row_count, top_count, &(*comparison)->evaluation, error);
    if (status == STATUS_OK) return STATUS_OK;
    live_evaluation_free(*comparison);
    *comparison = NULL;
    return status;
}

void live_evaluation_use_prefix(LiveEvaluation *comparison, EvaluationPrefix *prefix) {
    evaluation_prefix_attach(prefix, comparison->evaluation);
}

static void free_errand(Errand *errand) {
    evaluation_free_result(&errand->base);
    evaluation_free_result(&errand->sft);
    evaluation_free_result(&errand->fused);
}

void live_evaluation_free(LiveEvaluation *comparison) {
    if (comparison == NULL) return;
    task_stop(&comparison->work);
    task_stop(&comparison->curving);
    logit_curves_free(comparison->curves_errand.curves);
    logit_curves_free(comparison->curves);
    logit_curves_free_estimate(&comparison->estimate);
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

/* ---- between measured points of α ---- */

void live_evaluation_take_curves(LiveEvaluation *comparison, LogitCurves *curves) {
    logit_curves_free_estimate(&comparison->estimate); /* it borrows of the old ones */
    comparison->has_estimate = false;
    logit_curves_free(comparison->curves);
    comparison->curves = curves;
}

void live_evaluation_want_curves(LiveEvaluation *comparison, bool wants) {
    comparison->wants_curves = wants;
}

static Status run_curves(Job *job, void *argument, Error *error) {
    CurvesErrand *errand = argument;
    Settings settings[LOGIT_CURVES_POINTS];
    EvaluationResult results[LOGIT_CURVES_POINTS];
    logit_curves_list_points(&errand->settings, LOGIT_CURVES_POINTS, settings);
    Status status = logit_curves_measure(errand->evaluation, settings, LOGIT_CURVES_POINTS, results,
                                         &errand->curves, job, error);
    for (size_t i = 0; i < LOGIT_CURVES_POINTS; i++) evaluation_free_result(&results[i]);
    return status;
}

static bool covers(const LogitCurves *curves, const Settings *wanted) {
    return curves != NULL && logit_curves_cover(curves, wanted);
}

bool live_evaluation_has_curves(const LiveEvaluation *comparison, const Settings *wanted) {
    return covers(comparison->curves, wanted);
}

/* A failure is W's too, which says it. */
static bool collect_curves(LiveEvaluation *comparison) {
    if (!task_poll(&comparison->curving)) return false;
    if (comparison->curving.status == STATUS_OK)
        live_evaluation_take_curves(comparison, comparison->curves_errand.curves);
    comparison->curves_errand = (CurvesErrand){0};
    return true;
}

static bool differ_beyond_alpha(const Settings *a, const Settings *b) {
    Settings moved = *a;
    moved.alpha = b->alpha;
    return !settings_equal(&moved, b);
}

static bool start_curves(LiveEvaluation *comparison) {
    Error error;
    comparison->is_spent = true;
    comparison->spent_at = comparison->wanted;
    comparison->curves_errand =
        (CurvesErrand){.evaluation = comparison->evaluation, .settings = comparison->wanted};
    return task_start(&comparison->curving, comparison->threads, run_curves, &comparison->curves_errand,
                      &error) == STATUS_OK;
}

static bool refresh_curves(LiveEvaluation *comparison) {
    const Settings *wanted = &comparison->wanted;
    bool changed = collect_curves(comparison);
    bool is_spent = comparison->is_spent && !differ_beyond_alpha(&comparison->spent_at, wanted);
    if (task_is_running(&comparison->curving)) {
        if (!is_spent) (void)task_cancel(&comparison->curving); /* another dial was turned */
        return changed;
    }
    bool is_due = comparison->wants_curves && !is_spent && !covers(comparison->curves, wanted) &&
                  !live_evaluation_is_stale(comparison, wanted);
    return (is_due && start_curves(comparison)) || changed;
}

static bool refresh_estimate(LiveEvaluation *comparison) {
    const Settings *wanted = &comparison->wanted;
    Error error;
    bool is_due = covers(comparison->curves, wanted) && live_evaluation_is_stale(comparison, wanted);
    if (is_due && comparison->has_estimate && settings_equal(&comparison->estimate.result.settings, wanted))
        return false;
    comparison->has_estimate = is_due && logit_curves_estimate(comparison->curves, wanted,
                                                               &comparison->estimate, &error) == STATUS_OK;
    return comparison->has_estimate;
}

const LogitEstimate *live_evaluation_estimate(const LiveEvaluation *comparison) {
    return comparison->has_estimate ? &comparison->estimate : NULL;
}

Task *live_evaluation_curves_work(LiveEvaluation *comparison) {
    return task_is_running(&comparison->curving) ? &comparison->curving : NULL;
}

/* ---- all of it ---- */

static bool refresh_exact(LiveEvaluation *comparison, const Settings *wanted) {
    bool changed = false;
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

bool live_evaluation_refresh(LiveEvaluation *comparison, const Settings *wanted) {
    comparison->wanted = *wanted;
    bool changed = refresh_exact(comparison, wanted);
    changed |= refresh_curves(comparison);
    return refresh_estimate(comparison) || changed;
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
