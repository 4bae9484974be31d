/*
 * activation — what stands between gate and down, value and derivative, in float32: every activation of transformers
 * 5.24's table that has no weights of its own. For forward.c and backward.c.
 */
#ifndef REJUV_CORE_ACTIVATION_H
#define REJUV_CORE_ACTIVATION_H

#include "core/checkpoint/architecture.h"

float activation_value(Activation activation, float x);

/* act(x) and act′(x); where it has a corner, the derivative of one side, as torch has it. */
void activation_differentiate(Activation activation, float x, float *value, float *slope);

#endif
