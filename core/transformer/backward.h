/*
 * backward — gradients of the residual stream and of every activation, layer by layer from the top, for many
 * starting gradients at once. Gradients of weights are not formed here, but what meets at each weight is given out.
 *
 *     rows        token rows, run forward once; of each layer only its input is kept
 *                 ([layers + 1][tokens × hidden])
 *     sequences   a row's first `tokens` positions with a gradient at their residual stream before the final
 *                 norm; several sequences may be of one row (one for each target)
 *
 *     for layer = layers − 1 … 0
 *         run the layer forward again from its kept input                          (activations of all rows)
 *         down  ◄ gradient                                       (each ◄ one multiply for all sequences)
 *         act, gate, up ◄          norm ◄       + gradient
 *         o     ◄
 *         softmax attention, rotary, q/k norms ◄         q, k, v ◄          norm ◄       + gradient
 *         or, in their place, what a mixer with a state is made of (backward_mixer.h)
 *         visitor(layer)
 *
 * All float32, norms and softmax sums in double; W is blended on the way like in the forward pass. Memory:
 * the kept inputs, one layer's activations of all rows and one layer's gradients of all sequences;
 * backward_bytes() says.
 */
#ifndef REJUV_CORE_BACKWARD_H
#define REJUV_CORE_BACKWARD_H

#include "core/transformer/forward.h"
#include "core/transformer/norm.h"

typedef struct BackwardRow {
    const int32_t *ids;
    size_t count;
    /* its first tokens are those of the row before, which shares as many or none; 0: it stands alone. For
     * backward_run_weights() */
    size_t shared;
} BackwardRow;

typedef struct BackwardSequence {
    size_t row;
    size_t tokens; /* ≤ the row's count */
} BackwardSequence;

/* The sites of a layer at which activations and their gradients can be read. */
typedef enum BackwardSite {
    /* outputs of q, k, v with bias, before clips, q/k norms and rotary embedding; of q with its gates, where they are there */
    BACKWARD_QUERY,
    BACKWARD_KEY,
    BACKWARD_VALUE,
    BACKWARD_GATE, /* outputs of gate and up with bias */
    BACKWARD_UP,
    BACKWARD_MIXED,     /* input of o_proj */
    BACKWARD_ACTIVATED, /* input of down_proj */
    BACKWARD_QKV,       /* output of the one matrix of q, k and v, and of gate and up, as they are stored */
    BACKWARD_GATE_UP,
    BACKWARD_QUERY_LATENT, /* what queries, and keys and values, come of, as forward.h has it */
    BACKWARD_LATENT,
    BACKWARD_SITES
} BackwardSite;

/* And those of experts that tokens are routed to. */
typedef enum BackwardExpertSite {
    BACKWARD_EXPERT_GATE, /* outputs of gate and up with bias, apart or as one matrix has them */
    BACKWARD_EXPERT_UP,
    BACKWARD_EXPERT_GATE_UP,
    BACKWARD_EXPERT_ACTIVATED, /* input of down */
    BACKWARD_EXPERT_SITES
} BackwardExpertSite;

/* What a mixture of experts did: a row for each token and each of its experts. */
typedef struct BackwardExperts {
    const ExpertRows *rows, *sequences; /* of the tokens of all rows, and of all sequences */
    size_t width[BACKWARD_EXPERT_SITES];
    const float *activations[BACKWARD_EXPERT_SITES]; /* [rows->count × width] */
    const float *gradients[BACKWARD_EXPERT_SITES];   /* [sequences->count × width] */
    bool scales_input;                               /* a row's weight is its input's, not its output's */
    const float *shares; /* [tokens of all rows]: of the shared expert's output; NULL: all of it */
} BackwardExperts;

/* What goes past a block on the stream: scale · x, or vector ⊙ x; where the block is added to its normed input, of norm(x). */
typedef struct BackwardPast {
    float scale;
    const float *vector; /* or NULL */
    const float *inputs; /* x, [tokens of all rows × hidden_size], where it is normed; else NULL */
    Norm norm;
} BackwardPast;

