#include "core/fusion/neurons_tensor.h"

uint64_t neurons_tensor_first(const NeuronTensor *found, uint64_t index) {
    return found->first + index % found->parts * found->part_stride + index / found->parts * found->stride;
}

static NeuronFit fit(bool fits) {
    return fits ? NEURONS_FIT : NEURONS_UNFIT;
}

/* ---- one matrix ---- */

static NeuronFit place_one(const NeuronBlock *block, NeuronAxis axis, const Tensor *tensor,
                           NeuronTensor *found) {
    *found =
        (NeuronTensor){.axis = axis, .first = block->first, .count = block->count, .matrices = 1, .parts = 1};
    return fit(block->count == (axis == NEURON_ROW ? tensor->rows : tensor->columns));
}

static NeuronFit place_plain(const NeuronTable *table, const PairTensor *tensor, NeuronTensor *found) {
    /* of a mixture without experts, where nothing has some */
    bool is_shared =
        table->experts.count == 0 && tensor->role == TENSOR_SHARED_EXPERT && !tensor->sft->is_bias;
    TensorRole role = is_shared ? tensor->sft->part : tensor->role;
    NeuronModule module;
    if (!neurons_find_role(role, &module)) return NEURONS_NONE;
    NeuronBlock block = neurons_find_block(table, (uint64_t)tensor->layer, module);
    if (block.count == 0) return NEURONS_NONE;
    return place_one(&block, neurons_axis(table, module, role), tensor->sft, found);
}

/* ---- experts ---- */

/* By the weight that an expert's tensor is, or whose bias. */
static bool find_part(TensorRole part, NeuronModule *module) {
    return neurons_find_role(part, module) && neurons_facts(*module)->weight == part;
}

/* Of one expert, or the shared one. */
static NeuronFit place_expert(const NeuronTable *table, const PairTensor *tensor, NeuronModule module,
                              int64_t expert, NeuronTensor *found) {
    NeuronBlock block = neurons_find_block(table, (uint64_t)tensor->layer, module);
    if (expert >= (int64_t)table->experts.count) return NEURONS_UNFIT;
    NeuronBlock matrix = neurons_of_expert(table, &block, expert);
    NeuronAxis axis = neurons_facts(module)->are_inputs ? NEURON_COLUMN : NEURON_ROW;
    return matrix.count == 0 ? NEURONS_UNFIT : place_one(&matrix, axis, tensor->sft, found);
}

/* [E·I × H] of each module, down transposed: all rows of it are neurons. */
static NeuronFit place_row(const NeuronTable *table, const NeuronBlock *block, const Tensor *tensor,
                           NeuronTensor *found) {
    NeuronBlock all = *block;
    all.count = table->experts.count * table->experts.counts[block->module];
    return place_one(&all, NEURON_ROW, tensor, found);
}

/* [E × rows × columns] of one module. */
static NeuronFit place_stack(const NeuronTable *table, const NeuronBlock *block, NeuronAxis axis,
                             uint64_t rows, uint64_t columns, const Tensor *tensor, NeuronTensor *found) {
    uint64_t count = table->experts.counts[block->module];
    *found = (NeuronTensor){.axis = axis,
                            .first = block->first,
                            .count = count,
                            .matrices = table->experts.count,
                            .rows = rows,
                            .columns = columns,
                            .parts = 1,
                            .stride = count};
    return fit(tensor->shape[0] == table->experts.count && count > 0 &&
               count == (axis == NEURON_ROW ? rows : columns));
}

/* [E × 2I × H], gate before up. */
static NeuronFit place_pairs(const NeuronTable *table, const NeuronBlock *gate, const Tensor *tensor,
                             NeuronTensor *found) {
    NeuronBlock up = neurons_find_block(table, gate->layer, NEURON_UP);
    NeuronFit fits =
        place_stack(table, gate, NEURON_ROW, tensor->shape[1] / 2, tensor->shape[2], tensor, found);
    found->matrices *= 2;
    found->parts = 2;
    found->part_stride = up.first - gate->first;
    return tensor->shape[1] % 2 == 0 ? fits : NEURONS_UNFIT;
}

