/*
 * bench — measures the program's work on a generated pair, each figure beside a limit of this machine that
 * is measured in the same run.
 *
 *     bench --cpu-time                 everything, on an eighth of the shape qwen2.5-0.5b, with one thread
 *     bench --full                     on all of it; takes a quarter of an hour
 *     bench --pair tiny forward        one part, on another shape; --pair also takes a directory that
 *                                      make_pair wrote
 */
#include "tests/bench/bench.h"

#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"
#include "tests/bench/generate.h"
#include "tests/bench/limits.h"
#include "tests/bench/machine.h"
#include "tests/bench/temporary.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Part {
    const char *name;
    Status (*run)(Bench *bench, Error *error);
    size_t measurements; /* that take as long as they are given; 0: one that takes what it takes */
    Status (*compare)(Bench *bench, Error *error); /* with --peers; NULL: there are none */
    size_t comparisons;                            /* as `measurements` */
} Part;

/* `memory` comes first: what others leave allocated would count against it. */
static const Part PARTS[] = {
    {"memory", bench_memory, 0, NULL, 0},
    {"open", bench_open, 1, NULL, 0},
    {"forward", bench_forward, 2, peers_forward, 2},
    {"cancel", bench_cancel, 2, NULL, 0},
    {"method", bench_method, 5, peers_method, 1},
    {"gradient", bench_gradient, 3, NULL, 0},
    {"landscape", bench_landscape, 1, NULL, 0},
    {"rollout", bench_rollout, 1, peers_rollout, 1},
    {"chat", bench_chat, 2, NULL, 0},
    {"experts", bench_experts, 3, NULL, 0},
    {"adapter", bench_adapter, 3, NULL, 0},
    {"keys", bench_keys, 0, NULL, 0},
    {"drift", bench_drift, 1, peers_drift, 0},
    {"export", bench_export, 1, peers_export, 0},
};

enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

static const char EIGHTH[] = "qwen2.5-0.5b-eighth", FULL[] = "qwen2.5-0.5b";
static const double EIGHTH_SECONDS = 100.0, FULL_SECONDS = 600.0;

typedef enum Format { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN } Format;

typedef struct Request {
    const char *pair, *peers;
    unsigned threads;
    double seconds; /* for all */
    MeasureClock clock;
    Format format;
    bool is_full, is_check, keep;
    bool parts[PART_COUNT];
} Request;

static int show_usage(FILE *to, int exit_status) {
    (void)fputs(
        "usage: bench [OPTION…] [PART…]\n"
        "  --full      the whole shape qwen2.5-0.5b, for 600 s, instead of an eighth of it at its widths\n"
        "  --pair P    another shape to generate, or a directory with base and sft\n"
        "  --threads N 0: all (default 1)\n"
        "  --seconds S to deal out to the measurements (default 100); each is repeated three times at least\n"
        "  --cpu-time  counts processor time instead of wall time, but for export: for a shared machine, one thread\n"
        "  --peers F   the parts forward, method, rollout, drift and export beside other people's programs, out of\n"
        "              the folder F that tests/bench/peers/install.sh made; the machine's limits are not measured\n"
        "  --check     exit status 1 where a figure is more than twice as bad as usual; 77 with plain kernels\n"
        "  --json, --markdown\n"
        "  --keep      leaves the generated files in the temporary directory\n"
        "Files go to TMPDIR, or /tmp: 2.7 GB where the part experts is among them. Parts:",
        to);
    for (size_t i = 0; i < PART_COUNT; i++) (void)fprintf(to, " %s", PARTS[i].name);
    (void)fputs("; all where none is named\n", to);
    return exit_status;
}

/* With --peers, which is read before, a part that has none is no part. */
static void choose_part(Request *request, const char *name) {
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (strcmp(PARTS[i].name, name) != 0 || (request->peers != NULL && PARTS[i].compare == NULL))
            continue;
        request->parts[i] = true;
        return;
    }
    (void)fprintf(stderr, "bench: no part \"%s\"%s\n", name, request->peers == NULL ? "" : " with peers");
    exit(show_usage(stderr, 2));
}

