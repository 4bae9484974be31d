#include "core/cache/cache_method.h"

#include "core/cache/cache_bytes.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static CacheReader read_bytes(const unsigned char *bytes, size_t size) {
    return (CacheReader){.next = bytes, .left = size};
}

/* ---- rows ---- */

Status cache_method_hash_rows(const EvaluationRow *rows, size_t row_count, char hex[HASH_HEX_SIZE],
                              Error *error) {
    Buffer text = {0};
    for (size_t i = 0; i < row_count; i++) {
        cache_bytes_put_count(&text, rows[i].count);
        cache_bytes_put_count(&text, evaluation_row_spans(&rows[i]));
        for (size_t s = 0; s < evaluation_row_spans(&rows[i]); s++) {
            EvaluationSpan span = evaluation_row_span(&rows[i], s);
            cache_bytes_put_count(&text, span.first);
            cache_bytes_put_count(&text, span.end);
        }
        cache_bytes_put_integers(&text, rows[i].ids, rows[i].count);
    }
    Status status =
        text.failed ? memory_fail(error, "the rows' sum") : hash_bytes(text.text, text.length, hex, error);
    buffer_free(&text);
    return status;
}

static size_t count_tokens(const CacheMethodShape *shape) {
    size_t tokens = 0;
    for (size_t i = 0; i < shape->row_count; i++) tokens += shape->rows[i].count;
    return tokens;
}

static size_t count_positions(const CacheMethodShape *shape) {
    size_t positions = 0;
    for (size_t i = 0; i < shape->row_count; i++) positions += evaluation_row_positions(&shape->rows[i]);
    return positions;
}

/* ---- attribution ---- */

void cache_method_pack_attribution(const Attribution *attribution, Buffer *payload) {
    cache_bytes_put_count(payload, attribution->neurons);
    cache_bytes_put_count(payload, attribution->target_count);
    for (size_t i = 0; i < attribution->target_count; i++) {
        const AttributionTarget *target = &attribution->targets[i];
        cache_bytes_put_count(payload, target->row);
        cache_bytes_put_count(payload, target->position);
        cache_bytes_put_integers(payload, &target->token, 1);
        cache_bytes_put_double(payload, target->entropy_base);
        cache_bytes_put_double(payload, target->entropy_sft);
        cache_bytes_put_double(payload, target->logit);
        cache_bytes_put_double(payload, target->logit_linear);
    }
    cache_bytes_put_integers(payload, attribution->best_rank, attribution->neurons);
    cache_bytes_put_integers(payload, attribution->best_target, attribution->neurons);
    cache_bytes_put_floats(payload, attribution->best_score, attribution->neurons);
    cache_bytes_put_doubles(payload, attribution->masses, attribution->blocks);
    if (attribution->shared_masses != NULL)
        cache_bytes_put_doubles(payload, attribution->shared_masses, attribution->blocks);
}

static bool take_target(CacheReader *reader, const CacheMethodShape *shape, AttributionTarget *target) {
    uint64_t row = cache_bytes_take_count(reader), position = cache_bytes_take_count(reader);
    cache_bytes_take_integers(reader, &target->token, 1);
    target->entropy_base = cache_bytes_take_double(reader);
    target->entropy_sft = cache_bytes_take_double(reader);
    target->logit = cache_bytes_take_double(reader);
    target->logit_linear = cache_bytes_take_double(reader);
    if (reader->failed || row >= shape->row_count) return false;
    if (!evaluation_row_measures(&shape->rows[row], (size_t)position)) return false;
    target->row = (size_t)row;
    target->position = (size_t)position;
    return target->token >= 0 && (uint64_t)target->token < shape->vocabulary;
}

static bool are_within(const int32_t *values, size_t count, uint64_t limit) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] < 0 || (uint64_t)values[i] >= limit) return false;
    }
    return true;
}

static bool take_attribution(CacheReader *reader, const CacheMethodShape *shape, size_t targets,
                             Attribution *attribution) {
    size_t neurons = (size_t)neurons_count(&shape->table);
    if (cache_bytes_take_count(reader) != neurons || cache_bytes_take_count(reader) != targets) return false;
    attribution->neurons = neurons;
    attribution->target_count = targets;
    attribution->blocks = neurons_block_count(&shape->table);
    attribution->targets = memory_allocate(targets, sizeof *attribution->targets);
    attribution->best_rank = memory_allocate(neurons, sizeof *attribution->best_rank);
    attribution->best_target = memory_allocate(neurons, sizeof *attribution->best_target);
    attribution->best_score = memory_allocate(neurons, sizeof *attribution->best_score);
    attribution->masses = memory_allocate(attribution->blocks, sizeof *attribution->masses);
    bool has_shared = neurons_has_shared(&shape->table);
    if (has_shared)
        attribution->shared_masses = memory_allocate(attribution->blocks, sizeof *attribution->shared_masses);
    if (attribution->targets == NULL || attribution->best_rank == NULL || attribution->best_target == NULL ||
        attribution->best_score == NULL || attribution->masses == NULL ||
        (has_shared && attribution->shared_masses == NULL))
        return false;
    for (size_t i = 0; i < targets; i++) {
        if (!take_target(reader, shape, &attribution->targets[i])) return false;
    }
    cache_bytes_take_integers(reader, attribution->best_rank, neurons);
    cache_bytes_take_integers(reader, attribution->best_target, neurons);
    cache_bytes_take_floats(reader, attribution->best_score, neurons);
    cache_bytes_take_doubles(reader, attribution->masses, attribution->blocks);
    if (has_shared) cache_bytes_take_doubles(reader, attribution->shared_masses, attribution->blocks);
    return cache_bytes_end(reader) && are_within(attribution->best_rank, neurons, neurons) &&
           are_within(attribution->best_target, neurons, targets);
}

