/*
 * gradient — the gradient at hand-over: what one group-relative step of reinforcement learning would do to each weight of a
 * state, from samples, wherever they come from.
 *
 *     L = −(1/N) Σ A · ln π(y_t | ·)        over all response tokens, N of them; A: the advantage of a token's sample
 *
 * ‖∂L/∂W‖_F of every tensor and ‖W‖_F, biases and norms too; a tied head with its embedding is one. Samples of A = 0 add
 * nothing, and are counted in N only. (A padding token's row learns like any other, which torch's Embedding leaves out.) Routers of
 * experts learn by the weights they give; which experts they choose is taken as it is, and what corrects only the choice learns
 * nothing and is left out.
 *
 *     rows of samples with A ≠ 0, in groups ──► forward, a layer's inputs are kept (backward.h)
 *                                           ──► head and final norm (gradient_head.h)
 *     each layer, from the last:   groups   ──► forward again, down ──► its weights' norms (gradient_sums.h)
 *                                           ──► embedding
 *
 * What samples of one prompt share goes through once. Costs at most four forward passes of the same tokens. Memory, in floats:
 * hidden_size · (layers + 3) a token of those rows, a group's activations, and where there are several groups one layer's
 * matrices, or of its experts what meets at them (gradient_experts.h); half of what is left of forward_memory_limit() may go into keeping activations that would be computed twice. What
 * does not fit is refused with how many tokens would.
 */
#ifndef REJUV_CORE_GRADIENT_H
#define REJUV_CORE_GRADIENT_H

#include "core/readiness/sample_rows.h"
#include "core/transformer/forward.h"

typedef struct GradientTensor {
    const PairTensor *tensor;
    TensorRole role;     /* as the state uses it */
    int layer;           /* -1: none */
    double norm, weight; /* ‖∂L/∂W‖_F, ‖W‖_F */
} GradientTensor;

/* All weights and biases of one expert of an MLP, wherever they are stored (experts of attention are told as tensors). Its norm is 0 where no token goes to it. */
typedef struct GradientExpert {
    int layer;
    size_t expert;
    double norm, weight;
} GradientExpert;

/* Zero-initialise; gradient_free() releases. */
typedef struct Gradient {
    GradientTensor *tensors; /* embedding, layers in order, final norm, head */
    size_t count;
    GradientExpert *experts; /* by layer and number */
    size_t expert_count;
    double loss;   /* L */
    size_t tokens; /* N */
} Gradient;

/* `advantages` [rows->count]. Rows are told to go in groups of at most `group_tokens` tokens; 0: as memory suits. Reports
 * "gradient, forward", "gradient, head" and "gradient, backward". STATUS_FORMAT names the first tensor whose weights or
 * gradient are not all numbers. On failure *gradient is empty. */
Status gradient_measure(const Model *model, const Settings *settings, const SampleRows *rows,
                        const double *advantages, size_t group_tokens, Gradient *gradient, Job *job,
                        Error *error) STATUS_MUST_CHECK;
void gradient_free(Gradient *gradient);

/* Over tensors of a layer (-1: those of none; GRADIENT_ALL: whatever layer) and a role (TENSOR_ROLE_COUNT: whatever
 * role): √Σ of squares, of the gradient and of the weights. 0 over none. */
enum { GRADIENT_ALL = -2 };
typedef struct GradientNorms {
    size_t tensors;
    double gradient, weight;
} GradientNorms;
GradientNorms gradient_add_up(const Gradient *gradient, int layer, TensorRole role);

#endif
