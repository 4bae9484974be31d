#include "tests/bench/limits.h"

#include "core/blas.h"
#include "core/memory.h"

#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- adding up mapped bytes ---- */

enum { SUM_BLOCK = 4 << 20 };

typedef struct SumFile {
    const SafetensorsFile *file;
    atomic_uint_fast64_t sum;
} SumFile;

static void sum_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    SumFile *sum_file = argument;
    size_t first = task * SUM_BLOCK, left = sum_file->file->size - first;
    size_t words = (left < SUM_BLOCK ? left : SUM_BLOCK) / sizeof(uint64_t);
    const unsigned char *from = sum_file->file->map + first;
    uint64_t sum = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, from + i * sizeof word, sizeof word);
        sum += word;
    }
    atomic_fetch_add(&sum_file->sum, sum);
}

Status limits_sum_bytes(void *byte_sum, Error *error) {
    const ByteSum *sum = byte_sum;
    Status status = STATUS_OK;
    for (size_t c = 0; c < sum->count; c++) {
        for (size_t i = 0; i < sum->checkpoints[c]->file_count && status == STATUS_OK; i++) {
            SumFile file = {.file = sum->checkpoints[c]->files[i]};
            status =
                job_run(sum->job, (file.file->size + SUM_BLOCK - 1) / SUM_BLOCK, sum_block, &file, error);
        }
    }
    return status;
}

double limits_byte_count(const ByteSum *sum) {
    double bytes = 0.0;
    for (size_t c = 0; c < sum->count; c++) {
        for (size_t i = 0; i < sum->checkpoints[c]->file_count; i++)
            bytes += (double)sum->checkpoints[c]->files[i]->size;
    }
    return bytes;
}

/* ---- plain sgemm ---- */

static const size_t POOL_FLOATS = (size_t)1 << 28;

struct PlainMultiplies {
    struct {
        size_t rows, columns;
    } * shapes;
    size_t count, capacity;
    size_t tokens;
    unsigned threads;
    float *pool, *x, *y;
    size_t pool_floats;
    double flops;
};

static const TensorRole MATRICES[] = {TENSOR_Q,    TENSOR_K,  TENSOR_V,   TENSOR_O,
                                      TENSOR_GATE, TENSOR_UP, TENSOR_DOWN};

static Status add_shape(PlainMultiplies *multiplies, const Tensor *tensor, Error *error) {
    Status status = memory_reserve((void **)&multiplies->shapes, &multiplies->capacity, multiplies->count + 1,
                                   sizeof *multiplies->shapes, error);
    if (status != STATUS_OK) return status;
    multiplies->shapes[multiplies->count].rows = tensor->rows;
    multiplies->shapes[multiplies->count].columns = tensor->columns;
    multiplies->count++;
    multiplies->flops += 2.0 * (double)multiplies->tokens * (double)tensor->rows * (double)tensor->columns;
    return STATUS_OK;
}

static Status list_shapes(PlainMultiplies *multiplies, const Model *model, Error *error) {
    Status status = STATUS_OK;
    for (uint64_t layer = 0; layer < model->config->layers; layer++) {
        for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES && status == STATUS_OK; i++)
            status = add_shape(multiplies, model->layers[layer].tensors[MATRICES[i]]->sft, error);
    }
    return status == STATUS_OK ? add_shape(multiplies, model->tensors[TENSOR_HEAD]->sft, error) : status;
}

static void fill(float *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = (float)(i % 251) * 1e-3F - 0.125F;
}

static Status reserve(PlainMultiplies *multiplies, Error *error) {
    size_t all = 0, largest = 0, widest = 0, tallest = 0;
    for (size_t i = 0; i < multiplies->count; i++) {
        size_t rows = multiplies->shapes[i].rows, columns = multiplies->shapes[i].columns;
        all += rows * columns;
        if (rows * columns > largest) largest = rows * columns;
        if (columns > widest) widest = columns;
        if (rows > tallest) tallest = rows;
    }
    multiplies->pool_floats = largest > POOL_FLOATS ? largest : all < POOL_FLOATS ? all : POOL_FLOATS;
    multiplies->pool = memory_allocate_aligned(multiplies->pool_floats, sizeof(float));
    multiplies->x = memory_allocate_aligned(multiplies->tokens, widest * sizeof(float));
    multiplies->y = memory_allocate_aligned(multiplies->tokens, tallest * sizeof(float));
    if (multiplies->pool == NULL || multiplies->x == NULL || multiplies->y == NULL)
        return memory_fail(error, "plain multiplies");
    fill(multiplies->pool, multiplies->pool_floats);
    fill(multiplies->x, multiplies->tokens * widest);
    return STATUS_OK;
}

Status limits_create_multiplies(const Model *model, size_t tokens, unsigned threads,
                                PlainMultiplies **multiplies, Error *error) {
    PlainMultiplies *made = memory_allocate(1, sizeof *made);
    *multiplies = made;
    if (made == NULL) return memory_fail(error, "plain multiplies");
    made->tokens = tokens;
    made->threads = threads;
    Status status = list_shapes(made, model, error);
    return status == STATUS_OK ? reserve(made, error) : status;
}

void limits_free_multiplies(PlainMultiplies *multiplies) {
    if (multiplies == NULL) return;
    free(multiplies->shapes);
    free(multiplies->pool);
    free(multiplies->x);
    free(multiplies->y);
    free(multiplies);
}

Status limits_run_multiplies(void *argument, Error *error) {
    (void)error;
    const PlainMultiplies *multiplies = argument;
    openblas_set_num_threads((int)multiplies->threads);
    size_t at = 0;
    for (size_t i = 0; i < multiplies->count; i++) {
        size_t rows = multiplies->shapes[i].rows, columns = multiplies->shapes[i].columns;
        if (rows * columns > multiplies->pool_floats - at) at = 0;
        blas_multiply_transposed(multiplies->tokens, rows, columns, multiplies->x, columns,
                                 multiplies->pool + at, columns, 0.0F, multiplies->y, rows);
        at += rows * columns;
    }
    blas_prepare();
    return STATUS_OK;
}

double limits_multiply_flops(const PlainMultiplies *multiplies) {
    return multiplies->flops;
}
