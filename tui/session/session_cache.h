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

#include <stdbool.h>

/* Whether what the session shows was read rather than measured. */
bool session_was_recalled(const Session *session, CacheAnalysis what);

/* Whether it is on disk: it was read, or has been written. */
bool session_is_kept(const Session *session, CacheAnalysis what);

#endif
