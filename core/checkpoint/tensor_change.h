/*
 * tensor_change — what an adapter makes of one tensor: its values, computed where they are read, never stored.
 *
 *     S = B + scale·L·R             L [rows × rank], R [rank × columns], for each matrix of the tensor
 *     S = m / ‖B + scale·L·R‖ · …   with magnitudes (DoRA), the norms those of rows, or of columns
 *     S = row t of T                for tokens that were learned alone
 *
 * Arithmetic, that of PEFT 0.21.2's merge_and_unload() on a CPU: elements are widened to float32; the product is added up
 * along the rank from the first on, one rounding each; scaled, with one rounding; (where PEFT casts it, rounded to the
 * tensor's type;) added to B, with one; and the sum is rounded once to the tensor's type, which is base's. So it is
 * PEFT's to the bit for ranks up to 192, which MKL 2024.2 does not cut. With magnitudes the norm is added up in double,
 * which torch does in float32 lanes as its processor has them: the same but for its last bits.
 *
 * Made by adapter.h, which owns all of it; norms are measured when they are first needed, by any thread.
 */
#ifndef REJUV_CORE_TENSOR_CHANGE_H
#define REJUV_CORE_TENSOR_CHANGE_H

#include "core/checkpoint/checkpoint.h"
#include "core/numerics/kernels.h"

#include <pthread.h>
#include <stdatomic.h>

/* Of one matrix; rank 0: it is not changed. */
typedef struct TensorFactors {
    KernelFactors product;
    float scale;
} TensorFactors;

/* DoRA. */
typedef struct TensorMagnitude {
    const float *values;       /* [rows], or [columns] */
    bool is_by_columns;        /* the norms are those of columns */
    _Atomic uint32_t *norms;   /* the bits of each, or TENSOR_NORM_UNKNOWN */
    double *squares;           /* [columns], where they are those of columns */
    atomic_bool has_columns;   /* they were measured */
    pthread_mutex_t measuring; /* of columns */
} TensorMagnitude;

#define TENSOR_NORM_UNKNOWN UINT32_MAX /* the bits of a NaN that no computation gives */

/* A row that is not B's: row `from` of `tokens`. */
typedef struct TensorTokenRow {
    uint64_t row, from;
} TensorTokenRow;

struct TensorChange {
    /* B, of the same shape, plainly stored: base's, or one that the adapter has in its place */
    const Tensor *start;
    uint64_t rows, columns; /* of a matrix; the tensor is one after the other */
    TensorFactors *factors; /* [matrices], or NULL */
    size_t factor_count;
    bool rounds_product;
    TensorMagnitude *magnitude; /* NULL: none; else there is one matrix */
    const Tensor *tokens;       /* NULL: none */
    TensorTokenRow *token_rows; /* [token_count], by row */
    size_t token_count;
};

/* out[i] = the value of element first + i. */
void tensor_change_read(const Tensor *tensor, uint64_t first, size_t count, float *out);

/* out[r·stride + c] = the value of row row + r, column column + c, where the tensor is one matrix. */
void tensor_change_read_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                               size_t columns, float *out, size_t stride);

/* Whether its values are B + scale·L·R alone, in a type that the kernels read and write: then they can be had in that type,
 * which is faster. */
bool tensor_change_is_plain(const Tensor *tensor);

/* The same as the two above, in the tensor's own dtype: of a tensor that is plain. */
void tensor_change_store(const Tensor *tensor, uint64_t first, size_t count, void *out);
void tensor_change_store_window(const Tensor *tensor, uint64_t row, size_t rows, uint64_t column,
                                size_t columns, void *out, size_t stride);

/* Some rows from a column on, for the kernels that make S of them and blend it on the way: it is never in memory. */
typedef struct TensorChanged {
    KernelFactors product;
    KernelChanged rows; /* its weights are the caller's */
} TensorChanged;

/* base is NULL where it has no weight, or plainly stored. False where S is not plain or not one matrix, or its rows have no
 * factors, or base is of another type or has not these rows. */
bool tensor_change_find(const Tensor *tensor, const Tensor *base, TensorChanged *changed, uint64_t row,
                        size_t rows, uint64_t column);

#endif
