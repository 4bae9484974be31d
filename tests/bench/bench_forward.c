/*
 * The forward pass: tokens per second beside the machine's limits, memory, and how soon a cancelled pass
 * returns.
 */
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/pass.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROMPT = 64, LONG_PROMPT = 1024, CANCEL_TRIES = 41 };

/* ---- tokens per second ---- */

static Status add_prompt_rows(Bench *bench, Error *error) {
    Pass fused = {0}, base = {0};
    PlainMultiplies *plain = NULL;
    Status status = pass_open(bench, (double[]){0.5}, 1, 0, PROMPT, true, &fused, error);
    if (status == STATUS_OK) status = pass_open(bench, (double[]){0.0}, 1, 0, PROMPT, true, &base, error);
    if (status == STATUS_OK)
        status = limits_create_multiplies(bench->model,
                                          &(PlainPass){.matrices = PLAIN_LAYERS_AND_HEAD, .tokens = PROMPT},
                                          1, bench->threads, &plain, error);
    MeasureTimes times;
    const Measure measures[] = {{.run = pass_repeat, .argument = &fused},
                                {.run = pass_repeat, .argument = &base},
                                {.run = limits_run_multiplies, .argument = plain}};
    if (status == STATUS_OK)
        status = measure_alternate(measures, 3, bench->clock, bench->seconds, &times, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        ReportRow row = {.unit = "tokens/s", .aim = i == 0 ? 1.0 : 0.0, .usual = i == 0 ? 0.8 : 0.0};
        report_set_rates(&row, &times, (size_t)i, PROMPT, 2, PROMPT);
        (void)snprintf(row.what, sizeof row.what, "forward and logits, T = %d, %s", PROMPT,
                       i == 0 ? "W(0.5)" : "base");
        (void)snprintf(row.limit_what, sizeof row.limit_what, "plain sgemm, float32 (%.0f GFLOP/s)",
                       measure_rate(&times, 2, limits_multiply_flops(plain) * 1e-9).median);
        status = report_add(&bench->report, &row, error);
    }
    limits_free_multiplies(plain);
    pass_close(&fused);
    pass_close(&base);
    return status;
}

static Status add_token_rows(Bench *bench, Error *error) {
    Pass fused = {0}, base = {0};
    ByteSum both = {{bench->pair->base, bench->pair->sft}, 2, bench->job};
    Status status = pass_open(bench, (double[]){0.5}, 1, PROMPT - 1, 1, true, &fused, error);
    if (status == STATUS_OK) status = pass_open(bench, (double[]){0.0}, 1, PROMPT - 1, 1, true, &base, error);
    MeasureTimes times;
    const Measure measures[] = {{.run = pass_repeat, .argument = &fused},
                                {.run = pass_repeat, .argument = &base},
                                {.run = limits_sum_bytes, .argument = &both}};
    if (status == STATUS_OK)
        status = measure_alternate(measures, 3, bench->clock, bench->seconds, &times, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        ByteSum read = both;
        read.count = i == 0 ? 2 : 1;
        ReportRow row = {.unit = "tokens/s", .aim = i == 0 ? 0.85 : 0.0, .usual = i == 0 ? 0.9 : 0.0};
        report_set_rates(&row, &times, (size_t)i, 1.0, 2,
                         limits_byte_count(&both) / limits_byte_count(&read));
        (void)snprintf(row.what, sizeof row.what, "forward and logits, T = 1, %s",
                       i == 0 ? "W(0.5)" : "base");
        (void)snprintf(row.limit_what, sizeof row.limit_what, "adding up the %s bytes (%.1f GB/s)",
                       i == 0 ? "files'" : "base's",
                       measure_rate(&times, 2, limits_byte_count(&both) * 1e-9).median);
        status = report_add(&bench->report, &row, error);
    }
    pass_close(&fused);
    pass_close(&base);
    return status;
}

Status bench_forward(Bench *bench, Error *error) {
    Status status = add_prompt_rows(bench, error);
    return status == STATUS_OK ? add_token_rows(bench, error) : status;
}

/* ---- memory ---- */

/* Bytes of resident memory that are not file pages; 0 where the system does not say. */
static double read_anonymous_memory(void) {
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) return 0.0;
    char line[128];
    double kilobytes = 0.0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) kilobytes = strtod(line + 8, NULL);
    }
    (void)fclose(file); /* only read */
    return kilobytes * 1024.0;
}

typedef struct Watch {
    atomic_bool is_done;
    double most;
} Watch;

