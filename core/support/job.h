/*
 * job — one piece of long work: progress, cancel, result, and the threads it may use.
 *
 *     UI thread                      job thread                        team (threads - 1 helpers)
 *     job_start(job, f, arg) ──────► f(job, arg, &error)
 *     job_progress(job)      ◄────── job_report(job, "drift", 3, 291)
 *     job_cancel(job)        ──────► job_report() == false
 *                                    job_run(job, tasks, g, arg) ────► g for each task
 *     job_is_finished(job)
 *     job_wait(job, &error)  ◄────── its status
 *
 * All threads of a job block the signals that are sent to a process: those reach the other threads.
 *
 * A batch command needs no thread of its own: it calls f(job, arg, &error) directly, with an observer that
 * draws the bar. Every core/ function that takes long takes a Job, which may be NULL: then it is not
 * observed, cannot be cancelled and uses one thread.
 */
#ifndef REJUV_CORE_JOB_H
#define REJUV_CORE_JOB_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Job Job;

typedef Status (*JobFunction)(Job *job, void *argument, Error *error);

/* One task of a parallel loop. `worker` is 0 … job_threads() - 1: an index into per-thread scratch. */
typedef void (*JobTask)(void *argument, size_t task, unsigned worker);

typedef struct JobProgress {
    const char *stage; /* a string literal */
    uint64_t done, total;
    double seconds; /* since the stage began */
} JobProgress;

/* Called from the job's own thread whenever progress is reported, and once more when job_start()'s function
 * has returned; must not block for long. */
typedef void (*JobObserver)(void *user, JobProgress progress);

/* threads = 0 means as many as the process may use (processor_limit.h). The caller owns the job: job_free(). */
Status job_create(unsigned threads, JobObserver observer, void *user, Job **job,
                  Error *error) STATUS_MUST_CHECK;

/* Cancels, waits for and frees; takes NULL. */
void job_free(Job *job);

/* Runs function(job, argument, …) on a new thread. `argument` must live until the job is finished. Once only.
 */
Status job_start(Job *job, JobFunction function, void *argument, Error *error) STATUS_MUST_CHECK;

/* Waits for job_start()'s function and returns its status and message. */
Status job_wait(Job *job, Error *error);

bool job_is_finished(const Job *job);
void job_cancel(Job *job); /* from any thread, and from a signal handler */
bool job_is_cancelled(const Job *job);
JobProgress job_progress(Job *job);
unsigned job_threads(const Job *job);

/* From inside the work: where it is. False once the job is cancelled. A new stage name restarts the clock. */
bool job_report(Job *job, const char *stage, uint64_t done, uint64_t total);

/* STATUS_CANCELLED with a message, for `return job_cancelled(error)`. */
Status job_cancelled(Error *error);

/* Runs task(argument, i, worker) for i = 0 … tasks - 1 on the job's team and waits for all. Tasks are handed
 * out in order; once the job is cancelled no further task starts. Not reentrant: a task may not call
 * job_run() on the same job. Returns STATUS_CANCELLED or STATUS_OK. */
Status job_run(Job *job, size_t tasks, JobTask task, void *argument, Error *error) STATUS_MUST_CHECK;

#endif
