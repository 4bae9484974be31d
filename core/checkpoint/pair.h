/*
 * pair — a base and an SFT checkpoint held side by side: which tensors meet which, and what stands in the
 * way.
 *
 * The SFT model's names and order are the output's. Each PairTensor is one tensor of the fused model:
 *
 *     base   sft
 *      ●      ●     fused: W = a·S + (1 − a)·B; SFT may have more rows (an enlarged vocabulary: a = 1 there)
 *      –      ●     only SFT has it: copied from there
 *      ●      –     only base has it: left out
 *      ●      ≡     one side's head is tied to its embedding, the other's is not: the embedding stands in
 *      ≡      ●     for the missing head, and the fused model has a head of its own (head.h)
 *
 * Which meets which is found by names, and where those differ by what they say (pair_names.h).
 *
 * Sides whose weights are codes with scales are blended by their values; codes that cannot be read are refused
 * (quantization.h).
 *
 * Findings say everything a person should know before fusing; an error among them means that it cannot be
 * done.
 */
#ifndef REJUV_CORE_PAIR_H
#define REJUV_CORE_PAIR_H

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/finding.h"
#include "core/checkpoint/pair_experts.h"
#include "core/checkpoint/pair_names.h"
#include "core/checkpoint/pair_pieces.h"
#include "core/checkpoint/pair_share.h"

typedef struct PairTensor {
    const char *name;
    const Tensor *base; /* NULL: only SFT has it */
    const Tensor *sft;  /* never NULL */
    TensorRole role;
    int layer;
    bool is_fused; /* false: SFT's bytes are copied; its values, where it has scales */
    /* a head that is stored though both tie it: what holds for the embedding holds for it */
    bool is_tied_copy;
    /* it is a slice of that one of the pair's (model_experts.h); NULL: one of them */
    const struct PairTensor *whole;
    uint64_t first; /* which element there is its first */
} PairTensor;

typedef struct Pair {
    Checkpoint *base, *sft;
    PairTensor *tensors; /* in the SFT model's order */
    size_t count;
    RoleIndex roles; /* of `tensors` */
    PairNames names;
    PairExperts experts;
    PairPieces pieces;
    bool *is_left_out; /* [of base's tensors] */
    PairShare share;
    bool has_wrapper; /* names of one side have a prefix that no loader knows */
    bool has_adapter; /* among the weights, not merged: an error among the findings */
    bool unties_head; /* the fused model has a head of its own although SFT's is tied: config.json must say so
                       */
    /* "rope_theta, sliding_window": settings by which base and SFT are computed each in its own way; NULL:
     * none, or a kind that cannot be run */
    char *differing;
    FindingList findings;
} Pair;

/* Opens both directories (the same one twice is fine; the second may hold an adapter of the first, adapter.h) and matches them; quantization_check()'s refusal where the weights
 * of one cannot be read. STATUS_OK even with findings of
 * severity error: pair_check() tells. The caller closes the result. */
Status pair_open(const char *base_directory, const char *sft_directory, Pair **pair,
                 Error *error) STATUS_MUST_CHECK;

/* Opens two checkpoints of one training as a pair, the earlier one as its base: each is a model of its own or an adapter
 * of the checkpoint in `root_directory`, from which both come. */
Status pair_open_step(const char *root_directory, const char *from_directory, const char *to_directory,
                      Pair **pair, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void pair_close(Pair *pair);

/* STATUS_OK, or STATUS_MISMATCH with the first error among the findings and their number. */
Status pair_check(const Pair *pair, Error *error) STATUS_MUST_CHECK;

/* STATUS_OK, or STATUS_MISMATCH where nothing of the two can be compared, or an
 * adapter that is not merged would be passed by. */
Status pair_check_common(const Pair *pair, Error *error) STATUS_MUST_CHECK;

/* As pair_check(), and STATUS_MISMATCH too where tensors have no counterpart: for whoever writes. */
Status pair_check_whole(const Pair *pair, Error *error) STATUS_MUST_CHECK;

/* Whether a tensor of base, by its index there, is learned and has no counterpart. */
bool pair_is_left_out(const Pair *pair, size_t index);

/* The fused model's tensor of that name or role, or NULL. */
const PairTensor *pair_find_tensor(const Pair *pair, const char *name);
const PairTensor *pair_find_role(const Pair *pair, TensorRole role, int layer);

#endif
