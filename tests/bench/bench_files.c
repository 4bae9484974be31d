/*
 * Work that is mostly about files: opening, drift, export.
 */
#include "core/drift/drift.h"
#include "core/export/export.h"
#include "core/export/verify.h"
#include "core/files/disk.h"
#include "core/files/file_digest.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/generate.h"
#include "tests/bench/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY_TENSORS = 10000 };

/* ---- opening ---- */

static Status open_and_close(void *argument, Error *error) {
    const char *const *directories = argument;
    Pair *pair = NULL;
    Status status = pair_open(directories[0], directories[1], &pair, error);
    if (status == STATUS_OK && (pair->count != MANY_TENSORS || pair_check(pair, error) != STATUS_OK))
        status = status_fail(error, STATUS_MISMATCH, "expected a fusable pair of %d tensors, found %zu",
                             MANY_TENSORS, pair->count);
    pair_close(pair);
    return status;
}

Status bench_open(Bench *bench, Error *error) {
    GenerateOptions options = generate_many_tensors(MANY_TENSORS);
    char *many = memory_format("%s/many", bench->temporary);
    char *directories[] = {memory_format("%s/many/base", bench->temporary),
                           memory_format("%s/many/sft", bench->temporary)};
    Status status = STATUS_OK;
    if (many == NULL || directories[0] == NULL || directories[1] == NULL)
        status = memory_fail(error, "paths");
    if (status == STATUS_OK) status = generate_pair(&options, many, NULL, bench->job, error);
    MeasureTimes times;
    const Measure measure = {.run = open_and_close, .argument = directories};
    if (status == STATUS_OK)
        status = measure_alternate(&measure, 1, bench->clock, bench->seconds, &times, error);
    free(many);
    free(directories[0]);
    free(directories[1]);
    if (status != STATUS_OK) return status;
    ReportRow row = {.value = measure_seconds(&times, 0, 1e3), .unit = "ms"};
    (void)snprintf(row.what, sizeof row.what, "open a pair of %d tensors, %zu files a side", MANY_TENSORS,
                   options.shards);
    return report_add(&bench->report, &row, error);
}

/* ---- drift ---- */

static Status scan_drift(void *argument, Error *error) {
    const Bench *bench = argument;
    DriftTable *table = NULL;
    Status status = drift_table_create(bench->pair, &table, error);
    if (status == STATUS_OK) status = drift_scan(bench->pair, table, bench->job, error);
    drift_table_free(table);
    return status;
}

Status bench_drift(Bench *bench, Error *error) {
    ByteSum both = {{bench->pair->base, bench->pair->sft}, 2, bench->job};
    double gigabytes = limits_byte_count(&both) * 1e-9;
    MeasureTimes times;
    const Measure measures[] = {{.run = scan_drift, .argument = bench},
                                {.run = limits_sum_bytes, .argument = &both}};
    Status status = measure_alternate(measures, 2, bench->clock, bench->seconds, &times, error);
    if (status != STATUS_OK) return status;
    ReportRow row = {.what = "drift of all tensors, bytes read",
                     .unit = "GB/s",
                     .limit_what = "adding up the files' bytes",
                     .aim = 0.6,
                     .usual = 0.27};
    report_set_rates(&row, &times, 0, gigabytes, 1, gigabytes);
    return report_add(&bench->report, &row, error);
}

/* ---- export ---- */

/* Two ways to a directory of the SFT model's size. */
typedef struct Writing {
    const Bench *bench;
    char *export, *copy;
} Writing;

static Status remove_export(void *argument, Error *error) {
    return temporary_remove(((const Writing *)argument)->export, error);
}

/* As in a process that has not hashed the inputs. */
static Status remove_export_and_forget(void *argument, Error *error) {
    file_digest_forget();
    return remove_export(argument, error);
}

static Status remove_copy(void *argument, Error *error) {
    return temporary_remove(((const Writing *)argument)->copy, error);
}

