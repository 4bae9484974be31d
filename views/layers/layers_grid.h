/*
 * layers_grid — the pair's tensors as a table: layers down, modules across, and a strip of those that belong
 * to no layer.
 *
 *              q    k    v    o  gate   up  down   …     columns: roles that some layer has
 *         0   (7)  (8)  (9)  …                           cells: indexes into pair->tensors, of the first where
 *         1                                              there are several of a role
 *         …
 *       embed  final_norm  lm_head                       the strip
 */
#ifndef REJUV_VIEWS_LAYERS_GRID_H
#define REJUV_VIEWS_LAYERS_GRID_H

#include "core/checkpoint/pair.h"

#include <stddef.h>
#include <stdint.h>

enum { LAYERS_STRIP_LIMIT = 3, LAYERS_LABEL_SIZE = 12 };

static const size_t LAYERS_NO_TENSOR = SIZE_MAX;

typedef struct LayersGrid {
    size_t layers, columns;
    TensorRole roles[TENSOR_ROLE_COUNT]; /* [columns] */
    size_t *cells;                       /* [layers × columns]; LAYERS_NO_TENSOR where there is none */
    size_t strip[LAYERS_STRIP_LIMIT], strip_count;
    const char **row_labels; /* [layers]: their numbers */
    const char *strip_labels[LAYERS_STRIP_LIMIT];
    char (*labels)[LAYERS_LABEL_SIZE]; /* what row_labels point to */
    size_t others;                     /* tensors that are in neither: a list shows them */
} LayersGrid;

/* `columns` is 0 for a pair whose tensors have no known roles. Release with layers_grid_close(). */
Status layers_grid_open(const Pair *pair, LayersGrid *grid, Error *error) STATUS_MUST_CHECK;
void layers_grid_close(LayersGrid *grid);

/* The tensor of a cell; row `layers` is the strip. LAYERS_NO_TENSOR outside. */
size_t layers_grid_tensor(const LayersGrid *grid, size_t row, size_t column);

/* Whether a cell stands for several tensors of one role in one layer, such as experts. */
bool layers_grid_pools(const Pair *pair, const PairTensor *tensor);

/* The last row: the strip, where there is one. */
size_t layers_grid_last_row(const LayersGrid *grid);

/* The role's name, or where it is wider than `columns` a short one: "gat", "n1", "qb". */
const char *layers_grid_name(TensorRole role, int columns);

#endif
