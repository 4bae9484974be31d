/*
 * session_cache — analyses kept on disk from one session to the next (core/cache/cache.h), so that a pair that was
 * looked at before shows them at once.
 *
 *     opening    the contents of both models are asked for (stamps only); known: drift is read into its table
 *     rows       once calibration rows are there: attribution, dormancy of base and SFT, drift of neurons, the
 *                averages of base and SFT are read
 *     measured   what was not found is measured as without a cache, and written as it comes
 *     unknown    contents that are not known are read first, once the drift scan has let go of the files
 *
 * What is shown is what would be measured, bit for bit (core/cache/cache_analysis.h). What W is at the dials is not kept.
 * All of it happens in the background; where it fails, one note says so and the session goes on without.
 */
#ifndef REJUV_TUI_SESSION_CACHE_H
#define REJUV_TUI_SESSION_CACHE_H

#include "core/cache/cache_analysis.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

#include <stdbool.h>

/* Whether what the session shows was read rather than measured. */
bool session_was_recalled(const Session *session, CacheAnalysis what);

/* Whether it is on disk: it was read, or has been written. */
bool session_is_kept(const Session *session, CacheAnalysis what);

/* ---- for the other parts of a session ---- */

/* Where what else is measured may be kept; NULL where nothing is. *may_write: what is not there may be written. *origin has
 * the contents of both models where these are known, else "": they may be later (cache_fingerprint.h). The cache lives as
 * long as the session. */
const Cache *session_cache_place(const Session *session, CacheOrigin *origin, bool *may_write);

/* Says once why something is not kept, after which nothing is. */
void session_cache_give_up(Session *session, const Error *error);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_cache_open(Session *session, const struct SessionOptions *options,
                          Error *error) STATUS_MUST_CHECK;
bool session_cache_refresh(Session *session);
void session_cache_list(Session *session, Task **tasks);
void session_cache_free(Session *session);

/* The rows are about to go: waits until nothing of the cache's looks at the old ones; what is kept for the next is
 * looked for at the next refresh. */
void session_cache_forget(Session *session);

/* Whether the drift table, or what is known of neurons, may be about to be filled from the cache, or are being
 * written: then they are neither measured nor replaced. */
bool session_cache_holds_drift(const Session *session);
bool session_cache_holds_method(const Session *session);
bool session_cache_is_keeping(const Session *session);

#endif
