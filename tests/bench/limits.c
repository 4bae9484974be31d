#include "tests/bench/limits.h"

#include "core/numerics/blas.h"
#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- adding up mapped bytes ---- */

enum { SUM_BLOCK = 4 << 20 };

typedef struct SumFile {
    const SafetensorsFile *file;
    atomic_uint_fast64_t sum;
} SumFile;

/* A line at a time, asked for ahead: as fast as this machine reads. */
static void sum_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    enum { WORDS = 8, LINE = WORDS * sizeof(uint64_t), AHEAD = 4096 };
    SumFile *sum_file = argument;
    size_t first = task * SUM_BLOCK, left = sum_file->file->size - first;
    const unsigned char *from = sum_file->file->map + first;
    uint64_t sums[WORDS] = {0}, sum = 0;
    for (size_t lines = (left < SUM_BLOCK ? left : SUM_BLOCK) / LINE; lines > 0; lines--, from += LINE) {
        __builtin_prefetch((const void *)((uintptr_t)from + AHEAD));
        for (size_t w = 0; w < WORDS; w++) {
            uint64_t word;
            memcpy(&word, from + w * sizeof word, sizeof word);
            sums[w] += word;
        }
    }
    for (size_t w = 0; w < WORDS; w++) sum += sums[w];
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

typedef struct PlainMultiply {
    size_t tokens, rows, columns;
    bool is_back;
} PlainMultiply;

struct PlainMultiplies {
    PlainMultiply *list;
    size_t count, capacity;
    unsigned threads;
    float *pool, *x, *y;
    size_t pool_floats;
    double flops;
};

static Status add_multiply(PlainMultiplies *multiplies, const Tensor *tensor, const PlainPass *pass,
                           Error *error) {
    Status status = MEMORY_RESERVE(multiplies->list, &multiplies->capacity, multiplies->count + 1, error);
    if (status != STATUS_OK) return status;
    multiplies->list[multiplies->count++] =
        (PlainMultiply){pass->tokens, tensor->rows, tensor->columns, pass->is_back};
    multiplies->flops += 2.0 * (double)pass->tokens * (double)tensor->rows * (double)tensor->columns;
    return STATUS_OK;
}

static Status list_pass(PlainMultiplies *multiplies, const Model *model, const PlainPass *pass,
                        Error *error) {
    static const struct {
        TensorRole role;
        bool is_output;
    } MATRICES[] = {{TENSOR_Q, false},    {TENSOR_K, false},  {TENSOR_V, false},  {TENSOR_O, true},
                    {TENSOR_GATE, false}, {TENSOR_UP, false}, {TENSOR_DOWN, true}};
    Status status = STATUS_OK;
    for (uint64_t layer = 0; layer < model->config->layers && pass->matrices != PLAIN_HEAD; layer++) {
        for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES && status == STATUS_OK; i++) {
            if (pass->matrices == PLAIN_OUTPUTS && !MATRICES[i].is_output) continue;
            status =
                add_multiply(multiplies, model->layers[layer].tensors[MATRICES[i].role]->sft, pass, error);
        }
    }
    bool has_head = pass->matrices == PLAIN_HEAD || pass->matrices == PLAIN_LAYERS_AND_HEAD;
    if (status == STATUS_OK && has_head)
        status = add_multiply(multiplies, model->whole.tensors[TENSOR_HEAD]->sft, pass, error);
    return status;
}

static void fill(float *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = (float)(i % 251) * 1e-3F - 0.125F;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static Status reserve(PlainMultiplies *multiplies, Error *error) {
    size_t all = 0, largest = 0, inputs = 0, outputs = 0;
    for (size_t i = 0; i < multiplies->count; i++) {
        const PlainMultiply *one = &multiplies->list[i];
        all += one->rows * one->columns;
        largest = larger(largest, one->rows * one->columns);
        inputs = larger(inputs, one->tokens * (one->is_back ? one->rows : one->columns));
        outputs = larger(outputs, one->tokens * (one->is_back ? one->columns : one->rows));
    }
    multiplies->pool_floats = larger(largest, all < POOL_FLOATS ? all : POOL_FLOATS);
    multiplies->pool = memory_allocate_aligned(multiplies->pool_floats, sizeof(float));
    multiplies->x = memory_allocate_aligned(inputs, sizeof(float));
    multiplies->y = memory_allocate_aligned(outputs, sizeof(float));
    if (multiplies->pool == NULL || multiplies->x == NULL || multiplies->y == NULL)
        return memory_fail(error, "plain multiplies");
    fill(multiplies->pool, multiplies->pool_floats);
    fill(multiplies->x, inputs);
    return STATUS_OK;
}

Status limits_create_multiplies(const Model *model, const PlainPass *passes, size_t count, unsigned threads,
                                PlainMultiplies **multiplies, Error *error) {
    PlainMultiplies *made = memory_allocate(1, sizeof *made);
    *multiplies = made;
    if (made == NULL) return memory_fail(error, "plain multiplies");
    made->threads = threads;
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = list_pass(made, model, &passes[i], error);
    return status == STATUS_OK ? reserve(made, error) : status;
}

void limits_free_multiplies(PlainMultiplies *multiplies) {
    if (multiplies == NULL) return;
    free(multiplies->list);
    free(multiplies->pool);
    free(multiplies->x);
    free(multiplies->y);
    free(multiplies);
}

/* The threads of OpenBLAS's own, which the program leaves at one. */
static Status set_threads(unsigned threads, Error *error) {
    __typeof__(openblas_set_num_threads) *set;
    Status status = blas_buffers_prepare(1, error);
    if (status != STATUS_OK) return status;
    void *symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    if (symbol == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "this OpenBLAS cannot be told how many threads");
    memcpy(&set, &symbol, sizeof set);
    set((int)threads);
    return STATUS_OK;
}

Status limits_run_multiplies(void *argument, Error *error) {
    const PlainMultiplies *multiplies = argument;
    Status status = set_threads(multiplies->threads, error);
    if (status != STATUS_OK) return status;
    size_t at = 0;
    for (size_t i = 0; i < multiplies->count; i++) {
        const PlainMultiply *one = &multiplies->list[i];
        size_t rows = one->rows, columns = one->columns;
        if (rows * columns > multiplies->pool_floats - at) at = 0;
        const float *weight = multiplies->pool + at;
        if (one->is_back)
            blas_multiply(one->tokens, columns, rows, multiplies->x, rows, weight, columns, 0.0F,
                          multiplies->y, columns);
        else
            blas_multiply_transposed(one->tokens, rows, columns, multiplies->x, columns, weight, columns,
                                     0.0F, multiplies->y, rows);
        at += rows * columns;
    }
    return set_threads(1, error);
}

double limits_multiply_flops(const PlainMultiplies *multiplies) {
    return multiplies->flops;
}
