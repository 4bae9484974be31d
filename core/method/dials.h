/*
 * dials — where all dials stand, as one value: what undo goes back to, what a bookmark keeps, what is
 * taken up again another day, what a command line repeats.
 *
 * It names the ranking by the selector and the number of targets, and does not borrow it: a state outlives
 * what was measured. The curve over the layers it borrows, as all settings do.
 */
#ifndef REJUV_CORE_DIALS_H
#define REJUV_CORE_DIALS_H

#include "core/fusion/settings.h"

/* The most targets that may be asked for, wherever that is: rows that have fewer positions give what they have. */
enum { DIALS_MOST_TARGETS = 1000000 };

/* What the paper sets. */
extern const double DIALS_PAPER_ALPHA, DIALS_PAPER_RHO;

typedef struct Dials {
    Settings settings; /* its ranking is NULL */
    Selector selector;
    size_t targets; /* of attribution: 1 … DIALS_MOST_TARGETS */
} Dials;

/* Whether every dial stands alike, those that do nothing now included. */
bool dials_equal(const Dials *a, const Dials *b);

/* "α 0.50  ρ 1.0%  ω 1.00  attribution 32", and what more differs from the defaults: "norm 1.00  by layer
 * 0.20…0.80". Cut where it is longer than `size` bytes. */
void dials_describe(const Dials *state, char *text, size_t size);

#endif
