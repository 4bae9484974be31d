/*
 * neuron_order — up to millions of neurons put in the order of one figure, fast enough for the UI thread.
 *
 *     neuron_order_clear(&order, M, error)
 *     neuron_order_add(&order, neuron, neuron_order_key(figure, true)) …      those that the filter lets pass
 *     neuron_order_sort(&order)                                               order.entries[0 … count)
 *
 * Keys are 32 bits whose unsigned order is the figure's as a float32: figures nearer than that are equal. A
 * radix sort of three passes, stable: of equal keys the one added first comes first. Memory: 16 bytes a
 * neuron. Sorting 1.7 million took 65 ms on a shared server core (tests/unit/test_neuron_order.c prints
 * what it takes).
 */
#ifndef REJUV_TUI_NEURON_ORDER_H
#define REJUV_TUI_NEURON_ORDER_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NeuronEntry {
    uint32_t key, neuron;
} NeuronEntry;

/* Zero is empty. */
typedef struct NeuronOrder {
    NeuronEntry *entries; /* [count] */
    NeuronEntry *spare;
    size_t count, capacity;
} NeuronOrder;

/* Empties it and makes room for `most` entries. */
Status neuron_order_clear(NeuronOrder *order, size_t most, Error *error) STATUS_MUST_CHECK;
void neuron_order_free(NeuronOrder *order);

/* There must be room. */
void neuron_order_add(NeuronOrder *order, uint32_t neuron, uint32_t key);
void neuron_order_sort(NeuronOrder *order);

/* What is not known (a NaN) comes last either way; zeros of both signs are equal. */
uint32_t neuron_order_key(double figure, bool largest_first);

/* Where a neuron is; `count` where it is not. */
size_t neuron_order_find(const NeuronOrder *order, uint32_t neuron);

#endif
