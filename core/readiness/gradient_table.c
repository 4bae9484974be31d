#include "core/readiness/gradient_table.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROLES = TENSOR_ROLE_COUNT + 1, NO_LAYER = 2 /* rows before that of layer 0 */ };

static GradientNorms *cell(const GradientTable *table, int layer, TensorRole role) {
    return &table->norms[(size_t)(layer + NO_LAYER) * ROLES + (size_t)role];
}

/* Squares, until all are there. */
static void add(GradientNorms *norms, const GradientTensor *tensor) {
    norms->tensors++;
    norms->gradient += tensor->norm * tensor->norm;
    norms->weight += tensor->weight * tensor->weight;
}

static int compare_tensors(const void *a, const void *b) {
    uintptr_t first = (uintptr_t)((const GradientTensor *)a)->tensor,
              second = (uintptr_t)((const GradientTensor *)b)->tensor;
    return (first > second) - (first < second);
}

static Status copy_tensors(const Gradient *gradient, GradientTable *table, Error *error) {
    table->tensors = memory_allocate(gradient->count, sizeof *table->tensors);
    if (table->tensors == NULL) return memory_fail(error, "a gradient");
    table->count = gradient->count;
    if (table->count == 0) return STATUS_OK;
    memcpy(table->tensors, gradient->tensors, table->count * sizeof *table->tensors);
    qsort(table->tensors, table->count, sizeof *table->tensors, compare_tensors);
    return STATUS_OK;
}

Status gradient_table_make(const Gradient *gradient, GradientTable *table, Error *error) {
    size_t layers = 0;
    for (size_t i = 0; i < gradient->count; i++)
        if (gradient->tensors[i].layer >= 0 && (size_t)gradient->tensors[i].layer >= layers)
            layers = (size_t)gradient->tensors[i].layer + 1;
    *table = (GradientTable){.norms = memory_allocate(layers + NO_LAYER, ROLES * sizeof *table->norms),
                             .layers = layers};
    Status status =
        table->norms == NULL ? memory_fail(error, "a gradient") : copy_tensors(gradient, table, error);
    if (status != STATUS_OK) {
        gradient_table_free(table);
        return status;
    }
    for (size_t i = 0; i < gradient->count; i++) {
        const GradientTensor *tensor = &gradient->tensors[i];
        add(cell(table, tensor->layer, tensor->role), tensor);
        add(cell(table, tensor->layer, TENSOR_ROLE_COUNT), tensor);
        add(cell(table, GRADIENT_ALL, tensor->role), tensor);
        add(cell(table, GRADIENT_ALL, TENSOR_ROLE_COUNT), tensor);
    }
    for (size_t i = 0; i < (layers + NO_LAYER) * ROLES; i++) {
        table->norms[i].gradient = sqrt(table->norms[i].gradient);
        table->norms[i].weight = sqrt(table->norms[i].weight);
    }
    return STATUS_OK;
}

void gradient_table_free(GradientTable *table) {
    free(table->norms);
    free(table->tensors);
    *table = (GradientTable){0};
}

GradientNorms gradient_table_find(const GradientTable *table, int layer, TensorRole role) {
    bool is_there = table->norms != NULL && layer >= GRADIENT_ALL &&
                    (layer < 0 || (size_t)layer < table->layers) && role <= TENSOR_ROLE_COUNT;
    return is_there ? *cell(table, layer, role) : (GradientNorms){0};
}

GradientNorms gradient_table_tensor(const GradientTable *table, const PairTensor *tensor) {
    const GradientTensor key = {.tensor = tensor};
    const GradientTensor *found = table->count > 0 ? bsearch(&key, table->tensors, table->count,
                                                             sizeof *table->tensors, compare_tensors)
                                                   : NULL;
    return found == NULL ? (GradientNorms){0} : (GradientNorms){1, found->norm, found->weight};
}