typedef struct BackwardLayer {
    uint64_t layer;
    size_t width[BACKWARD_SITES];
    const float *activations[BACKWARD_SITES]; /* [tokens of all rows × width], rows one after another */
    /* [tokens of all sequences × width], sequences one after another */
    const float *gradients[BACKWARD_SITES];
    /* what attention and MLP gave, [tokens of all rows × hidden_size], and the norm that it went through onto the stream;
     * NULL where there is none; and what it was multiplied by before that */
    const float *outputs[2];
    Norm norms[2];
    /* of both: what its output is multiplied by on its way, and what goes past it */
    float scales[2];
    BackwardPast past[2];
    float end_scale; /* of all that leaves the layer */
    /* NULL: none; else gate, up and activated above are the shared expert's */
    const BackwardExperts *experts;
    const struct Descent *descent; /* for backward_direct_…() */
} BackwardLayer;

typedef struct Backward Backward;

/* Called on the calling thread after each layer, from the last to the first. */
typedef Status (*BackwardVisitor)(void *user, const BackwardLayer *layer, Error *error);

/* A direction d [hidden_size] on the stream behind a block, at a token of all rows, as it is on the stream before it where it
 * goes past the block, in place: a norm's own scale is taken as it is. */
void backward_direct(const BackwardPast *past, size_t token, size_t hidden_size, float *direction);

/* Directions of models that have several streams (block_streams.h, block_connections.h), at tokens of all rows. What streams are mixed by is taken as
 * it is, like norms' scales and the lengths that streams are brought to. */
typedef struct BackwardDirections {
    const size_t *tokens; /* [count] */
    size_t count;
    float *stream; /* [count × hidden_size]: on the one that blocks are added to */
    float *all;    /* [count × streams · hidden_size]; NULL: there is no other */
} BackwardDirections;

/* Streams that there are room for in `all`; 0: there is one. */
size_t backward_direct_streams(const ModelConfig *config);

/* Each does nothing where there is one stream: from what the final norm takes to all streams; in a layer, from those behind it to
 * what its MLP is added to; and from what its attention is added to, to those before it. */
Status backward_direct_end(const Backward *backward, const BackwardDirections *directions, Job *job,
                           Error *error) STATUS_MUST_CHECK;
Status backward_direct_enter(const BackwardLayer *layer, const BackwardDirections *directions,
                             Error *error) STATUS_MUST_CHECK;
Status backward_direct_leave(const BackwardLayer *layer, const BackwardDirections *directions,
                             Error *error) STATUS_MUST_CHECK;

