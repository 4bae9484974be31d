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
 * columns change places. A table has one count for a module in all layers, and others for the layers that lack it or have
 * it larger: hybrids, layers of several widths (NeuronKind). It is copied by value.
 *
 * In a layer that is a mixture of experts, gate, up and down are blocks of several matrices: of each expert, in their
 * order, then of the expert that every token passes.
 *
 *     ┌── 3.gate ──────────────────────────────────────────┐
 *     │ 3.0.gate │ 3.1.gate │ … │ 3.127.gate │ 3.shared.gate │      a router has no neurons
 *     └──────────┴──────────┴───┴────────────┴───────────────┘
 *
 * Latent attention has neurons where it has a matrix that is one of these modules: inputs of o, and outputs of q where queries come
 * of no latent. What comes of a latent is an output of no q, k or v, and has none.
 *
 * Attention of experts, and to compressed keys, has none: no matrix is q or o of all tokens, or of all heads.
 *
 * Mixers that keep a state of their text (state spaces, linear attention, convolutions) have none: what comes of their matrices is
 * channels, writes, decays and steps at once, which no row and column of base would put back alone.
 *
 * A mixture without experts is what every token passes: its modules are an MLP's.
 *
 * Gate and up of all experts in one tensor are two modules where they lie one behind the other, and one, gate_up, where
 * the tensor is transposed.
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

enum { NEURONS_MOST_KINDS = MODEL_MAX_PLANS - 1 }; /* besides the first */

typedef struct NeuronFacts {
    TensorRole weight;
    TensorRole bias; /* whose elements belong to the neurons too; TENSOR_OTHER: none */
    bool are_inputs; /* of the module; else its outputs */
} NeuronFacts;

/* Of the layers that are mixtures of experts; all zero: there are none. */
typedef struct NeuronExperts {
    uint64_t count;                         /* of such a layer */
    uint64_t counts[NEURON_MODULE_COUNT];   /* neurons of each module, in every expert */
    uint64_t shared[NEURON_MODULE_COUNT];   /* in the expert that every token passes */
    bool is_transposed;                     /* all of them are in one tensor, [inputs × outputs] each */
    uint64_t layers[MODEL_MAX_LAYERS / 64]; /* a bit for each of these layers */
} NeuronExperts;

/* Layers whose modules have other numbers of neurons than those of the first kind, which has no list of its layers. */
typedef struct NeuronKind {
    uint64_t counts[NEURON_MODULE_COUNT];
    uint64_t layers[MODEL_MAX_LAYERS / 64]; /* a bit for each of these layers */
} NeuronKind;

typedef struct NeuronTable {
    uint64_t layers;
    /* neurons of each module, in every layer that is of no other kind; 0: it has none. Those of an MLP in the layers that
     * are no mixtures of experts */
    uint64_t counts[NEURON_MODULE_COUNT];
    bool is_transposed;
    NeuronExperts experts;
    size_t kind_count; /* 0: all layers are alike */
    NeuronKind kinds[NEURONS_MOST_KINDS];
} NeuronTable;

/* Which expert a matrix belongs to, where it is not the number of one. */
enum {
    NEURONS_WHOLE = -1 /* to none, or it is a block of all of them */,
    NEURONS_SHARED = -2,
    NEURONS_ROUTED = -3 /* all but the shared one */
};

typedef struct NeuronBlock {
    uint64_t layer;
    NeuronModule module;
    uint64_t first, count; /* neurons [first, first + count) of the model */
    size_t index;          /* neurons_block(table, index) is the block, where it has neurons */
    int64_t expert;        /* whose part of the block it is; NEURONS_WHOLE: all of it */
    uint64_t offset;       /* of its first neuron in the whole block */
} NeuronBlock;

enum { NEURONS_LARGEST = 1 << 27, NEURONS_NAME_SIZE = 48 };

const NeuronFacts *neurons_facts(NeuronModule module);

/* Whether a module's neurons are rows or columns of its matrix; of its bias they are rows always. */
NeuronAxis neurons_axis(const NeuronTable *table, NeuronModule module, TensorRole role);

/* The modules that have neurons, in their order; returns how many. */
size_t neurons_list_modules(const NeuronTable *table, NeuronModule modules[NEURON_MODULE_COUNT]);

/* Neurons of a module in a layer that has most of them. */
uint64_t neurons_widest(const NeuronTable *table, NeuronModule module);

