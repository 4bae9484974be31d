#include "core/drift/drift_top.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t drift_top_size(uint64_t count) {
    uint64_t hundredth = count / 100, rest = count % 100;
    if (rest > 50 || (rest == 50 && hundredth % 2 == 1)) hundredth++;
    return hundredth > 0 ? hundredth : 1;
}

/* ---- tally ---- */

/* The slot where the value is, or would be put. */
static uint32_t *find_slot(const DriftTally *tally, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    /* the upper bits of the product: the lower ones are 0 where the value's are, as they are in bfloat16 */
    size_t slot = (size_t)(bits * 0x9e3779b97f4a7c15U >> 36) & (tally->slot_count - 1);
    while (tally->slots[slot] != 0 && tally->values[tally->slots[slot] - 1].value != value)
        slot = (slot + 1) & (tally->slot_count - 1);
    return &tally->slots[slot];
}

static bool grow(DriftTally *tally) {
    DriftTally larger = {.count = tally->count,
                         .slot_count = tally->slot_count != 0 ? 2 * tally->slot_count : 2048};
    larger.values = memory_allocate(larger.slot_count / 2, sizeof *larger.values);
    larger.slots = memory_allocate(larger.slot_count, sizeof *larger.slots);
    if (larger.values == NULL || larger.slots == NULL) {
        drift_tally_free(&larger);
        return false;
    }
    for (size_t i = 0; i < tally->count; i++) {
        larger.values[i] = tally->values[i];
        *find_slot(&larger, tally->values[i].value) = (uint32_t)i + 1;
    }
    drift_tally_free(tally);
    *tally = larger;
    return true;
}

bool drift_tally_add(DriftTally *tally, double value, uint64_t count) {
    if (tally->count >= tally->slot_count / 2 && !grow(tally)) return false;
    uint32_t *slot = find_slot(tally, value);
    if (*slot == 0) {
        tally->values[tally->count] = (DriftTallied){.value = value};
        *slot = (uint32_t)++tally->count;
    }
    tally->values[*slot - 1].count += count;
    return true;
}

void drift_tally_clear(DriftTally *tally) {
    if (tally->count > 0) memset(tally->slots, 0, tally->slot_count * sizeof *tally->slots);
    tally->count = 0;
}

void drift_tally_free(DriftTally *tally) {
    free(tally->values);
    free(tally->slots);
    *tally = (DriftTally){0};
}

/* ---- findings ---- */

bool drift_top_take(DriftTop *top, const DriftTally *tally) {
    if (tally->count == 0) return true;
    top->values = memory_allocate(tally->count, sizeof *top->values);
    if (top->values == NULL) return false;
    memcpy(top->values, tally->values, tally->count * sizeof *top->values);
    top->count = tally->count;
    return true;
}

void drift_top_add_max(DriftTop *top, double max_abs, uint64_t from) {
    if (top->has_max && (isnan(top->max_abs) || max_abs <= top->max_abs)) return;
    top->has_max = true;
    top->max_abs = max_abs;
    top->max_from = from;
}

/* ---- windows ---- */

enum {
    VALUES_LIMIT = 1 << 21, /* values, of 16 bytes, that may be held for a batch */
    KEY_INFINITY = 0x7f800000
};

/* Zeros are never wanted, NaNs always. */
static DriftWindow make_window(uint32_t low, uint32_t high, uint32_t tied, size_t tiles) {
    float tied_value;
    memcpy(&tied_value, &tied, sizeof tied_value);
    size_t fair_share = VALUES_LIMIT / (tiles > DRIFT_BATCH_TILES ? tiles : DRIFT_BATCH_TILES);
    if (low == 0) low = 1;
    if (low > KEY_INFINITY) low = KEY_INFINITY;
    return (DriftWindow){.low = low, .high = high, .tied = tied_value, .limit = fair_share * tiles};
}

