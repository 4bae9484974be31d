#include "tui/lists/neuron_order.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, PASSES = 3 };

void neuron_order_free(NeuronOrder *order) {
    free(order->entries);
    free(order->spare);
    free(order->places);
    *order = (NeuronOrder){0};
}

Status neuron_order_clear(NeuronOrder *order, size_t most, Error *error) {
    order->count = order->at = 0;
    order->pass = 0;
    if (order->places != NULL) memset(order->places, 0, PASSES * RADIX * sizeof *order->places);
    if (most <= order->capacity && order->entries != NULL) return STATUS_OK;
    neuron_order_free(order);
    order->entries = memory_allocate(most, sizeof *order->entries);
    order->spare = memory_allocate(most, sizeof *order->spare);
    order->places = memory_allocate(PASSES * RADIX, sizeof *order->places);
    if (order->entries == NULL || order->spare == NULL || order->places == NULL) {
        neuron_order_free(order);
        return memory_fail(error, "the list of neurons");
    }
    order->capacity = most;
    return STATUS_OK;
}

static size_t digit(uint32_t key, int pass) {
    return key >> (pass * RADIX_BITS) & (RADIX - 1);
}

void neuron_order_add(NeuronOrder *order, uint32_t neuron, uint32_t key) {
    order->entries[order->count++] = (NeuronEntry){.key = key, .neuron = neuron};
    for (int pass = 0; pass < PASSES; pass++) order->places[pass * RADIX + (int)digit(key, pass)]++;
}

uint32_t neuron_order_key(double figure, bool largest_first) {
    if (isnan(figure)) return UINT32_MAX;
    float value = (float)figure + 0.0f; /* -0 becomes 0 */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return largest_first ? ~bits : bits;
}

static void begin_pass(uint32_t *places) {
    uint32_t place = 0;
    for (size_t i = 0; i < RADIX; i++) {
        uint32_t count = places[i];
        places[i] = place;
        place += count;
    }
}

bool neuron_order_sort(NeuronOrder *order, size_t most) {
    for (; order->pass < PASSES && order->count > 0 && most > 0;) {
        uint32_t *places = order->places + (size_t)order->pass * RADIX;
        if (order->at == 0) begin_pass(places);
        size_t end = order->count - order->at < most ? order->count : order->at + most;
        most -= end - order->at;
        for (size_t i = order->at; i < end; i++)
            order->spare[places[digit(order->entries[i].key, order->pass)]++] = order->entries[i];
        order->at = end;
        if (end < order->count) return false;
        NeuronEntry *sorted = order->spare;
        order->spare = order->entries;
        order->entries = sorted;
        order->at = 0;
        order->pass++;
    }
    return order->pass == PASSES || order->count == 0;
}

size_t neuron_order_find(const NeuronOrder *order, uint32_t neuron) {
    size_t i = 0;
    while (i < order->count && order->entries[i].neuron != neuron) i++;
    return i;
}
