#include "core/fusion/blend.h"

#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend_internal.h"
#include "core/numerics/kernels.h"

#include <math.h>
#include <string.h>

/*
 * A piece of a row, or of a vector laid down as one: `count` elements of both models and how a runs along
 * them. Everything below reduces to pieces; elements that base lacks are pieces without a base.
 */
typedef struct Piece {
    KernelRow row;
    const Tensor *sft, *base; /* NULL: base has no such elements */
    bool is_computed;         /* SFT's are in row.sft already, though they are stored otherwise (Computed) */
    uint64_t first;           /* of the elements, along the rows; the same in both */
    size_t count;
    double a;
    const unsigned char *marks; /* [count]: elements that are marked have reset_a; NULL: none has */
    double reset_a;
    const BlendSteps *steps; /* NULL: it stays where it is; along directions the piece is of one row */
    size_t line;             /* that row */
} Piece;

static const unsigned char *element_at(const Tensor *tensor, size_t row, size_t column) {
    if (!tensor_values_are_stored(tensor)) return NULL; /* take_lent() fetches them */
    return tensor->data + (row * tensor->columns + column) * dtype_size(tensor->dtype);
}

static bool is_vector(const Tensor *tensor) {
    return tensor->columns == 1;
}

/* A stretch along the axis that has ranks: longer ones come in parts, so that marks fit the stack. */
enum { STRETCH = 8192 };

/* The ranks along a piece (of a row, or of a whole vector), or NULL where one a holds for all of it. */
static const uint32_t *ranks_along(const Blend *blend) {
    if (!is_vector(blend->sft)) return blend->column_ranks;
    return blend->row_ranks;
}

/* Marks what is reset of `count` ≤ STRETCH columns of a matrix, or rows of a vector; NULL where that is
 * nothing's business. */
static const unsigned char *mark(const Blend *blend, size_t first, size_t count,
                                 unsigned char marks[STRETCH]) {
    const uint32_t *ranks = ranks_along(blend);
    if (ranks == NULL) return NULL;
    for (size_t i = 0; i < count; i++) marks[i] = ranks[first + i] < blend->cut;
    return marks;
}

/* How much of `count` elements is marked at once. */
static size_t stretch(const Blend *blend, size_t count) {
    return ranks_along(blend) != NULL && count > STRETCH ? STRETCH : count;
}

