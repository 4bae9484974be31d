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

/* ---- one sample after another, while others are still drawn ---- */

/* A command whose answers come when they come: those that are there are taken in the order of the lines, the rest after the
 * end of its input. What it says on standard error is kept, and its last line stands in the message where it fails. One
 * thread at a time may use it; `command` is borrowed. */
typedef struct RewardCommand RewardCommand;

Status reward_command_open(const char *command, double silence, RewardCommand **opened,
                           Error *error) STATUS_MUST_CHECK;
void reward_command_close(RewardCommand *command); /* takes NULL; kills what still runs */

/* Adds a line, and goes on as reward_command_poll() does. Both fail as soon as the command has ended or said what is no
 * number: with the number of the line. */
Status reward_command_send(RewardCommand *command, const char *prompt, const char *response,
                           const char *answer, Job *job, Error *error) STATUS_MUST_CHECK;

/* Writes and reads what goes without waiting. */
Status reward_command_poll(RewardCommand *command, Job *job, Error *error) STATUS_MUST_CHECK;

/* The next answer; false where it is not there yet. */
bool reward_command_take(RewardCommand *command, double *reward);

/* Closes its input and waits for all answers and a good end; the answers can then be taken. Reports "reward command". */
Status reward_command_end(RewardCommand *command, Job *job, Error *error) STATUS_MUST_CHECK;

#endif