/* STATUS_UNSUPPORTED, by name, where a block of the model has no way back here. */
Status backward_check_model(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Runs the rows forward under `settings`. The model must outlive the result; the caller frees. Reports
 * `stage`. */
Status backward_create(const Model *model, const Settings *settings, const BackwardRow *rows,
                       size_t row_count, const char *stage, Job *job, Backward **backward,
                       Error *error) STATUS_MUST_CHECK;

/* The same in groups of at most `group_tokens` tokens (or of one row), so that activations and the KV cache are there for
 * one group at a time: for backward_run_weights(). What rows of a group share goes through once: the gradients there are the
 * sums over all that share it. (Not in a model whose layers keep a state of their text.)
 * Up to `kept_bytes` go into keeping what costs most to compute again: of the last layers outputs of gate and up. In one
 * group (`group_tokens` SIZE_MAX), for backward_run() too. */
Status backward_create_groups(const Model *model, const Settings *settings, const BackwardRow *rows,
                              size_t row_count, size_t group_tokens, uint64_t kept_bytes, const char *stage,
                              Job *job, Backward **backward, Error *error) STATUS_MUST_CHECK;
void backward_free(Backward *backward); /* takes NULL */

/* How many tokens rows have in such groups, each that is shared once a group; and the largest group. */
Status backward_count_tokens(const Model *model, const BackwardRow *rows, size_t row_count,
                             size_t group_tokens, size_t *tokens, size_t *largest,
                             Error *error) STATUS_MUST_CHECK;

/* All tokens, [backward_tokens()]; and where a row's token is among them: rows may share it. */
const int32_t *backward_ids(const Backward *backward);
size_t backward_tokens(const Backward *backward);
size_t backward_place(const Backward *backward, size_t row, size_t token);

/* The final norm of the model that runs; it borrows from the Backward. */
Norm backward_final_norm(const Backward *backward);

/* The residual stream before the final norm of a row's token, [hidden_size]; and what the norm makes of it. */
const float *backward_residual(const Backward *backward, size_t row, size_t token);
void backward_hidden(const Backward *backward, size_t row, size_t token, float *hidden);

/* Takes `gradient` [tokens of all sequences × hidden_size] at the residual stream before the final norm down
 * to the first layer; it is overwritten (at the end: the gradient at the embedding). */
Status backward_run(Backward *backward, const BackwardSequence *sequences, size_t count, float *gradient,
                    BackwardVisitor visitor, void *user, const char *stage, Job *job,
                    Error *error) STATUS_MUST_CHECK;

/* What meets at a weight, and at the bias that goes with it. The gradient is the sum over all groups and their tokens t
 *
 *     FLOW_MATRIX    [rows × columns]      Σ gradients[t] ⊗ inputs[t]                bias: Σ gradients[t]
 *     FLOW_NORM      [rows]                Σ gradients[t] ⊙ (inputs[t] − mean) / σ   bias: Σ gradients[t]
 *     FLOW_VECTOR    [rows]                gradients[0]: tokens is 1, inputs NULL
 *     FLOW_ROWS      [… × rows]            row indices[t]: Σ gradients[t]; all tokens come at once, inputs NULL
 *     FLOW_EXPERTS   all matrices and biases of a layer's experts at once; of each, over its rows r, of tokens t and weights w:
 *         gate, up, or both as one          Σ experts->gradients[site][r] ⊗ inputs[t]                 bias: Σ gradients[site][r]
 *         down                              Σ w · gradients[t] ⊗ experts->activations[activated][r]   bias: Σ w · gradients[t]
 *         or where w is the input's         inputs are w · inputs[t], and down has no w
 *     of attention queries are up, outputs down.
 *
 * A matrix that is stored [inputs × outputs] has the same sum, transposed. FLOW_EXPERTS has no tensor, bias and role of its own:
 * those of `of`.
 */
typedef enum FlowKind { FLOW_MATRIX, FLOW_NORM, FLOW_VECTOR, FLOW_ROWS, FLOW_EXPERTS } FlowKind;

typedef struct BackwardFlow {
    FlowKind kind;
    const PairTensor *tensor, *bias; /* bias NULL: it has none */
    TensorRole role;
    size_t tokens, columns, rows;
    const float *inputs;    /* [tokens × columns] */
    const float *gradients; /* [tokens × rows] */
    const size_t *indices;  /* [tokens]; else NULL */
    Norm norm;              /* FLOW_NORM: what went through */
    /* FLOW_EXPERTS; its `sequences` are the rows of all tokens */
    const BackwardExperts *experts;
    const ModelExperts *of;
    bool are_heads; /* they are of attention, and none of the layer's that are counted one by one */
    uint64_t layer;
    bool is_first,
        is_last; /* of what the gradient is a sum of: groups of rows, and layers that share the tensor */
} BackwardFlow;

/* Called on the calling thread; a layer's weights come in one order for each group, from the first to the last, before
 * those of the layer below; of those of no layer what is behind all layers comes first, the embedding last. */
typedef Status (*BackwardTaker)(void *user, const BackwardFlow *flow, Error *error);

/* Takes `gradient` [backward_tokens() × hidden_size] at the residual stream before the final norm down to the rows of the
 * embedding, all tokens of each row. Reports `stage` in token-layers. Once: what was kept of layers' inputs is lost. */
Status backward_run_weights(Backward *backward, float *gradient, BackwardTaker taker, void *user,
                            const char *stage, Job *job, Error *error) STATUS_MUST_CHECK;

/* Bytes that a run takes for so many tokens of rows and of sequences; UINT64_MAX where that overflows. */
uint64_t backward_bytes(const Model *model, size_t row_tokens, size_t sequence_tokens);

/* The same in groups: what stays of a token of any row, and what a group of so many tokens takes besides; for
 * backward_run_weights(). UINT64_MAX where that overflows. */
uint64_t backward_kept_bytes(const Model *model);
uint64_t backward_group_bytes(const Model *model, size_t tokens);

/* What so many threads take besides, whatever the rows, of which the longest has so many tokens; UINT64_MAX where that
 * overflows. */
uint64_t backward_scratch_bytes(const Model *model, size_t tokens, unsigned threads);

/* Refuses rows of so many tokens, with a gradient at each, the longest of `longest`, that do not fit forward_memory_limit()
 * beside what so many threads take besides. */
Status backward_check_tokens(const Model *model, size_t tokens, size_t longest, unsigned threads,
                             Error *error) STATUS_MUST_CHECK;

#endif
