#include "core/checkpoint/tensor_change.h"

#include "core/checkpoint/tensor_stored.h"

#include <math.h>
#include <string.h>

/* Columns that are computed at once: what a product is rounded in, and what a norm is added up in, fit the stack. */
enum { PART = 512, ROWS = 6 };

/* Some rows and columns of one matrix. */
typedef struct Window {
    const Tensor *tensor;
    const TensorChange *change;
    uint64_t row; /* counted through all matrices */
    size_t rows;
    uint64_t column;
    size_t columns;
} Window;

static void round_to(DType dtype, size_t count, float *values) {
    uint16_t halves[PART];
    if (dtype != DTYPE_BF16 && dtype != DTYPE_F16) return;
    for (size_t at = 0; at < count; at += PART) {
        size_t part = count - at < PART ? count - at : PART;
        kernels_get()->narrow(values + at, part, dtype, halves);
        kernels_get()->widen(dtype, halves, part, values + at);
    }
}

/* ---- B + scale·L·R ---- */

static void read_start(const Window *window, float *out, size_t stride) {
    uint64_t width = window->change->columns;
    const Tensor *start = window->change->start;
    for (size_t r = 0; r < window->rows; r++, out += stride) {
        tensor_stored_read(start, (window->row + r) * width + window->column, window->columns, out);
        if (start->dtype != window->tensor->dtype) round_to(window->tensor->dtype, window->columns, out);
    }
}

/* The product alone first, which is rounded before it is added. */
static void add_rounded(const Window *window, const TensorFactors *factors, const KernelFactors *product,
                        float *out, size_t stride) {
    KernelFactors at = *product;
    for (size_t r = 0; r < window->rows; r++, at.left += at.left_row) {
        float part[PART] = {0};
        const KernelLines lines = {DTYPE_F32, part, part, PART, PART};
        kernels_get()->low_rank(&at, factors->scale, &lines, 1, window->columns);
        round_to(window->tensor->dtype, window->columns, part);
        for (size_t c = 0; c < window->columns; c++) out[r * stride + c] += part[c];
    }
}

/* NULL where the matrix of that row has none. */
static const TensorFactors *find_factors(const TensorChange *change, uint64_t row) {
    if (change->factors == NULL || change->factors[row / change->rows].product.rank == 0) return NULL;
    return &change->factors[row / change->rows];
}

/* The factors from the window's first row and column on. */
static KernelFactors place_product(const Window *window, const TensorFactors *factors) {
    KernelFactors product = factors->product;
    product.left += window->row % window->change->rows * product.left_row;
    product.right += window->column;
    return product;
}

/* `window` has at most PART columns. */
static void read_sum(const Window *window, float *out, size_t stride) {
    const TensorFactors *factors = find_factors(window->change, window->row);
    const KernelLines lines = {DTYPE_F32, out, out, stride, stride};
    read_start(window, out, stride);
    if (factors == NULL) return;
    KernelFactors product = place_product(window, factors);
    if (window->change->rounds_product)
        add_rounded(window, factors, &product, out, stride);
    else
        kernels_get()->low_rank(&product, factors->scale, &lines, window->rows, window->columns);
}

/* ---- magnitudes ---- */

static float norm_of(uint32_t bits) {
    float norm;
    memcpy(&norm, &bits, sizeof norm);
    return norm;
}

static uint32_t bits_of(double squares) {
    uint32_t bits;
    float norm = (float)sqrt(squares);
    memcpy(&bits, &norm, sizeof bits);
    return bits;
}

/* Two threads that need the same row's norm both measure it, and find the same. */
static float row_norm(const Window *window, uint64_t row) {
    _Atomic uint32_t *known = &window->change->magnitude->norms[row];
    uint32_t bits = atomic_load_explicit(known, memory_order_relaxed);
    if (bits != TENSOR_NORM_UNKNOWN) return norm_of(bits);
    float part[PART];
    double squares = 0.0;
    for (uint64_t at = 0; at < window->change->columns; at += PART) {
        uint64_t left = window->change->columns - at;
        Window whole = {window->tensor, window->change, row, 1, at, left < PART ? (size_t)left : PART};
        read_sum(&whole, part, PART);
        for (size_t i = 0; i < whole.columns; i++) squares += (double)part[i] * (double)part[i];
    }
    bits = bits_of(squares);
    atomic_store_explicit(known, bits, memory_order_relaxed);
    return norm_of(bits);
}

