/*
 * quantization_internal — what quantization.c, quantization_packed.c, _scales.c and _parts.c share; nothing else includes this.
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

/* Gives tensors of 4- and 6-bit floats that can be read the name and the shape that their loader gives them, and their values
 * (tensor_codes.h), and moves what belongs to them to the parts. `method` is the key of the configuration's, NULL where there
 * is none; `place` as above. What cannot be read stays as it is. */
Status quantization_read_packed(Checkpoint *checkpoint, const char *method, const char *place,
                                Error *error) STATUS_MUST_CHECK;

/* Marks those that belong to activations, and counts them in checkpoint->quantization. */
void quantization_mark_activations(Checkpoint *checkpoint, bool *is_part);

/* Puts tensors in front and parts behind, before those that are there, all in the order they had, and the names' order without
 * parts. place_of[tensor_count] gets where each is then. */
Status quantization_move_parts(Checkpoint *checkpoint, const bool *is_part, size_t *place_of,
                               Error *error) STATUS_MUST_CHECK;

#endif
