/*
 * pair_share — how much of a pair meets: what is blended, copied from SFT, and left out of base.
 */
#ifndef REJUV_CORE_PAIR_SHARE_H
#define REJUV_CORE_PAIR_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What becomes of the floating elements, rotary tables and masks aside. A vocabulary's further rows count as blended:
 * they are tokens that the other model cannot have. */
typedef struct PairShare {
    uint64_t blended, copied; /* of SFT's */
    uint64_t missing;         /* of base's */
    size_t blended_tensors, copied_tensors, missing_tensors;
} PairShare;

/* Whether all tensors have a counterpart. */
bool pair_share_is_whole(const PairShare *share);

/* Of SFT's floating elements, those that are blended, from 0 to 1; and as a percentage that is not 100 where a tensor
 * is copied. */
double pair_share_blended(const PairShare *share);
double pair_share_percent(const PairShare *share);

#endif
