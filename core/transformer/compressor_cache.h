/*
 * compressor_cache — what compressed keys take in memory (compressor.h): a layer's inputs by cell, and its entries. For
 * forward_state.c.
 */
#ifndef REJUV_CORE_COMPRESSOR_CACHE_H
#define REJUV_CORE_COMPRESSOR_CACHE_H

#include "core/transformer/forward_internal.h"

/* Floats of a token's key, or gate. */
size_t compressor_cache_width(const LayerPlan *plan);

/* Floats that a token takes in all layers, rounded up. */
uint64_t compressor_cache_floats(const ModelConfig *config);

/* [layers]; *caches stays NULL where no layer has one. The caller frees, also after a failure. */
Status compressor_cache_allocate(const ModelConfig *config, size_t capacity, CompressorCache **caches,
                                 Error *error) STATUS_MUST_CHECK;
void compressor_cache_free(const ModelConfig *config, CompressorCache *caches);

#endif
