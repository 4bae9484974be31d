/*
 * live_evaluation — base, SFT and W(α) on the same token rows, kept up to date while the dials turn.
 *
 *     rows ──► prepare (base and SFT, once) ──► measure (W at the dials) ──► measure again when they differ …
 *
 *
 * Beside that, curves over α (logit_curves.h), which somebody gives or which are measured when they are wanted: while W is
 * stale they say at once what it will be, and how wrong that may be; the exact W takes the estimate's place when it is
 * there. Curves do not go stale when α turns, and nothing is shown of them at other dials than theirs.
 *
 * Nothing here is marked stale by hand: W is stale where the settings it was measured at differ from those
 * wanted. A measurement that is no longer wanted is cancelled. All functions are for the UI thread and never
 * block, except live_evaluation_free(), which waits until cancelled work has stopped.
 */
#ifndef REJUV_TUI_LIVE_EVALUATION_H
#define REJUV_TUI_LIVE_EVALUATION_H

#include "core/evaluation/evaluation.h"
#include "core/evaluation/evaluation_prefix.h"
#include "core/evaluation/logit_curves.h"
#include "tui/session/task.h"

typedef struct LiveEvaluation LiveEvaluation;

/* Copies the rows. Task starts with the next live_evaluation_refresh(). `label` names it among the running jobs.
 */
Status live_evaluation_create(const Model *model, const EvaluationRow *rows, size_t row_count,
                              size_t top_count, const char *label, unsigned threads,
                              LiveEvaluation **comparison, Error *error) STATUS_MUST_CHECK;
void live_evaluation_free(LiveEvaluation *comparison); /* takes NULL */

/* Before the first refresh: what of the text was evaluated before need not be again (evaluation_prefix.h). It is borrowed by
 * one LiveEvaluation at a time, until that is freed. */
void live_evaluation_use_prefix(LiveEvaluation *comparison, EvaluationPrefix *prefix);

/* Collects what is finished and starts what is due for `wanted`. True when something changed. */
bool live_evaluation_refresh(LiveEvaluation *comparison, const Settings *wanted);

/* Results; NULL while there is none. They stay valid until the next live_evaluation_refresh(). */
const EvaluationResult *live_evaluation_base(const LiveEvaluation *comparison);
const EvaluationResult *live_evaluation_sft(const LiveEvaluation *comparison);
const EvaluationResult *live_evaluation_fused(const LiveEvaluation *comparison);

/* True while W is missing or was measured at other settings than `wanted`. */
bool live_evaluation_is_stale(const LiveEvaluation *comparison, const Settings *wanted);

/* The failure that stopped it, or NULL. */
const char *live_evaluation_error(const LiveEvaluation *comparison);

/* The running work, for the jobs line, or NULL. */
Task *live_evaluation_work(LiveEvaluation *comparison);

/* It was cancelled or failed, and waits for live_evaluation_resume() or other settings. */
bool live_evaluation_is_halted(const LiveEvaluation *comparison);

/* How long W took to measure last; 0 before it did. */
double live_evaluation_seconds(const LiveEvaluation *comparison);

/* Stops the running work; it starts again with live_evaluation_resume() or when the settings change. False if
 * idle. */
bool live_evaluation_cancel(LiveEvaluation *comparison);
void live_evaluation_resume(LiveEvaluation *comparison);

/* ---- between measured points of α ---- */

/* What W will be at the settings wanted by the last live_evaluation_refresh(), from curves over α: NULL where W is not
 * stale, or no curves cover them. Valid until the next refresh. */
const LogitEstimate *live_evaluation_estimate(const LiveEvaluation *comparison);

bool live_evaluation_has_curves(const LiveEvaluation *comparison,
                                const Settings *wanted); /* that cover them */

/* Curves that were measured on the same rows, which it takes; NULL is none. */
void live_evaluation_take_curves(LiveEvaluation *comparison, LogitCurves *curves);

/* Whether it measures them itself, once W is there, at whatever other dials there are: LOGIT_CURVES_POINTS passes. */
void live_evaluation_want_curves(LiveEvaluation *comparison, bool wants);

/* The running work of that, or NULL. */
Task *live_evaluation_curves_work(LiveEvaluation *comparison);

/* For further settings on the same rows (a sweep): NULL until base and SFT are measured. */
const Evaluation *live_evaluation_evaluation(const LiveEvaluation *comparison);

#endif
