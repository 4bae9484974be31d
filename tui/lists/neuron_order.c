#include "tui/lists/neuron_order.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, PASSES = 3 };

void neuron_order_free(NeuronOrder *order) {
    free(order->entries);
    free(order->spare);
    *order = (NeuronOrder){0};
}

Status neuron_order_clear(NeuronOrder *order, size_t most, Error *error) {
    order->count = 0;
    if (most <= order->capacity && order->entries != NULL) return STATUS_OK;
    neuron_order_free(order);
    order->entries = memory_allocate(most, sizeof *order->entries);
    order->spare = memory_allocate(most, sizeof *order->spare);
    if (order->entries == NULL || order->spare == NULL) {
        neuron_order_free(order);
        return memory_fail(error, "the list of neurons");
    }
    order->capacity = most;
    return STATUS_OK;
}

void neuron_order_add(NeuronOrder *order, uint32_t neuron, uint32_t key) {
    order->entries[order->count++] = (NeuronEntry){.key = key, .neuron = neuron};
}

uint32_t neuron_order_key(double figure, bool largest_first) {
    if (isnan(figure)) return UINT32_MAX;
    float value = (float)figure + 0.0f; /* -0 becomes 0 */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return largest_first ? ~bits : bits;
}

static size_t digit(uint32_t key, int pass) {
    return key >> (pass * RADIX_BITS) & (RADIX - 1);
}

void neuron_order_sort(NeuronOrder *order) {
    size_t places[PASSES][RADIX] = {{0}};
    for (size_t i = 0; i < order->count; i++)
        for (int pass = 0; pass < PASSES; pass++) places[pass][digit(order->entries[i].key, pass)]++;
    for (int pass = 0; pass < PASSES; pass++) {
        size_t place = 0;
        for (size_t i = 0; i < RADIX; i++) {
            size_t count = places[pass][i];
            places[pass][i] = place;
            place += count;
        }
        for (size_t i = 0; i < order->count; i++)
            order->spare[places[pass][digit(order->entries[i].key, pass)]++] = order->entries[i];
        NeuronEntry *sorted = order->spare;
        order->spare = order->entries;
        order->entries = sorted;
    }
}

size_t neuron_order_find(const NeuronOrder *order, uint32_t neuron) {
    size_t i = 0;
    while (i < order->count && order->entries[i].neuron != neuron) i++;
    return i;
}
