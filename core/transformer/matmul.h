/*
 * matmul — Y = X·Wᵀ + bias with W blended on the way: weights never exist as a whole.
 *
 *                 columns (hidden size)
 *               ┌────────┬────────┬───┐   a panel is blended and widened into a buffer that fits the L2
 *     128 rows  │ panel  │ panel  │ … │   cache, multiplied by all of X, and forgotten; a task of the
 *               ├────────┼────────┼───┤   job's team is one row of panels, for every operand
 *     128 rows  │        │        │   │
 *               └────────┴────────┴───┘
 *
 * The tokens of X lie side by side for it, a lane of a vector each (Kernels.multiply_pack), so that panels are used as
 * they were blended, and a token's figures do not depend on which others are there.
 *
 * Several operands (the same tensor under different settings, each with its own X) are served from one pass
 * over the files: a preview of base, SFT and W, or a sweep over many α. One token uses a fused dot product
 * instead. How rows are split does not depend on the number of threads, and neither do the results.
 */
#ifndef REJUV_CORE_MATMUL_H
#define REJUV_CORE_MATMUL_H

#include "core/fusion/blend.h"
#include "core/support/job.h"

#include <stdbool.h>

typedef struct MatmulOperand {
    Blend blend;            /* W [rows × columns] */
    const float *bias;      /* [rows], on the way back [columns]; or NULL */
    const float *x;         /* [tokens × columns] */
    const uint32_t *picked; /* [tokens]: which rows of x they are; NULL: the first ones */
    float *y;               /* [tokens × rows] */
} MatmulOperand;

/* One panel for each thread of a job: 576 KiB a thread. */
typedef struct MatmulScratch MatmulScratch;

/* Whoever multiplies needs one: OpenBLAS's buffers are there then (blas_buffers.h), and where there is no room for any,
 * it is refused here. */
Status matmul_create_scratch(unsigned threads, MatmulScratch **scratch, Error *error) STATUS_MUST_CHECK;
void matmul_free_scratch(MatmulScratch *scratch); /* takes NULL */

/* All operands' blends are of tensors of one shape. `scratch` was made for at least job_threads(job) threads.
 * Cancelled between panels: a few milliseconds. */
Status matmul_run(const MatmulOperand *operands, size_t count, size_t tokens, MatmulScratch *scratch,
                  Job *job, Error *error) STATUS_MUST_CHECK;

/* The way back, dX = dY·W, and the product with a matrix that is stored [inputs × outputs]. Here `x` is [tokens × rows] and
 * `y` is [tokens × columns]. With `accumulate` the product is added to what is in y. Panels go down the rows, a task is a block of
 * columns. */
Status matmul_run_back(const MatmulOperand *operands, size_t count, size_t tokens, bool accumulate,
                       MatmulScratch *scratch, Job *job, Error *error) STATUS_MUST_CHECK;

/* A product of several that are made in one go: each of a matrix of its own, for tokens of its own. */
typedef struct MatmulProduct {
    MatmulOperand operand;
    size_t tokens; /* from 1 */
    bool is_back;  /* x·W, W stored as [inputs × outputs] */
} MatmulProduct;

/* All of them, shared among the threads. `is_single`: the whole input is one token, for which dot products are made as
 * matmul_run() makes them; else each matrix is met by few tokens, and is blended on the way to them
 * (blend_multiply_tokens()): a token's figures do not depend on how many share its matrix, nor on the threads, but
 * matmul_run() adds in another order. Products on the way back are those of matmul_run_back(). */
Status matmul_run_each(const MatmulProduct *products, size_t count, bool is_single, MatmulScratch *scratch,
                       Job *job, Error *error) STATUS_MUST_CHECK;

#endif
