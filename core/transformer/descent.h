/*
 * descent — a group of rows on its way down through a layer, and the steps that the ways back of blocks are made of. For
 * the files of this room.
 *
 * A block's way back goes from the gradient at what it gave (descent->given) to SLOPE_NORMED, the gradient at what it took.
 */
#ifndef REJUV_CORE_DESCENT_H
#define REJUV_CORE_DESCENT_H

#include "core/transformer/backward_attention.h"
#include "core/transformer/backward_internal.h"

typedef struct Descent {
    Backward *backward;
    const BackwardGroup *group;
    const BackwardSpan *spans; /* [count]: of the group's sequences */
    size_t count, tokens;
    uint64_t layer;
    ForwardKept kept; /* outputs of gate and up, where they were kept instead of computed again */
    Slope given;      /* SLOPE_RESIDUAL, or SLOPE_ADDED where something stands between block and stream */
    bool accumulates; /* onto what SLOPE_NORMED has: of the block beside */
    float **
        shared_slopes; /* [2 · layers]: at keys, then values, that other layers share, of all tokens; NULL: not shared */
    size_t shared_first;               /* where this group's tokens begin there */
    size_t stream;                     /* the one at hand, beside the residual */
    const ExpertRows *rows_of_experts; /* of attention, of all sequences */
    float *
        streams; /* [tokens × (streams − 1) · hidden_size]: gradients at those, or the embedding, of all groups; or NULL */
    float *scratch; /* [threads][scratch_stride], for backward_attention_run() */
    size_t scratch_stride;
    Angles angles[MODEL_MAX_ROPES]; /* [longest row × dims / 2] */
    float *rows; /* [threads][2 · row_stride]: of a token, whatever is normed or bent again */
    size_t row_stride;
    Job *job;
    /* where gradients of weights are wanted; else all of it is NULL */
    BackwardTaker taker;
    void *user;
    float *shared_keys, *shared_values; /* [a group's shared tokens × kv_heads · head_dim] */
    float *normed;         /* [group tokens × hidden_size]: the input of a block's first projections */
    double *head_sums;     /* [most heads × head_dim]: of a q or k norm, by head */
    float *norm_gradients; /* [heads · head_dim] */
    double *vector_sums;   /* [vector_size]: of vectors of a mixer with a state */
    double *bias_sums;     /* [vector_size]: of what is summed beside */
    float *vector_gradients;
} Descent;

/* Runs step(descent, sequence, token within it, worker) for all tokens of all sequences. */
typedef void (*DescentStep)(const Descent *descent, size_t sequence, size_t token, unsigned worker);
Status descent_for_tokens(const Descent *descent, DescentStep step, Error *error) STATUS_MUST_CHECK;

const ModelConfig *descent_config(const Descent *descent);
const LayerPlan *descent_plan(const Descent *descent);

/* As wide as the layer at hand has it. */
size_t descent_slope_width(const Descent *descent, Slope slope);

/* Of a token in its text. */
size_t descent_position(const Descent *descent, size_t sequence, size_t token);

/* A token's gradients of one kind, and its row's activations at one site. */
float *descent_slope(const Descent *descent, Slope slope, size_t sequence, size_t token);
const float *descent_activation(const Descent *descent, BackwardSite site, size_t sequence, size_t token);

/* dX = dY·W of a matrix of the layer. */
Status descent_project(const Descent *descent, TensorRole role, Slope from, Slope to, bool accumulate,
                       Error *error) STATUS_MUST_CHECK;

/* Gives what meets at a matrix to whoever wants gradients of weights: the input, by its site (BACKWARD_SITES: the normed
 * stream), and the gradient at its output. */
Status descent_give_matrix(const Descent *descent, TensorRole role, BackwardSite input, Slope slope,
                           Error *error) STATUS_MUST_CHECK;

/* Both of a matrix that is a part: what meets at it and at `bias` (TENSOR_PART_COUNT: it never has one) is given, then `from` goes
 * through it. `inputs` [tokens × its columns]. */
Status descent_run_part(const Descent *descent, TensorPart matrix, TensorPart bias, const float *inputs,
                        Slope from, Slope to, bool accumulate, Error *error) STATUS_MUST_CHECK;

/* Of a norm around a block: the stream that went into it [tokens × hidden_size], and the gradient at its output. */
Status descent_give_norm(const Descent *descent, TensorRole role, const float *streams, Slope slope,
                         Error *error) STATUS_MUST_CHECK;

/* Of a norm of the layer that is a part: what went into it, [tokens × norm.size], and the gradient at its output. */
Status descent_give_part_norm(const Descent *descent, TensorPart part, Norm norm, const float *inputs,
                              Slope slope, Error *error) STATUS_MUST_CHECK;

/* Any of them, as filled in but for its group. */
Status descent_give(const Descent *descent, BackwardFlow *flow, Error *error) STATUS_MUST_CHECK;

/* Of a part that is added to a gradient's columns from `first` on, where the layer has it: of a bias. */
Status descent_give_columns(const Descent *descent, TensorPart part, Slope slope, size_t first, size_t count,
                            Error *error) STATUS_MUST_CHECK;

/* Of a part whose gradient is in vector_sums, [rows]; these four do nothing where no gradients of weights are wanted. */
Status descent_give_sums(const Descent *descent, TensorPart part, size_t rows,
                         Error *error) STATUS_MUST_CHECK;

/* The same of a vector of `rows`, whose gradient this group's is. */
Status descent_give_vector(const Descent *descent, TensorRole role, const PairTensor *tensor,
                           const float *gradient, size_t rows, Error *error) STATUS_MUST_CHECK;

/* Attention of the layer at hand, from SLOPE_MIXED to SLOPE_QUERY, SLOPE_KEY and SLOPE_VALUE; what else it gives is the caller's
 * to name. */
BackwardAttention descent_attention(const Descent *descent);

#endif
