/*
 * neuron_order — up to millions of neurons put in the order of one figure, fast enough for the UI thread.
 *
 *     neuron_order_clear(&order, M, error)
 *     neuron_order_add(&order, neuron, neuron_order_key(figure, true)) …      those that the filter lets pass
 *     neuron_order_sort(&order, SIZE_MAX)                                     order.entries[0 … count)
 *
 * Keys are 32 bits whose unsigned order is the figure's as a float32: figures nearer than that are equal. A
 * radix sort of three passes, stable: of equal keys the one added first comes first. Memory: 16 bytes a
 * neuron. Sorting 1.7 million takes some 50 ms (tests/unit/test_neuron_order.c prints what it takes): it can be done a
 * stretch at a time, so that keys are answered in between.
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
    uint32_t *places; /* of each digit in each pass: how many there are, then where the next goes */
    int pass;         /* that is under way, and how far it is */
    size_t at;
} NeuronOrder;

/* Empties it and makes room for `most` entries. */
Status neuron_order_clear(NeuronOrder *order, size_t most, Error *error) STATUS_MUST_CHECK;
void neuron_order_free(NeuronOrder *order);

/* There must be room. */
void neuron_order_add(NeuronOrder *order, uint32_t neuron, uint32_t key);

/* Moves `most` entries on their way; true once all are in order. Nothing may be added meanwhile, and entries are in no
 * order before. */
bool neuron_order_sort(NeuronOrder *order, size_t most);

/* What is not known (a NaN) comes last either way; zeros of both signs are equal. */
uint32_t neuron_order_key(double figure, bool largest_first);

/* Where a neuron is; `count` where it is not. */
size_t neuron_order_find(const NeuronOrder *order, uint32_t neuron);

#endif
