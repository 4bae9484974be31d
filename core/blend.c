#include "core/blend.h"

#include "core/kernels.h"

#include <string.h>

/*
 * A piece of a row, or of a vector laid down as one: `count` elements of both models and how a runs along
 * them. Everything below reduces to pieces; elements that base lacks are pieces without a base.
 */
typedef struct Piece {
    KernelRow row;
    size_t count;
    double a;           /* where `each` is NULL */
    const double *each; /* [count] */
} Piece;

static const unsigned char *element_at(const Tensor *tensor, size_t row, size_t column) {
    return tensor->data + (row * tensor->columns + column) * dtype_size(tensor->dtype);
}

static bool is_vector(const Tensor *tensor) {
    return tensor->columns == 1;
}

static Piece make_piece(const Blend *blend, size_t row, size_t column, size_t count) {
    Piece piece = {.count = count, .a = blend->a};
    piece.row.sft_dtype = piece.row.base_dtype = blend->sft->dtype;
    piece.row.sft = element_at(blend->sft, row, column);
    if (blend->base == NULL || row >= blend->base->rows) {
        piece.a = 1.0;
        return piece;
    }
    piece.row.base_dtype = blend->base->dtype;
    piece.row.base = element_at(blend->base, row, column);
    if (blend->column_a != NULL && is_vector(blend->sft))
        piece.a = blend->column_a[0];
    else if (blend->column_a != NULL)
        piece.each = blend->column_a + column;
    else if (blend->row_a != NULL && is_vector(blend->sft))
        piece.each = blend->row_a + row;
    else if (blend->row_a != NULL)
        piece.a = blend->row_a[row];
    return piece;
}

static KernelRow weigh(const Piece *piece) {
    KernelRow row = piece->row;
    row.weight_sft = (float)piece->a;
    row.weight_base = (float)(1.0 - piece->a);
    return row;
}

/* a for each element, rounded a few at a time on the stack: there is no allocation to fail here. */
enum { WEIGHT_CHUNK = 512 };

static void blend_each(const Piece *piece, float *out) {
    float weight_sft[WEIGHT_CHUNK], weight_base[WEIGHT_CHUNK];
    KernelRow part = piece->row;
    for (size_t at = 0; at < piece->count; at += WEIGHT_CHUNK) {
        size_t n = piece->count - at < WEIGHT_CHUNK ? piece->count - at : WEIGHT_CHUNK;
        for (size_t i = 0; i < n; i++) {
            weight_sft[i] = (float)piece->each[at + i];
            weight_base[i] = (float)(1.0 - piece->each[at + i]);
        }
        part.sft = (const unsigned char *)piece->row.sft + at * dtype_size(part.sft_dtype);
        part.base = (const unsigned char *)piece->row.base + at * dtype_size(part.base_dtype);
        kernels_get()->blend_columns(&part, weight_sft, weight_base, n, out + at);
    }
}

static void blend_piece(const Piece *piece, float *out) {
    if (piece->each != NULL) {
        blend_each(piece, out);
        return;
    }
    KernelRow row = weigh(piece);
    kernels_get()->blend(&row, piece->count, out);
}

/* How many elements of a vector, from `first` on, make one piece: base's end cuts. */
static size_t vector_run(const Blend *blend, size_t first, size_t count) {
    size_t base_rows = blend->base == NULL ? 0 : blend->base->rows;
    return first < base_rows && base_rows - first < count ? base_rows - first : count;
}

void blend_window(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                  float *out, size_t stride) {
    if (is_vector(blend->sft) && stride == 1) {
        for (size_t at = 0, n; at < count; at += n) {
            n = vector_run(blend, first + at, count - at);
            Piece piece = make_piece(blend, first + at, 0, n);
            blend_piece(&piece, out + at);
        }
        return;
    }
    for (size_t r = 0; r < count; r++) {
        Piece piece = make_piece(blend, first + r, first_column, columns);
        blend_piece(&piece, out + r * stride);
    }
}

void blend_rows(const Blend *blend, size_t first, size_t count, float *out) {
    blend_window(blend, first, count, 0, blend->sft->columns, out, blend->sft->columns);
}

