/*
 * temporary — the folder of a run, gigabytes of generated models in it: removed whatever ends the run, a signal or a crash too.
 */
#ifndef REJUV_TESTS_BENCH_TEMPORARY_H
#define REJUV_TESTS_BENCH_TEMPORARY_H

#include "core/support/status.h"

#include <stdbool.h>

/* Removes a file or directory with all that is in it; one that is not there is fine. */
Status temporary_remove(const char *path, Error *error) STATUS_MUST_CHECK;

/* Makes a folder in TMPDIR, or /tmp, and returns its path, static, in a process of its own. The one that called waits for that
 * one to end, passes on what it is asked to end by, removes the folder, or says where it is if `keep`, and exits alike: 128 and
 * the signal where it was one. */
Status temporary_enter(bool keep, const char **path, Error *error) STATUS_MUST_CHECK;

#endif
