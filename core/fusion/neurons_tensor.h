/*
 * neurons_tensor — which rows, columns or stretches of a tensor are which neurons: the way from numbers to weights and
 * back.
 *
 *     a matrix                 its rows, or its columns, are neurons from `first` on
 *     all experts in one       [E × 2I × H], [E × H × I] …: matrices one behind the other, of each its rows or its columns
 *
 * A slice of such a tensor (model_experts.h) is one of its matrices.
 */
#ifndef REJUV_CORE_NEURONS_TENSOR_H
#define REJUV_CORE_NEURONS_TENSOR_H

#include "core/fusion/neurons.h"

typedef struct NeuronTensor {
    NeuronAxis axis;
    uint64_t first;         /* neuron of the first row or column of the first matrix */
    uint64_t count;         /* of a matrix */
    uint64_t matrices;      /* one behind the other */
    uint64_t rows, columns; /* of a matrix, as it is stored; 0: the tensor's own */
    /* matrix m begins with neuron first + (m mod parts) · part_stride + ⌊m / parts⌋ · stride */
    uint64_t parts, part_stride, stride;
} NeuronTensor;

typedef enum NeuronFit {
    NEURONS_NONE, /* none of its rows or columns is a neuron */
    NEURONS_FIT,
    NEURONS_UNFIT /* they are, but the table has another number of them */
} NeuronFit;

/* Of one of the pair's tensors, or of a slice of one. *found is filled where they fit. */
NeuronFit neurons_tensor_find(const NeuronTable *table, const PairTensor *tensor, NeuronTensor *found);

/* The neuron of the first row or column of matrix `index`. */
uint64_t neurons_tensor_first(const NeuronTensor *found, uint64_t index);

/* The weight of a matrix's neurons, of which they are the rows or columns in their order: a slice, where the experts are
 * in one tensor; NULL where the model has none. */
const PairTensor *neurons_tensor_weight(const Model *model, const NeuronBlock *matrix);

#endif
