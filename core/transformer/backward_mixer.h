/*
 * backward_mixer — the way back of what mixes tokens in a layer, by its kind; of a mixer with a state beside attention, both.
 * For backward.c.
 *
 *     given ─► · attention_out_scale ─► attention ◄        of normed · attention_in_scale
 *           ─► · out_scale           ─► mixer ◄            of normed; onto that
 */
#ifndef REJUV_CORE_BACKWARD_MIXER_H
#define REJUV_CORE_BACKWARD_MIXER_H

#include "core/transformer/descent.h"

/* descent->given to SLOPE_NORMED, of a layer that has a mixer. */
Status backward_mixer_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for sequences of so many tokens; and all vectors of a layer, whose gradients
 * are summed one after another. */
size_t backward_mixer_scratch(const ModelConfig *config, size_t tokens);
size_t backward_mixer_vector(const ModelConfig *config);

#endif
