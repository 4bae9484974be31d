/*
 * gradient_head — the ends of the model on a gradient's way: the head and the final norm, where it begins, and the
 * embedding, where it arrives. A tied head and its embedding are one matrix.
 *
 *     gradient_head_add() for each position     ∂L/∂h through softmax, head and final norm (loss_head.h)
 *     gradient_head_finish()                    ‖·‖² of the head's gradient: 128 of its rows at a time, from the kept
 *                                               hidden states and normalisers; it is never there as a whole. And of
 *                                               its bias's, and the final norm's
 *     gradient_head_embed()                     the same of the embedding, whose rows are sums over tokens
 *
 * Memory: hidden_size floats a position; where the head is tied as many for each token id in the rows.
 */
#ifndef REJUV_CORE_GRADIENT_HEAD_H
#define REJUV_CORE_GRADIENT_HEAD_H

#include "core/evaluation/loss_head.h"

typedef struct GradientHead GradientHead;

/* `ids` [tokens]: of all rows that go backward; borrowed, as the model is. Of at most `positions` positions. The caller
 * frees. */
Status gradient_head_open(const Model *model, const Settings *settings, const int32_t *ids, size_t tokens,
                          size_t positions, Job *job, GradientHead **head, Error *error) STATUS_MUST_CHECK;
void gradient_head_close(GradientHead *head); /* takes NULL */

/* As loss_head_add(): the hidden state stands in gradient_head_place(). */
float *gradient_head_place(GradientHead *head);
Status gradient_head_add(GradientHead *head, const LossHeadPosition *position,
                         Error *error) STATUS_MUST_CHECK;

/* Squared norms of what is learned here, and L = −Σ w · ln p of what was added. */
typedef struct GradientEnds {
    double loss;
    double final_norm, final_bias, head, head_bias;
    double embedding; /* of a tied head all is in here, after gradient_head_embed() */
} GradientEnds;

/* Reports "gradient, head" in rows of it. */
Status gradient_head_finish(GradientHead *head, GradientEnds *ends, Error *error) STATUS_MUST_CHECK;

/* `gradient` [tokens × hidden_size]: what has come down to the embedding, for each of the ids. */
Status gradient_head_embed(GradientHead *head, const float *gradient, GradientEnds *ends,
                           Error *error) STATUS_MUST_CHECK;

/* Bytes a position takes, a token of the rows, and all else on so many threads. */
uint64_t gradient_head_position_bytes(const Model *model);
uint64_t gradient_head_token_bytes(const Model *model);
uint64_t gradient_head_bytes(const Model *model, unsigned threads);

#endif
