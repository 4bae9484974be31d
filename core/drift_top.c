#include "core/drift_table.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t drift_top_size(uint64_t count) {
    uint64_t hundredth = count / 100, rest = count % 100;
    if (rest > 50 || (rest == 50 && hundredth % 2 == 1)) hundredth++;
    return hundredth > 0 ? hundredth : 1;
}

/* ---- tally ---- */

static size_t slot_of(const DriftTally *tally, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    /* the upper bits of the product: the lower ones are 0 where the value's are, as they are in bfloat16 */
    size_t slot = (size_t)(bits * 0x9e3779b97f4a7c15U >> 36) & (tally->capacity - 1);
    while (tally->slots[slot].count != 0 && tally->slots[slot].value != value)
        slot = (slot + 1) & (tally->capacity - 1);
    return slot;
}

static bool grow(DriftTally *tally) {
    DriftTally larger = {.capacity = tally->capacity != 0 ? 2 * tally->capacity : 64, .count = tally->count};
    larger.slots = memory_allocate(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL) return false;
    for (size_t i = 0; i < tally->capacity; i++) {
        if (tally->slots[i].count != 0)
            larger.slots[slot_of(&larger, tally->slots[i].value)] = tally->slots[i];
    }
    free(tally->slots);
    *tally = larger;
    return true;
}

bool drift_tally_add(DriftTally *tally, double value, uint64_t count) {
    if (tally->count >= tally->capacity / 2 && !grow(tally)) return false;
    DriftTallied *slot = &tally->slots[slot_of(tally, value)];
    if (slot->count == 0) tally->count++;
    slot->value = value;
    slot->count += count;
    return true;
}

void drift_tally_clear(DriftTally *tally) {
    if (tally->count > 0) memset(tally->slots, 0, tally->capacity * sizeof *tally->slots);
    tally->count = 0;
}

static int larger_first(const void *a, const void *b) {
    double x = ((const DriftTallied *)a)->value, y = ((const DriftTallied *)b)->value;
    return (x < y) - (x > y);
}

bool drift_top_take(DriftTop *top, DriftTally *tally) {
    if (tally->count == 0) return true;
    top->values = memory_allocate(tally->count, sizeof *top->values);
    if (top->values == NULL) return false;
    for (size_t i = 0; i < tally->capacity; i++) {
        if (tally->slots[i].count != 0) top->values[top->count++] = tally->slots[i];
    }
    qsort(top->values, top->count, sizeof *top->values, larger_first);
    return true;
}

/* ---- windows ---- */

/* About so many values, of 16 bytes, may be held for one tensor. */
enum { VALUES_LIMIT = 1 << 21, TILE_VALUES_LEAST = 64 };

/* Zeros are never wanted: drift_scan() asks for no more elements than have changed. */
static DriftWindow make_window(uint32_t low, uint32_t high, uint64_t inside, size_t tiles) {
    /* where few elements are inside, all of them may be in one tile; where many are, they must be ties */
    size_t fair_share = VALUES_LIMIT / (tiles > 0 ? tiles : 1);
    if (fair_share < TILE_VALUES_LEAST) fair_share = TILE_VALUES_LEAST;
    if (low == 0) low = 1;
    return (DriftWindow){.low = low, .high = high, .limit = inside <= VALUES_LIMIT ? DRIFT_TILE : fair_share};
}

DriftWindow drift_window_guess(const uint32_t *counts, uint64_t sampled, uint64_t count, size_t tiles) {
    /* The sampled rank of the k-th largest scatters by less than its root; neighbours in a row that move
     * together scatter it more. Six of them, and a few, are missed so rarely that a second try is cheap. */
    double rank = (double)drift_top_size(count) * (double)sampled / (double)count;
    double slack = sampled == count ? 0.0 : 6.0 * sqrt(rank) + 4.0;
    uint64_t seen = 0, inside = 0;
    uint32_t step = DRIFT_KEY_STEPS, high = DRIFT_KEY_STEPS;
    while (step > 0 && (double)seen < rank + slack) {
        seen += counts[--step];
        if ((double)seen <= rank - slack) high = step;
    }
    for (uint32_t i = step; i < high; i++) inside += counts[i];
    return make_window(step << DRIFT_KEY_SHIFT, high << DRIFT_KEY_SHIFT, inside * (count / sampled), tiles);
}

DriftWindow drift_window_find(const uint64_t *counts, size_t steps, uint32_t low, unsigned shift,
                              uint64_t above, uint64_t k, size_t tiles) {
    size_t step = steps;
    uint64_t seen = above;
    while (step > 0 && seen < k) seen += counts[--step];
    uint32_t begin = low + ((uint32_t)step << shift);
    DriftWindow window = make_window(begin, begin + (1U << shift), counts[step], tiles);
    if (shift == 0) window.limit = DRIFT_TILE; /* one float32: it cannot be narrowed further */
    return window;
}

bool drift_top_add(DriftTopSum *sum, const DriftTop *tile) {
    sum->is_full = sum->is_full || tile->is_full;
    sum->above += tile->above;
    sum->above_squares += tile->above_squares;
    for (size_t i = 0; i < tile->count && !sum->is_full; i++) {
        if (!drift_tally_add(&sum->tally, tile->values[i].value, tile->values[i].count)) return false;
    }
    return true;
}

bool drift_top_finish(DriftTopSum *sum, uint64_t k, bool *found, double *squares) {
    DriftTop inside = {0};
    bool has_memory = drift_top_take(&inside, &sum->tally);
    uint64_t taken = sum->above;
    *found = false;
    *squares = sum->above_squares;
    for (size_t i = 0; i < inside.count && taken < k; i++) {
        DriftTallied next = inside.values[i];
        uint64_t wanted = next.count < k - taken ? next.count : k - taken;
        *squares += (double)wanted * (next.value * next.value);
        taken += wanted;
    }
    *found = has_memory && !sum->is_full && taken == k; /* more than k: the window lies too low */
    free(inside.values);
    free(sum->tally.slots);
    *sum = (DriftTopSum){0};
    return has_memory;
}
