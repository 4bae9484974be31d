/* Where S is what an adapter makes of stored rows: made, blended and used in one go. */
#include "core/checkpoint/tensor_change.h"
#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend_internal.h"

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static double weight_of_sft(const Blend *blend) {
    return blend->base == NULL ? 1.0 : blend->a;
}

/* Rows with an a of their own are the caller's business, and none where S has no weight is. */
static bool find_changed(const Blend *blend, size_t first, size_t count, size_t column,
                         TensorChanged *changed) {
    double a = weight_of_sft(blend);
    const Tensor *base = a == 1.0 && blend->column_ranks == NULL ? NULL : blend->base;
    if (blend->sft->change == NULL || a == 0.0 || blend->steps.sizes != NULL || blend->steps.third != NULL ||
        (base != NULL && !tensor_values_are_stored(base)) ||
        !tensor_change_find(blend->sft, base, changed, first, count, column))
        return false;
    changed->rows.weight_sft = (float)a;
    changed->rows.weight_base = (float)(1.0 - a);
    return true;
}

static bool is_reset(const Blend *blend, size_t column) {
    return blend->column_ranks[column] < blend->cut;
}

/* Columns that are base's alone. */
static void put_base(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                     float *out, size_t stride) {
    size_t size = dtype_size(blend->base->dtype);
    for (size_t c = 0; c < columns; c++) {
        if (!is_reset(blend, first_column + c)) continue;
        const unsigned char *from =
            blend->base->data + (first * blend->base->columns + first_column + c) * size;
        for (size_t r = 0; r < count; r++)
            out[r * stride + c] = dtype_widen_one(blend->base->dtype, from + r * blend->base->columns * size);
    }
}

bool blend_changed_window(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                          float *out, size_t stride) {
    TensorChanged changed;
    bool has_columns = blend->column_ranks != NULL;
    if ((has_columns && blend->reset_a != 0.0) || !find_changed(blend, first, count, first_column, &changed))
        return false;
    if (changed.rows.weight_base == 0.0F) changed.rows.base = NULL;
    kernels_get()->blend_low_rank(&changed.product, &changed.rows, count, columns, out, stride);
    if (has_columns) put_base(blend, first, count, first_column, columns, out, stride);
    return true;
}

/* Columns and rows that are multiplied at once: the token, twice, fits the L1 cache. */
enum { PART = 2048, PART_ROWS = 128 };

static void scale(const float *x, size_t count, double weight, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)weight * x[i];
}

/* The token as each side meets it. */
static void weigh_token(const Blend *blend, size_t first_column, size_t columns, const float *x, float *x_sft,
                        float *x_base) {
    double a = weight_of_sft(blend);
    scale(x, columns, a, x_sft);
    scale(x, columns, 1.0 - a, x_base);
    for (size_t c = 0; c < columns && blend->column_ranks != NULL; c++) {
        if (!is_reset(blend, first_column + c)) continue;
        scale(x + c, 1, blend->reset_a, x_sft + c);
        scale(x + c, 1, 1.0 - blend->reset_a, x_base + c);
    }
}

bool blend_changed_multiply(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    TensorChanged changed;
    _Alignas(KERNELS_LINE) float x_sft[PART], x_base[PART];
    float sums[PART_ROWS];
    if (!find_changed(blend, first, count, 0, &changed)) return false;
    for (size_t r = 0; r < count; r++) y[r] = 0.0F;
    for (size_t at = 0, n; at < blend->sft->columns; at += n) {
        n = smaller(blend->sft->columns - at, PART);
        weigh_token(blend, at, n, x + at, x_sft, x_base);
        for (size_t row = 0, rows; row < count; row += rows) {
            rows = smaller(count - row, PART_ROWS);
            (void)find_changed(blend, first + row, rows, at, &changed);
            kernels_get()->dot_low_rank(&changed.product, &changed.rows, rows, n, x_sft, x_base, sums);
            for (size_t r = 0; r < rows; r++) y[row + r] += sums[r];
        }
    }
    return true;
}
