/*
 * gradient_table — the norms of a gradient by layer and role, added up once, so that any of them is a look-up.
 *
 *     layers   of all (GRADIENT_ALL), of none (-1), 0 …        as gradient_add_up() has them
 *     roles    each, and whatever role (TENSOR_ROLE_COUNT)
 *     tensors  one by one
 */
#ifndef REJUV_CORE_GRADIENT_TABLE_H
#define REJUV_CORE_GRADIENT_TABLE_H

#include "core/readiness/gradient.h"

/* Zero-initialise, and empty so; gradient_table_free() releases. */
typedef struct GradientTable {
    GradientNorms *norms; /* [layers + 2][TENSOR_ROLE_COUNT + 1] */
    size_t layers;
    GradientTensor *tensors; /* [count]: by where they are in memory */
    size_t count;
} GradientTable;

/* The gradient may be freed then; its pair may not. On failure the table is empty. */
Status gradient_table_make(const Gradient *gradient, GradientTable *table, Error *error) STATUS_MUST_CHECK;
void gradient_table_free(GradientTable *table);

/* What gradient_add_up() gives; nothing for a layer that there is not. */
GradientNorms gradient_table_find(const GradientTable *table, int layer, TensorRole role);

/* The same of one tensor; nothing for one that there is not. */
GradientNorms gradient_table_tensor(const GradientTable *table, const PairTensor *tensor);

#endif
