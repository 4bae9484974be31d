/*
 * block_mlp — the dense MLP as a block: down( act(gate(x)) ⊙ up(x) ), or down( act(up(x)) ) without a gate.
 * BUFFER_NORMED to BUFFER_ADDED, and back.
 */
#ifndef REJUV_CORE_BLOCK_MLP_H
#define REJUV_CORE_BLOCK_MLP_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

Status block_mlp_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_mlp_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Up to the input of down, which is in BUFFER_GATE then. */
Status block_mlp_activate(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* The same from what the chunk has kept of gate and up, which is not told of again; and the rest of the way. */
Status block_mlp_restore(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_mlp_project_down(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
