/*
 * backward_delta_internal — steps of the gated delta rule's way back (backward_delta.h). For backward_delta.c, _rule.c and
 * _matrices.c.
 */
#ifndef REJUV_CORE_BACKWARD_DELTA_INTERNAL_H
#define REJUV_CORE_BACKWARD_DELTA_INTERNAL_H

#include "core/transformer/descent.h"

/* The rule: from SLOPE_MIXED, at what is read, to SLOPE_PROJECTED, at queries, keys (both of length 1) and values, to
 * SLOPE_WRITE and to SLOPE_DECAY, at β and γ. The state's buffers are as the block left them. */
Status backward_delta_rule(const Descent *descent, Error *error) STATUS_MUST_CHECK;
size_t backward_delta_rule_scratch(const ModelConfig *config, size_t tokens);

/* From SLOPE_PROJECTED, SLOPE_ATTENTION_GATE, SLOPE_WRITE and SLOPE_DECAY through the block's first matrices to SLOPE_NORMED. */
Status backward_delta_matrices(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
