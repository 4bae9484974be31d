/*
 * generate — a pair of checkpoints with random weights, for measuring: OUT/base and OUT/sft.
 *
 *     B = mean + deviation · n₁        n: about normal, from a counter and the seed alone
 *     S = B + drift · deviation · n₂   both rounded to the dtype; norms and biases of every other layer equal
 *
 * The same options give the same bytes, whatever the number of threads. Memory does not grow with the model:
 * weights are made and written block by block.
 */
#ifndef REJUV_TESTS_BENCH_GENERATE_H
#define REJUV_TESTS_BENCH_GENERATE_H

#include "core/numerics/dtype.h"
#include "core/support/job.h"
#include "core/support/status.h"
#include "tests/bench/shapes.h"

typedef struct GenerateOptions {
    const Shape *shape;
    uint64_t layers; /* 0: the shape's */
    uint64_t
        tensors;   /* at least so many, the missing ones as small extras that no model uses; 0: no extras */
    size_t shards; /* 0 or 1: a single file */
    DType dtype;   /* F32, F16 or BF16 */
    double drift;  /* ‖S − B‖ / ‖B‖ of a changed matrix, about */
    uint64_t seed;
    const char *tokenizer; /* a file to copy in as tokenizer.json; NULL: none */
} GenerateOptions;

/* BF16, drift 1 %, seed 1. */
GenerateOptions generate_defaults(const Shape *shape);

/* The options for a pair of `tensors` tiny tensors over 32 files: a Llama of very many, very small layers. */
GenerateOptions generate_many_tensors(uint64_t tensors);

/* Creates OUT, OUT/base and OUT/sft as needed and writes both checkpoints; *bytes (may be NULL) is the size
 * of the weights of both. Progress: "generate", in bytes. */
Status generate_pair(const GenerateOptions *options, const char *out, uint64_t *bytes, Job *job,
                     Error *error) STATUS_MUST_CHECK;

#endif