static void add_columns(const Tensor *tensor, const TensorChange *change, double *squares) {
    float part[ROWS * PART];
    for (uint64_t row = 0; row < change->rows; row += ROWS) {
        for (uint64_t at = 0; at < change->columns; at += PART) {
            uint64_t left = change->columns - at, below = change->rows - row;
            Window window = {tensor, change,
                             row,    below < ROWS ? (size_t)below : ROWS,
                             at,     left < PART ? (size_t)left : PART};
            read_sum(&window, part, PART);
            for (size_t r = 0; r < window.rows; r++)
                for (size_t c = 0; c < window.columns; c++)
                    squares[at + c] += (double)part[r * PART + c] * (double)part[r * PART + c];
        }
    }
}

/* One thread measures, all others wait for it. */
static void measure_columns(const Tensor *tensor, const TensorChange *change) {
    TensorMagnitude *magnitude = change->magnitude;
    if (atomic_load_explicit(&magnitude->has_columns, memory_order_acquire)) return;
    (void)pthread_mutex_lock(&magnitude->measuring); /* fails only for a mutex of another kind */
    if (!atomic_load_explicit(&magnitude->has_columns, memory_order_relaxed)) {
        add_columns(tensor, change, magnitude->squares);
        for (uint64_t i = 0; i < change->columns; i++)
            atomic_store_explicit(&magnitude->norms[i], bits_of(magnitude->squares[i]), memory_order_relaxed);
        atomic_store_explicit(&magnitude->has_columns, true, memory_order_release);
    }
    (void)pthread_mutex_unlock(&magnitude->measuring);
}

static void scale_by_columns(const Window *window, float *out, size_t stride) {
    const TensorMagnitude *magnitude = window->change->magnitude;
    measure_columns(window->tensor, window->change);
    for (size_t c = 0; c < window->columns; c++) {
        uint64_t at = window->column + c;
        float norm = norm_of(atomic_load_explicit(&magnitude->norms[at], memory_order_relaxed));
        float factor = magnitude->values[at] / norm;
        for (size_t r = 0; r < window->rows; r++) out[r * stride + c] *= factor;
    }
}

static void scale_by_rows(const Window *window, float *out, size_t stride) {
    for (size_t r = 0; r < window->rows; r++) {
        uint64_t row = window->row + r;
        float factor = window->change->magnitude->values[row] / row_norm(window, row);
        for (size_t c = 0; c < window->columns; c++) out[r * stride + c] *= factor;
    }
}

/* ---- tokens ---- */

