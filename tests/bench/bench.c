/*
 * bench — measures the program's work on a generated pair, each figure beside a limit of this machine that
 * is measured in the same run.
 *
 *     bench                            everything, on the shape qwen2.5-0.5b, with one thread
 *     bench --pair tiny forward        one part, on another shape; --pair also takes a directory that
 *                                      make_pair wrote
 */
#include "tests/bench/bench.h"

#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"
#include "tests/bench/generate.h"
#include "tests/bench/limits.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Part {
    const char *name;
    Status (*run)(Bench *bench, Error *error);
} Part;

/* `memory` comes first: what others leave allocated would count against it. */
static const Part PARTS[] = {
    {"memory", bench_memory},       {"open", bench_open},       {"forward", bench_forward},
    {"cancel", bench_cancel},       {"method", bench_method},   {"gradient", bench_gradient},
    {"landscape", bench_landscape}, {"rollout", bench_rollout}, {"chat", bench_chat},
    {"experts", bench_experts},     {"adapter", bench_adapter}, {"keys", bench_keys},
    {"drift", bench_drift},         {"export", bench_export}};

enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

typedef struct Request {
    const char *pair;
    unsigned threads;
    double seconds;
    MeasureClock clock;
    bool is_json, keep;
    bool parts[PART_COUNT];
} Request;

static int show_usage(FILE *to, int exit_status) {
    (void)fputs(
        "usage: bench [--pair SHAPE|DIR] [--threads N] [--seconds S] [--cpu-time] [--json] [--keep] [PART…]\n"
        "  --pair      a shape to generate (default qwen2.5-0.5b), or a directory with base and sft\n"
        "  --threads   0: all (default 1)\n"
        "  --seconds   spent on each measurement, about (default 5)\n"
        "  --cpu-time  counts processor time instead of wall time, but for export: for a shared machine, one thread\n"
        "  --keep      leaves the generated files in the temporary directory\n"
        "Files go to TMPDIR, or /tmp. Parts:",
        to);
    for (size_t i = 0; i < PART_COUNT; i++) (void)fprintf(to, " %s", PARTS[i].name);
    (void)fputs("; all where none is named\n", to);
    return exit_status;
}

static void choose_part(Request *request, const char *name) {
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (strcmp(PARTS[i].name, name) != 0) continue;
        request->parts[i] = true;
        return;
    }
    (void)fprintf(stderr, "bench: no part \"%s\"\n", name);
    exit(show_usage(stderr, 2));
}

