/*
 * comparison — base, SFT and W(α) on the same token rows, kept up to date while the dials turn.
 *
 *     rows ──► prepare (base and SFT, once) ──► measure (W at the dials) ──► measure again when they differ …
 *
 * Nothing here is marked stale by hand: W is stale where the settings it was measured at differ from those
 * wanted. A measurement that is no longer wanted is cancelled. All functions are for the UI thread and never
 * block, except comparison_free(), which waits until cancelled work has stopped.
 */
#ifndef REJUV_TUI_COMPARISON_H
#define REJUV_TUI_COMPARISON_H

#include "core/evaluation/evaluation.h"
#include "tui/session/work.h"

typedef struct Comparison Comparison;

/* Copies the rows. Work starts with the next comparison_refresh(). `label` names it among the running jobs.
 */
Status comparison_create(const Model *model, const EvaluationRow *rows, size_t row_count, size_t top_count,
                         const char *label, unsigned threads, Comparison **comparison,
                         Error *error) STATUS_MUST_CHECK;
void comparison_free(Comparison *comparison); /* takes NULL */

/* Collects what is finished and starts what is due for `wanted`. True when something changed. */
bool comparison_refresh(Comparison *comparison, const Settings *wanted);

/* Results; NULL while there is none. They stay valid until the next comparison_refresh(). */
const EvaluationResult *comparison_base(const Comparison *comparison);
const EvaluationResult *comparison_sft(const Comparison *comparison);
const EvaluationResult *comparison_fused(const Comparison *comparison);

/* True while W is missing or was measured at other settings than `wanted`. */
bool comparison_is_stale(const Comparison *comparison, const Settings *wanted);

/* The failure that stopped it, or NULL. */
const char *comparison_error(const Comparison *comparison);

/* The running work, for the jobs line, or NULL. */
Work *comparison_work(Comparison *comparison);

/* It was cancelled or failed, and waits for comparison_resume() or other settings. */
bool comparison_is_halted(const Comparison *comparison);

/* How long W took to measure last; 0 before it did. */
double comparison_seconds(const Comparison *comparison);

/* Stops the running work; it starts again with comparison_resume() or when the settings change. False if
 * idle. */
bool comparison_cancel(Comparison *comparison);
void comparison_resume(Comparison *comparison);

/* For further settings on the same rows (a sweep): NULL until base and SFT are measured. */
const Evaluation *comparison_evaluation(const Comparison *comparison);

#endif