/* All experts' in one tensor. */
static NeuronFit place_whole(const NeuronTable *table, const PairTensor *tensor, NeuronModule module,
                             NeuronTensor *found) {
    const Tensor *sft = tensor->sft;
    bool is_bias = tensor->role == TENSOR_EXPERT_BIAS, is_transposed = table->experts.is_transposed;
    bool is_pair = module == NEURON_GATE_UP && !is_transposed;
    NeuronBlock block = neurons_find_block(table, (uint64_t)tensor->layer, is_pair ? NEURON_GATE : module);
    bool are_rows = neurons_facts(module)->are_inputs == is_transposed;
    if (is_bias && sft->rank == 2 && !is_pair)
        return place_stack(table, &block, NEURON_COLUMN, 1, sft->shape[1], sft, found);
    if (is_bias || sft->rank < 2 || sft->rank > 3) return NEURONS_UNFIT;
    if (sft->rank == 2) return is_pair ? NEURONS_UNFIT : place_row(table, &block, sft, found);
    if (is_pair) return place_pairs(table, &block, sft, found);
    return place_stack(table, &block, are_rows ? NEURON_ROW : NEURON_COLUMN, sft->shape[1], sft->shape[2],
                       sft, found);
}

static NeuronFit place_tensor(const NeuronTable *table, const PairTensor *tensor, NeuronTensor *found) {
    bool is_shared = tensor->role == TENSOR_SHARED_EXPERT,
         is_expert = tensor->role == TENSOR_EXPERT || tensor->role == TENSOR_EXPERT_BIAS;
    NeuronModule module;
    if (!neurons_has_experts(table, (uint64_t)tensor->layer) || (!is_shared && !is_expert))
        return place_plain(table, tensor, found);
    if (!find_part(tensor->sft->part, &module)) return NEURONS_UNFIT;
    if (!neurons_is_of_mlp(module)) return NEURONS_NONE; /* experts of attention */
    bool is_bias = tensor->sft->is_bias || tensor->role == TENSOR_EXPERT_BIAS;
    if (is_bias && neurons_facts(module)->are_inputs) return NEURONS_NONE; /* it is of no input */
    if (is_shared) return place_expert(table, tensor, module, NEURONS_SHARED, found);
    if (tensor->sft->expert >= 0) return place_expert(table, tensor, module, tensor->sft->expert, found);
    return place_whole(table, tensor, module, found);
}

/* The matrix of a stack that a slice is. */
static NeuronFit place_slice(const NeuronTable *table, const PairTensor *tensor, NeuronTensor *found) {
    NeuronFit fits = place_tensor(table, tensor->whole, found);
    uint64_t columns = tensor->sft->columns, row = tensor->first / columns;
    if (fits != NEURONS_FIT) return fits;
    if (found->rows == 0) { /* rows of one matrix */
        found->first += row;
        found->count = tensor->sft->rows;
        return NEURONS_FIT;
    }
    found->first = neurons_tensor_first(found, row / found->rows);
    found->matrices = 1;
    found->parts = 1;
    return fit(columns == found->columns && tensor->sft->rows == found->rows && row % found->rows == 0);
}

NeuronFit neurons_tensor_find(const NeuronTable *table, const PairTensor *tensor, NeuronTensor *found) {
    if (tensor->layer < 0 || (uint64_t)tensor->layer >= table->layers) return NEURONS_NONE;
    return tensor->whole != NULL ? place_slice(table, tensor, found) : place_tensor(table, tensor, found);
}

/* ---- the other way ---- */

const PairTensor *neurons_tensor_weight(const Model *model, const NeuronBlock *matrix) {
    static const ExpertMatrix MATRICES[NEURON_MODULE_COUNT] = {[NEURON_GATE] = EXPERT_GATE,
                                                               [NEURON_UP] = EXPERT_UP,
                                                               [NEURON_GATE_UP] = EXPERT_GATE_UP,
                                                               [NEURON_DOWN] = EXPERT_DOWN};
    static const TensorPart SHARED[NEURON_MODULE_COUNT] = {[NEURON_GATE] = TENSOR_PART_SHARED_GATE,
                                                           [NEURON_UP] = TENSOR_PART_SHARED_UP,
                                                           [NEURON_GATE_UP] = TENSOR_PART_SHARED_GATE_UP,
                                                           [NEURON_DOWN] = TENSOR_PART_SHARED_DOWN};
    const ModelLayer *layer = &model->layers[matrix->layer];
    if (matrix->expert == NEURONS_SHARED) return layer->parts[SHARED[matrix->module]];
    if (matrix->expert >= 0) return layer->experts.list[matrix->expert].matrices[MATRICES[matrix->module]];
    const PairTensor *weight = layer->tensors[neurons_facts(matrix->module)->weight];
    return weight != NULL ? weight : layer->parts[SHARED[matrix->module]]; /* of a mixture without experts */
}
