#include "core/blend.h"

#include "core/kernels.h"

#include <string.h>

/* Coefficients of one row. A row that base does not have is SFT's. */
static double row_coefficient(const Blend *blend, size_t row) {
    if (blend->base == NULL || row >= blend->base->rows) return 1.0;
    return blend->row_a != NULL ? blend->row_a[row] : blend->a;
}

static const unsigned char *row_data(const Tensor *tensor, size_t row) {
    return tensor->data + row * tensor->columns * dtype_size(tensor->dtype);
}

static KernelRow make_row(const Blend *blend, size_t row) {
    double a = row_coefficient(blend, row);
    bool has_base = blend->base != NULL && row < blend->base->rows;
    return (KernelRow){.sft_dtype = blend->sft->dtype,
                       .base_dtype = has_base ? blend->base->dtype : blend->sft->dtype,
                       .sft = row_data(blend->sft, row),
                       .base = has_base ? row_data(blend->base, row) : NULL,
                       .weight_sft = (float)a,
                       .weight_base = (float)(1.0 - a)};
}

/* a per column, rounded a few columns at a time on the stack: there is no allocation to fail here. */
enum { COLUMN_CHUNK = 512 };

static void blend_columns(const Blend *blend, const KernelRow *row, size_t first, size_t count, float *out) {
    const Kernels *kernels = kernels_get();
    float weight_sft[COLUMN_CHUNK], weight_base[COLUMN_CHUNK];
    KernelRow part = *row;
    for (size_t at = 0; at < count; at += COLUMN_CHUNK) {
        size_t n = count - at < COLUMN_CHUNK ? count - at : COLUMN_CHUNK;
        const double *a = blend->column_a + first + at;
        for (size_t i = 0; i < n; i++) {
            weight_sft[i] = (float)a[i];
            weight_base[i] = (float)(1.0 - a[i]);
        }
        part.sft = (const unsigned char *)row->sft + (first + at) * dtype_size(row->sft_dtype);
        part.base = (const unsigned char *)row->base + (first + at) * dtype_size(row->base_dtype);
        kernels->blend_columns(&part, weight_sft, weight_base, n, out + at);
    }
}

/* Whether a changes from column to column in this row. */
static bool by_columns(const Blend *blend, const KernelRow *row) {
    return blend->column_a != NULL && row->base != NULL;
}

static void blend_row(const Blend *blend, size_t index, float *out) {
    KernelRow row = make_row(blend, index);
    if (by_columns(blend, &row))
        blend_columns(blend, &row, 0, blend->sft->columns, out);
    else
        kernels_get()->blend(&row, blend->sft->columns, out);
}

void blend_rows(const Blend *blend, size_t first, size_t count, float *out, size_t stride) {
    for (size_t r = 0; r < count; r++) blend_row(blend, first + r, out + r * stride);
}

/* Bits that pass from input to output unchanged: through float32 a signalling NaN would not. */
static void copy_exact_columns(const Blend *blend, const KernelRow *row, DType dtype, unsigned char *out) {
    size_t size = dtype_size(dtype);
    for (size_t c = 0; c < blend->sft->columns; c++) {
        if (blend->column_a[c] == 1.0 && row->sft_dtype == dtype)
            memcpy(out + c * size, (const unsigned char *)row->sft + c * size, size);
        else if (blend->column_a[c] == 0.0 && row->base_dtype == dtype)
            memcpy(out + c * size, (const unsigned char *)row->base + c * size, size);
    }
}

void blend_rows_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out, float *scratch) {
    size_t columns = blend->sft->columns, row_bytes = columns * dtype_size(dtype);
    unsigned char *bytes = out;
    for (size_t r = 0; r < count; r++, bytes += row_bytes) {
        KernelRow row = make_row(blend, first + r);
        bool varies = by_columns(blend, &row);
        if (!varies && row.weight_base == 0.0F && row.sft_dtype == dtype) {
            if (row_bytes > 0) memcpy(bytes, row.sft, row_bytes);
        } else if (!varies && row.weight_sft == 0.0F && row.base_dtype == dtype) {
            if (row_bytes > 0) memcpy(bytes, row.base, row_bytes);
        } else {
            blend_row(blend, first + r, scratch);
            kernels_get()->narrow(scratch, columns, dtype, bytes);
            if (varies) copy_exact_columns(blend, &row, dtype, bytes);
        }
    }
}

/* One row's dot product where a changes from column to column: a piece of the row on the stack at a time. */
static float dot_by_columns(const Blend *blend, const KernelRow *row, const float *x) {
    const Kernels *kernels = kernels_get();
    float mixed[COLUMN_CHUNK], sum = 0.0F;
    for (size_t at = 0; at < blend->sft->columns; at += COLUMN_CHUNK) {
        size_t n = blend->sft->columns - at < COLUMN_CHUNK ? blend->sft->columns - at : COLUMN_CHUNK;
        blend_columns(blend, row, at, n, mixed);
        sum += kernels->dot_widened(mixed, n, x + at);
    }
    return sum;
}

void blend_multiply_vector(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    const Kernels *kernels = kernels_get();
    for (size_t r = 0; r < count; r++) {
        KernelRow row = make_row(blend, first + r);
        y[r] = by_columns(blend, &row) ? dot_by_columns(blend, &row, x)
                                       : kernels->dot(&row, blend->sft->columns, x);
    }
}
