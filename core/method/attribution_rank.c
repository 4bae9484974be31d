#include "core/method/attribution_rank.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- ranks ---- */

/* Scores are not negative, so their bits rise as they do; a radix sort of the inverted bits puts the largest
 * first and, being stable, the lower index first among equals. Four passes of 8 bits. A NaN sorts to the front;
 * attribution_run() refuses it before. */
enum { DIGITS = 4, BUCKETS = 256 };

/* Targets are sorted side by side, as many as fit: of millions of neurons an order takes hundreds of megabytes. */
static const size_t SORTING_BYTES = (size_t)1 << 30;

typedef struct Entry {
    uint32_t key, neuron;
} Entry;

typedef struct Sorting {
    size_t neurons;
    const float *scores;
    Entry *entries; /* [count][2][M] */
} Sorting;

static void sort_entries(Entry *entries, Entry *spare, size_t count) {
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t starts[BUCKETS] = {0}, sum = 0;
        unsigned shift = digit * 8;
        for (size_t i = 0; i < count; i++) starts[entries[i].key >> shift & 255]++;
        for (size_t b = 0; b < BUCKETS; b++) {
            size_t here = starts[b];
            starts[b] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) spare[starts[entries[i].key >> shift & 255]++] = entries[i];
        Entry *swap = entries;
        entries = spare;
        spare = swap;
    }
}

static void rank_target(void *argument, size_t target, unsigned worker) {
    (void)worker;
    const Sorting *sorting = argument;
    size_t neurons = sorting->neurons;
    const float *scores = sorting->scores + target * neurons;
    Entry *entries = sorting->entries + target * 2 * neurons;
    for (size_t i = 0; i < neurons; i++) {
        uint32_t bits;
        memcpy(&bits, &scores[i], sizeof bits);
        entries[i] = (Entry){~(bits & 0x7fffffffU), (uint32_t)i};
    }
    sort_entries(entries, entries + neurons,
                 neurons); /* an even number of passes: the result is back in `entries` */
}

static void fold_target(const AttributionRanks *ranks, const float *scores, const Entry *entries,
                        size_t target) {
    for (size_t rank = 0; rank < ranks->neurons; rank++) {
        uint32_t neuron = entries[rank].neuron;
        if ((int32_t)rank >= ranks->rank[neuron]) continue;
        ranks->rank[neuron] = (int32_t)rank;
        ranks->target[neuron] = (int32_t)target;
        ranks->score[neuron] = scores[neuron];
    }
}

Status attribution_rank(const AttributionRanks *ranks, const float *scores, size_t first, size_t count,
                        Job *job, Error *error) {
    size_t neurons = ranks->neurons, most = SORTING_BYTES / (2 * neurons * sizeof(Entry) + 1);
    size_t batch = job_threads(job) < most ? job_threads(job) : most + (most == 0);
    Entry *entries = memory_allocate(batch * 2, neurons * sizeof *entries);
    if (entries == NULL) return memory_fail(error, "ranks");
    Status status = STATUS_OK;
    for (size_t at = 0; at < count && status == STATUS_OK; at += batch) {
        size_t n = count - at < batch ? count - at : batch;
        Sorting sorting = {neurons, scores + at * neurons, entries};
        status = job_run(job, n, rank_target, &sorting, error);
        for (size_t i = 0; i < n && status == STATUS_OK; i++)
            fold_target(ranks, scores + (at + i) * neurons, entries + i * 2 * neurons, first + at + i);
    }
    free(entries);
    return status;
}

/* ---- masses ---- */

static double sum_scores(const float *scores, uint64_t count) {
    double sum = 0.0;
    for (uint64_t i = 0; i < count; i++) sum += (double)scores[i];
    return sum;
}

void attribution_mass_add(AttributionMass *mass, const NeuronTable *table, const float *scores) {
    double total = sum_scores(scores, neurons_count(table));
    if (total == 0.0) return;
    mass->targets++;
    for (size_t b = 0; b < neurons_block_count(table); b++) {
        NeuronBlock block = neurons_block(table, b);
        mass->shares[b] += sum_scores(scores + block.first, block.count) / total;
        if (mass->shared == NULL || !neurons_has_matrices(table, &block)) continue;
        NeuronBlock shared = neurons_of_expert(table, &block, NEURONS_SHARED);
        mass->shared[b] += sum_scores(scores + shared.first, shared.count) / total;
    }
}

void attribution_mass_finish(AttributionMass *mass, const NeuronTable *table) {
    double targets = mass->targets > 0 ? (double)mass->targets : NAN;
    for (size_t b = 0; b < neurons_block_count(table); b++) {
        mass->shares[b] /= targets;
        if (mass->shared != NULL) mass->shared[b] /= targets;
    }
}
