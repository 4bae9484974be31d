/*
 * task — one kind of background work as the UI thread sees it: idle, running, done; and how the result comes
 * back.
 *
 *     UI thread                                  job thread
 *     task_start(&work, function, argument) ───► function(job, argument, &error): fills the argument
 *     task_poll(&work) == true, once        ◄─── returns; the program is woken
 *     takes the results out of the argument, frees it
 *
 * While the work runs, the argument belongs to the job thread; before and after, to the UI thread.
 */
#ifndef REJUV_TUI_TASK_H
#define REJUV_TUI_TASK_H

#include "core/support/job.h"

typedef struct Task {
    const char *label; /* "drift", in the line of running work */
    const char *unit;  /* "B": progress counts bytes and the rate is worth showing; NULL: it does not */
    bool runs_to_end;  /* cannot be cancelled: it is short, or half of it would be worse than none */
    Job *job;          /* NULL: idle */
    Status status;     /* of the last run */
    Error error;
} Task;

/* What wakes the program that waits for input when work has progressed or is over; called on any thread, so it must
 * be safe there. Set once, before any work starts; without it nothing is woken, which is right for one that polls. */
void task_set_wake(void (*wake)(void));

/* Starts; the work must be idle. On failure it stays idle. threads 0: all. */
Status task_start(Task *work, unsigned threads, JobFunction function, void *argument,
                  Error *error) STATUS_MUST_CHECK;

/* True once for each run, when it is over: `status` and `error` are set and the work is idle again. Never
 * blocks. */
bool task_poll(Task *work);

bool task_is_running(const Task *work);

/* Asks it to stop; task_poll() tells when it has. False when it is idle, or runs to its end. */
bool task_cancel(Task *work);

/* Waits for its end; false when it was idle. Then it is as after a task_poll() that was true. For leaving. */
bool task_wait(Task *work);

/* Cancels and waits: a few tens of milliseconds. For closing. */
void task_stop(Task *work);

#endif
