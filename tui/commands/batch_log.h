/*
 * batch_log — the file of --log-file: what a batch command tells on standard error, with the time, for whoever reads it the
 * next day. A batch system's own file of standard error has all that other programs said in between, or is gone.
 *
 *     2026-11-30T21:30:00Z 4711 began: rejuv export BASE SFT --alpha 0.5 --out OUT --log-file runs.log
 *     2026-11-30T21:30:10Z 4711 export 40 %, 1.9 GB/s, 0:15 left
 *     2026-11-30T21:30:25Z 4711 ended: status 0, after 0:25
 *
 * Times are UTC, the number is the process: several may append to one file, a line at a time.
 */
#ifndef REJUV_TUI_BATCH_LOG_H
#define REJUV_TUI_BATCH_LOG_H

#include "core/support/status.h"

#include <stdio.h>

/* Opens `path` to append to, and writes how it began. The caller closes *log with batch_log_end(). */
Status batch_log_begin(const char *path, int argc, char *const *argv, FILE **log,
                       Error *error) STATUS_MUST_CHECK;

/* A line, made printable; takes NULL. What cannot be written is passed over until the end. */
void batch_log_write(FILE *log, const char *text);

/* How it ended. STATUS_IO where a line was lost. Takes NULL. */
Status batch_log_end(FILE *log, const char *path, int exit_status, double seconds,
                     Error *error) STATUS_MUST_CHECK;

#endif
