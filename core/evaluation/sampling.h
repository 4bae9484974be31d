/*
 * sampling — the next token out of a row of logits.
 *
 * Temperature 0 takes the most likely token (of equals the lower id). Otherwise it is drawn from
 * softmax(logits / temperature), where top_k and then top_p cut it, as transformers' warpers do: the k most likely
 * tokens; of them the fewest, most likely first, whose probabilities add up to p at least. What is left is drawn from in
 * proportion.
 */
#ifndef REJUV_CORE_SAMPLING_H
#define REJUV_CORE_SAMPLING_H

#include "core/support/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Sampling {
    double temperature; /* ≥ 0 */
    double top_p;       /* in (0, 1]; 0: as 1 */
    size_t top_k;       /* 0: all */
} Sampling;

/* Room for one thread. */
typedef struct SamplingScratch SamplingScratch;

Status sampling_create_scratch(size_t vocabulary, SamplingScratch **scratch, Error *error) STATUS_MUST_CHECK;
void sampling_free_scratch(SamplingScratch *scratch); /* takes NULL */

/* STATUS_FORMAT where a token could only be made up of the logits: one is not a number or +∞, or none is finite.
 * `position` is for the message. */
Status sampling_check(const float *logits, size_t vocabulary, size_t position,
                      Error *error) STATUS_MUST_CHECK;

/* The token of logits that pass sampling_check(); `uniform` in [0, 1) says which. */
int32_t sampling_choose(const float *logits, size_t vocabulary, const Sampling *sampling, double uniform,
                        SamplingScratch *scratch);

#endif
