/*
 * rotary — the rotary embedding of one head of one token, forward and back. Frequencies are the model's (model.h).
 */
#ifndef REJUV_CORE_ROTARY_H
#define REJUV_CORE_ROTARY_H

#include "core/checkpoint/architecture.h"

#include <stddef.h>

/* cos and sin of position × frequency, times the attention factor, all [dims / 2]. The product is rounded to float32 first,
 * as transformers does. */
void rotary_compute(const Rope *rope, const float *frequencies, size_t position, float *cosines,
                    float *sines);

/* Turns the first dims of a head: (x[i], x[i + dims/2]) by the angle of frequency i, or neighbours; or `back` (the
 * transpose), for gradients. */
void rotary_turn(const Rope *rope, float *x, const float *cosines, const float *sines, bool back);

#endif