/* "q", "gate", … */
const char *neurons_module_name(NeuronModule module);
bool neurons_find_module(const char *name, NeuronModule *module);

/* The module of which a tensor's rows or columns are neurons: of its weight, or of its bias. Experts' tensors are found by
 * neurons_tensor_find(). */
bool neurons_find_role(TensorRole role, NeuronModule *module);

NeuronTable neurons_list(const ModelConfig *config);
bool neurons_equal(const NeuronTable *a, const NeuronTable *b);

/* STATUS_FORMAT where a table that a file states has no neurons, or more than NEURONS_LARGEST. All other
 * functions take a table of a model, or one that this has let pass. */
Status neurons_check(const NeuronTable *table, Error *error) STATUS_MUST_CHECK;

/* A kind of block that the model has and whose neurons have no numbers yet, or NULL. */
const char *neurons_find_unnumbered(const ModelConfig *config);

/* Whether no layer has attention or an MLP, as in models that are state spaces alone: what a state space has inside is none
 * of the modules that the method knows, here as beside attention. */
bool neurons_are_none(const ModelConfig *config);

/* STATUS_UNSUPPORTED where a model has none, or has blocks whose neurons have no numbers: experts of several sizes,
 * a shared expert that is weighed where there is no other, blocks that layers share.
 * For whoever measures neurons: what they do not cover may not look as if it were silent. */
Status neurons_check_model(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Inputs of down in a layer, of all its experts together where it has some, and in the widest; 0: it has no MLP. */
uint64_t neurons_mlp_width(const ModelConfig *config, uint64_t layer);
uint64_t neurons_widest_mlp(const ModelConfig *config);

/* Inputs of o in a layer, attention's channels, and the heads they are of; 0: it has no attention. And in the widest. */
uint64_t neurons_channels(const ModelConfig *config, uint64_t layer);
uint64_t neurons_heads(const ModelConfig *config, uint64_t layer);
uint64_t neurons_widest_channels(const ModelConfig *config);
uint64_t neurons_most_heads(const ModelConfig *config);

uint64_t neurons_count(const NeuronTable *table); /* M */

/* Blocks that have neurons. */
size_t neurons_block_count(const NeuronTable *table);
NeuronBlock neurons_block(const NeuronTable *table, size_t index);
NeuronBlock neurons_find_block(const NeuronTable *table, uint64_t layer, NeuronModule module);

/* The block of neuron `neuron` < M; its index within the block is neuron − block.first. */
NeuronBlock neurons_locate(const NeuronTable *table, uint64_t neuron);

/* ---- experts ---- */

/* Whether the layer is a mixture of experts. */
bool neurons_has_experts(const NeuronTable *table, uint64_t layer);

/* Whether the module is of MLPs, and so of experts. */
bool neurons_is_of_mlp(NeuronModule module);

/* Whether the block is of a mixture of experts, so that it has several matrices. */
bool neurons_has_matrices(const NeuronTable *table, const NeuronBlock *block);

/* Whether there is an expert that every token passes. */
bool neurons_has_shared(const NeuronTable *table);

/* The part of a whole block that is one expert's, the shared one's, or all that tokens are routed to; its count may be 0. */
NeuronBlock neurons_of_expert(const NeuronTable *table, const NeuronBlock *block, int64_t expert);

/* The matrices whose neurons a whole block has, from 0 on: how many, and each. */
size_t neurons_matrix_count(const NeuronTable *table, const NeuronBlock *block);
NeuronBlock neurons_matrix(const NeuronTable *table, const NeuronBlock *block, size_t index);

/* The matrix of neuron `neuron` < M; which row or column of it the neuron is: neuron − matrix.first. */
NeuronBlock neurons_locate_matrix(const NeuronTable *table, uint64_t neuron);

/* "17", "shared", or "" where the matrix belongs to none. */
enum { NEURONS_EXPERT_SIZE = 24 };
void neurons_name_expert(int64_t expert, char name[NEURONS_EXPERT_SIZE]);
bool neurons_read_expert(const char *name, int64_t *expert); /* one of the former two */

/* "LAYER.MODULE", as in "3.gate"; "LAYER.EXPERT.MODULE", as in "3.17.gate" and "3.shared.gate". Read is the name of a
 * matrix that has neurons, as it is written. */
void neurons_name_block(const NeuronBlock *block, char name[NEURONS_NAME_SIZE]);
bool neurons_read_name(const NeuronTable *table, const char *name, NeuronBlock *matrix);

#endif