static Request read_request(int argc, char **argv) {
    static const struct option OPTIONS[] = {
        {"pair", required_argument, NULL, 'p'},    {"threads", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 's'}, {"cpu-time", no_argument, NULL, 'c'},
        {"peers", required_argument, NULL, 'P'},   {"json", no_argument, NULL, 'j'},
        {"markdown", no_argument, NULL, 'm'},      {"full", no_argument, NULL, 'f'},
        {"check", no_argument, NULL, 'x'},         {"keep", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    Request request = {.threads = 1};
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
        case 'P':
            request.peers = optarg;
            break;
        case 'j':
            request.format = FORMAT_JSON;
            break;
        case 'm':
            request.format = FORMAT_MARKDOWN;
            break;
        case 'f':
            request.is_full = true;
            break;
        case 'x':
            request.is_check = true;
            break;
        case 'k':
            request.keep = true;
            break;
        default:
            exit(show_usage(option == 'h' ? stdout : stderr, option == 'h' ? 0 : 2));
        }
    }
    if (request.pair == NULL) request.pair = request.is_full ? FULL : EIGHTH;
    if (request.seconds <= 0.0) request.seconds = request.is_full ? FULL_SECONDS : EIGHTH_SECONDS;
    for (int i = optind; i < argc; i++) choose_part(&request, argv[i]);
    for (size_t i = 0; i < PART_COUNT && optind == argc; i++)
        request.parts[i] = request.peers == NULL || PARTS[i].compare != NULL;
    return request;
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
    ReportFact facts[] = {{"machine", ""}, {"kernels", ""}, {"openblas", ""},  {"pair", ""},
                          {"clock", ""},   {"took", ""},    {"processor", ""}, {"load", ""}};
    enum { MACHINE, KERNELS, OPENBLAS, PAIR, CLOCK, TOOK, COSTS, LOAD };
    ByteSum both = {{bench->pair->base, bench->pair->sft}, 2, NULL};
    const Checkpoint *sft = bench->pair->sft;
    (void)snprintf(facts[PAIR].value, sizeof facts->value,
                   "%s: %.1f million parameters, %s, %.3f GB both sides", request->pair,
                   (double)sft->parameters * 1e-6, dtype_name(checkpoint_main_dtype(sft)),
                   limits_byte_count(&both) * 1e-9);
    machine_describe(facts[MACHINE].value, sizeof facts->value);
    (void)snprintf(facts[CLOCK].value, sizeof facts->value, "%s, %u thread%s; page cache warm",
                   bench->clock == MEASURE_WALL ? "wall" : "processor time (export: wall)", bench->threads,
                   bench->threads == 1 ? "" : "s");
    (void)snprintf(facts[KERNELS].value, sizeof facts->value, "%s", kernels_get()->name);
    const BlasLibrary *library = blas_library_get(); /* main() loaded it */
    (void)snprintf(facts[OPENBLAS].value, sizeof facts->value, "%s kernels; %s", library->core,
                   library->configuration());
    (void)snprintf(facts[TOOK].value, sizeof facts->value, "%.0f s, of %.0f s to deal out",
                   measure_now() - bench->began, request->seconds);
    (void)snprintf(facts[COSTS].value, sizeof facts->value, "%s s", bench->costs);
    machine_describe_load(facts[LOAD].value, sizeof facts->value);
    if (request->format == FORMAT_JSON)
        return report_print_json(&bench->report, facts, sizeof facts / sizeof *facts, error);
    if (request->format == FORMAT_MARKDOWN)
        report_print_markdown(&bench->report, facts, sizeof facts / sizeof *facts);
    else
        report_print(&bench->report, facts, sizeof facts / sizeof *facts);
    return STATUS_OK;
}

/* What is left, in equal shares for the measurements from this part on: a part that takes longer takes it from those
 * behind it, which repeat less. */
static double deal_out(const Bench *bench, const Request *request, size_t part) {
    size_t measurements = 0;
    double left = bench->began + request->seconds - measure_now();
    for (size_t i = part; i < PART_COUNT; i++) {
        if (request->parts[i])
            measurements += request->peers == NULL ? PARTS[i].measurements : PARTS[i].comparisons;
    }
    return measurements == 0 || left < 0.0 ? 0.0 : left / (double)measurements;
}

/* What a part has cost the processor since `began`; what peers do is not in it. */
static void add_cost(Bench *bench, const char *part, double began) {
    size_t length = strlen(bench->costs);
    (void)snprintf(bench->costs + length, sizeof bench->costs - length, "%s%s %.3g", length == 0 ? "" : ", ",
                   part, measure_read(MEASURE_PROCESSOR) - began);
}

static Status run_parts(Bench *bench, const Request *request, Error *error) {
    Status status = job_create(request->threads, NULL, NULL, &bench->job, error);
    if (status != STATUS_OK) return status;
    bench->threads = job_threads(bench->job);
    double began = measure_read(MEASURE_PROCESSOR);
    status = open_pair(bench, request->pair, error);
    add_cost(bench, "pair", began);
    for (size_t i = 0; i < PART_COUNT && status == STATUS_OK; i++) {
        if (!request->parts[i]) continue;
        bench->seconds = deal_out(bench, request, i);
        began = measure_read(MEASURE_PROCESSOR);
        status = request->peers == NULL ? PARTS[i].run(bench, error) : PARTS[i].compare(bench, error);
        add_cost(bench, PARTS[i].name, began);
        if (status != STATUS_OK) status = status_add_context(error, "%s", PARTS[i].name);
        if (isatty(STDERR_FILENO))
            (void)fprintf(stderr, "bench: %s, %.0f s\n", PARTS[i].name, measure_now() - bench->began);
    }
    return status == STATUS_OK ? print_report(bench, request, error) : status;
}

enum { SKIPPED = 77 };

int main(int argc, char **argv) {
    Request request = read_request(argc, argv);
    Error error;
    if (request.is_check && strcmp(kernels_get()->name, "portable") == 0) {
        (void)fputs("bench: what is usual is known of kernels with vectors only\n", stderr);
        return SKIPPED;
    }
    Bench bench = {
        .peers = request.peers, .clock = request.clock, .began = measure_now(), .is_full = request.is_full};
    Status status = temporary_enter(request.keep, &bench.temporary, &error);
    if (status == STATUS_OK) status = blas_library_load(&error);
    if (status == STATUS_OK) status = run_parts(&bench, &request, &error);
    if (status != STATUS_OK) (void)fprintf(stderr, "bench: %s\n", error.message);
    size_t off = status == STATUS_OK && request.is_check ? report_count_off(&bench.report) : 0;
    model_close(bench.model);
    pair_close(bench.pair);
    job_free(bench.job);
    report_free(&bench.report);
    if (status != STATUS_OK) return 2;
    return off == 0 ? 0 : 1;
}
