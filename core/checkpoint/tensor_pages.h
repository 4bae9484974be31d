/*
 * tensor_pages — the mapped memory that a tensor's elements take: asked for ahead, given back behind, so that a pass over
 * files larger than memory reads as fast as the disk gives and looks as small as what it works on.
 *
 * All of it is advice: where the system does not take it, a pass is slower or larger, and its result the same.
 */
#ifndef REJUV_CORE_TENSOR_PAGES_H
#define REJUV_CORE_TENSOR_PAGES_H

#include "core/checkpoint/pair.h"

#include <stdint.h>

/* Begins to read elements [first, first + count) of a tensor whose values are stored as they are; of any other, nothing.
 * Takes NULL. */
void tensor_pages_expect(const Checkpoint *checkpoint, const Tensor *tensor, uint64_t first, uint64_t count);

/* Gives back the pages of elements [first, first + count); of a tensor whose values are not stored as they are, those of
 * all files. They come back when they are read again. Takes NULL. */
void tensor_pages_forget(const Checkpoint *checkpoint, const Tensor *tensor, uint64_t first, uint64_t count);

/* The same on both sides, of base as far as it has them. */
void tensor_pages_expect_both(const Pair *pair, const PairTensor *tensor, uint64_t first, uint64_t count);
void tensor_pages_forget_both(const Pair *pair, const PairTensor *tensor, uint64_t first, uint64_t count);

#endif
