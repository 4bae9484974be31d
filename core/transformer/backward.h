/*
 * backward — gradients of the residual stream and of every activation, layer by layer from the top, for many
 * starting gradients at once. Gradients of weights are never formed.
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
 *         visitor(layer)
 *
 * All float32, norms and softmax sums in double; W is blended on the way like in the forward pass. Memory:
 * the kept inputs, one layer's activations of all rows and one layer's gradients of all sequences;
 * backward_bytes() says.
 */
#ifndef REJUV_CORE_BACKWARD_H
#define REJUV_CORE_BACKWARD_H

#include "core/transformer/forward.h"

typedef struct BackwardRow {
    const int32_t *ids;
    size_t count;
} BackwardRow;

typedef struct BackwardSequence {
    size_t row;
    size_t tokens; /* ≤ the row's count */
} BackwardSequence;

/* The sites of a layer at which activations and their gradients can be read. */
typedef enum BackwardSite {
    BACKWARD_QUERY, /* outputs of q, k, v with bias, before q/k norms and rotary embedding */
    BACKWARD_KEY,
    BACKWARD_VALUE,
    BACKWARD_GATE, /* outputs of gate and up with bias */
    BACKWARD_UP,
    BACKWARD_MIXED,     /* input of o_proj */
    BACKWARD_ACTIVATED, /* input of down_proj */
    BACKWARD_SITES
} BackwardSite;

typedef struct BackwardLayer {
    uint64_t layer;
    size_t width[BACKWARD_SITES];
    const float *activations[BACKWARD_SITES]; /* [tokens of all rows × width], rows one after another */
    const float
        *gradients[BACKWARD_SITES]; /* [tokens of all sequences × width], sequences one after another */
} BackwardLayer;

/* Called on the calling thread after each layer, from the last to the first. */
typedef Status (*BackwardVisitor)(void *user, const BackwardLayer *layer, Error *error);

typedef struct Backward Backward;

/* Runs the rows forward under `settings`. The model must outlive the result; the caller frees. Reports
 * `stage`. */
Status backward_create(const Model *model, const Settings *settings, const BackwardRow *rows,
                       size_t row_count, const char *stage, Job *job, Backward **backward,
                       Error *error) STATUS_MUST_CHECK;
void backward_free(Backward *backward); /* takes NULL */

/* The residual stream before the final norm, and after it, of a row's token: [hidden_size]. */
const float *backward_residual(const Backward *backward, size_t row, size_t token);
const float *backward_hidden(const Backward *backward, size_t row, size_t token);

/* Takes `gradient` [tokens of all sequences × hidden_size] at the residual stream before the final norm down
 * to the first layer; it is overwritten (at the end: the gradient at the embedding). */
Status backward_run(Backward *backward, const BackwardSequence *sequences, size_t count, float *gradient,
                    BackwardVisitor visitor, void *user, const char *stage, Job *job,
                    Error *error) STATUS_MUST_CHECK;

/* Bytes that a run takes for so many tokens of rows and of sequences; UINT64_MAX where that overflows. */
uint64_t backward_bytes(const Model *model, size_t row_tokens, size_t sequence_tokens);

/* Refuses a row of so many tokens, with a gradient at each, that does not fit forward_memory_limit(). */
Status backward_check_tokens(const Model *model, size_t tokens, Error *error) STATUS_MUST_CHECK;

#endif