static bool is_reset_whole(const Blend *blend, size_t row, size_t column) {
    if (is_vector(blend->sft)) return blend->column_ranks != NULL && blend->column_ranks[column] < blend->cut;
    return blend->row_ranks != NULL && blend->row_ranks[row] < blend->cut;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool is_moved(const Blend *blend) {
    return blend->steps.sizes != NULL || blend->steps.third != NULL;
}

/* `marks` are mark()'s, of this piece. */
static Piece make_piece(const Blend *blend, size_t row, size_t column, size_t count,
                        const unsigned char *marks) {
    Piece piece = {.count = count, .a = blend->a, .reset_a = blend->reset_a};
    piece.row.sft_dtype = piece.row.base_dtype = blend->sft->dtype;
    piece.row.sft = element_at(blend->sft, row, column);
    piece.sft = blend->sft;
    piece.first = (uint64_t)row * blend->sft->columns + column;
    if (is_moved(blend)) {
        piece.steps = &blend->steps;
        piece.line = row;
    }
    if (blend->base == NULL || row >= blend->base->rows) {
        piece.a = 1.0;
        return piece;
    }
    piece.row.base_dtype = blend->base->dtype;
    piece.row.base = element_at(blend->base, row, column);
    piece.base = blend->base;
    piece.marks = marks;
    if (is_reset_whole(blend, row, column)) piece.a = blend->reset_a;
    return piece;
}

static KernelRow weigh(const Piece *piece) {
    KernelRow row = piece->row;
    row.weight_sft = (float)piece->a;
    row.weight_base = (float)(1.0 - piece->a);
    return row;
}

static KernelMarked weigh_marked(const Piece *piece) {
    return (KernelMarked){.marks = piece->marks,
                          .weight_sft = (float)piece->reset_a,
                          .weight_base = (float)(1.0 - piece->reset_a)};
}

/* A side that weighs nothing is not read. */
static bool reads_sft(const Piece *piece) {
    return piece->marks != NULL || piece->a != 0.0;
}

static bool reads_base(const Piece *piece) {
    return piece->base != NULL && (piece->marks != NULL || piece->a != 1.0);
}

static bool is_lent(const Piece *piece) {
    return (reads_sft(piece) && !piece->is_computed && !tensor_values_are_stored(piece->sft)) ||
           (reads_base(piece) && !tensor_values_are_stored(piece->base));
}

/* Values that are not stored as they are, for the kernels: a stretch at a time, so that they fit the stack. */
typedef struct LentRow {
    float sft[STRETCH], base[STRETCH];
} LentRow;

/* The part of the piece from `at` on that is taken at once. */
static Piece take_lent(const Piece *piece, size_t at, LentRow *values) {
    Piece part = *piece;
    part.count = piece->count - at < STRETCH ? piece->count - at : STRETCH;
    part.first += at;
    if (part.marks != NULL) part.marks += at;
    if (part.is_computed)
        part.row.sft = (const unsigned char *)part.row.sft + at * dtype_size(part.row.sft_dtype);
    else if (reads_sft(&part))
        part.row.sft = tensor_values_lend(part.sft, part.first, part.count, values->sft, &part.row.sft_dtype);
    if (reads_base(&part))
        part.row.base =
            tensor_values_lend(part.base, part.first, part.count, values->base, &part.row.base_dtype);
    return part;
}

/* ---- values that are computed, a few rows at once ---- */

/* Rows that the kernel takes at once, a few times over. */
enum { COMPUTED_COLUMNS = 512, COMPUTED_ROWS = 12 };
_Static_assert(COMPUTED_COLUMNS *COMPUTED_ROWS <= STRETCH, "they fit a stretch");

typedef struct Computed {
    float values[STRETCH];
    size_t row, rows; /* that are in it */
    DType dtype;
} Computed;

static bool computes(const Blend *blend) {
    bool is_read =
        blend->a != 0.0 || blend->row_ranks != NULL || blend->column_ranks != NULL || blend->base == NULL;
    return is_read && blend->sft->change != NULL && !is_vector(blend->sft);
}

/* How many columns of a row are taken at once: fewer where more rows of them are computed together. */
static size_t computed_stretch(const Blend *blend, size_t columns) {
    return computes(blend) && columns > COMPUTED_COLUMNS ? COMPUTED_COLUMNS : columns;
}

/* Gives a piece of one row SFT's values: those of it and of up to `rows` from it on are computed where they are not there
 * yet. A `computed` serves one stretch of columns, and rows that go up. */
static void compute_sft(const Blend *blend, size_t row, size_t rows, size_t column, Computed *computed,
                        Piece *piece) {
    if (!computes(blend) || !reads_sft(piece)) return;
    if (row >= computed->row + computed->rows) {
        computed->row = row;
        computed->rows = COMPUTED_ROWS < rows ? COMPUTED_ROWS : rows;
        tensor_values_lend_window(blend->sft, row, computed->rows, column, piece->count, computed->values,
                                  &computed->dtype);
    }
    size_t before = (row - computed->row) * piece->count * dtype_size(computed->dtype);
    piece->row.sft = (const unsigned char *)computed->values + before;
    piece->row.sft_dtype = computed->dtype;
    piece->is_computed = true;
}

static void blend_plain(const Piece *piece, float *out) {
    KernelRow row = weigh(piece);
    KernelMarked marked = weigh_marked(piece);
    if (piece->marks != NULL)
        kernels_get()->blend_marked(&row, &marked, piece->count, out);
    else
        kernels_get()->blend(&row, piece->count, out);
}

static void blend_lent(const Piece *piece, float *out) {
    LentRow values;
    for (size_t at = 0; at < piece->count; at += STRETCH) {
        Piece part = take_lent(piece, at, &values);
        blend_plain(&part, out + at);
    }
}

static void blend_piece(const Piece *piece, float *out) {
    if (is_lent(piece))
        blend_lent(piece, out);
    else
        blend_plain(piece, out);
    const Tensor *from = piece->base != NULL ? piece->base : piece->sft;
    if (piece->steps != NULL)
        blend_steps_take(piece->steps, from, piece->line, piece->first, piece->count, out);
}

/* How many elements of a vector, from `first` on, make one piece: base's end cuts, and steps of a size for each. */
static size_t vector_run(const Blend *blend, size_t first, size_t count) {
    if (blend->steps.sizes != NULL) return 1;
    size_t base_rows = blend->base == NULL ? 0 : blend->base->rows;
    return first < base_rows && base_rows - first < count ? base_rows - first : count;
}

static void blend_vector(const Blend *blend, size_t first, size_t count, float *out) {
    unsigned char marks[STRETCH];
    for (size_t at = 0, n; at < count; at += n) {
        n = stretch(blend, vector_run(blend, first + at, count - at));
        Piece piece = make_piece(blend, first + at, 0, n, mark(blend, first + at, n, marks));
        blend_piece(&piece, out + at);
    }
}

static bool is_stack(const Blend *blend) {
    return blend->stack.rows > 0;
}

/* `count` elements from `first` on, counted along the rows. */
static void blend_stack(const Blend *blend, size_t first, size_t count, float *out) {
    size_t columns = (size_t)blend->stack.columns;
    for (size_t at = 0, n; at < count; at += n) {
        BlendMatrix matrix;
        blend_stack_take(blend, first + at, &matrix);
        size_t column = matrix.element % columns;
        n = columns - column < count - at ? columns - column : count - at;
        blend_window(&matrix.blend, matrix.element / columns, 1, column, n, out + at, n);
    }
}

static void blend_matrix(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                         float *out, size_t stride) {
    unsigned char marks[STRETCH];
    Computed computed;
    for (size_t at = 0, n; at < columns; at += n) {
        n = computed_stretch(blend, stretch(blend, columns - at));
        const unsigned char *marked = mark(blend, first_column + at, n, marks);
        computed.row = computed.rows = 0;
        for (size_t r = 0; r < count; r++) {
            Piece piece = make_piece(blend, first + r, first_column + at, n, marked);
            compute_sft(blend, first + r, count - r, first_column + at, &computed, &piece);
            blend_piece(&piece, out + r * stride + at);
        }
    }
}

void blend_window(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                  float *out, size_t stride) {
    if (is_stack(blend)) {
        for (size_t r = 0; r < count; r++)
            blend_stack(blend, (first + r) * blend->sft->columns + first_column, columns, out + r * stride);
        return;
    }
    if (is_vector(blend->sft)) {
        for (size_t r = 0; r < count && stride != 1; r++) blend_vector(blend, first + r, 1, out + r * stride);
        if (stride == 1) blend_vector(blend, first, count, out);
        return;
    }
    if (!blend_changed_window(blend, first, count, first_column, columns, out, stride)) {
        blend_matrix(blend, first, count, first_column, columns, out, stride);
        return;
    }
    for (size_t r = 0; r < count; r++)
        if (is_reset_whole(blend, first + r, first_column))
            blend_matrix(blend, first + r, 1, first_column, columns, out + r * stride, stride);
}

void blend_rows(const Blend *blend, size_t first, size_t count, float *out) {
    blend_window(blend, first, count, 0, blend->sft->columns, out, blend->sft->columns);
}

/* The input whose bits a coefficient passes on unchanged, or NULL. Through float32 a signalling NaN would not
 * stay what it is. */
static const unsigned char *find_exact(const Piece *piece, double a, DType dtype) {
    if (a == 1.0)
        return piece->row.sft_dtype == dtype && tensor_values_are_stored(piece->sft) ? piece->row.sft : NULL;
    bool is_base = a == 0.0 && piece->base != NULL && tensor_values_are_stored(piece->base);
    return is_base && piece->row.base_dtype == dtype ? piece->row.base : NULL;
}

static void copy_exact(const Piece *piece, DType dtype, unsigned char *out) {
    const unsigned char *exact = find_exact(piece, piece->a, dtype);
    const unsigned char *reset_exact = find_exact(piece, piece->reset_a, dtype);
    if (exact == NULL && reset_exact == NULL) return;
    size_t size = dtype_size(dtype);
    for (size_t i = 0; i < piece->count; i++) {
        const unsigned char *from = piece->marks[i] != 0 ? reset_exact : exact;
        if (from != NULL) memcpy(out + i * size, from + i * size, size);
    }
}

static void blend_piece_as(const Piece *piece, DType dtype, unsigned char *out, float *scratch) {
    bool copies = piece->steps == NULL;
    const unsigned char *from = piece->marks == NULL && copies ? find_exact(piece, piece->a, dtype) : NULL;
    if (from != NULL) {
        if (piece->count > 0) memcpy(out, from, piece->count * dtype_size(dtype));
        return;
    }
    blend_piece(piece, scratch);
    kernels_get()->narrow(scratch, piece->count, dtype, out);
    if (piece->marks != NULL && copies) copy_exact(piece, dtype, out);
}

size_t blend_scratch(const Blend *blend, size_t count) {
    return is_vector(blend->sft) ? count : blend->sft->columns;
}

void blend_rows_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out, float *scratch) {
    size_t columns = blend->sft->columns, size = dtype_size(dtype);
    unsigned char *bytes = out;
    for (size_t at = 0, n; at < count; at += n) {
        n = is_vector(blend->sft) ? vector_run(blend, first + at, count - at) : 1;
        blend_elements_as(blend, (first + at) * columns, n * columns, dtype, bytes + at * columns * size,
                          scratch);
    }
}

