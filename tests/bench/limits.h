/*
 * limits — what this machine can do at best: the plain loops that the program's own work is held against, in
 * the same run.
 */
#ifndef REJUV_TESTS_BENCH_LIMITS_H
#define REJUV_TESTS_BENCH_LIMITS_H

#include "core/checkpoint/model.h"
#include "core/support/job.h"

#include <stdbool.h>

/* ---- adding up mapped bytes ---- */

typedef struct ByteSum {
    const Checkpoint *checkpoints[2];
    size_t count;
    Job *job;
} ByteSum;

/* Measure: adds up every byte of the checkpoints' mapped files, as 64-bit words, in blocks spread over the
 * job's threads. */
Status limits_sum_bytes(void *byte_sum, Error *error);

/* The bytes that it reads. */
double limits_byte_count(const ByteSum *sum);

/* ---- plain sgemm ---- */

/* One pass over the model's matrices, or some of them. */
typedef enum PlainMatrices {
    PLAIN_LAYERS,          /* q, k, v, o, gate, up, down of every layer */
    PLAIN_LAYERS_AND_HEAD, /* and the head, once */
    PLAIN_OUTPUTS,         /* o and down of every layer */
    PLAIN_HEAD
} PlainMatrices;

typedef struct PlainPass {
    PlainMatrices matrices;
    size_t tokens;
    bool is_back; /* [tokens × rows] · [rows × columns] instead of [tokens × columns] · [rows × columns]ᵀ */
} PlainPass;

typedef struct PlainMultiplies PlainMultiplies;

/* One multiply for each matrix of each pass, over weights that are float32 already. They lie one after
 * another in a pool of 1 GiB, or less where all of them take less, and wrap around at its end: like the real
 * ones they are never in a cache. */
Status limits_create_multiplies(const Model *model, const PlainPass *passes, size_t count, unsigned threads,
                                PlainMultiplies **multiplies, Error *error) STATUS_MUST_CHECK;
void limits_free_multiplies(PlainMultiplies *multiplies); /* takes NULL */

/* Measure: all multiplies, with OpenBLAS's own threads. */
Status limits_run_multiplies(void *multiplies, Error *error);

/* 2 · tokens · rows · columns, summed over the multiplies. */
double limits_multiply_flops(const PlainMultiplies *multiplies);

#endif
