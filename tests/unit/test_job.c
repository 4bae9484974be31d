/*
 * Jobs: progress, cancellation, results, and the team of threads. Nothing depends on how fast a thread is.
 */
#include "core/support/job.h"
#include "core/support/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void pause_briefly(void) {
    struct timespec millisecond = {0, 1000000};
    (void)nanosleep(&millisecond, NULL); /* a shorter pause is a pause */
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void wait_until_finished(const Job *job) {
    while (!job_is_finished(job)) pause_briefly();
}

static Job *make_job(unsigned threads) {
    Job *job;
    assert_int_equal(job_create(threads, NULL, NULL, &job, NULL), STATUS_OK);
    return job;
}

/* ---- progress ---- */

static void a_new_job_has_done_nothing(void **state) {
    (void)state;
    Job *job = make_job(3);
    JobProgress progress = job_progress(job);
    assert_string_equal(progress.stage, "");
    assert_int_equal(progress.done, 0);
    assert_false(job_is_finished(job) || job_is_cancelled(job));
    assert_int_equal(job_threads(job), 3);
    job_free(job);
    job = make_job(0); /* as many as the process may use */
    assert_in_range(job_threads(job), 1, 100000);
    job_free(job);
    job_free(NULL);
}

static void what_was_reported_last_is_the_progress(void **state) {
    (void)state;
    Job *job = make_job(1);
    assert_true(job_report(job, "read", 3, 10));
    assert_true(job_report(job, "read", 4, 10));
    JobProgress progress = job_progress(job);
    assert_string_equal(progress.stage, "read");
    assert_int_equal(progress.done, 4);
    assert_int_equal(progress.total, 10);
    job_free(job);
}

static void a_new_stage_starts_the_clock_again_and_the_same_one_does_not(void **state) {
    (void)state;
    Job *job = make_job(1);
    (void)job_report(job, "read", 0, 2);
    for (int i = 0; i < 30; i++) pause_briefly();
    char same[] = "read"; /* another address: the name counts */
    (void)job_report(job, same, 1, 2);
    double first = job_progress(job).seconds;
    assert_true(first >= 0.03);
    double before = seconds_now();
    (void)job_report(job, "write", 0, 2);
    double second = job_progress(job).seconds;
    assert_true(second <= seconds_now() - before);
    for (int i = 0; i < 5; i++) pause_briefly();
    assert_true(job_progress(job).seconds >= second + 0.005); /* it goes on without reports */
    (void)job_report(job, "done", 0, 0);                      /* `same` goes out of scope */
    job_free(job);
}

static void without_a_job_nothing_is_observed_or_cancelled(void **state) {
    (void)state;
    assert_true(job_report(NULL, "x", 1, 2));
    assert_false(job_is_cancelled(NULL));
    assert_int_equal(job_threads(NULL), 1);
    job_cancel(NULL);
}

typedef struct Seen {
    atomic_size_t calls;
    JobProgress last;
} Seen;

static void observe(void *user, JobProgress progress) {
    Seen *seen = user;
    seen->last = progress;
    atomic_fetch_add(&seen->calls, 1);
}

static Status report_thrice(Job *job, void *argument, Error *error) {
    (void)argument;
    (void)error;
    for (uint64_t i = 1; i <= 3; i++) (void)job_report(job, "count", i, 3);
    return STATUS_OK;
}

static void the_observer_is_told_of_every_report_and_of_the_end(void **state) {
    (void)state;
    Seen seen = {0};
    Job *job;
    assert_int_equal(job_create(1, observe, &seen, &job, NULL), STATUS_OK);
    assert_int_equal(job_start(job, report_thrice, NULL, NULL), STATUS_OK);
    assert_int_equal(job_wait(job, NULL), STATUS_OK); /* joins: `seen` is ours again */
    assert_int_equal(atomic_load(&seen.calls), 4);
    assert_string_equal(seen.last.stage, "count");
    assert_int_equal(seen.last.done, 3);
    assert_true(job_is_finished(job));
    job_free(job);
}

static void a_command_without_a_thread_of_its_own_is_observed_alike(void **state) {
    (void)state;
    Seen seen = {0};
    Job *job;
    assert_int_equal(job_create(1, observe, &seen, &job, NULL), STATUS_OK);
    assert_int_equal(report_thrice(job, NULL, NULL), STATUS_OK);
    assert_int_equal(atomic_load(&seen.calls), 3);
    job_free(job);
}

