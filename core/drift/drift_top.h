/*
 * drift_top — the exact share of the largest elements.
 *
 * The k largest |Δ| are found by their keys, the bits of |Δ| in float32, which order as the values do. A
 * window [low, high) of keys is chosen so that the k-th largest very likely lies in it. One reading then sums
 * ΔΔ above the window, and tallies the different values inside it: their number times their square settles
 * the rest exactly, in double, however many ties there are.
 *
 *     key:  0 ............. low ######## high ............ inf, NaN
 *           left out             tallied       summed
 *
 * The largest of all, and a NaN, are never left out.
 */
#ifndef REJUV_CORE_DRIFT_TOP_H
#define REJUV_CORE_DRIFT_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct DriftWindow {
    uint32_t low, high;
    double tied;  /* a value inside that probably is more frequent than others */
    size_t limit; /* different values inside that may be held */
} DriftWindow;

typedef struct DriftTallied {
    double value; /* |Δ| */
    uint64_t count;
} DriftTallied;

/* Different values and how often they came, in the order of their first coming; a hash table leads to them.
 */
typedef struct DriftTally {
    DriftTallied *values; /* [count], room for slot_count / 2 */
    size_t count;
    uint32_t *slots; /* 1 + an index into values, or 0 */
    size_t slot_count;
} DriftTally;

bool drift_tally_add(DriftTally *tally, double value, uint64_t count); /* false: out of memory */
void drift_tally_clear(DriftTally *tally);                             /* keeps the memory */
void drift_tally_free(DriftTally *tally);

/* What one reading of a tile found. */
typedef struct DriftTop {
    uint64_t above;
    double above_squares;
    DriftTallied *values; /* inside the window */
    size_t count;
    bool is_full;      /* the window's limit was passed: what is here is not all */
    bool has_max;      /* something was not left out */
    double max_abs;    /* the largest |Δ|, or NaN */
    uint64_t max_from; /* the first chunk that has it begins with this element */
} DriftTop;

/* Copies the tally into top->values; false: out of memory. */
bool drift_top_take(DriftTop *top, const DriftTally *tally);

/* Takes another maximum, found later, if it is larger; a NaN is larger than all but a NaN. */
void drift_top_add_max(DriftTop *top, double max_abs, uint64_t from);

/* k of `count` elements. */
uint64_t drift_top_size(uint64_t count);

/* From counts of keys in 2^15 equal steps of the 31-bit key, of a sample of `sampled` out of `count`
 * elements: a window that very likely holds the k-th largest. Without a sample: the window of all. */
DriftWindow drift_window_guess(const uint32_t *counts, uint64_t sampled, uint64_t count, size_t tiles);

/* From exact counts in `steps` steps of 2^shift keys from `low` on, with `above` elements beyond them: the
 * step that holds the k-th largest. */
DriftWindow drift_window_find(const uint64_t *counts, size_t steps, uint32_t low, unsigned shift,
                              uint64_t above, uint64_t k, size_t tiles);

enum {
    DRIFT_KEY_STEPS = 32768, /* what a kernel tells by the upper halves of keys */
    DRIFT_KEY_SHIFT = 16,
    DRIFT_BATCH_TILES = 256 /* about so many tiles are worked on together */
};

/* ---- the k largest among what tiles found ----
 *
 * Twice over the tiles: drift_cut_count() counts values in steps of the window, drift_cut_place() finds the
 * step of the k-th largest, drift_cut_take() sums what lies above that step and gathers what lies in it,
 * which drift_cut_finish() sorts. */
enum { DRIFT_CUT_STEPS = 2048 };

typedef struct DriftCut {
    DriftWindow window;
    unsigned shift; /* a step is 2^shift keys */
    size_t step;    /* of the k-th largest */
    uint64_t wanted, taken;
    double squares;
    DriftTallied *inside; /* in the step */
    size_t inside_count, inside_capacity;
    uint64_t counts[DRIFT_CUT_STEPS];
} DriftCut;

void drift_cut_begin(DriftCut *cut, DriftWindow window, uint64_t k);
void drift_cut_count(DriftCut *cut, const DriftTop *tile);

/* False where the window does not hold the k-th largest: too few are in it and above, or too many above. */
bool drift_cut_place(DriftCut *cut);

bool drift_cut_take(DriftCut *cut, const DriftTop *tile); /* false: out of memory */

/* Σ of the k largest ΔΔ. */
double drift_cut_finish(DriftCut *cut);

#endif
