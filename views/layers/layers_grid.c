#include "views/layers/layers_grid.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct GridColumn {
    TensorRole role;
    const char *name;
} GridColumn;

/* From left to right: matrices in the order of the computation, norms, biases. */
static const GridColumn COLUMNS[] = {
    {TENSOR_Q, "q"},
    {TENSOR_K, "k"},
    {TENSOR_V, "v"},
    {TENSOR_QKV, "qkv"},
    {TENSOR_Q_A, "qa"},
    {TENSOR_Q_B, "qB"},
    {TENSOR_KV_A, "kva"},
    {TENSOR_KV_B, "kvB"},
    {TENSOR_O, "o"},
    {TENSOR_STATE_SPACE, "ssm"},
    {TENSOR_CONVOLUTION, "cnv"},
    {TENSOR_GATE, "gat"},
    {TENSOR_UP, "up"},
    {TENSOR_GATE_UP, "g+u"},
    {TENSOR_DOWN, "dwn"},
    {TENSOR_ROUTER, "rtr"},
    {TENSOR_EXPERT, "exp"},
    {TENSOR_SHARED_EXPERT, "shx"},
    {TENSOR_Q_NORM, "qn"},
    {TENSOR_K_NORM, "kn"},
    {TENSOR_Q_BIAS, "qb"},
    {TENSOR_K_BIAS, "kb"},
    {TENSOR_V_BIAS, "vb"},
    {TENSOR_QKV_BIAS, "ab"},
    {TENSOR_O_BIAS, "ob"},
    {TENSOR_GATE_BIAS, "gb"},
    {TENSOR_UP_BIAS, "ub"},
    {TENSOR_GATE_UP_BIAS, "gub"},
    {TENSOR_DOWN_BIAS, "db"},
    {TENSOR_EXPERT_BIAS, "xb"},
    {TENSOR_ATTENTION_NORM, "n1"},
    {TENSOR_POST_ATTENTION_NORM, "p1"},
    {TENSOR_MLP_NORM, "n2"},
    {TENSOR_POST_MLP_NORM, "p2"},
    {TENSOR_NORM, "nrm"},
};
static const TensorRole STRIP[LAYERS_STRIP_LIMIT] = {TENSOR_EMBEDDING, TENSOR_FINAL_NORM, TENSOR_HEAD};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

const char *layers_grid_name(TensorRole role, int columns) {
    const char *whole = tensor_role_name(role);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (COLUMNS[i].role == role && (int)strlen(whole) > columns) return COLUMNS[i].name;
    return whole;
}

/* Which roles occur, and how many layers the tensors of known roles have. */
static void survey(const Pair *pair, LayersGrid *grid, bool present[TENSOR_ROLE_COUNT]) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        present[tensor->role] = true;
        if (tensor->role == TENSOR_OTHER) grid->others++;
        if (tensor->layer >= 0 && tensor_role_is_layered(tensor->role) &&
            (size_t)tensor->layer >= grid->layers)
            grid->layers = (size_t)tensor->layer + 1;
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (present[COLUMNS[i].role]) grid->roles[grid->columns++] = COLUMNS[i].role;
}

static Status allocate(LayersGrid *grid, Error *error) {
    size_t count;
    if (!memory_multiply(grid->layers, grid->columns, &count))
        return memory_fail(error, "the table of layers");
    grid->cells = memory_allocate(count, sizeof *grid->cells);
    grid->row_labels = memory_allocate(grid->layers, sizeof *grid->row_labels);
    grid->labels = memory_allocate(grid->layers, sizeof *grid->labels);
    if (grid->cells == NULL || grid->row_labels == NULL || grid->labels == NULL) {
        layers_grid_close(grid);
        return memory_fail(error, "the table of layers");
    }
    for (size_t i = 0; i < count; i++) grid->cells[i] = LAYERS_NO_TENSOR;
    for (size_t i = 0; i < grid->layers; i++) {
        (void)snprintf(grid->labels[i], LAYERS_LABEL_SIZE, "%u", (unsigned)i);
        grid->row_labels[i] = grid->labels[i];
    }
    return STATUS_OK;
}

Status layers_grid_open(const Pair *pair, LayersGrid *grid, Error *error) {
    bool present[TENSOR_ROLE_COUNT] = {false};
    size_t column_of[TENSOR_ROLE_COUNT] = {0};
    *grid = (LayersGrid){0};
    survey(pair, grid, present);
    /* a name may claim any layer number: what cannot be a model's is shown as a list */
    if (grid->layers > pair->count) grid->layers = grid->columns = 0;
    Status status = allocate(grid, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < grid->columns; i++) column_of[grid->roles[i]] = i;
    for (size_t i = 0; i < pair->count && grid->columns > 0; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        if (tensor->layer < 0 || !tensor_role_is_layered(tensor->role)) continue;
        size_t *cell = &grid->cells[(size_t)tensor->layer * grid->columns + column_of[tensor->role]];
        if (*cell == LAYERS_NO_TENSOR)
            *cell = (size_t)(pair_find_role(pair, tensor->role, tensor->layer) - pair->tensors);
    }
    for (size_t place = 0; place < LAYERS_STRIP_LIMIT; place++) {
        const PairTensor *tensor = pair_find_role(pair, STRIP[place], -1);
        if (tensor == NULL) continue;
        grid->strip_labels[grid->strip_count] = tensor_role_name(STRIP[place]);
        grid->strip[grid->strip_count++] = (size_t)(tensor - pair->tensors);
    }
    return STATUS_OK;
}

void layers_grid_close(LayersGrid *grid) {
    free(grid->cells);
    free(grid->row_labels);
    free(grid->labels);
    *grid = (LayersGrid){0};
}

size_t layers_grid_tensor(const LayersGrid *grid, size_t row, size_t column) {
    if (row == grid->layers) return column < grid->strip_count ? grid->strip[column] : LAYERS_NO_TENSOR;
    if (row > grid->layers || column >= grid->columns) return LAYERS_NO_TENSOR;
    return grid->cells[row * grid->columns + column];
}

bool layers_grid_pools(const Pair *pair, const PairTensor *tensor) {
    size_t count = 0;
    if (tensor->layer < 0 || !tensor_role_is_layered(tensor->role)) return false;
    (void)role_index_find(&pair->roles, tensor->role, tensor->layer, &count);
    return count > 1;
}

size_t layers_grid_last_row(const LayersGrid *grid) {
    return grid->strip_count > 0 ? grid->layers : grid->layers - 1;
}
