/*
 * neurons — how the neurons of a model are numbered, and what of its tensors belongs to each.
 *
 *     layer 0                                               layer 1
 *     ┌─────┬─────┬─────┬────────┬────────┬─────┬────────┐ ┌─────┬──
 *     │  q  │  k  │  v  │  gate  │   up   │  o  │  down  │ │  q  │ …        M neurons in all
 *     └─────┴─────┴─────┴────────┴────────┴─────┴────────┘ └─────┴──
 *      row   row   row   row      row      column column     of that module's weight
 *
 * One stretch is a block: the neurons of one module in one layer. A module is a matrix as it is stored: where q, k and v
 * are one, or gate and up, their neurons are its rows, and the parts have none. A row neuron is an output of its module,
 * with its bias where there is one; a column neuron is an input; where matrices are stored transposed (Conv1D), rows and
 * columns change places. A table has one count for a module in all layers, and is copied by value; a module that some
 * layers lack, or that is larger in some, has no neurons here.
 */
#ifndef REJUV_CORE_NEURONS_H
#define REJUV_CORE_NEURONS_H

#include "core/checkpoint/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the numbering, which is also the order in which ties are decided. */
typedef enum NeuronModule {
    NEURON_Q,
    NEURON_K,
    NEURON_V,
    NEURON_QKV,
    NEURON_GATE,
    NEURON_UP,
    NEURON_GATE_UP,
    NEURON_O,
    NEURON_DOWN,
    NEURON_MODULE_COUNT
} NeuronModule;

typedef enum NeuronAxis { NEURON_ROW, NEURON_COLUMN } NeuronAxis;

typedef struct NeuronFacts {
    TensorRole weight;
    TensorRole bias; /* whose elements belong to the neurons too; TENSOR_OTHER: none */
    bool are_inputs; /* of the module; else its outputs */
} NeuronFacts;

typedef struct NeuronTable {
    uint64_t layers;
    uint64_t counts[NEURON_MODULE_COUNT]; /* neurons of each module, in every layer; 0: it has none */
    bool is_transposed;
} NeuronTable;

typedef struct NeuronBlock {
    uint64_t layer;
    NeuronModule module;
    uint64_t first, count; /* neurons [first, first + count) of the model */
    size_t index;          /* neurons_block(table, index) is the block, where it has neurons */
} NeuronBlock;

enum { NEURONS_LARGEST = 1 << 27, NEURONS_NAME_SIZE = 32 };

const NeuronFacts *neurons_facts(NeuronModule module);

/* Whether a module's neurons are rows or columns of its matrix; of its bias they are rows always. */
NeuronAxis neurons_axis(const NeuronTable *table, NeuronModule module, TensorRole role);

/* The modules that have neurons, in their order; returns how many. */
size_t neurons_list_modules(const NeuronTable *table, NeuronModule modules[NEURON_MODULE_COUNT]);

/* "q", "gate", … */
const char *neurons_module_name(NeuronModule module);
bool neurons_find_module(const char *name, NeuronModule *module);

/* The module of which a tensor's rows or columns are neurons: of its weight, or of its bias. */
bool neurons_find_role(TensorRole role, NeuronModule *module);

NeuronTable neurons_list(const ModelConfig *config);
bool neurons_equal(const NeuronTable *a, const NeuronTable *b);

/* STATUS_FORMAT where a table that a file states has no neurons, or more than NEURONS_LARGEST. All other
 * functions take a table of a model, or one that this has let pass. */
Status neurons_check(const NeuronTable *table, Error *error) STATUS_MUST_CHECK;

/* A kind of block that the model has and whose neurons have no numbers yet, or NULL. */
const char *neurons_find_unnumbered(const ModelConfig *config);

/* STATUS_UNSUPPORTED where a model has blocks whose neurons have no numbers: mixtures of experts, latent attention. For
 * whoever measures neurons: what they do not cover may not look as if it were silent. */
Status neurons_check_model(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Whether the layer has attention, whose channels are inputs of o. */
bool neurons_has_channels(const ModelConfig *config, uint64_t layer);

/* STATUS_UNSUPPORTED where layers have MLPs, or attention, of different widths: tables of scores have as many columns for
 * each layer. */
Status neurons_check_widths(const Model *model, Error *error) STATUS_MUST_CHECK;

uint64_t neurons_count(const NeuronTable *table); /* M */

/* Blocks that have neurons. */
size_t neurons_block_count(const NeuronTable *table);
NeuronBlock neurons_block(const NeuronTable *table, size_t index);
NeuronBlock neurons_find_block(const NeuronTable *table, uint64_t layer, NeuronModule module);

/* The block of neuron `neuron` < M; its index within the block is neuron − block.first. */
NeuronBlock neurons_locate(const NeuronTable *table, uint64_t neuron);

/* "LAYER.MODULE", as in "3.gate". */
void neurons_name_block(const NeuronBlock *block, char name[NEURONS_NAME_SIZE]);
bool neurons_read_name(const NeuronTable *table, const char *name, NeuronBlock *block);

/* The tensors that a reset of the block's neurons touches: the weight and, for rows that have one, the bias.
 * Returns how many there are. */
size_t neurons_find_tensors(const Model *model, const NeuronBlock *block, const PairTensor *tensors[2]);

#endif