/* How many of `count` elements, from (row, column) on, make one piece: to the end of the row, or of the base
 * where that does not matter. */
static size_t element_run(const Blend *blend, size_t row, size_t column, size_t count) {
    size_t columns = blend->sft->columns, end = columns - column;
    bool is_one = blend->row_ranks == NULL && blend->column_ranks == NULL && blend->steps.sizes == NULL;
    if (is_vector(blend->sft)) return vector_run(blend, row, count);
    if (is_one) {
        size_t at = row * columns + column, base_end = blend->base == NULL ? 0 : blend->base->rows * columns;
        end = at < base_end ? base_end - at : count;
    }
    return end < count ? end : count;
}

static void blend_stack_as(const Blend *blend, size_t first, size_t count, DType dtype, unsigned char *out,
                           float *scratch) {
    for (size_t at = 0, n; at < count; at += n) {
        BlendMatrix matrix;
        blend_stack_take(blend, first + at, &matrix);
        n = matrix.left < count - at ? matrix.left : count - at;
        blend_elements_as(&matrix.blend, matrix.element, n, dtype, out + at * dtype_size(dtype), scratch);
    }
}

void blend_elements_as(const Blend *blend, size_t first, size_t count, DType dtype, void *out,
                       float *scratch) {
    if (is_stack(blend)) {
        blend_stack_as(blend, first, count, dtype, out, scratch);
        return;
    }
    size_t columns = blend->sft->columns, size = dtype_size(dtype);
    unsigned char *bytes = out, marks[STRETCH];
    for (size_t at = 0, n; at < count; at += n) {
        size_t row = (first + at) / columns, column = (first + at) % columns;
        n = smaller(element_run(blend, row, column, count - at), STRETCH); /* floats in the nearest cache */
        const unsigned char *marked = mark(blend, is_vector(blend->sft) ? row : column, n, marks);
        Piece piece = make_piece(blend, row, column, n, marked);
        blend_piece_as(&piece, dtype, bytes + at * size, scratch);
    }
}