/* As the command does it: written, made durable, read back and compared. */
static Status export_half(void *argument, Error *error) {
    const Writing *writing = argument;
    const Pair *pair = writing->bench->pair;
    ExportOptions options = {.settings = {.alpha = 0.5}, .directory = writing->export};
    ExportPlan *plan = NULL;
    VerifyResult *verified = NULL;
    Status status = export_plan(pair, &options, &plan, error);
    if (status == STATUS_OK) status = export_check(plan, error);
    if (status == STATUS_OK) status = export_run(plan, writing->bench->job, error);
    VerifyOptions how = {.base_directory = pair->base->directory,
                         .sft_directory = pair->sft->directory,
                         .made = plan,
                         .written = plan != NULL ? plan->recipe : NULL};
    if (status == STATUS_OK)
        status = verify_export(writing->export, &how, writing->bench->job, &verified, error);
    verify_result_free(verified);
    export_plan_free(plan);
    return status;
}

static Status sync_file(const char *directory, const char *name, Error *error) {
    char *path = memory_format("%s/%s", directory, name);
    if (path == NULL) return memory_fail(error, "a path");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    Status status = file < 0 ? status_fail_errno(error, errno, "%s: cannot be opened", path)
                             : disk_sync(file, path, error);
    if (file >= 0) (void)close(file); /* only read */
    free(path);
    return status;
}

/* `cp -R`, and fsync of the weights. */
static Status copy_sft(void *argument, Error *error) {
    const Writing *writing = argument;
    const Checkpoint *sft = writing->bench->pair->sft;
    char *words[] = {"cp", "-R", sft->directory, writing->copy, NULL};
    pid_t child;
    int failed = posix_spawnp(&child, "cp", NULL, NULL, words, environ), result = 0;
    if (failed != 0) return status_fail_errno(error, failed, "cp cannot be run");
    if (waitpid(child, &result, 0) != child || result != 0)
        return status_fail(error, STATUS_IO, "cp failed: %s to %s", sft->directory, writing->copy);
    Status status = STATUS_OK;
    for (size_t i = 0; i < sft->file_count && status == STATUS_OK; i++)
        status = sync_file(writing->copy, sft->file_names[i], error);
    return status;
}

/* Sums of files that were written just before they were opened are not remembered; then the second row would
 * be the first again. */
static Status check_inputs_rested(const Bench *bench, Error *error) {
    const Checkpoint *sides[] = {bench->pair->base, bench->pair->sft};
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s]->file_count; i++) {
            if (!file_stamp_is_settled(&sides[s]->files[i]->stamp))
                return status_fail(error, STATUS_ARGUMENT, "%s: expected a file that had rested for %d s",
                                   sides[s]->files[i]->path, FILE_STAMP_REST);
        }
    }
    return STATUS_OK;
}

Status bench_export(Bench *bench, Error *error) {
    enum { FIRST, AGAIN, COPY, COUNT };
    Writing writing = {bench, memory_format("%s/export", bench->temporary),
                       memory_format("%s/copy", bench->temporary)};
    double gigabytes = (double)bench->pair->sft->bytes * 1e-9;
    MeasureTimes times;
    /* the second finds the inputs' sums that the first has left */
    const Measure measures[COUNT] = {
        [FIRST] = {.run = export_half, .argument = &writing, .prepare = remove_export_and_forget},
        [AGAIN] = {.run = export_half, .argument = &writing, .prepare = remove_export},
        [COPY] = {.run = copy_sft, .argument = &writing, .prepare = remove_copy}};
    Status status = writing.export == NULL || writing.copy == NULL ? memory_fail(error, "paths")
                                                                   : check_inputs_rested(bench, error);
    if (status == STATUS_OK)
        status = measure_alternate(measures, COUNT, MEASURE_WALL, bench->seconds, &times, error);
    free(writing.export);
    free(writing.copy);
    ReportRow row = {.unit = "GB/s", .limit_what = "cp of the SFT directory, and fsync", .aim = 0.8};
    static const char *const WHAT[] = {
        [FIRST] = "export of W(0.5), verified, bytes written", [AGAIN] = "the same, inputs hashed before"};
    for (int i = FIRST; i <= AGAIN && status == STATUS_OK; i++) {
        report_set_rates(&row, &times, (size_t)i, gigabytes, COPY, gigabytes);
        (void)snprintf(row.what, sizeof row.what, "%s", WHAT[i]);
        status = report_add(&bench->report, &row, error);
    }
    return status;
}
