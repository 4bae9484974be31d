/*
 * block_lightning — linear attention that decays with distance, in place of attention (Qin and others, arXiv 2401.04658;
 * MiniMax-Text-01). For forward.c.
 *
 *     q, k, v = act(W h)                                 of each head its three
 *     o_p     = a_p Sᵀ q_p + Σ_{j ≤ p} d_pj (q_p·k_j) v_j        the p-th token of a block of so many, j in the same block
 *     S       = exp(−s · block) S + Σ_j b_j k_j v_jᵀ             [dim × dim], behind each block
 *     y       = W_out( σ(W_gate h) ⊙ norm(o) )           the norm over all heads at once
 *
 * Checkpoints store the slope s of each head and what comes of it: a, b [block] and d [block × block]. These count, as they
 * were rounded when they were saved, and are blended like all else; transformers goes on by exp(−s) alone where it decodes
 * token by token, which is the same for what was not rounded. Here a text gives the same however it is cut into calls.
 *
 * d above its diagonal is 0, or a token would see what comes after it: recurrence_check_decays() refuses that.
 *
 * The state of a text is, of each head, S and the keys and the values of the block at hand, each [block][dim].
 */
#ifndef REJUV_CORE_BLOCK_LIGHTNING_H
#define REJUV_CORE_BLOCK_LIGHTNING_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

Status block_lightning_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block that are learned: slopes and decays are not. */
Status block_lightning_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, for sequences of at most so many tokens: S where each block begins. */
size_t block_lightning_scratch(const ModelConfig *config, size_t tokens);

#endif
