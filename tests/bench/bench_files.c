/*
 * Work that is mostly about files: opening.
 */
#include "core/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/generate.h"
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY_TENSORS = 10000 };

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
    double seconds = 0.0;
    const Measure measure = {open_and_close, directories};
    if (status == STATUS_OK) status = measure_medians(&measure, 1, bench->seconds, &seconds, error);
    free(many);
    free(directories[0]);
    free(directories[1]);
    if (status != STATUS_OK) return status;
    ReportRow row = {.value = seconds * 1e3, .unit = "ms"};
    (void)snprintf(row.what, sizeof row.what, "open a pair of %d tensors, %zu files a side", MANY_TENSORS,
                   options.shards);
    return report_add(&bench->report, &row, error);
}
