/*
 * live_ladder — a ladder that is looked at: its figures, filled in the background part by part and rung by rung, whichever
 * rung is tuned. It outlives the sessions that show it, one after another as rungs are switched.
 *
 *     want ──► refresh, again and again: one part of one rung is measured at a time ──► figures
 *
 * The UI thread's, but for what a running job was given. Rows and the cache belong to the session of the moment, which
 * takes them back (live_ladder_drop_rows(), live_ladder_stop()) before they go; what was measured on the rows stays, and
 * is dropped when others come.
 */
#ifndef REJUV_TUI_LIVE_LADDER_H
#define REJUV_TUI_LIVE_LADDER_H

#include "core/ladder/ladder_figures.h"
#include "core/tokenizer/tokenizer.h"
#include "tui/session/task.h"

typedef struct LiveLadder LiveLadder;

/* Opens every rung once, headers only: ladder_check(). The names are copied; tokenizers are read by the rule. */
Status live_ladder_create(const char *base, const char *const *rungs, size_t count, TokenizerRule rule,
                          LiveLadder **ladder, Error *error) STATUS_MUST_CHECK;
void live_ladder_free(LiveLadder *ladder); /* cancels and waits; takes NULL */

const Ladder *live_ladder_names(const LiveLadder *ladder);
const LadderFigures *live_ladder_figures(const LiveLadder *ladder);

/* What is to be measured from now on, a bit for each LadderPart; what failed is tried again. */
void live_ladder_want(LiveLadder *ladder, unsigned parts);
unsigned live_ladder_wanted(const LiveLadder *ladder);

/* The rows of LADDER_ROWS and LADDER_DORMANCY, borrowed until they are dropped; NULL: there are none, and figures of rows
 * go. Figures of the same rows as before hold. */
void live_ladder_set_rows(LiveLadder *ladder, const EvaluationRow *rows, size_t row_count);
void live_ladder_drop_rows(LiveLadder *ladder); /* waits until nothing looks at them */

/* The tokens of LADDER_PROMPT, copied; none: it is not measured. */
void live_ladder_set_prompt(LiveLadder *ladder, const int32_t *ids, size_t count);

/* Collects what is finished and, where it may, starts the next part that is wanted. The cache is borrowed until the task
 * ends. True where something changed. */
bool live_ladder_refresh(LiveLadder *ladder, bool may_start, unsigned threads, const Cache *cache,
                         bool may_write);

/* What runs. Cancelling it stops all that is wanted, stopping it for a while does not. */
Task *live_ladder_task(LiveLadder *ladder);
bool live_ladder_cancel(LiveLadder *ladder);
void live_ladder_stop(LiveLadder *ladder);

/* Why some part of some rung could not be measured; NULL where none failed. */
const char *live_ladder_error(const LiveLadder *ladder);

/* Where rungs would read a text by other tokens than those that they are measured on, what the first of them has; NULL:
 * nothing of the kind is known. It is looked for once, before anything is measured on rows. */
const char *live_ladder_warning(const LiveLadder *ladder);

/* Parts of rungs that are wanted and not there yet, those that wait for rows too. */
size_t live_ladder_missing(const LiveLadder *ladder);

#endif