/* ---- results ---- */

static Status fail_with_argument(Job *job, void *argument, Error *error) {
    (void)job;
    return status_fail(error, STATUS_MISMATCH, "tensor %s differs", (const char *)argument);
}

static void a_failure_comes_through_wait_with_its_message(void **state) {
    (void)state;
    Job *job = make_job(1);
    char name[] = "q";
    Error error = {0};
    assert_int_equal(job_start(job, fail_with_argument, name, &error), STATUS_OK);
    assert_int_equal(job_wait(job, &error), STATUS_MISMATCH);
    assert_int_equal(error.status, STATUS_MISMATCH);
    assert_string_equal(error.message, "tensor q differs");
    Error again = {0};
    assert_int_equal(job_wait(job, &again), STATUS_MISMATCH); /* as often as one likes */
    assert_string_equal(again.message, "tensor q differs");
    job_free(job);
}

static void success_leaves_the_error_untouched(void **state) {
    (void)state;
    Job *job = make_job(1);
    Error error = {.message = "before"};
    assert_int_equal(job_start(job, report_thrice, NULL, &error), STATUS_OK);
    assert_int_equal(job_wait(job, &error), STATUS_OK);
    assert_string_equal(error.message, "before");
    job_free(job);
}

static void a_job_runs_once(void **state) {
    (void)state;
    Job *job = make_job(1);
    Error error;
    assert_int_equal(job_wait(job, &error), STATUS_ARGUMENT);
    assert_int_equal(job_start(job, report_thrice, NULL, &error), STATUS_OK);
    assert_int_equal(job_start(job, report_thrice, NULL, &error), STATUS_ARGUMENT);
    assert_int_equal(job_wait(job, &error), STATUS_OK);
    assert_int_equal(job_start(job, report_thrice, NULL, &error), STATUS_ARGUMENT);
    job_free(job);
}

/* ---- cancelling ---- */

static Status run_until_cancelled(Job *job, void *argument, Error *error) {
    atomic_bool *is_running = argument;
    for (uint64_t i = 0; job_report(job, "endless", i, 0); i++) {
        atomic_store(is_running, true);
        pause_briefly();
    }
    return job_cancelled(error);
}

static void a_cancelled_job_is_told_by_its_next_report(void **state) {
    (void)state;
    Job *job = make_job(1);
    atomic_bool is_running = false;
    Error error;
    assert_int_equal(job_start(job, run_until_cancelled, &is_running, &error), STATUS_OK);
    while (!atomic_load(&is_running)) pause_briefly();
    assert_false(job_is_finished(job));
    job_cancel(job);
    wait_until_finished(job);
    assert_true(job_is_cancelled(job));
    assert_int_equal(job_wait(job, &error), STATUS_CANCELLED);
    assert_string_equal(error.message, "cancelled");
    job_free(job);
}

static void freeing_a_running_job_cancels_and_waits(void **state) {
    (void)state;
    for (int pauses = 0; pauses < 8; pauses++) {
        Job *job = make_job(2);
        atomic_bool is_running = false; /* on this stack: the thread must be gone before it is */
        assert_int_equal(job_start(job, run_until_cancelled, &is_running, NULL), STATUS_OK);
        for (int i = 0; i < pauses; i++) pause_briefly();
        job_free(job);
    }
}

static void a_job_cancelled_before_it_starts_does_no_tasks(void **state) {
    (void)state;
    Job *job = make_job(2);
    job_cancel(job);
    assert_false(job_report(job, "x", 0, 1));
    job_free(job);
}

/* ---- the team ---- */

typedef struct Tally {
    Job *job;
    atomic_uint *runs; /* [tasks] */
    atomic_uint busy[8];
    atomic_size_t started;
    size_t cancel_at; /* cancels when so many have started; 0: never */
} Tally;

static void count_task(void *argument, size_t task, unsigned worker) {
    Tally *tally = argument;
    assert_true(worker < job_threads(tally->job));
    /* a worker's scratch is its own: nobody else is in here as this worker */
    assert_int_equal(atomic_fetch_add(&tally->busy[worker], 1), 0);
    atomic_fetch_add(&tally->runs[task], 1);
    if (atomic_fetch_add(&tally->started, 1) + 1 == tally->cancel_at) job_cancel(tally->job);
    assert_int_equal(atomic_fetch_sub(&tally->busy[worker], 1), 1);
}

