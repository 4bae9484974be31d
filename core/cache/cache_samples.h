/*
 * cache_samples — answers that were sampled, how likely the three states find their tokens, and the gradient at hand-over of
 * them, as entries of the cache.
 *
 * Samples are found again for the same contents of the model that was sampled, at the same dials where it is W, the same
 * prompts, options and seed; scores for the same contents, dials and tokens, a gradient for the same advantages too. Like all else that is measured by multiplies
 * (cache_analysis.h) for the same threads, kernels and version of this program: for what would be measured, bit for bit.
 * Dials are named by their numbers and by the neurons that they reset, never by how these were chosen.
 *
 * Rewards are not kept: they are made of the texts again. Unpacking takes untrusted bytes: what does not fit the prompts or
 * the model is refused, and nothing is taken.
 */
#ifndef REJUV_CORE_CACHE_SAMPLES_H
#define REJUV_CORE_CACHE_SAMPLES_H

#include "core/cache/cache.h"
#include "core/cache/cache_analysis.h"
#include "core/readiness/gradient.h"
#include "core/readiness/rollout.h"
#include "core/readiness/sample_rows.h"
#include "core/readiness/sample_score.h"

/* What was sampled from, and how. All borrowed. */
typedef struct CacheSampling {
    const CacheOrigin *origin; /* contents and threads */
    Side side;
    const Settings *dials;
    const SampleSet *prompts;
    const RolloutOptions *options;
    size_t vocabulary;
} CacheSampling;

/* Adds the samples that are kept to the prompts of `set`, which have none; false, and nothing, where they are not kept. */
bool cache_samples_recall(const Cache *cache, const CacheSampling *sampling, SampleSet *set);

/* Keeps the samples of `set`, which has options->samples of each prompt. */
Status cache_samples_keep(const Cache *cache, const CacheSampling *sampling, const SampleSet *set,
                          Error *error) STATUS_MUST_CHECK;

/* The same of tokens[SIDE], each [rows->response_tokens]. */
bool cache_samples_recall_scores(const Cache *cache, const CacheOrigin *origin, const Settings *dials,
                                 const SampleRows *rows, SampleTokenScore *const tokens[SIDE_COUNT]);
Status cache_samples_keep_scores(const Cache *cache, const CacheOrigin *origin, const Settings *dials,
                                 const SampleRows *rows, SampleTokenScore *const tokens[SIDE_COUNT],
                                 Error *error) STATUS_MUST_CHECK;

/* The same of the gradient of a state, whose settings these are; advantages [rows->count]. A recalled one is the caller's to
 * free. */
bool cache_samples_recall_gradient(const Cache *cache, const CacheOrigin *origin, const Settings *settings,
                                   const SampleRows *rows, const double *advantages, const Pair *pair,
                                   Gradient *gradient);
Status cache_samples_keep_gradient(const Cache *cache, const CacheOrigin *origin, const Settings *settings,
                                   const SampleRows *rows, const double *advantages, const Gradient *gradient,
                                   Error *error) STATUS_MUST_CHECK;

/* As payloads: samples by their ids and whether they ended. */
void cache_samples_pack(const SampleSet *set, Buffer *payload);
bool cache_samples_unpack(const unsigned char *bytes, size_t size, const RolloutOptions *options,
                          size_t vocabulary, SampleSet *set);
void cache_samples_pack_scores(SampleTokenScore *const tokens[SIDE_COUNT], size_t count, Buffer *payload);
bool cache_samples_unpack_scores(const unsigned char *bytes, size_t size, size_t count,
                                 SampleTokenScore *const tokens[SIDE_COUNT]);

/* Tensors by their names; what is not of this pair is refused. */
void cache_samples_pack_gradient(const Gradient *gradient, Buffer *payload);
bool cache_samples_unpack_gradient(const unsigned char *bytes, size_t size, const Pair *pair,
                                   Gradient *gradient);

#endif