static Request read_request(int argc, char **argv) {
    static const struct option OPTIONS[] = {
        {"pair", required_argument, NULL, 'p'},    {"threads", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 's'}, {"cpu-time", no_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},          {"keep", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    Request request = {.pair = "qwen2.5-0.5b", .threads = 1, .seconds = 5.0};
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        switch (option) {
        case 'p':
            request.pair = optarg;
            break;
        case 't':
            request.threads = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            request.seconds = strtod(optarg, NULL);
            break;
        case 'c':
            request.clock = MEASURE_PROCESSOR;
            break;
        case 'j':
            request.is_json = true;
            break;
        case 'k':
            request.keep = true;
            break;
        default:
            exit(show_usage(option == 'h' ? stdout : stderr, option == 'h' ? 0 : 2));
        }
    }
    for (int i = optind; i < argc; i++) choose_part(&request, argv[i]);
    for (size_t i = 0; i < PART_COUNT && optind == argc; i++) request.parts[i] = true;
    return request;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *walk) {
    (void)facts, (void)kind, (void)walk;
    return remove(path);
}

Status bench_remove_tree(const char *path, Error *error) {
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: cannot be removed", path);
}

static Status open_pair(Bench *bench, const char *wanted, Error *error) {
    const Shape *shape = shape_find(wanted);
    char *directory =
        shape == NULL ? memory_format("%s", wanted) : memory_format("%s/%s", bench->temporary, wanted);
    char *base = memory_format("%s/base", directory == NULL ? "" : directory);
    char *sft = memory_format("%s/sft", directory == NULL ? "" : directory);
    Status status = STATUS_OK;
    if (directory == NULL || base == NULL || sft == NULL) status = memory_fail(error, "paths");
    if (status == STATUS_OK && shape != NULL) {
        GenerateOptions options = generate_defaults(shape);
        Job *job = NULL; /* with all threads, whatever the measurements get */
        status = job_create(0, NULL, NULL, &job, error);
        if (status == STATUS_OK) status = generate_pair(&options, directory, NULL, job, error);
        job_free(job);
        (void)sleep(FILE_STAMP_REST +
                    2); /* so that what is known of the files serves: core/files/file_stamp.h */
    }
    if (status == STATUS_OK) status = pair_open(base, sft, &bench->pair, error);
    if (status == STATUS_OK) status = pair_check(bench->pair, error);
    if (status == STATUS_OK) status = model_open(bench->pair, &bench->model, error);
    free(directory);
    free(base);
    free(sft);
    return status;
}

static Status print_report(const Bench *bench, const Request *request, Error *error) {
    ReportFact facts[] = {{"pair", ""},    {"threads", ""},  {"clock", ""},
                          {"kernels", ""}, {"openblas", ""}, {"page cache", ""}};
    ByteSum both = {{bench->pair->base, bench->pair->sft}, 2, NULL};
    const Checkpoint *sft = bench->pair->sft;
    (void)snprintf(facts[0].value, sizeof facts->value, "%s: %.1f million parameters, %s, %.3f GB both sides",
                   request->pair, (double)sft->parameters * 1e-6, dtype_name(checkpoint_main_dtype(sft)),
                   limits_byte_count(&both) * 1e-9);
    (void)snprintf(facts[1].value, sizeof facts->value, "%u", bench->threads);
    (void)snprintf(facts[2].value, sizeof facts->value, "%s",
                   bench->clock == MEASURE_WALL ? "wall" : "processor time (export: wall)");
    (void)snprintf(facts[3].value, sizeof facts->value, "%s", kernels_get()->name);
    const BlasLibrary *library = blas_library_get(); /* main() loaded it */
    (void)snprintf(facts[4].value, sizeof facts->value, "%s kernels; %s", library->core,
                   library->configuration());
    (void)snprintf(facts[5].value, sizeof facts->value, "warm: every measurement ran once before it counted");
    if (request->is_json)
        return report_print_json(&bench->report, facts, sizeof facts / sizeof *facts, error);
    report_print(&bench->report, facts, sizeof facts / sizeof *facts);
    return STATUS_OK;
}

static Status run_parts(Bench *bench, const Request *request, Error *error) {
    Status status = job_create(request->threads, NULL, NULL, &bench->job, error);
    if (status != STATUS_OK) return status;
    bench->threads = job_threads(bench->job);
    status = open_pair(bench, request->pair, error);
    for (size_t i = 0; i < PART_COUNT && status == STATUS_OK; i++) {
        if (!request->parts[i]) continue;
        status = PARTS[i].run(bench, error);
        if (status != STATUS_OK) status = status_add_context(error, "%s", PARTS[i].name);
    }
    return status == STATUS_OK ? print_report(bench, request, error) : status;
}

int main(int argc, char **argv) {
    Request request = read_request(argc, argv);
    Error error;
    if (blas_library_load(&error) != STATUS_OK) {
        (void)fprintf(stderr, "bench: %s\n", error.message);
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    char *temporary = memory_format("%s/rejuv-bench-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (temporary == NULL || mkdtemp(temporary) == NULL) {
        (void)fprintf(stderr, "bench: cannot create a temporary directory: %s\n", strerror(errno));
        return 2;
    }
    Bench bench = {.temporary = temporary, .clock = request.clock, .seconds = request.seconds};
    Status status = run_parts(&bench, &request, &error);
    if (status != STATUS_OK) (void)fprintf(stderr, "bench: %s\n", error.message);
    model_close(bench.model);
    pair_close(bench.pair);
    job_free(bench.job);
    report_free(&bench.report);
    if (request.keep)
        (void)fprintf(stderr, "bench: files are in %s\n", temporary);
    else if (bench_remove_tree(temporary, &error) != STATUS_OK)
        (void)fprintf(stderr, "bench: %s\n", error.message);
    free(temporary);
    return status == STATUS_OK ? 0 : 2;
}
