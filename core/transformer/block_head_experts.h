/*
 * block_head_experts — attention whose queries and outputs are of experts (JetMoE's mixture of attention heads). For
 * forward.c.
 *
 *     chosen, weight = router(x)                      as of an MLP's experts (expert_plan.h)
 *     k, v           = kv(x)                          [kv_heads × head_dim] each
 *     q_e            = Q_e x, for each that is chosen [kv_heads × head_dim]: a query for each key head
 *     y              = Σ weight_e · O_e mixed_e + b
 *
 * A key head has as many heads as experts are chosen; they lie side by side, in the order of the choice.
 */
#ifndef REJUV_CORE_BLOCK_HEAD_EXPERTS_H
#define REJUV_CORE_BLOCK_HEAD_EXPERTS_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

Status block_head_experts_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED, the choice taken as it is; gives what meets at all weights of the block. */
Status block_head_experts_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
