/*
 * make_pair — writes a pair of checkpoints of a named shape with random weights, for measuring.
 *
 *     make_pair qwen2.5-0.5b DIR        DIR/base, DIR/sft
 *     make_pair --many-tensors 10000 DIR
 */
#include "tests/bench/generate.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int show_usage(FILE *to, int exit_status) {
    (void)fputs(
        "usage: make_pair SHAPE OUT [options]\n"
        "       make_pair --many-tensors N OUT [options]\n"
        "Writes OUT/base and OUT/sft with random weights of a named shape.\n"
        "  --seed N          of the weights (default 1)\n"
        "  --dtype NAME      F32, F16 or BF16 (default BF16)\n"
        "  --shards N        files of weights a side (default 1)\n"
        "  --drift X         size of SFT's difference relative to the weights (default 0.01)\n"
        "  --layers N        instead of the shape's\n"
        "  --tokenizer FILE  copied in as tokenizer.json\n"
        "  --threads N       (default: all)\n"
        "Shapes:",
        to);
    for (size_t i = 0; i < SHAPE_COUNT; i++) (void)fprintf(to, " %s", SHAPES[i].name);
    (void)fputs("\n", to);
    return exit_status;
}

static uint64_t read_count(const char *text) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
        (void)fprintf(stderr, "make_pair: expected a number, found \"%s\"\n", text);
        exit(2);
    }
    return value;
}

static double seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

typedef struct Request {
    uint64_t many_tensors, threads;
    GenerateOptions options; /* as given; 0 where not */
} Request;

enum { SEED = 256, DTYPE, SHARDS, DRIFT, LAYERS, TOKENIZER, THREADS, MANY_TENSORS, HELP };

static Request read_options(int argc, char **argv) {
    static const struct option OPTIONS[] = {
        {"seed", required_argument, NULL, SEED},
        {"dtype", required_argument, NULL, DTYPE},
        {"shards", required_argument, NULL, SHARDS},
        {"drift", required_argument, NULL, DRIFT},
        {"layers", required_argument, NULL, LAYERS},
        {"tokenizer", required_argument, NULL, TOKENIZER},
        {"threads", required_argument, NULL, THREADS},
        {"many-tensors", required_argument, NULL, MANY_TENSORS},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    Request request = {.options = generate_defaults(NULL)};
    request.options.shards = 0;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (option == SEED)
            request.options.seed = read_count(optarg);
        else if (option == DTYPE)
            request.options.dtype = dtype_find(optarg);
        else if (option == SHARDS)
            request.options.shards = read_count(optarg);
        else if (option == DRIFT)
            request.options.drift = strtod(optarg, NULL);
        else if (option == LAYERS)
            request.options.layers = read_count(optarg);
        else if (option == TOKENIZER)
            request.options.tokenizer = optarg;
        else if (option == THREADS)
            request.threads = read_count(optarg);
        else if (option == MANY_TENSORS)
            request.many_tensors = read_count(optarg);
        else
            exit(show_usage(option == HELP ? stdout : stderr, option == HELP ? 0 : 2));
    }
    return request;
}

int main(int argc, char **argv) {
    Request request = read_options(argc, argv);
    GenerateOptions options = request.options;
    int words = argc - optind;
    if (words != (request.many_tensors > 0 ? 1 : 2)) return show_usage(stderr, 2);
    if (request.many_tensors > 0) {
        GenerateOptions many = generate_many_tensors(request.many_tensors);
        options.shape = many.shape;
        options.tensors = many.tensors;
        if (options.layers == 0) options.layers = many.layers;
        if (options.shards == 0) options.shards = many.shards;
    } else {
        options.shape = shape_find(argv[optind]);
        if (options.shape == NULL) {
            (void)fprintf(stderr, "make_pair: no shape \"%s\"\n", argv[optind]);
            return show_usage(stderr, 2);
        }
    }
    Error error;
    Job *job = NULL;
    uint64_t bytes = 0;
    double began = seconds();
    Status status = job_create((unsigned)request.threads, NULL, NULL, &job, &error);
    if (status == STATUS_OK) status = generate_pair(&options, argv[argc - 1], &bytes, job, &error);
    job_free(job);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "make_pair: %s\n", error.message);
        return 2;
    }
    double took = seconds() - began;
    (void)printf("%s: %.3f GB in %.2f s (%.0f MB/s)\n", argv[argc - 1], (double)bytes * 1e-9, took,
                 (double)bytes * 1e-6 / took);
    return 0;
}
