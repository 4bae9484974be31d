#include "core/transformer/matmul.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    PANEL_ROWS = 128,
    PANEL_COLUMNS = 1024, /* 128 × 1024 floats are 512 KiB: half of a usual L2 cache */
    VECTOR_ROWS = 128     /* rows a task for one token */
};

struct MatmulScratch {
    float *panels;
    unsigned threads;
};

typedef struct Multiply {
    const MatmulOperand *operands;
    size_t count, tokens;
    MatmulScratch *scratch;
    const Job *job;
    bool accumulate; /* on the way back */
} Multiply;

Status matmul_create_scratch(unsigned threads, MatmulScratch **scratch, Error *error) {
    *scratch = memory_allocate(1, sizeof **scratch);
    if (*scratch == NULL) return memory_fail(error, "matmul scratch");
    (*scratch)->threads = threads;
    (*scratch)->panels = memory_allocate_aligned(threads, PANEL_ROWS * PANEL_COLUMNS * sizeof(float));
    if ((*scratch)->panels != NULL) return STATUS_OK;
    matmul_free_scratch(*scratch);
    *scratch = NULL;
    return memory_fail(error, "matmul scratch");
}

void matmul_free_scratch(MatmulScratch *scratch) {
    if (scratch == NULL) return;
    free(scratch->panels);
    free(scratch);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void add_bias(const MatmulOperand *operand, size_t tokens, size_t stride, size_t first, size_t rows) {
    if (operand->bias == NULL) return;
    for (size_t t = 0; t < tokens; t++) {
        float *y = operand->y + t * stride + first;
        for (size_t r = 0; r < rows; r++) y[r] += operand->bias[first + r];
    }
}

static void multiply_rows(const Multiply *multiply, const MatmulOperand *operand, size_t first,
                          float *panel) {
    const Tensor *shape = operand->blend.sft;
    size_t rows = smaller(PANEL_ROWS, shape->rows - first);
    for (size_t column = 0; column < shape->columns; column += PANEL_COLUMNS) {
        size_t columns = smaller(PANEL_COLUMNS, shape->columns - column);
        if (job_is_cancelled(multiply->job)) return;
        blend_window(&operand->blend, first, rows, column, columns, panel, columns);
        blas_multiply_transposed(multiply->tokens, rows, columns, operand->x + column, shape->columns, panel,
                                 columns, column > 0 ? 1.0F : 0.0F, operand->y + first, shape->rows);
    }
    add_bias(operand, multiply->tokens, shape->rows, first, rows);
}

static void multiply_panel(void *argument, size_t task, unsigned worker) {
    const Multiply *multiply = argument;
    float *panel = multiply->scratch->panels + (size_t)worker * PANEL_ROWS * PANEL_COLUMNS;
    for (size_t i = 0; i < multiply->count; i++)
        multiply_rows(multiply, &multiply->operands[i], task * PANEL_ROWS, panel);
}

static void multiply_vector(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Multiply *multiply = argument;
    for (size_t i = 0; i < multiply->count; i++) {
        const MatmulOperand *operand = &multiply->operands[i];
        size_t first = task * VECTOR_ROWS, rows = smaller(VECTOR_ROWS, operand->blend.sft->rows - first);
        blend_multiply_vector(&operand->blend, first, rows, operand->x, operand->y + first);
        add_bias(operand, 1, 0, first, rows);
    }
}

Status matmul_run(const MatmulOperand *operands, size_t count, size_t tokens, MatmulScratch *scratch,
                  Job *job, Error *error) {
    if (count == 0 || tokens == 0) return STATUS_OK;
    if (job_threads(job) > scratch->threads)
        return status_fail(error, STATUS_ARGUMENT, "matmul scratch for %u threads, a job of %u",
                           scratch->threads, job_threads(job));
    Multiply multiply = {operands, count, tokens, scratch, job, false};
    size_t rows = operands[0].blend.sft->rows;
    if (tokens == 1)
        return job_run(job, (rows + VECTOR_ROWS - 1) / VECTOR_ROWS, multiply_vector, &multiply, error);
    return job_run(job, (rows + PANEL_ROWS - 1) / PANEL_ROWS, multiply_panel, &multiply, error);
}

/* The panel stands upright: 1024 rows × 128 columns. */
static void multiply_columns_back(const Multiply *multiply, const MatmulOperand *operand, size_t first,
                                  float *panel) {
    const Tensor *shape = operand->blend.sft;
    size_t columns = smaller(PANEL_ROWS, shape->columns - first);
    for (size_t row = 0; row < shape->rows; row += PANEL_COLUMNS) {
        size_t rows = smaller(PANEL_COLUMNS, shape->rows - row);
        if (job_is_cancelled(multiply->job)) return;
        blend_window(&operand->blend, row, rows, first, columns, panel, columns);
        blas_multiply(multiply->tokens, columns, rows, operand->x + row, shape->rows, panel, columns,
                      row > 0 || multiply->accumulate ? 1.0F : 0.0F, operand->y + first, shape->columns);
    }
}

static void multiply_block_back(void *argument, size_t task, unsigned worker) {
    const Multiply *multiply = argument;
    float *panel = multiply->scratch->panels + (size_t)worker * PANEL_ROWS * PANEL_COLUMNS;
    for (size_t i = 0; i < multiply->count; i++)
        multiply_columns_back(multiply, &multiply->operands[i], task * PANEL_ROWS, panel);
}

Status matmul_run_back(const MatmulOperand *operands, size_t count, size_t tokens, bool accumulate,
                       MatmulScratch *scratch, Job *job, Error *error) {
    if (count == 0 || tokens == 0) return STATUS_OK;
    if (job_threads(job) > scratch->threads)
        return status_fail(error, STATUS_ARGUMENT, "matmul scratch for %u threads, a job of %u",
                           scratch->threads, job_threads(job));
    Multiply multiply = {operands, count, tokens, scratch, job, accumulate};
    size_t columns = operands[0].blend.sft->columns;
    return job_run(job, (columns + PANEL_ROWS - 1) / PANEL_ROWS, multiply_block_back, &multiply, error);
}