DriftWindow drift_window_guess(const uint32_t *counts, uint64_t sampled, uint64_t count, size_t tiles) {
    if (sampled == 0) return make_window(0, (uint32_t)DRIFT_KEY_STEPS << DRIFT_KEY_SHIFT, 0, tiles);
    /* The sampled rank of the k-th largest scatters by less than its root; neighbours in a row that move
     * together scatter it more. Six of them, and a few, are missed so rarely that a second try is cheap. */
    double rank = (double)drift_top_size(count) * (double)sampled / (double)count;
    double slack = sampled == count ? 0.0 : 6.0 * sqrt(rank) + 4.0;
    uint64_t seen = 0;
    uint32_t step = DRIFT_KEY_STEPS, high = DRIFT_KEY_STEPS, tied;
    while (step > 0 && counts[step - 1] == 0) step--;
    if (rank >= slack) high = step;
    while (step > 0 && (double)seen < rank + slack) {
        seen += counts[--step];
        if ((double)seen <= rank - slack) high = step;
    }
    tied = step;
    for (uint32_t i = step; i < high; i++) {
        if (counts[i] > counts[tied]) tied = i;
    }
    return make_window(step << DRIFT_KEY_SHIFT, high << DRIFT_KEY_SHIFT, tied << DRIFT_KEY_SHIFT, tiles);
}

DriftWindow drift_window_find(const uint64_t *counts, size_t steps, uint32_t low, unsigned shift,
                              uint64_t above, uint64_t k, size_t tiles) {
    size_t step = steps;
    uint64_t seen = above;
    while (step > 0 && seen < k) seen += counts[--step];
    uint32_t begin = low + ((uint32_t)step << shift);
    DriftWindow window = make_window(begin, begin + (1U << shift), begin, tiles);
    if (shift == 0) window.limit = SIZE_MAX; /* one float32: it cannot be narrowed further */
    return window;
}

/* ---- the cut ---- */

void drift_cut_begin(DriftCut *cut, DriftWindow window, uint64_t k) {
    cut->window = window;
    cut->shift = 0;
    while ((window.high - window.low) >> cut->shift >= DRIFT_CUT_STEPS) cut->shift++;
    cut->wanted = k;
    cut->taken = 0;
    cut->squares = 0.0;
    cut->inside_count = 0;
    memset(cut->counts, 0, sizeof cut->counts);
}

static size_t step_of(const DriftCut *cut, double value) {
    float size = (float)value;
    uint32_t key;
    memcpy(&key, &size, sizeof key);
    return (key - cut->window.low) >> cut->shift;
}

void drift_cut_count(DriftCut *cut, const DriftTop *tile) {
    cut->taken += tile->above;
    cut->squares += tile->above_squares;
    for (size_t i = 0; i < tile->count; i++)
        cut->counts[step_of(cut, tile->values[i].value)] += tile->values[i].count;
}

bool drift_cut_place(DriftCut *cut) {
    uint64_t seen = cut->taken;
    if (seen > cut->wanted) return false;
    cut->step = DRIFT_CUT_STEPS;
    while (cut->step > 0 && seen < cut->wanted) seen += cut->counts[--cut->step];
    return seen >= cut->wanted;
}

bool drift_cut_take(DriftCut *cut, const DriftTop *tile) {
    for (size_t i = 0; i < tile->count; i++) {
        const DriftTallied *next = &tile->values[i];
        size_t step = step_of(cut, next->value);
        if (step > cut->step) {
            cut->squares += (double)next->count * (next->value * next->value);
            cut->taken += next->count;
        } else if (step == cut->step) {
            Error error; /* the caller says what there was no memory for */
            if (MEMORY_RESERVE(cut->inside, &cut->inside_capacity, cut->inside_count + 1, &error) !=
                STATUS_OK)
                return false;
            cut->inside[cut->inside_count++] = *next;
        }
    }
    return true;
}

static int larger_first(const void *a, const void *b) {
    double x = ((const DriftTallied *)a)->value, y = ((const DriftTallied *)b)->value;
    return (x < y) - (x > y);
}

double drift_cut_finish(DriftCut *cut) {
    if (cut->inside_count > 0) qsort(cut->inside, cut->inside_count, sizeof *cut->inside, larger_first);
    for (size_t i = 0; i < cut->inside_count && cut->taken < cut->wanted; i++) {
        DriftTallied next = cut->inside[i];
        uint64_t wanted = cut->wanted - cut->taken;
        if (wanted > next.count) wanted = next.count;
        cut->squares += (double)wanted * (next.value * next.value);
        cut->taken += wanted;
    }
    return cut->squares;
}