static void every_task_runs_exactly_once_on_any_number_of_threads(void **state) {
    (void)state;
    static const size_t TASKS[] = {0, 1, 2, 3, 7, 8, 9, 100, 1000};
    for (unsigned threads = 1; threads <= 8; threads++) {
        Tally tally = {.job = make_job(threads)};
        for (size_t t = 0; t < sizeof TASKS / sizeof *TASKS; t++) {
            tally.runs = memory_allocate(TASKS[t], sizeof *tally.runs);
            assert_non_null(tally.runs);
            for (int round = 0; round < 20; round++) /* the same team again and again */
                assert_int_equal(job_run(tally.job, TASKS[t], count_task, &tally, NULL), STATUS_OK);
            for (size_t i = 0; i < TASKS[t]; i++) assert_int_equal(atomic_load(&tally.runs[i]), 20);
            free(tally.runs);
        }
        job_free(tally.job);
    }
}

static void square(void *argument, size_t task, unsigned worker) {
    (void)worker;
    ((uint64_t *)argument)[task] = task * task;
}

static void what_tasks_wrote_is_there_when_the_run_returns(void **state) {
    (void)state;
    enum { TASKS = 5000 };
    for (unsigned threads = 0; threads <= 8; threads++) {
        uint64_t *squares = memory_allocate(TASKS, sizeof *squares);
        assert_non_null(squares);
        Job *job = threads == 0 ? NULL : make_job(threads); /* no job at all: one thread, the same result */
        assert_int_equal(job_run(job, TASKS, square, squares, NULL), STATUS_OK);
        for (uint64_t i = 0; i < TASKS; i++) assert_true(squares[i] == i * i);
        free(squares);
        job_free(job);
    }
}

static void record_order(void *argument, size_t task, unsigned worker) {
    (void)worker;
    size_t *next = argument;
    assert_int_equal(task, *next);
    ++*next;
}

static void one_thread_takes_tasks_in_order(void **state) {
    (void)state;
    size_t next = 0;
    Job *job = make_job(1);
    assert_int_equal(job_run(job, 100, record_order, &next, NULL), STATUS_OK);
    assert_int_equal(next, 100);
    job_free(job);
}

static void after_a_cancellation_no_further_task_starts(void **state) {
    (void)state;
    enum { TASKS = 100000, CANCEL_AT = 50 };
    for (unsigned threads = 1; threads <= 8; threads++) {
        Tally tally = {.job = make_job(threads), .cancel_at = CANCEL_AT};
        tally.runs = memory_allocate(TASKS, sizeof *tally.runs);
        assert_non_null(tally.runs);
        Error error;
        assert_int_equal(job_run(tally.job, TASKS, count_task, &tally, &error), STATUS_CANCELLED);
        size_t started = atomic_load(&tally.started);
        /* those that were handed out before: how many depends on the scheduler only where there are others */
        assert_true(started >= CANCEL_AT);
        assert_true(started < TASKS);
        if (threads == 1) assert_int_equal(started, CANCEL_AT);
        assert_int_equal(job_run(tally.job, TASKS, count_task, &tally, &error), STATUS_CANCELLED);
        assert_int_equal(atomic_load(&tally.started), started); /* and none in a later run */
        free(tally.runs);
        job_free(tally.job);
    }
}

typedef struct Gate {
    Job *job;
    atomic_bool is_inside;
    atomic_size_t ran;
} Gate;

/* The first task waits until the other thread has cancelled. */
static void wait_for_cancellation(void *argument, size_t task, unsigned worker) {
    (void)task;
    (void)worker;
    Gate *gate = argument;
    atomic_fetch_add(&gate->ran, 1);
    atomic_store(&gate->is_inside, true);
    while (!job_is_cancelled(gate->job)) pause_briefly();
}

static void *cancel_when_inside(void *argument) {
    Gate *gate = argument;
    while (!atomic_load(&gate->is_inside)) pause_briefly();
    job_cancel(gate->job);
    return NULL;
}