static void *watch_memory(void *argument) {
    Watch *watch = argument;
    while (!atomic_load(&watch->is_done)) {
        double now = read_anonymous_memory();
        if (now > watch->most) watch->most = now;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

Status bench_memory(Bench *bench, Error *error) {
    Watch watch = {0};
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, watch_memory, &watch);
    if (failed != 0) return status_fail_errno(error, failed, "a thread");
    Pass run = {0};
    Status status = pass_open(bench, (double[]){0.0, 1.0, 0.5}, 3, 0, PROMPT, true, &run, error);
    if (status == STATUS_OK) status = pass_repeat(&run, error);
    double end = read_anonymous_memory();
    atomic_store(&watch.is_done, true);
    (void)pthread_join(thread, NULL);
    pass_close(&run);
    if (status != STATUS_OK) return status;
    ReportRow row = {.value = spread_of_one((watch.most > end ? watch.most : end) / (1 << 20)),
                     .unit = "MiB",
                     .aim = 300.0,
                     .is_bound = true};
    (void)snprintf(row.what, sizeof row.what, "memory beyond mapped files, 3 states, T = %d", PROMPT);
    return report_add(&bench->report, &row, error);
}

/* ---- cancelling ---- */

typedef struct Attempt {
    Pass *run;
    MeasureClock clock; /* of `returned` */
    double began, ended, returned;
} Attempt;

static Status attempt(Job *job, void *argument, Error *error) {
    Attempt *tried = argument;
    tried->run->job = job;
    tried->began = measure_now();
    Status status = pass_repeat(tried->run, error);
    tried->ended = measure_now();
    tried->returned = measure_read(tried->clock);
    return status;
}

/* Cancels a pass after `delay` seconds: how long it ran in all, and how much of that after the cancellation
 * (0 where it was done before), on the bench's clock. In processor time that is what the pass still does; the
 * time that passes also holds what else the machine does first. */
static Status cancel_after(const Bench *bench, Pass *run, double delay, double *took, double *latency,
                           Error *error) {
    *latency = 0.0;
    Job *job = NULL;
    Status status = job_create(bench->threads, NULL, NULL, &job, error);
    if (status != STATUS_OK) return status;
    Attempt tried = {.run = run, .clock = bench->clock};
    status = job_start(job, attempt, &tried, error);
    if (status == STATUS_OK) {
        long nanoseconds = (long)(delay * 1e9);
        (void)nanosleep(&(struct timespec){nanoseconds / 1000000000, nanoseconds % 1000000000}, NULL);
        double cancelled = measure_read(bench->clock);
        job_cancel(job);
        status = job_wait(job, error);
        *took = tried.ended - tried.began;
        if (status == STATUS_CANCELLED) {
            *latency = tried.returned - cancelled;
            status = STATUS_OK;
        }
    }
    job_free(job);
    return status;
}

/* At points spread over the pass, or over its beginning where it is long: layer follows layer alike. */
static Status add_cancel_row(Bench *bench, size_t tokens, Error *error) {
    Pass run = {0};
    double span = bench->seconds / 2.0 / CANCEL_TRIES, took = 0.0, latencies[CANCEL_TRIES + 1];
    Status status = pass_open(bench, (double[]){0.0, 1.0, 0.5}, 3, 0, tokens, false, &run, error);
    if (status == STATUS_OK) status = cancel_after(bench, &run, span, &took, &latencies[CANCEL_TRIES], error);
    if (took < span) span = took;
    for (int i = 0; i < CANCEL_TRIES && status == STATUS_OK; i++) {
        double share = ((double)(i * 17 % CANCEL_TRIES) + 0.5) / (double)CANCEL_TRIES;
        status = cancel_after(bench, &run, span * share, &took, &latencies[i], error);
    }
    pass_close(&run);
    if (status != STATUS_OK) return status;
    for (int i = 0; i < CANCEL_TRIES; i++) latencies[i] *= 1e3;
    ReportRow row = {.value = spread_of(latencies, CANCEL_TRIES),
                     .unit = "ms",
                     .aim = 50.0,
                     .is_bound = true,
                     .is_worst = true};
    (void)snprintf(row.what, sizeof row.what, "cancel, T = %zu, 3 states, worst of %d", tokens, CANCEL_TRIES);
    return report_add(&bench->report, &row, error);
}

Status bench_cancel(Bench *bench, Error *error) {
    Status status = add_cancel_row(bench, PROMPT, error);
    return status == STATUS_OK ? add_cancel_row(bench, LONG_PROMPT, error) : status;
}
