/*
 * block_experts — a mixture of experts (expert_plan.h) as a block: BUFFER_NORMED to BUFFER_ADDED.
 *
 *     router ─► choice ─► rows: each token once for each of its experts, an expert's rows side by side
 *     rows   ─► gate, up ─► activation ─► down ─► a token's rows, weighed and added, onto the shared expert's
 *
 * Only experts that have rows are blended, each once for all of them; all experts of all states are one step of the team.
 */
#ifndef REJUV_CORE_BLOCK_EXPERTS_H
#define REJUV_CORE_BLOCK_EXPERTS_H

#include "core/transformer/pass.h"

/* The router of that part, from BUFFER_NORMED: BUFFER_CHOSEN and BUFFER_WEIGHTS of every token. */
Status block_experts_choose(const Pass *pass, TensorPart router, Error *error) STATUS_MUST_CHECK;

Status block_experts_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
