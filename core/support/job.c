#include "core/support/job.h"

#include "core/support/memory.h"
#include "core/support/memory_limit.h"
#include "core/support/processor_limit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What systems give a thread differs (musl 128 KiB, others what `ulimit -s` says, which may be all there is). */
enum { STACK_SIZE = 8 << 20 };

struct Job {
    unsigned threads;
    JobObserver observer;
    void *user;
    atomic_bool cancelled;

    /* progress: written by the working thread, read by any */
    pthread_mutex_t progress_lock;
    JobProgress progress;
    struct timespec stage_began;

    /* job_start */
    pthread_t thread;
    bool started, joined;
    atomic_bool finished;
    JobFunction function;
    void *argument;
    Status status;
    Error error;

    /* the team: helpers sleep until `round` changes, take tasks from `next`, and count themselves into
     * `resting` */
    pthread_mutex_t team_lock;
    pthread_cond_t work, rest;
    pthread_t *helpers;
    unsigned helper_count, resting;
    uint64_t round;
    bool dismissed;
    JobTask task;
    void *task_argument;
    size_t tasks;
    atomic_size_t next;
};

typedef struct Helper {
    Job *job;
    unsigned worker;
} Helper;

Status job_create(unsigned threads, JobObserver observer, void *user, Job **job, Error *error) {
    *job = memory_allocate(1, sizeof **job);
    if (*job == NULL) return memory_fail(error, "a job");
    Job *made = *job;
    made->threads = threads != 0 ? threads : processor_limit_allowed("");
    made->observer = observer;
    made->user = user;
    made->progress.stage = "";
    (void)clock_gettime(CLOCK_MONOTONIC, &made->stage_began);
    /* with default attributes on Linux these cannot fail */
    (void)pthread_mutex_init(&made->progress_lock, NULL);
    (void)pthread_mutex_init(&made->team_lock, NULL);
    (void)pthread_cond_init(&made->work, NULL);
    (void)pthread_cond_init(&made->rest, NULL);
    return STATUS_OK;
}

static void dismiss_team(Job *job) {
    (void)pthread_mutex_lock(&job->team_lock);
    job->dismissed = true;
    (void)pthread_cond_broadcast(&job->work);
    (void)pthread_mutex_unlock(&job->team_lock);
    for (unsigned i = 0; i < job->helper_count; i++) (void)pthread_join(job->helpers[i], NULL);
    free(job->helpers);
    job->helpers = NULL;
    job->helper_count = 0;
}

void job_free(Job *job) {
    if (job == NULL) return;
    job_cancel(job);
    if (job->started) (void)job_wait(job, NULL);
    dismiss_team(job);
    (void)pthread_cond_destroy(&job->rest);
    (void)pthread_cond_destroy(&job->work);
    (void)pthread_mutex_destroy(&job->team_lock);
    (void)pthread_mutex_destroy(&job->progress_lock);
    free(job);
}

/* A signal that is sent to the process shall find the thread that waits for signals, and what its handler writes
 * shall be that thread's own; one that works does not take it. A fault is the thread's own. */
static int create_thread(pthread_t *thread, void *(*function)(void *), void *argument) {
    static const int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t blocked, before;
    pthread_attr_t attributes;
    /* none of these can fail with such arguments */
    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) (void)sigdelset(&blocked, FAULTS[i]);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
    int failed = pthread_attr_init(&attributes);
    if (failed == 0) {
        (void)pthread_attr_setstacksize(&attributes, STACK_SIZE); /* refused: the system's own size */
        failed = pthread_create(thread, &attributes, function, argument);
        (void)pthread_attr_destroy(&attributes);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void *run_function(void *argument) {
    Job *job = argument;
    job->status = job->function(job, job->argument, &job->error);
    atomic_store(&job->finished, true);
    if (job->observer != NULL) job->observer(job->user, job_progress(job));
    return NULL;
}

Status job_start(Job *job, JobFunction function, void *argument, Error *error) {
    if (job->started) return status_fail(error, STATUS_ARGUMENT, "this job was started before");
    job->function = function;
    job->argument = argument;
    int failed = create_thread(&job->thread, run_function, job);
    if (failed == EAGAIN && memory_limit_check(STACK_SIZE, "a worker thread", error) != STATUS_OK)
        return STATUS_NO_MEMORY;
    if (failed != 0) return status_fail_errno(error, failed, "a worker thread");
    job->started = true;
    return STATUS_OK;
}

Status job_wait(Job *job, Error *error) {
    if (!job->started) return status_fail(error, STATUS_ARGUMENT, "this job was never started");
    if (!job->joined) (void)pthread_join(job->thread, NULL);
    job->joined = true;
    if (job->status != STATUS_OK && error != NULL) *error = job->error;
    return job->status;
}

bool job_is_finished(const Job *job) {
    return atomic_load(&job->finished);
}

void job_cancel(Job *job) {
    if (job != NULL) atomic_store(&job->cancelled, true);
}

bool job_is_cancelled(const Job *job) {
    return job != NULL && atomic_load_explicit(&job->cancelled, memory_order_relaxed);
}

unsigned job_threads(const Job *job) {
    return job == NULL ? 1 : job->threads;
}

static double seconds_since(const struct timespec *began) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) * 1e-9;
}

