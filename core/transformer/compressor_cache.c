#include "core/transformer/compressor_cache.h"

#include "core/support/memory.h"

#include <stdlib.h>

size_t compressor_cache_width(const LayerPlan *plan) {
    return (size_t)plan->head_dim * (plan->overlaps ? 2 : 1);
}

/* Of texts that begin at any cell: each has its own. */
static size_t count_slots(const LayerPlan *plan, size_t capacity) {
    return capacity / (size_t)plan->rate + 1;
}

uint64_t compressor_cache_floats(const ModelConfig *config) {
    uint64_t floats = 0, layers = config->layers < MODEL_MAX_LAYERS ? config->layers : MODEL_MAX_LAYERS;
    for (uint64_t layer = 0; layer < layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        if (plan->rate > 0) floats += 2 * compressor_cache_width(plan) + plan->head_dim / plan->rate + 1;
    }
    return floats;
}

Status compressor_cache_allocate(const ModelConfig *config, size_t capacity, CompressorCache **caches,
                                 Error *error) {
    if (compressor_cache_floats(config) == 0) return STATUS_OK;
    *caches = memory_allocate(config->layers, sizeof **caches);
    if (*caches == NULL) return memory_fail(error, "compressed keys");
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        CompressorCache *cache = &(*caches)[layer];
        if (plan->rate == 0) continue;
        cache->inputs = memory_allocate_aligned(capacity, 2 * compressor_cache_width(plan) * sizeof(float));
        cache->entries = memory_allocate_aligned(count_slots(plan, capacity), plan->head_dim * sizeof(float));
        if (cache->inputs == NULL || cache->entries == NULL) return memory_fail(error, "compressed keys");
    }
    return STATUS_OK;
}

void compressor_cache_free(const ModelConfig *config, CompressorCache *caches) {
    for (uint64_t layer = 0; caches != NULL && layer < config->layers; layer++) {
        free(caches[layer].inputs);
        free(caches[layer].entries);
    }
    free(caches);
}
