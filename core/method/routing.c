#include "core/method/routing.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

void routing_free(Routing *routing) {
    free(routing->has_experts);
    free(routing->counts);
    free(routing->weight_entropies);
    free(routing->choices);
    *routing = (Routing){0};
}

Status routing_reserve(Routing *routing, uint64_t layers, size_t experts, size_t chosen, size_t tokens,
                       Error *error) {
    size_t all, choices;
    *routing = (Routing){.layers = layers, .experts = experts, .chosen = chosen, .tokens = tokens};
    bool fits = memory_multiply((size_t)layers, experts, &all) &&
                memory_multiply((size_t)layers, tokens, &choices) &&
                memory_multiply(choices, chosen, &choices);
    if (!fits) return memory_fail(error, "routing");
    routing->has_experts = memory_allocate((size_t)layers, sizeof *routing->has_experts);
    routing->counts = memory_allocate(all, sizeof *routing->counts);
    routing->weight_entropies = memory_allocate((size_t)layers, sizeof *routing->weight_entropies);
    if (choices <= ROUTING_MOST_CHOICES)
        routing->choices = memory_allocate(choices, sizeof *routing->choices);
    bool complete = routing->has_experts != NULL && routing->counts != NULL &&
                    routing->weight_entropies != NULL &&
                    (routing->choices != NULL || choices > ROUTING_MOST_CHOICES);
    return complete ? STATUS_OK : memory_fail(error, "routing");
}

Status routing_open(const ModelConfig *config, const NeuronTable *table, size_t tokens, Routing *routing,
                    Error *error) {
    size_t chosen = 0;
    *routing = (Routing){0};
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].experts.chosen > chosen) chosen = (size_t)config->plans[i].experts.chosen;
    if (table->experts.count == 0) return STATUS_OK;
    Status status =
        routing_reserve(routing, table->layers, (size_t)table->experts.count, chosen, tokens, error);
    for (uint64_t layer = 0; layer < table->layers && status == STATUS_OK; layer++)
        routing->has_experts[layer] = neurons_has_experts(table, layer);
    return status;
}

/* ---- adding ---- */

static int32_t *choices_of(const Routing *routing, uint64_t layer, size_t token) {
    return routing->choices + ((size_t)layer * routing->tokens + token) * routing->chosen;
}

static double entropy_of(const float *weights, size_t count) {
    double sum = 0.0, entropy = 0.0;
    for (size_t k = 0; k < count; k++) sum += fabs((double)weights[k]);
    for (size_t k = 0; k < count && sum > 0.0; k++) {
        double share = fabs((double)weights[k]) / sum;
        if (share > 0.0) entropy -= share * log(share);
    }
    return entropy;
}

void routing_add(Routing *routing, const ForwardMoment *moment, size_t first) {
    double *counts = routing->counts + moment->layer * routing->experts;
    for (size_t t = 0; t < moment->tokens; t++) {
        const float *values = moment->values + t * moment->width;
        if (moment->site == FORWARD_WEIGHTS) {
            routing->weight_entropies[moment->layer] += entropy_of(values, moment->width);
            continue;
        }
        for (size_t k = 0; k < moment->width; k++) {
            counts[(size_t)values[k]]++;
            if (routing->choices != NULL)
                choices_of(routing, moment->layer, first + moment->first + t)[k] = (int32_t)values[k];
        }
    }
}

/* ---- figures ---- */

static const double *counts_of(const Routing *routing, uint64_t layer) {
    return routing->counts + layer * routing->experts;
}

double routing_share(const Routing *routing, uint64_t layer, size_t expert) {
    return counts_of(routing, layer)[expert] / (double)routing->tokens;
}

double routing_load_entropy(const Routing *routing, uint64_t layer) {
    const double *counts = counts_of(routing, layer);
    double sum = 0.0, entropy = 0.0;
    for (size_t e = 0; e < routing->experts; e++) sum += counts[e];
    for (size_t e = 0; e < routing->experts; e++)
        if (counts[e] > 0.0) entropy -= counts[e] / sum * log(counts[e] / sum);
    return entropy;
}

double routing_weight_entropy(const Routing *routing, uint64_t layer) {
    return routing->weight_entropies[layer] / (double)routing->tokens;
}

double routing_largest_share(const Routing *routing, uint64_t layer) {
    double largest = 0.0;
    for (size_t e = 0; e < routing->experts; e++) largest = fmax(largest, routing_share(routing, layer, e));
    return largest;
}

size_t routing_count_unused(const Routing *routing, uint64_t layer) {
    size_t unused = 0;
    for (size_t e = 0; e < routing->experts; e++) unused += counts_of(routing, layer)[e] == 0.0;
    return unused;
}

double routing_overlap(const Routing *a, const Routing *b, uint64_t layer) {
    size_t common = 0;
    bool is_known = a->choices != NULL && b->choices != NULL && a->tokens == b->tokens &&
                    a->chosen == b->chosen && a->layers == b->layers;
    if (!is_known) return NAN;
    for (size_t t = 0; t < a->tokens; t++) {
        const int32_t *left = choices_of(a, layer, t), *right = choices_of(b, layer, t);
        for (size_t i = 0; i < a->chosen; i++)
            for (size_t j = 0; j < a->chosen; j++) common += left[i] == right[j];
    }
    return (double)common / (double)(a->tokens * a->chosen);
}