bool cache_method_unpack_attribution(const CacheMethodShape *shape, size_t wanted, const unsigned char *bytes,
                                     size_t size, Attribution *attribution) {
    CacheReader reader = read_bytes(bytes, size);
    size_t positions = count_positions(shape), targets = wanted < positions ? wanted : positions;
    *attribution = (Attribution){0};
    bool sound = neurons_check(&shape->table, NULL) == STATUS_OK && targets > 0 &&
                 take_attribution(&reader, shape, targets, attribution);
    if (!sound) attribution_free(attribution);
    return sound;
}

/* ---- dormancy ---- */

static void put_shape(Buffer *payload, const Dormancy *dormancy) {
    cache_bytes_put_count(payload, dormancy->layers);
    cache_bytes_put_count(payload, dormancy->mlp);
    cache_bytes_put_count(payload, dormancy->channels);
    cache_bytes_put_count(payload, dormancy->heads);
    cache_bytes_put_count(payload, dormancy->tokens);
    cache_bytes_put_count(payload, dormancy->response_tokens);
    cache_bytes_put_count(payload, dormancy->gradient_scores != NULL);
}

/* Nothing but a 0 of a model without experts. */
static void put_routing(Buffer *payload, const Routing *routing) {
    size_t layers = (size_t)routing->layers;
    cache_bytes_put_count(payload, layers == 0 ? 0 : routing->chosen);
    if (layers == 0) return;
    cache_bytes_put_doubles(payload, routing->counts, layers * routing->experts);
    cache_bytes_put_doubles(payload, routing->weight_entropies, layers);
    if (routing->choices != NULL)
        cache_bytes_put_integers(payload, routing->choices, layers * routing->tokens * routing->chosen);
}

void cache_method_pack_dormancy(const Dormancy *dormancy, Buffer *payload) {
    size_t layers = (size_t)dormancy->layers;
    put_shape(payload, dormancy);
    cache_bytes_put_doubles(payload, dormancy->mlp_scores, layers * dormancy->mlp);
    cache_bytes_put_doubles(payload, dormancy->channel_scores, layers * dormancy->channels);
    cache_bytes_put_doubles(payload, dormancy->head_scores, layers * dormancy->heads);
    if (dormancy->gradient_scores != NULL)
        cache_bytes_put_doubles(payload, dormancy->gradient_scores, layers * dormancy->mlp);
    put_routing(payload, &dormancy->routing);
}

/* layers × width scores in a new block; NULL where bytes or memory run out. */
static double *take_scores(CacheReader *reader, size_t layers, size_t width) {
    size_t count;
    if (!memory_multiply(layers, width, &count) || count > reader->left / sizeof(double)) return NULL;
    double *scores = memory_allocate(count, sizeof *scores);
    if (scores != NULL) cache_bytes_take_doubles(reader, scores, count);
    return scores;
}

static bool take_routing(CacheReader *reader, const NeuronTable *table, Dormancy *dormancy) {
    Routing *routing = &dormancy->routing;
    uint64_t chosen = cache_bytes_take_count(reader);
    size_t layers = (size_t)table->layers, experts = (size_t)table->experts.count, bytes;
    if (experts == 0) return chosen == 0;
    bool fits = chosen > 0 && chosen <= experts && memory_multiply(layers, experts + 1, &bytes) &&
                memory_multiply(bytes, sizeof(double), &bytes) && bytes <= reader->left;
    if (!fits ||
        routing_reserve(routing, layers, experts, (size_t)chosen, dormancy->tokens, NULL) != STATUS_OK)
        return false;
    cache_bytes_take_doubles(reader, routing->counts, layers * experts);
    cache_bytes_take_doubles(reader, routing->weight_entropies, layers);
    for (uint64_t layer = 0; layer < layers; layer++)
        routing->has_experts[layer] = neurons_has_experts(table, layer);
    if (routing->choices != NULL)
        cache_bytes_take_integers(reader, routing->choices, layers * routing->tokens * routing->chosen);
    return true;
}

