/*
 * pass — a chunk on its way through the network, and the steps that blocks are made of. For the files of this room.
 *
 * A block (block_attention.h, block_mlp.h, block_experts.h, block_latent.h) goes from BUFFER_NORMED to BUFFER_ADDED, for all states of the chunk.
 */
#ifndef REJUV_CORE_PASS_H
#define REJUV_CORE_PASS_H

#include "core/transformer/forward_internal.h"

typedef struct Pass {
    Chunk chunk;
    const ForwardInput *input;
    size_t done;             /* tokens of the input before this chunk */
    MatmulOperand *operands; /* [state_count] */
    MatmulScratch *scratch;
} Pass;

typedef void (*TokenFunction)(const Chunk *chunk, ForwardState *state, size_t token);

/* Runs the function for every token of every state, on the job's threads. */
Status pass_for_tokens(const Pass *pass, TokenFunction function, Error *error) STATUS_MUST_CHECK;

/* A token's row of a buffer, as wide as the layer at hand has it. */
float *pass_row(const Chunk *chunk, ForwardState *state, Buffer buffer, size_t token);

/* A matrix of the layer, with its bias: from one buffer to another. */
typedef struct Projection {
    TensorRole weight, bias;
    Buffer from, to;
} Projection;

/* Norms a token's row in place by the layer's part; where there is none, leaves it. */
void pass_norm_part(const Chunk *chunk, ForwardState *state, size_t token, TensorPart part, Buffer buffer);

/* A tensor that is no role's, [outputs × inputs], without a bias. */
Status pass_project_tensor(const Pass *pass, const PairTensor *tensor, Buffer from, Buffer to,
                           Error *error) STATUS_MUST_CHECK;

/* A part of the layer, [outputs × inputs], with its bias, where the layer has that. */
Status pass_project_biased(const Pass *pass, TensorPart weight, TensorPart bias, Buffer from, Buffer to,
                           Error *error) STATUS_MUST_CHECK;

Status pass_project(const Pass *pass, Projection projection, Error *error) STATUS_MUST_CHECK;

/* The same of a part, which has no bias. */
Status pass_project_part(const Pass *pass, TensorPart part, Buffer from, Buffer to,
                         Error *error) STATUS_MUST_CHECK;

/* Tells the observer, where there is one, of all states; of one, whose values are rows for experts (else NULL). */
void pass_observe(const Pass *pass, ForwardSite site, Buffer buffer);
void pass_observe_state(const Pass *pass, size_t state, ForwardSite site, Buffer buffer,
                        const ExpertRows *rows);

#endif
