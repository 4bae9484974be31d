/*
 * bench — what the parts of the benchmark share.
 */
#ifndef REJUV_TESTS_BENCH_BENCH_H
#define REJUV_TESTS_BENCH_BENCH_H

#include "core/checkpoint/model.h"
#include "core/support/job.h"
#include "tests/bench/measure.h"
#include "tests/bench/report.h"

typedef struct Bench {
    const char *temporary; /* a directory for files, removed at the end */
    unsigned threads;
    MeasureClock clock;
    double began;      /* measure_now() */
    double seconds;    /* for the measurement that is next, about */
    const char *peers; /* a folder that peers/install.sh made; NULL: others are not measured */
    bool is_full;      /* whole shapes, and as many repetitions as a worst case wants */
    Pair *pair;
    Model *model;
    Job *job;
    Report report;
    char costs[224]; /* "pair 2, forward 4": seconds of processor of each part, with all its threads */
} Bench;

/* Each adds its rows. */
Status bench_open(Bench *bench, Error *error) STATUS_MUST_CHECK;    /* a pair of 10,000 tensors */
Status bench_memory(Bench *bench, Error *error) STATUS_MUST_CHECK;  /* base, SFT and W, 64 tokens */
Status bench_forward(Bench *bench, Error *error) STATUS_MUST_CHECK; /* tokens/s at T = 1 and 64 */
Status bench_cancel(Bench *bench, Error *error) STATUS_MUST_CHECK;  /* ms from cancel to return */

/* backward beside forward, attribution of 32 targets, dormancy beside forward */
Status bench_method(Bench *bench, Error *error) STATUS_MUST_CHECK;

Status bench_gradient(Bench *bench, Error *error) STATUS_MUST_CHECK; /* at hand-over, beside forward */

/* a point moved along two directions beside one at an α */
Status bench_landscape(Bench *bench, Error *error) STATUS_MUST_CHECK;

Status bench_rollout(Bench *bench, Error *error) STATUS_MUST_CHECK; /* answers side by side */
Status bench_adapter(Bench *bench, Error *error) STATUS_MUST_CHECK; /* an adapter beside a full SFT */
Status bench_chat(Bench *bench, Error *error) STATUS_MUST_CHECK;    /* rows of conversations */
Status bench_drift(Bench *bench, Error *error) STATUS_MUST_CHECK;   /* GB/s */
Status bench_export(Bench *bench, Error *error) STATUS_MUST_CHECK;  /* GB/s */

/* milliseconds on the thread that draws; a pair of its own */
Status bench_keys(Bench *bench, Error *error) STATUS_MUST_CHECK;

/* a mixture of experts beside a dense model of its active size; pairs of its own */
Status bench_experts(Bench *bench, Error *error) STATUS_MUST_CHECK;

/* The same work of others beside this program's; what is not installed is left out (peer.h). */
Status peers_forward(Bench *bench, Error *error) STATUS_MUST_CHECK; /* transformers, llama.cpp */
Status peers_method(Bench *bench, Error *error) STATUS_MUST_CHECK;  /* torch's autograd */
Status peers_rollout(Bench *bench, Error *error) STATUS_MUST_CHECK; /* transformers */
Status peers_drift(Bench *bench, Error *error) STATUS_MUST_CHECK;   /* modeldelta, mergelens */
Status peers_export(Bench *bench, Error *error) STATUS_MUST_CHECK;  /* mergekit */

#endif