static float multiply_plain(const Piece *piece, const float *x) {
    KernelRow row = weigh(piece);
    KernelMarked marked = weigh_marked(piece);
    return piece->marks != NULL ? kernels_get()->dot_marked(&row, &marked, piece->count, x)
                                : kernels_get()->dot(&row, piece->count, x);
}

static float multiply_piece(const Piece *piece, const float *x) {
    if (!is_lent(piece)) return multiply_plain(piece, x);
    LentRow values;
    float sum = 0.0F;
    for (size_t at = 0; at < piece->count; at += STRETCH) {
        Piece part = take_lent(piece, at, &values);
        float product = multiply_plain(&part, x + at);
        sum = at == 0 ? product : sum + product;
    }
    return sum;
}

/* A reset row is base's alone, mostly; yet it is read as a row of marked elements, SFT's too: a row left out
 * breaks the stream in which the processor reads ahead, and that costs more than reading it. */
static void mark_whole(const Blend *blend, size_t row, const unsigned char *all, Piece *piece) {
    if (piece->row.base == NULL || !is_reset_whole(blend, row, 0)) return;
    piece->a = blend->a;
    piece->marks = all;
}

/* Ranks are of its rows, of its columns, or there are none. */
static void multiply_matrix(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    size_t columns = blend->sft->columns;
    bool marks_rows = blend->row_ranks != NULL;
    unsigned char marks[STRETCH];
    Computed computed;
    if (marks_rows) memset(marks, 1, sizeof marks);
    for (size_t at = 0, n; at < columns; at += n) {
        n = marks_rows ? smaller(columns - at, STRETCH) : stretch(blend, columns - at);
        n = computed_stretch(blend, n);
        const unsigned char *marked = mark(blend, at, n, marks);
        computed.row = computed.rows = 0;
        for (size_t r = 0; r < count; r++) {
            Piece piece = make_piece(blend, first + r, at, n, marked);
            if (marks_rows) mark_whole(blend, first + r, marks, &piece);
            compute_sft(blend, first + r, count - r, at, &computed, &piece);
            y[r] = (at > 0 ? y[r] : 0.0F) + multiply_piece(&piece, x + at);
        }
    }
}