static void another_thread_may_cancel_a_run(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        Gate gate = {.job = make_job(threads)};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, cancel_when_inside, &gate), 0);
        assert_int_equal(job_run(gate.job, 1000, wait_for_cancellation, &gate, NULL), STATUS_CANCELLED);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_in_range(atomic_load(&gate.ran), 1, threads);
        job_free(gate.job);
    }
}

static Status run_squares(Job *job, void *argument, Error *error) {
    return job_run(job, 5000, square, argument, error);
}

static void a_started_job_has_a_team_too(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads++) {
        uint64_t *squares = memory_allocate(5000, sizeof *squares);
        assert_non_null(squares);
        Job *job = make_job(threads);
        assert_int_equal(job_start(job, run_squares, squares, NULL), STATUS_OK);
        assert_int_equal(job_wait(job, NULL), STATUS_OK);
        assert_true(squares[4999] == 4999U * 4999U);
        job_free(job);
        free(squares);
    }
}

/* ---- signals ---- */

enum { SIGNAL_THREADS = 3 };

typedef struct SignalMasks {
    sigset_t own, helpers[SIGNAL_THREADS];
    atomic_bool is_known[SIGNAL_THREADS];
} SignalMasks;

static void note_mask(void *argument, size_t task, unsigned worker) {
    SignalMasks *masks = argument;
    (void)task;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &masks->helpers[worker]), 0);
    atomic_store(&masks->is_known[worker], true);
    for (;;) { /* until each thread has a task */
        bool all = true;
        for (int w = 0; w < SIGNAL_THREADS; w++) all = all && atomic_load(&masks->is_known[w]);
        if (all) return;
        pause_briefly();
    }
}

static Status note_masks(Job *job, void *argument, Error *error) {
    SignalMasks *masks = argument;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &masks->own), 0);
    return job_run(job, SIGNAL_THREADS, note_mask, masks, error);
}

static void signals_sent_to_the_process_reach_no_thread_of_a_job(void **state) {
    (void)state;
    static const int SENT[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
    static const int FAULTS[] = {SIGSEGV, SIGBUS};
    SignalMasks masks = {0};
    Job *job = make_job(SIGNAL_THREADS);
    assert_int_equal(job_start(job, note_masks, &masks, NULL), STATUS_OK);
    assert_int_equal(job_wait(job, NULL), STATUS_OK);
    for (int w = 0; w < SIGNAL_THREADS; w++) {
        assert_true(atomic_load(&masks.is_known[w]));
        for (size_t i = 0; i < sizeof SENT / sizeof *SENT; i++)
            assert_int_equal(sigismember(&masks.helpers[w], SENT[i]), 1);
        for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++)
            assert_int_equal(sigismember(&masks.helpers[w], FAULTS[i]), 0);
    }
    assert_int_equal(sigismember(&masks.own, SIGWINCH), 1);
    sigset_t here;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &here), 0);
    assert_int_equal(sigismember(&here, SIGWINCH), 0); /* who starts it goes on hearing them */
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_job_has_done_nothing),
        cmocka_unit_test(what_was_reported_last_is_the_progress),
        cmocka_unit_test(a_new_stage_starts_the_clock_again_and_the_same_one_does_not),
        cmocka_unit_test(without_a_job_nothing_is_observed_or_cancelled),
        cmocka_unit_test(the_observer_is_told_of_every_report_and_of_the_end),
        cmocka_unit_test(a_command_without_a_thread_of_its_own_is_observed_alike),
        cmocka_unit_test(a_failure_comes_through_wait_with_its_message),
        cmocka_unit_test(success_leaves_the_error_untouched),
        cmocka_unit_test(a_job_runs_once),
        cmocka_unit_test(a_cancelled_job_is_told_by_its_next_report),
        cmocka_unit_test(freeing_a_running_job_cancels_and_waits),
        cmocka_unit_test(a_job_cancelled_before_it_starts_does_no_tasks),
        cmocka_unit_test(every_task_runs_exactly_once_on_any_number_of_threads),
        cmocka_unit_test(what_tasks_wrote_is_there_when_the_run_returns),
        cmocka_unit_test(one_thread_takes_tasks_in_order),
        cmocka_unit_test(after_a_cancellation_no_further_task_starts),
        cmocka_unit_test(another_thread_may_cancel_a_run),
        cmocka_unit_test(a_started_job_has_a_team_too),
        cmocka_unit_test(signals_sent_to_the_process_reach_no_thread_of_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
