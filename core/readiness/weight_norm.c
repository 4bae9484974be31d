#include "core/readiness/weight_norm.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 128, BLOCK_COLUMNS = 512 };

typedef struct WeightNorm {
    const Blend *blend;
    size_t across;   /* blocks in a row of them */
    float *panels;   /* [threads][BLOCK_ROWS × BLOCK_COLUMNS] */
    double *partial; /* a block's sum */
} WeightNorm;

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void add_block(void *argument, size_t task, unsigned worker) {
    const WeightNorm *norm = argument;
    const Tensor *shape = norm->blend->sft;
    size_t row = task / norm->across * BLOCK_ROWS, column = task % norm->across * BLOCK_COLUMNS;
    size_t rows = smaller(BLOCK_ROWS, shape->rows - row),
           columns = smaller(BLOCK_COLUMNS, shape->columns - column);
    float *panel = norm->panels + (size_t)worker * BLOCK_ROWS * BLOCK_COLUMNS;
    double sum = 0.0;
    blend_window(norm->blend, row, rows, column, columns, panel, columns);
    for (size_t i = 0; i < rows * columns; i++) sum += (double)panel[i] * (double)panel[i];
    norm->partial[task] = sum;
}

Status weight_norm_measure(const Blend *blend, double *norm, Job *job, Error *error) {
    size_t across = (blend->sft->columns + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
    size_t tasks = (blend->sft->rows + BLOCK_ROWS - 1) / BLOCK_ROWS * across;
    WeightNorm own = {.blend = blend, .across = across};
    own.panels = memory_allocate_aligned(job_threads(job), BLOCK_ROWS * BLOCK_COLUMNS * sizeof(float));
    own.partial = memory_allocate(tasks, sizeof(double));
    Status status = own.panels == NULL || own.partial == NULL ? memory_fail(error, "norms") : STATUS_OK;
    if (status == STATUS_OK) status = job_run(job, tasks, add_block, &own, error);
    double sum = 0.0;
    for (size_t i = 0; i < tasks && status == STATUS_OK; i++) sum += own.partial[i];
    *norm = sqrt(sum);
    free(own.partial);
    free(own.panels);
    return status;
}