/* Bits that pass from input to output unchanged: through float32 a signalling NaN would not. */
static void copy_exact(const Piece *piece, DType dtype, unsigned char *out) {
    size_t size = dtype_size(dtype);
    for (size_t i = 0; i < piece->count; i++) {
        const unsigned char *from = NULL;
        if (piece->each[i] == 1.0 && piece->row.sft_dtype == dtype) from = piece->row.sft;
        if (piece->each[i] == 0.0 && piece->row.base_dtype == dtype) from = piece->row.base;
        if (from != NULL) memcpy(out + i * size, from + i * size, size);
    }
}

static void blend_piece_as(const Piece *piece, DType dtype, unsigned char *out, float *scratch) {
    const unsigned char *from = NULL;
    if (piece->each == NULL && piece->a == 1.0 && piece->row.sft_dtype == dtype) from = piece->row.sft;
    if (piece->each == NULL && piece->a == 0.0 && piece->row.base_dtype == dtype) from = piece->row.base;
    if (from != NULL) {
        if (piece->count > 0) memcpy(out, from, piece->count * dtype_size(dtype));
        return;
    }
    blend_piece(piece, scratch);
    kernels_get()->narrow(scratch, piece->count, dtype, out);
    if (piece->each != NULL) copy_exact(piece, dtype, out);
}

size_t blend_scratch(const Blend *blend, size_t count) {
    return is_vector(blend->sft) ? count : blend->sft->columns;
}

void blend_rows_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out, float *scratch) {
    size_t columns = blend->sft->columns, size = dtype_size(dtype);
    unsigned char *bytes = out;
    for (size_t at = 0, n; at < count; at += n) {
        n = is_vector(blend->sft) ? vector_run(blend, first + at, count - at) : 1;
        Piece piece = make_piece(blend, first + at, 0, n * columns);
        blend_piece_as(&piece, dtype, bytes + at * columns * size, scratch);
    }
}

/* How many of `count` elements, from (row, column) on, make one piece: to the end of the row, or of the base
 * where one a holds for all. */
static size_t element_run(const Blend *blend, size_t row, size_t column, size_t count) {
    size_t columns = blend->sft->columns, end = columns - column;
    if (blend->row_a == NULL && blend->column_a == NULL) {
        size_t at = row * columns + column, base_end = blend->base == NULL ? 0 : blend->base->rows * columns;
        end = at < base_end ? base_end - at : count;
    }
    return end < count ? end : count;
}

void blend_elements_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out,
                       float *scratch) {
    size_t columns = blend->sft->columns, size = dtype_size(dtype);
    unsigned char *bytes = out;
    for (size_t at = 0, n; at < count; at += n) {
        size_t row = (first + at) / columns, column = (first + at) % columns;
        n = element_run(blend, row, column, count - at);
        Piece piece = make_piece(blend, row, column, n);
        blend_piece_as(&piece, dtype, bytes + at * size, scratch);
    }
}

/* The dot product where a changes from column to column: a part of the row on the stack at a time. */
static float dot_each(const Piece *piece, const float *x) {
    float mixed[WEIGHT_CHUNK], sum = 0.0F;
    for (size_t at = 0; at < piece->count; at += WEIGHT_CHUNK) {
        Piece part = *piece;
        part.count = piece->count - at < WEIGHT_CHUNK ? piece->count - at : WEIGHT_CHUNK;
        part.each = piece->each + at;
        part.row.sft = (const unsigned char *)piece->row.sft + at * dtype_size(part.row.sft_dtype);
        part.row.base = (const unsigned char *)piece->row.base + at * dtype_size(part.row.base_dtype);
        blend_each(&part, mixed);
        sum += kernels_get()->dot_widened(mixed, part.count, x + at);
    }
    return sum;
}

void blend_multiply_vector(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    const Kernels *kernels = kernels_get();
    for (size_t r = 0; r < count; r++) {
        Piece piece = make_piece(blend, first + r, 0, blend->sft->columns);
        KernelRow row = weigh(&piece);
        y[r] = piece.each != NULL ? dot_each(&piece, x) : kernels->dot(&row, piece.count, x);
    }
}
