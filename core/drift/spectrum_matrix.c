#include "core/checkpoint/tensor_values.h"
#include "core/drift/spectrum_internal.h"

enum { CHUNK = KERNELS_DRIFT_CHUNK, CANCEL_CHUNKS = 256 };

SpectrumMatrix spectrum_matrix_of(const PairTensor *tensor) {
    const Tensor *base = tensor->base, *sft = tensor->sft;
    uint64_t rows = base->rows < sft->rows ? base->rows : sft->rows, columns = sft->columns;
    bool is_wide = rows < columns;
    /* every element is a byte of a mapped file at least, so both sides fit a size_t */
    return (SpectrumMatrix){.base = base,
                            .sft = sft,
                            .rows = rows,
                            .columns = columns,
                            .longer = (size_t)(is_wide ? columns : rows),
                            .shorter = (size_t)(is_wide ? rows : columns),
                            .is_wide = is_wide};
}

bool spectrum_matrix_measure(const SpectrumMatrix *matrix, const Job *job, double *squares, bool *is_finite) {
    const Tensor *sft = matrix->sft, *base = matrix->base;
    uint64_t count = matrix->rows * matrix->columns, chunks = 0;
    KernelDrift sums = {0};
    double sizes[KERNELS_DRIFT_SIZES];
    float values[2][CHUNK];
    for (uint64_t at = 0; at < count; at += CHUNK) {
        size_t part = count - at < CHUNK ? (size_t)(count - at) : CHUNK;
        if (chunks++ % CANCEL_CHUNKS == 0 && job_is_cancelled(job)) return false;
        KernelRow row = {0};
        row.sft = tensor_values_lend(sft, at, part, values[0], &row.sft_dtype);
        row.base = tensor_values_lend(base, at, part, values[1], &row.base_dtype);
        (void)kernels_get()->drift(&row, part, UINT32_MAX, &sums, sizes); /* lists none */
    }
    *squares = kernels_fold(&sums.squares);
    *is_finite = kernels_is_finite(&sums);
    return true;
}

/* Rows of Δ are columns of the tile. */
static void read_wide(const SpectrumMatrix *matrix, size_t first, size_t count, SpectrumScratch *scratch,
                      double *tile, size_t stride) {
    float *sft = scratch->sft[0], *base = scratch->base[0];
    for (size_t j = 0; j < matrix->shorter; j++) {
        for (size_t at = 0; at < count; at += CHUNK) {
            size_t part = count - at < CHUNK ? count - at : CHUNK;
            uint64_t element = j * matrix->columns + first + at;
            double *to = tile + j * stride + at;
            tensor_values_read(matrix->sft, element, part, sft);
            tensor_values_read(matrix->base, element, part, base);
            for (size_t i = 0; i < part; i++) to[i] = (double)sft[i] - (double)base[i];
        }
    }
}

/* Some rows at a time, so that what is written side by side fills cache lines. */
static void read_tall(const SpectrumMatrix *matrix, size_t first, size_t count, SpectrumScratch *scratch,
                      double *tile, size_t stride) {
    for (size_t top = 0; top < count; top += SPECTRUM_SCRATCH_ROWS) {
        size_t rows = count - top < SPECTRUM_SCRATCH_ROWS ? count - top : SPECTRUM_SCRATCH_ROWS;
        for (size_t left = 0; left < matrix->shorter; left += CHUNK) {
            size_t columns = matrix->shorter - left < CHUNK ? matrix->shorter - left : CHUNK;
            for (size_t i = 0; i < rows; i++) {
                uint64_t element = (first + top + i) * matrix->columns + left;
                tensor_values_read(matrix->sft, element, columns, scratch->sft[i]);
                tensor_values_read(matrix->base, element, columns, scratch->base[i]);
            }
            for (size_t j = 0; j < columns; j++) {
                double *to = tile + (left + j) * stride + top;
                for (size_t i = 0; i < rows; i++)
                    to[i] = (double)scratch->sft[i][j] - (double)scratch->base[i][j];
            }
        }
    }
}

void spectrum_matrix_read(const SpectrumMatrix *matrix, size_t first, size_t count, SpectrumScratch *scratch,
                          double *tile, size_t stride) {
    if (matrix->is_wide)
        read_wide(matrix, first, count, scratch, tile, stride);
    else
        read_tall(matrix, first, count, scratch, tile, stride);
}
