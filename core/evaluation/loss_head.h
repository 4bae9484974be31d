/*
 * loss_head — where a loss over next tokens begins to go backward: through the softmax, the head and the final norm.
 *
 *     L = −Σ w_t · ln p(next token at t)            ∂L/∂logits = w_t · (p_t − e_next)
 *
 * Positions come one by one and go through in blocks: a block's logits are there at once, and one pass over the head's
 * rows serves them all. Used by one caller at a time, on the threads of its Job.
 */
#ifndef REJUV_CORE_LOSS_HEAD_H
#define REJUV_CORE_LOSS_HEAD_H

#include "core/transformer/forward.h"

enum { LOSS_HEAD_BLOCK = 256 };

typedef struct LossHeadPosition {
    const float *residual; /* before the final norm, [hidden_size] */
    float *gradient;       /* [hidden_size]: ∂L/∂residual is added to it */
    int32_t next;
    float weight; /* w_t */
} LossHeadPosition;

/* A block that has gone through, on the calling thread. */
typedef struct LossHeadBlock {
    const LossHeadPosition *positions; /* [count] */
    size_t count;
    const float *hidden;                  /* [count × hidden_size]: after the final norm, */
    const float *gradients;               /* and ∂L/∂ there */
    const double *log_normalizers;        /* [count]: ln Σ e^logit */
    const double *next_log_probabilities; /* [count] */
} LossHeadBlock;

typedef void (*LossHeadObserver)(void *user, const LossHeadBlock *block);

typedef struct LossHead LossHead;

/* `observer` may be NULL. The model must outlive the result, which the caller frees. */
Status loss_head_open(const Model *model, const Settings *settings, LossHeadObserver observer, void *user,
                      Job *job, LossHead **head, Error *error) STATUS_MUST_CHECK;
void loss_head_close(LossHead *head); /* takes NULL */

/* The position's hidden state, [hidden_size], stands in loss_head_place(). Its pointers stay valid until
 * loss_head_finish(). */
float *loss_head_place(LossHead *head);
Status loss_head_add(LossHead *head, const LossHeadPosition *position, Error *error) STATUS_MUST_CHECK;

/* What waits for its block goes through. */
Status loss_head_finish(LossHead *head, Error *error) STATUS_MUST_CHECK;

#endif
