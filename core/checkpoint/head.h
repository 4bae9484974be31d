/*
 * head — what turns a model's last states into logits: a matrix of its own, its embedding, or nothing.
 *
 * As transformers 5 decides it. A head is tied where config.json says so, or the type's default does where that is
 * silent; a head that is stored all the same is tied only where it equals the embedding to the bit (transformers 4
 * ties it regardless). A tied model may store one of the two under either name. Without a head and without a tie
 * there are no logits: reward models, classifiers, embedding models.
 */
#ifndef REJUV_CORE_HEAD_H
#define REJUV_CORE_HEAD_H

#include "core/checkpoint/checkpoint.h"

typedef enum HeadKind { HEAD_NONE, HEAD_OWN, HEAD_TIED } HeadKind;

typedef struct Head {
    HeadKind kind;
    const Tensor *matrix;    /* what gives logits; NULL for HEAD_NONE */
    const Tensor *embedding; /* what tokens are looked up in; NULL where there is none */
    bool is_stated;          /* config.json says whether it is tied; else the type's default holds */
    bool differs;            /* config.json ties it, but the file holds another: HEAD_OWN */
} Head;

/* Compares a stored head with the embedding, where config.json ties them: that reads weights, so it is done once, when the
 * checkpoint is opened. */
void head_settle(Checkpoint *checkpoint);

/* Of a checkpoint that is settled. */
Head head_find(const Checkpoint *checkpoint);

/* The key of a config.json that says so: "tie_word_embeddings", but for the types that have another, where it is there. */
const char *head_tie_key(const cJSON *config);

/* Whether a config.json ties the head, stated or by its type's default. NULL ties nothing. */
bool head_config_ties(const cJSON *config, bool *is_stated);

#endif
