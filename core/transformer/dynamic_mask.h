/*
 * dynamic_mask — what Doge adds to the scores of a key, by its values: for all heads of a key head
 *
 *     mask = exp(rate · log(1 + e^step)), step = W · values (+ bias)        values of all key heads at once
 *
 * and where a query sees more keys than ModelConfig.kept_keys, only those of the largest masks count (attention.h). It is
 * kept beside the key. For block_attention.c.
 */
#ifndef REJUV_CORE_DYNAMIC_MASK_H
#define REJUV_CORE_DYNAMIC_MASK_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

/* BUFFER_VALUE, as it is projected, to the masks of the cache. */
Status dynamic_mask_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From SLOPE_MASK, at masks, onto SLOPE_VALUE, at values as they are projected; nothing where there are none. A key that does not count
 * passes nothing on. */
Status dynamic_mask_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