/* What is moved, or is several matrices, lies in memory first, a stretch at a time. */
static void multiply_laid_out(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    size_t columns = blend->sft->columns;
    float values[STRETCH];
    const KernelRow row = {
        .sft_dtype = DTYPE_F32, .base_dtype = DTYPE_F32, .sft = values, .weight_sft = 1.0F};
    for (size_t r = 0; r < count; r++) {
        y[r] = 0.0F;
        for (size_t at = 0, n; at < columns; at += n) {
            n = columns - at < STRETCH ? columns - at : STRETCH;
            blend_window(blend, first + r, 1, at, n, values, n);
            y[r] += kernels_get()->dot(&row, n, x + at);
        }
    }
}

/* Rows that a product of what an adapter changed left to others. */
static void multiply_again(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    for (size_t r = 0; r < count; r++)
        if (isnan(y[r]) || is_reset_whole(blend, first + r, 0))
            multiply_matrix(blend, first + r, 1, x, y + r);
}

void blend_multiply_vector(const Blend *blend, size_t first, size_t count, const float *x, float *y) {
    if (is_moved(blend) || is_stack(blend)) {
        multiply_laid_out(blend, first, count, x, y);
    } else if (is_vector(blend->sft)) {
        blend_vector(blend, first, count, y);
        for (size_t r = 0; r < count; r++) y[r] *= x[0];
    } else if (blend_changed_multiply(blend, first, count, x, y)) {
        multiply_again(blend, first, count, x, y);
    } else {
        multiply_matrix(blend, first, count, x, y);
    }
}

/* ---- a few tokens ---- */

/* Whether the kernel takes rows of W as they lie. */
static bool is_direct(const Blend *blend, const Piece *piece, size_t rows_end) {
    bool is_one = blend->row_ranks == NULL && blend->column_ranks == NULL && !is_moved(blend);
    bool is_known = piece->row.sft_dtype == DTYPE_BF16 || piece->row.sft_dtype == DTYPE_F32;
    bool is_alike = piece->row.sft_dtype == piece->row.base_dtype;
    bool is_covered = blend->base == NULL || rows_end <= blend->base->rows;
    return is_one && is_known && is_alike && is_covered && !is_lent(piece);
}

/* Where it does not: blended before, a few rows at once, which stay in a cache. They are a cache line further apart than
 * they are long, or all of them would want the same places in it. */
static void multiply_strips(const Blend *blend, size_t first, size_t count, const float *const *x,
                            size_t tokens, float *y, size_t stride) {
    size_t columns = blend->sft->columns, widest = smaller(columns, KERNELS_ROWS_STRETCH);
    enum { STRIP_ROWS = 4, APART = 16 };
    float values[STRIP_ROWS * (KERNELS_ROWS_STRETCH + APART)];
    KernelRows rows = {.row = {.sft_dtype = DTYPE_F32, .sft = values, .weight_sft = 1.0F}};
    for (size_t row = 0; row < count; row += rows.rows) {
        rows.rows = smaller(count - row, STRIP_ROWS);
        for (rows.first = 0; rows.first < columns; rows.first += rows.count) {
            rows.count = smaller(columns - rows.first, widest);
            rows.stride = rows.count + APART;
            blend_window(blend, first + row, rows.rows, rows.first, rows.count, values, rows.stride);
            kernels_get()->multiply_rows(&rows, x, tokens, rows.first > 0, y + row, stride);
        }
    }
}

void blend_multiply_tokens(const Blend *blend, size_t first, size_t count, const float *const *x,
                           size_t tokens, float *y, size_t stride) {
    Piece piece = make_piece(blend, first, 0, blend->sft->columns, NULL);
    if (!is_direct(blend, &piece, first + count)) {
        multiply_strips(blend, first, count, x, tokens, y, stride);
        return;
    }
    const KernelRows rows = {
        .row = weigh(&piece), .stride = piece.count, .rows = count, .count = piece.count};
    kernels_get()->multiply_rows(&rows, x, tokens, false, y, stride);
}