static const TensorTokenRow *find_token(const TensorChange *change, uint64_t row) {
    size_t low = 0, high = change->token_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const TensorTokenRow *token = &change->token_rows[middle];
        if (token->row == row) return token;
        if (token->row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void put_tokens(const Window *window, float *out, size_t stride) {
    const TensorChange *change = window->change;
    for (size_t r = 0; r < window->rows && change->token_count > 0; r++) {
        const TensorTokenRow *token = find_token(change, window->row + r);
        if (token == NULL) continue;
        tensor_stored_read(change->tokens, token->from * change->columns + window->column, window->columns,
                           out + r * stride);
    }
}

/* ---- all of it ---- */

static void read_window(const Window *window, float *out, size_t stride) {
    const TensorMagnitude *magnitude = window->change->magnitude;
    read_sum(window, out, stride);
    if (magnitude != NULL && magnitude->is_by_columns) scale_by_columns(window, out, stride);
    if (magnitude != NULL && !magnitude->is_by_columns) scale_by_rows(window, out, stride);
    put_tokens(window, out, stride);
    for (size_t r = 0; r < window->rows; r++)
        round_to(window->tensor->dtype, window->columns, out + r * stride);
}

void tensor_change_read_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                               size_t columns, float *out, size_t stride) {
    for (size_t at = 0; at < columns; at += PART) {
        size_t part = columns - at < PART ? columns - at : PART;
        Window window = {tensor, tensor->change, row, rows, column + at, part};
        read_window(&window, out + at, stride);
    }
}

/* Rows of one matrix. */
typedef struct Span {
    uint64_t row, column;
    size_t rows, columns;
} Span;

/* Of `count` elements from `first` on, those that are computed together: whole rows, or what is left of one. */
static Span next_span(const TensorChange *change, uint64_t first, size_t count) {
    Span span = {.row = first / change->columns, .column = first % change->columns, .rows = 1};
    uint64_t below = change->rows - span.row % change->rows, whole = count / change->columns;
    span.columns = (size_t)(change->columns - span.column);
    if (span.column == 0 && whole > 0) span.rows = (size_t)(whole < below ? whole : below);
    if (span.columns > count) span.columns = count;
    return span;
}

void tensor_change_read(const Tensor *tensor, uint64_t first, size_t count, float *out) {
    Span span;
    for (size_t at = 0; at < count; at += span.rows * span.columns) {
        span = next_span(tensor->change, first + at, count - at);
        tensor_change_read_window(tensor, span.row, span.rows, span.column, span.columns, out + at,
                                  span.columns);
    }
}

/* ---- the same, as they would be stored ---- */

bool tensor_change_is_plain(const Tensor *tensor) {
    const TensorChange *change = tensor->change;
    bool is_fast = tensor->dtype == DTYPE_BF16 || tensor->dtype == DTYPE_F32;
    return is_fast && change->start->dtype == tensor->dtype && !change->rounds_product &&
           change->magnitude == NULL && change->token_count == 0 && change->factors != NULL;
}

void tensor_change_store_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                                size_t columns, void *out, size_t stride) {
    const TensorChange *change = tensor->change;
    const TensorFactors *factors = find_factors(change, row);
    size_t size = dtype_size(tensor->dtype);
    const Window window = {tensor, change, row, rows, column, columns};
    const KernelLines lines = {tensor->dtype, change->start->data + (row * change->columns + column) * size,
                               out, (size_t)change->columns, stride};
    if (factors != NULL) {
        KernelFactors product = place_product(&window, factors);
        kernels_get()->low_rank(&product, factors->scale, &lines, rows, columns);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        memcpy((unsigned char *)out + r * stride * size,
               (const unsigned char *)lines.from + r * lines.from_stride * size, columns * size);
}

void tensor_change_store(const Tensor *tensor, uint64_t first, size_t count, void *out) {
    Span span;
    for (size_t at = 0; at < count; at += span.rows * span.columns) {
        span = next_span(tensor->change, first + at, count - at);
        tensor_change_store_window(tensor, span.row, span.rows, span.column, span.columns,
                                   (unsigned char *)out + at * dtype_size(tensor->dtype), span.columns);
    }
}

/* ---- blended, and by one token ---- */

/* Whether these rows of base are laid out as those of S are. */
static bool is_alike(const Tensor *tensor, const Tensor *base, uint64_t end) {
    if (base == NULL) return true;
    return base->dtype == tensor->dtype && end <= base->rows && base->columns == tensor->columns;
}

bool tensor_change_find(const Tensor *tensor, const Tensor *base, TensorChanged *changed, uint64_t row,
                        size_t rows, uint64_t column) {
    const TensorChange *change = tensor->change;
    bool is_matrix = change->rows == tensor->rows && change->columns == tensor->columns;
    const TensorFactors *factors = is_matrix ? find_factors(change, row) : NULL;
    if (factors == NULL || !tensor_change_is_plain(tensor) || !is_alike(tensor, base, row + rows))
        return false;
    size_t before = (size_t)(row * change->columns + column) * dtype_size(tensor->dtype);
    const Window window = {tensor, change, row, rows, column, 0};
    changed->product = place_product(&window, factors);
    changed->rows = (KernelChanged){.dtype = tensor->dtype,
                                    .start = change->start->data + before,
                                    .base = base == NULL ? NULL : base->data + before,
                                    .stride = (size_t)change->columns,
                                    .scale = factors->scale};
    return true;
}