static bool take_dormancy(CacheReader *reader, const NeuronTable *table, bool with_gradient,
                          Dormancy *dormancy) {
    const uint64_t expected[] = {dormancy->layers, dormancy->mlp,    dormancy->channels,
                                 dormancy->heads,  dormancy->tokens, dormancy->response_tokens,
                                 with_gradient};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (cache_bytes_take_count(reader) != expected[i]) return false;
    }
    size_t layers = (size_t)dormancy->layers;
    dormancy->mlp_scores = take_scores(reader, layers, dormancy->mlp);
    dormancy->channel_scores = take_scores(reader, layers, dormancy->channels);
    dormancy->head_scores = take_scores(reader, layers, dormancy->heads);
    if (with_gradient) dormancy->gradient_scores = take_scores(reader, layers, dormancy->mlp);
    return take_routing(reader, table, dormancy) && cache_bytes_end(reader) && dormancy->mlp_scores != NULL &&
           dormancy->channel_scores != NULL && dormancy->head_scores != NULL &&
           (dormancy->gradient_scores != NULL) == with_gradient;
}

bool cache_method_unpack_dormancy(const CacheMethodShape *shape, bool with_gradient,
                                  const unsigned char *bytes, size_t size, Dormancy *dormancy) {
    CacheReader reader = read_bytes(bytes, size);
    *dormancy = (Dormancy){.layers = shape->table.layers,
                           .mlp = (size_t)neurons_widest(&shape->table, NEURON_DOWN),
                           .channels = (size_t)neurons_widest(&shape->table, NEURON_O),
                           .heads = (size_t)shape->heads,
                           .tokens = count_tokens(shape),
                           .response_tokens = dormancy_count_responses(shape->rows, shape->row_count)};
    bool sound = take_dormancy(&reader, &shape->table, with_gradient, dormancy);
    if (!sound) dormancy_free(dormancy);
    return sound;
}

/* ---- drift of neurons ---- */

void cache_method_pack_drift(const NeuronTable *table, const double *drift, Buffer *payload) {
    cache_bytes_put_count(payload, neurons_count(table));
    cache_bytes_put_doubles(payload, drift, (size_t)neurons_count(table));
}

bool cache_method_unpack_drift(const CacheMethodShape *shape, const unsigned char *bytes, size_t size,
                               double **drift) {
    CacheReader reader = read_bytes(bytes, size);
    *drift = NULL;
    uint64_t neurons = neurons_count(&shape->table);
    if (neurons_check(&shape->table, NULL) != STATUS_OK || cache_bytes_take_count(&reader) != neurons)
        return false;
    *drift = take_scores(&reader, (size_t)neurons, 1);
    if (*drift != NULL && cache_bytes_end(&reader)) return true;
    free(*drift);
    *drift = NULL;
    return false;
}

/* ---- averages ---- */

enum { AVERAGES = 11 };

static void list_averages(DistributionAverages *averages, double *fields[AVERAGES]) {
    double *all[AVERAGES] = {&averages->entropy,       &averages->kl_base,   &averages->kl_sft,
                             &averages->top1,          &averages->confident, &averages->same_top1_base,
                             &averages->same_top1_sft, &averages->dp_base,   &averages->dp_base_rms,
                             &averages->loss,          &averages->perplexity};
    memcpy(fields, all, sizeof all);
}

static void put_averages(Buffer *payload, DistributionAverages averages) {
    double *fields[AVERAGES];
    list_averages(&averages, fields);
    cache_bytes_put_count(payload, averages.positions);
    cache_bytes_put_count(payload, averages.response_tokens);
    for (int i = 0; i < AVERAGES; i++) cache_bytes_put_double(payload, *fields[i]);
}

void cache_method_pack_averages(const DistributionAverages *base, const DistributionAverages *sft,
                                Buffer *payload) {
    put_averages(payload, *base);
    put_averages(payload, *sft);
}

static bool take_averages(CacheReader *reader, size_t positions, DistributionAverages *averages) {
    double *fields[AVERAGES];
    list_averages(averages, fields);
    uint64_t count = cache_bytes_take_count(reader), responses = cache_bytes_take_count(reader);
    for (int i = 0; i < AVERAGES; i++) *fields[i] = cache_bytes_take_double(reader);
    averages->positions = positions;
    averages->response_tokens = (size_t)responses;
    return !reader->failed && count == positions && responses <= positions;
}

bool cache_method_unpack_averages(const CacheMethodShape *shape, const unsigned char *bytes, size_t size,
                                  DistributionAverages *base, DistributionAverages *sft) {
    CacheReader reader = read_bytes(bytes, size);
    size_t positions = count_positions(shape);
    return take_averages(&reader, positions, base) && take_averages(&reader, positions, sft) &&
           cache_bytes_end(&reader);
}
