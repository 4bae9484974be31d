/*
 * differential — attention less λ times another one (Differential Transformer, arXiv 2410.05258), as DiffLlama has it. For
 * block_attention.c.
 *
 *     a head's weights mix two values, v₁ of one half of the key heads and v₂ of the other: m = [P v₁, P v₂]
 *     of head h of the first half and its partner in the second:    norm(m_h − λ m_partner) · (1 − λ₀), no weight
 *     λ = exp(q₁·k₁) − exp(q₂·k₂) + λ₀,  λ₀ = 0.8 − 0.6 exp(−0.3 layer)
 */
#ifndef REJUV_CORE_DIFFERENTIAL_H
#define REJUV_CORE_DIFFERENTIAL_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_QUERY → BUFFER_MIXED over the cache, like attention_run(). */
Status differential_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* SLOPE_MIXED → SLOPE_QUERY, SLOPE_KEY and SLOPE_VALUE, as attention took them; gives what meets at what λ comes of. */
Status differential_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
