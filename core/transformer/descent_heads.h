/*
 * descent_heads — queries and keys on the way back, between attention and the matrices they come from: rotary embedding, q/k
 * norms and clips, in the order in which they came. SLOPE_QUERY, SLOPE_KEY and SLOPE_VALUE, in place. For block_attention.c.
 */
#ifndef REJUV_CORE_DESCENT_HEADS_H
#define REJUV_CORE_DESCENT_HEADS_H

#include "core/transformer/descent.h"

/* Gives what meets at the norms, where that is wanted. */
Status descent_heads_run(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
