/*
 * descent_shared — keys and values that layers share on the way back: the gradients at them are gathered from the layers above
 * until the one comes that has them. For backward.c and block_attention.c.
 */
#ifndef REJUV_CORE_DESCENT_SHARED_H
#define REJUV_CORE_DESCENT_SHARED_H

#include "core/transformer/descent.h"

/* Room for so many tokens, of all groups, or of all sequences. */
Status descent_shared_open(Descent *descent, size_t tokens, Error *error) STATUS_MUST_CHECK;
void descent_shared_close(Descent *descent);

/* SLOPE_KEY and SLOPE_VALUE of the layer at hand, as attention took both: to where they are gathered, or with what is there. */
Status descent_shared_run(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
