/*
 * backward_delta — the way back of the gated delta rule (block_delta.h). For backward_mixer.c.
 *
 * From a text's last token to its first, each value head by itself, with S before the token, r = (γ S)ᵀ k and
 * u = β (v − r), so that S behind it is γ S + k uᵀ:
 *
 *     dS += q doᵀ               dq = (γ S + k uᵀ) do
 *     du  = dSᵀ k               dk = dS u + γ S dr          dv = β du          dr = −β du          dβ = ⟨du, v − r⟩
 *     dS += k drᵀ               dγ = ⟨dS, S⟩, of each row where each has its own          dS of the token before: γ dS
 *
 * S of each token is computed again, window by window of √tokens tokens, from S where each window begins.
 */
#ifndef REJUV_CORE_BACKWARD_DELTA_H
#define REJUV_CORE_BACKWARD_DELTA_H

#include "core/transformer/descent.h"

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status backward_delta_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, for sequences of at most so many tokens: about 2 √tokens states. */
size_t backward_delta_scratch(const ModelConfig *config, size_t tokens);

#endif
