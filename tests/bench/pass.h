/*
 * pass — a forward pass that can be repeated: so many tokens behind so many that stay in the cache, of one to three states
 * side by side, and all their logits.
 */
#ifndef REJUV_TESTS_BENCH_PASS_H
#define REJUV_TESTS_BENCH_PASS_H

#include "core/transformer/forward.h"
#include "tests/bench/bench.h"

enum { PASS_STATES = 3 };

typedef struct Pass {
    const Model *model;
    Settings settings[PASS_STATES];
    ForwardState *states[PASS_STATES];
    float *logits[PASS_STATES]; /* NULL: hidden states only */
    size_t count;
    MatmulScratch *scratch;
    int32_t *ids;
    size_t context, tokens; /* already in the cache; to run */
    Job *job;
} Pass;

/* Of `count` states at `alphas`; of a pass that could not be opened whatever there is wants closing too. */
Status pass_open(const Bench *bench, const double *alphas, size_t count, size_t context, size_t tokens,
                 bool has_logits, Pass *pass, Error *error) STATUS_MUST_CHECK;
void pass_close(Pass *pass);

/* Measure: `tokens` after `context`, and their logits. */
Status pass_repeat(void *pass, Error *error) STATUS_MUST_CHECK;

#endif
