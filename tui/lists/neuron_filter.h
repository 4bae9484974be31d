/*
 * neuron_filter — which neurons a list shows, and how a user names them.
 *
 *     place     12.gate 301    12.gate    .gate    gate 301    12.    301        layer, module, index in the module
 *               12.17.gate 301    12.shared.    .17.gate                         layer, expert, module, index in the matrix
 *
 * A module may be shortened: 5.k, 12.g 301; "layer" before a number makes it a layer filter. Words in any order: a
 * place, `reset` (in the reset set), `dormant`, `all` (takes the rest back).
 */
#ifndef REJUV_TUI_NEURON_FILTER_H
#define REJUV_TUI_NEURON_FILTER_H

#include "core/fusion/neurons.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NEURON_ANY = -1, NEURON_FILTER_TEXT = 112 };

/* NEURON_ANY where it is not said. */
typedef struct NeuronPlace {
    int64_t layer, index;
    int64_t last_layer; /* of a range that begins at `layer`; NEURON_ANY: that layer alone */
    int64_t expert;     /* NEURONS_SHARED: the shared one */
    int module;
} NeuronPlace;

typedef struct NeuronFilter {
    NeuronPlace place;
    bool reset, dormant; /* only those */
} NeuronFilter;

/* Lets everything pass. */
NeuronFilter neuron_filter_none(void);
bool neuron_filter_is_none(const NeuronFilter *filter);
bool neuron_filter_equal(const NeuronFilter *a, const NeuronFilter *b);

/* False where the text is no place. */
bool neuron_filter_read_place(const char *text, NeuronPlace *place);

/* Whether neuron `index` of the matrix is at the place; of a whole block, where it is nobody's to say which expert. */
bool neuron_filter_fits(const NeuronPlace *place, const NeuronBlock *matrix, uint64_t index);

/* False where the text is no filter for this table; `message` says what is expected. */
bool neuron_filter_read(const char *text, const NeuronTable *table, NeuronFilter *filter, char *message,
                        size_t size);

/* As neuron_filter_read() takes it: "3.down reset"; "" for none. */
void neuron_filter_describe(const NeuronFilter *filter, char text[NEURON_FILTER_TEXT]);

#endif
