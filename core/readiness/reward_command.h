/*
 * reward_command — rewards by a program of the user's own: one line of JSON in, one number out, in the same order.
 *
 *     {"prompt": "…", "response": "…", "answer": "…"}        answer is null where there is none
 *
 * The command is run once, by `sh -c`, for all samples, and its standard input closed behind the last; it may answer line by
 * line or at the end. What it says on standard error goes where this program's goes. It is in a process group of its own, and
 * killed with all that it started where it fails, is silent for too long, or the job is cancelled.
 */
#ifndef REJUV_CORE_REWARD_COMMAND_H
#define REJUV_CORE_REWARD_COMMAND_H

#include "core/readiness/sample_set.h"
#include "core/support/job.h"

/* Sets the rewards of all samples, whose texts are there. `silence`: seconds without a byte read or written after which the
 * command counts as hung. STATUS_FORMAT for an answer that is no finite number, too few or too many of them, a command that
 * ends badly or hangs: with the number of the line, from 1. After a failure rewards are as they were. */
Status reward_command_apply(const char *command, double silence, SampleSet *set, Job *job,
                            Error *error) STATUS_MUST_CHECK;

#endif
