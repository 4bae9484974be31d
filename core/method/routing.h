/*
 * routing — where routers send the tokens of all rows, layer by layer: of one state of the model, and of two beside each
 * other.
 *
 *     share of an expert      tokens that go to it / tokens
 *     load entropy            H(tokens that go to e / Σ of all), nats; ln(experts) where all are used alike
 *     weight entropy          mean over tokens of H(their experts' weights, as shares of their sum), nats
 *     overlap of two states   mean over tokens of |experts of one ∩ experts of the other| / chosen
 */
#ifndef REJUV_CORE_ROUTING_H
#define REJUV_CORE_ROUTING_H

#include "core/fusion/neurons.h"
#include "core/transformer/forward.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Routing {
    uint64_t layers;          /* 0: no layer has experts */
    size_t experts, chosen;   /* of the largest such layer */
    size_t tokens;            /* that were routed */
    bool *has_experts;        /* [layers] */
    double *counts;           /* [layers × experts]: tokens that go to each */
    double *weight_entropies; /* [layers]: the sum over tokens */
    int32_t *choices; /* [layers × tokens × chosen]; NULL where they are more than ROUTING_MOST_CHOICES */
} Routing;

enum { ROUTING_MOST_CHOICES = 1 << 24 };

/* Of a model without experts it is empty. The caller frees. */
Status routing_open(const ModelConfig *config, const NeuronTable *table, size_t tokens, Routing *routing,
                    Error *error) STATUS_MUST_CHECK;
void routing_free(Routing *routing);

/* The same by its sizes, nothing added yet; no layer has experts until it is said. */
Status routing_reserve(Routing *routing, uint64_t layers, size_t experts, size_t chosen, size_t tokens,
                       Error *error) STATUS_MUST_CHECK;

/* Takes FORWARD_CHOSEN and FORWARD_WEIGHTS of a layer; `first` is the call's first token among all. */
void routing_add(Routing *routing, const ForwardMoment *moment, size_t first);

/* Of a layer with experts. */
double routing_share(const Routing *routing, uint64_t layer, size_t expert);
double routing_load_entropy(const Routing *routing, uint64_t layer);
double routing_weight_entropy(const Routing *routing, uint64_t layer);
double routing_largest_share(const Routing *routing, uint64_t layer);
size_t routing_count_unused(const Routing *routing, uint64_t layer); /* experts that no token goes to */

/* NaN where the choices of one are not known, are not of the same tokens, or are more for each than the other's. */
double routing_overlap(const Routing *a, const Routing *b, uint64_t layer);

#endif
