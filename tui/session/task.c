#include "tui/session/task.h"

#include <stddef.h>

static void (*wake_program)(void);

void task_set_wake(void (*wake)(void)) {
    wake_program = wake;
}

static void wake_up(void *user, JobProgress progress) {
    (void)user;
    (void)progress;
    if (wake_program != NULL) wake_program();
}

Status task_start(Task *work, unsigned threads, JobFunction function, void *argument, Error *error) {
    if (work->job != NULL) return status_fail(error, STATUS_ARGUMENT, "%s is running already", work->label);
    Job *job;
    Status status = job_create(threads, wake_up, NULL, &job, error);
    if (status == STATUS_OK) status = job_start(job, function, argument, error);
    if (status != STATUS_OK) {
        job_free(job);
        return status;
    }
    work->job = job;
    return STATUS_OK;
}

bool task_poll(Task *work) {
    return work->job != NULL && job_is_finished(work->job) && task_wait(work);
}

bool task_wait(Task *work) {
    if (work->job == NULL) return false;
    work->error = (Error){0};
    work->status = job_wait(work->job, &work->error);
    job_free(work->job);
    work->job = NULL;
    return true;
}

bool task_is_running(const Task *work) {
    return work->job != NULL;
}

bool task_cancel(Task *work) {
    if (work->job == NULL || work->runs_to_end) return false;
    job_cancel(work->job);
    return true;
}

void task_stop(Task *work) {
    job_free(work->job); /* cancels and waits */
    work->job = NULL;
}
