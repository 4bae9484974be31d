/*
 * quantization_internal — what quantization.c and quantization_scales.c share; nothing else includes this.
 */
#ifndef REJUV_CORE_QUANTIZATION_INTERNAL_H
#define REJUV_CORE_QUANTIZATION_INTERNAL_H

#include "core/checkpoint/checkpoint.h"

#include <stdint.h>

/* Gives 8-bit floats the scales beside them, and moves those, and what belongs to activations, to the parts. `block` is what
 * a configuration says of rows and columns, or zeros; `place` where that is, "" where there is none. Scales that are missing
 * or of another shape become checkpoint->quantization.status. */
Status quantization_scale_tensors(Checkpoint *checkpoint, const uint64_t block[2], const char *place,
                                  Error *error) STATUS_MUST_CHECK;

#endif
