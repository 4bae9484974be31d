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
    double a;
    const uint32_t *ranks; /* [count]: elements of rank below the blend's cut have reset_a; NULL: none has */
    uint32_t cut;
    double reset_a;
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
    bool along = is_vector(blend->sft) ? blend->row_ranks != NULL : blend->column_ranks != NULL;
    if (along) {
        piece.ranks = blend->row_ranks != NULL ? blend->row_ranks + row : blend->column_ranks + column;
        piece.cut = blend->cut;
        piece.reset_a = blend->reset_a;
    } else if ((blend->row_ranks != NULL && blend->row_ranks[row] < blend->cut) ||
               (blend->column_ranks != NULL && blend->column_ranks[column] < blend->cut)) {
        piece.a = blend->reset_a;
    }
    return piece;
}

static KernelRow weigh(const Piece *piece) {
    KernelRow row = piece->row;
    row.weight_sft = (float)piece->a;
    row.weight_base = (float)(1.0 - piece->a);
    return row;
}

static KernelRanked weigh_ranked(const Piece *piece) {
    return (KernelRanked){.ranks = piece->ranks,
                          .cut = piece->cut,
                          .weight_sft = (float)piece->reset_a,
                          .weight_base = (float)(1.0 - piece->reset_a)};
}

static void blend_piece(const Piece *piece, float *out) {
    KernelRow row = weigh(piece);
    KernelRanked ranked = weigh_ranked(piece);
    if (piece->ranks != NULL)
        kernels_get()->blend_ranked(&row, &ranked, piece->count, out);
    else
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

/* The input whose bits a coefficient passes on unchanged, or NULL. Through float32 a signalling NaN would not
 * stay what it is. */
static const unsigned char *find_exact(const Piece *piece, double a, DType dtype) {
    if (a == 1.0 && piece->row.sft_dtype == dtype) return piece->row.sft;
    return a == 0.0 && piece->row.base_dtype == dtype ? piece->row.base : NULL;
}

static void copy_exact(const Piece *piece, DType dtype, unsigned char *out) {
    const unsigned char *exact = find_exact(piece, piece->a, dtype);
    const unsigned char *reset_exact = find_exact(piece, piece->reset_a, dtype);
    if (exact == NULL && reset_exact == NULL) return;
    size_t size = dtype_size(dtype);
    for (size_t i = 0; i < piece->count; i++) {
        const unsigned char *from = piece->ranks[i] < piece->cut ? reset_exact : exact;
        if (from != NULL) memcpy(out + i * size, from + i * size, size);
    }
}

static void blend_piece_as(const Piece *piece, DType dtype, unsigned char *out, float *scratch) {
    const unsigned char *from = piece->ranks == NULL ? find_exact(piece, piece->a, dtype) : NULL;
    if (from != NULL) {
        if (piece->count > 0) memcpy(out, from, piece->count * dtype_size(dtype));
        return;
    }
    blend_piece(piece, scratch);
    kernels_get()->narrow(scratch, piece->count, dtype, out);
    if (piece->ranks != NULL) copy_exact(piece, dtype, out);
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
 * where that does not matter. */
static size_t element_run(const Blend *blend, size_t row, size_t column, size_t count) {
    size_t columns = blend->sft->columns, end = columns - column;
    if ((blend->row_ranks == NULL && blend->column_ranks == NULL) || is_vector(blend->sft)) {
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

void blend_multiply_vector(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    const Kernels *kernels = kernels_get();
    for (size_t r = 0; r < count; r++) {
        Piece piece = make_piece(blend, first + r, 0, blend->sft->columns);
        KernelRow row = weigh(&piece);
        KernelRanked ranked = weigh_ranked(&piece);
        y[r] = piece.ranks != NULL ? kernels->dot_ranked(&row, &ranked, piece.count, x)
                                   : kernels->dot(&row, piece.count, x);
    }
}