JobProgress job_progress(Job *job) {
    (void)pthread_mutex_lock(&job->progress_lock);
    JobProgress progress = job->progress;
    progress.seconds = seconds_since(&job->stage_began);
    (void)pthread_mutex_unlock(&job->progress_lock);
    return progress;
}

bool job_report(Job *job, const char *stage, uint64_t done, uint64_t total) {
    if (job == NULL) return true;
    (void)pthread_mutex_lock(&job->progress_lock);
    if (strcmp(job->progress.stage, stage) != 0) (void)clock_gettime(CLOCK_MONOTONIC, &job->stage_began);
    job->progress = (JobProgress){.stage = stage, .done = done, .total = total};
    JobProgress progress = job->progress;
    progress.seconds = seconds_since(&job->stage_began);
    (void)pthread_mutex_unlock(&job->progress_lock);
    if (job->observer != NULL) job->observer(job->user, progress);
    return !job_is_cancelled(job);
}

Status job_cancelled(Error *error) {
    return status_fail(error, STATUS_CANCELLED, "cancelled");
}

static void take_tasks(Job *job, unsigned worker) {
    while (!job_is_cancelled(job)) {
        size_t i = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (i >= job->tasks) break;
        job->task(job->task_argument, i, worker);
    }
}

static void *serve(void *argument) {
    Helper helper = *(Helper *)argument;
    free(argument);
    Job *job = helper.job;
    uint64_t seen = 0;
    (void)pthread_mutex_lock(&job->team_lock);
    for (;;) {
        while (job->round == seen && !job->dismissed) (void)pthread_cond_wait(&job->work, &job->team_lock);
        if (job->dismissed) break;
        seen = job->round;
        (void)pthread_mutex_unlock(&job->team_lock);
        take_tasks(job, helper.worker);
        (void)pthread_mutex_lock(&job->team_lock);
        if (++job->resting == job->helper_count) (void)pthread_cond_signal(&job->rest);
    }
    (void)pthread_mutex_unlock(&job->team_lock);
    return NULL;
}

/* Hires up to threads - 1 helpers, once. Fewer (the system refuses a thread) only means slower. */
static void gather_team(Job *job) {
    if (job->helpers != NULL || job->threads < 2) return;
    job->helpers = memory_allocate(job->threads - 1, sizeof *job->helpers);
    if (job->helpers == NULL) return;
    for (unsigned i = 0; i + 1 < job->threads; i++) {
        Helper *helper = memory_allocate(1, sizeof *helper);
        if (helper == NULL) return;
        *helper = (Helper){.job = job, .worker = i + 1};
        if (create_thread(&job->helpers[job->helper_count], serve, helper) != 0) {
            free(helper);
            return;
        }
        /* a helper reads helper_count under the lock only after a round began, which comes later */
        job->helper_count++;
    }
}

Status job_run(Job *job, size_t tasks, JobTask task, void *argument, Error *error) {
    if (job == NULL) {
        for (size_t i = 0; i < tasks; i++) task(argument, i, 0);
        return STATUS_OK;
    }
    if (tasks > 1) gather_team(job);
    bool with_team = tasks > 1 && job->helper_count > 0;
    (void)pthread_mutex_lock(&job->team_lock);
    job->task = task;
    job->task_argument = argument;
    job->tasks = tasks;
    atomic_store(&job->next, 0);
    if (with_team) {
        job->resting = 0;
        job->round++;
        (void)pthread_cond_broadcast(&job->work);
    }
    (void)pthread_mutex_unlock(&job->team_lock);
    take_tasks(job, 0);
    if (with_team) {
        (void)pthread_mutex_lock(&job->team_lock);
        while (job->resting < job->helper_count) (void)pthread_cond_wait(&job->rest, &job->team_lock);
        (void)pthread_mutex_unlock(&job->team_lock);
    }
    return job_is_cancelled(job) ? job_cancelled(error) : STATUS_OK;
}
