/*
 * model_experts — the matrices of a layer's experts, however they are stored: one by one, or all in one tensor, of which
 * each expert's is a slice that the model makes and owns.
 *
 *     one by one    experts.3.gate_proj.weight [I × H], up_proj, down_proj [H × I]; or w1, w3, w2
 *     in one        experts.gate_up_proj [E × 2I × H], experts.down_proj [E × H × I]; or transposed; or in a row
 *
 * A slice is a PairTensor whose `whole` is the pair's tensor: dials, scales and shifts do to it what they do to that.
 */
#ifndef REJUV_CORE_MODEL_EXPERTS_H
#define REJUV_CORE_MODEL_EXPERTS_H

#include "core/checkpoint/pair.h"

/* Gate and up are two matrices, or, where they are transposed, one: [H × 2I], halves or alternating. */
typedef enum ExpertMatrix {
    EXPERT_GATE,
    EXPERT_UP,
    EXPERT_GATE_UP,
    EXPERT_DOWN,
    EXPERT_MATRIX_COUNT
} ExpertMatrix;

typedef struct ModelExpert {
    const PairTensor *matrices[EXPERT_MATRIX_COUNT]; /* NULL where the layout has none */
} ModelExpert;

typedef struct ModelExperts {
    ModelExpert *list;                              /* [plan->experts.count] */
    const PairTensor *wholes[EXPERT_MATRIX_COUNT];  /* the pair's, where all experts are in one */
    const PairTensor *gate_up_bias, *down_bias;     /* [E × 2I], [E × H]; NULL: none */
    bool is_gate_up_transposed, is_down_transposed; /* stored as [inputs × outputs] */
    PairTensor *slices; /* [3 · count at most], and what they are slices of, base's and SFT's */
    Tensor *sides;
} ModelExperts;

/* A tensor of all experts, [E, rows, columns], as a matrix of each, list[E], which are slices of it. */
typedef struct ExpertStack {
    PairTensor *list;
    Tensor *sides;
} ExpertStack;

/* STATUS_FORMAT where it has another shape; `is_row`: [E · rows, columns]. The caller frees with model_experts_free_stack(), also after a failure. */
Status model_experts_cut_stack(const Pair *pair, const PairTensor *whole, uint64_t experts, uint64_t rows,
                               uint64_t columns, bool is_row, ExpertStack *stack,
                               Error *error) STATUS_MUST_CHECK;
void model_experts_free_stack(ExpertStack *stack);

/* Stacks as experts of two matrices, up and down (NULL: it has none), whose slices they borrow. The caller frees with model_experts_free(). */
Status model_experts_join(uint64_t count, const ExpertStack *up, const ExpertStack *down,
                          ModelExperts *experts, Error *error) STATUS_MUST_CHECK;

/* Finds those of one layer; a matrix that is missing or has another shape than config.json says is refused by name. The
 * caller frees with model_experts_free(), also after a failure. */
Status model_experts_find(const Pair *pair, int layer, const ModelConfig *config, ModelExperts *experts,
                          Error *error) STATUS_MUST_CHECK;
void model_experts_free(ModelExperts *experts);

/* Marks the pair's tensors among them, is_used[pair->count]. */
void model_experts_mark(const Pair *pair, const ModelExperts *experts, uint64_t count, bool *is_used);

/* An element of a table of whole numbers, I64. */
int64_t model_experts_listed(const Tensor *table, uint64_t element);

#endif
