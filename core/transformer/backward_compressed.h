/*
 * backward_compressed — attention to compressed keys (block_compressed.h) on the way back. For the files of this room.
 *
 *     given ─► out ◄ ─► each group's matrix ◄ ─► turned as keys are
 *           ─► softmax ◄ ─► queries: turned back, length, q_b, norm, q_a ◄
 *                        ─► keys, which are values: turned back, norm, kv ◄          of all heads, block by block
 *                        ─► entries: compressor.h
 */
#ifndef REJUV_CORE_BACKWARD_COMPRESSED_H
#define REJUV_CORE_BACKWARD_COMPRESSED_H

#include "core/transformer/descent.h"

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status backward_compressed_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
