#include "core/cache/cache_samples.h"

#include "core/cache/cache_bytes.h"
#include "core/cache/cache_method.h"
#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_KIND  "samples"
#define SCORES_KIND   "sample-scores"
#define GRADIENT_KIND "gradient"
enum { SAMPLES_VERSION = 1, SCORES_VERSION = 1, GRADIENT_VERSION = 1, NAME_MOST = 4096 };

/* ---- what they come from ---- */

static void put_origin(const CacheOrigin *origin, Buffer *text) {
    buffer_add_format(text, "base %s\nsft %s\nthreads %u\nblas %s\nkernels %s\n", origin->base, origin->sft,
                      origin->threads, blas_library_core_name(), kernels_get()->name);
}

/* α as its bits: two dials that differ in the last give different weights. */
static void put_number(const char *name, double number, Buffer *text) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    buffer_add_format(text, "%s %016" PRIx64 "\n", name, bits);
}

static void put_dials(const Settings *dials, Buffer *text) {
    uint32_t cut = settings_cut(dials);
    put_number("alpha", dials->alpha, text);
    for (size_t i = 0; dials->curve != NULL && i < dials->curve->count; i++)
        put_number("layer", dials->curve->alpha[i], text);
    for (SettingsKind kind = 0; kind < SETTINGS_KIND_COUNT; kind++)
        if (dials->kinds[kind].is_set) put_number(settings_kind_name(kind), dials->kinds[kind].alpha, text);
    if (cut == 0) return;
    put_number("omega", dials->omega, text);
    for (uint64_t n = 0; n < neurons_count(&dials->ranking->table); n++)
        if (dials->ranking->ranks[n] < cut) buffer_add_format(text, "reset %" PRIu64 "\n", n);
}

static void put_prompts(const SampleSet *prompts, Buffer *text) {
    for (size_t g = 0; g < prompts->count; g++) {
        buffer_add_text(text, "prompt");
        for (size_t i = 0; i < prompts->groups[g].count; i++)
            buffer_add_format(text, " %" PRId32, prompts->groups[g].ids[i]);
        buffer_add_text(text, "\n");
    }
}

static Status make_key(Buffer *text, const char *kind, unsigned version, CacheKey *key, Error *error) {
    char *lines = NULL;
    Status status = buffer_take(text, &lines, NULL, "a cache key", error);
    if (status == STATUS_OK) status = cache_make_key(kind, version, lines, key, error);
    free(lines);
    return status;
}

static Status make_samples_key(const CacheSampling *sampling, CacheKey *key, Error *error) {
    const RolloutOptions *options = sampling->options;
    Settings settings = settings_of_side(sampling->side, sampling->dials);
    Buffer text = {0};
    put_origin(sampling->origin, &text);
    buffer_add_format(&text,
                      "samples %zu\ntokens %zu\nslots %zu\ntop-k %zu\nseed %" PRIu64 "\nend %" PRId32 "\n",
                      options->samples, options->most_tokens, options->slots, options->sampling.top_k,
                      options->seed, options->end);
    put_number("temperature", options->sampling.temperature, &text);
    put_number("top-p", options->sampling.top_p, &text);
    put_dials(&settings, &text);
    put_prompts(sampling->prompts, &text);
    return make_key(&text, SAMPLES_KIND, SAMPLES_VERSION, key, error);
}

/* What is measured on samples; a gradient at their advantages, scores without. */
static Status make_rows_key(const CacheOrigin *origin, const Settings *settings, const SampleRows *rows,
                            const double *advantages, CacheKey *key, Error *error) {
    char sum[HASH_HEX_SIZE];
    Buffer text = {0};
    Status status = cache_method_hash_rows(rows->rows, rows->count, sum, error);
    if (status != STATUS_OK) return status;
    put_origin(origin, &text);
    put_dials(settings, &text);
    buffer_add_format(&text, "rows %s\n", sum);
    for (size_t i = 0; i < rows->count && advantages != NULL; i++)
        put_number("advantage", advantages[i], &text);
    return advantages != NULL ? make_key(&text, GRADIENT_KIND, GRADIENT_VERSION, key, error)
                              : make_key(&text, SCORES_KIND, SCORES_VERSION, key, error);
}

/* ---- samples as bytes ---- */

void cache_samples_pack(const SampleSet *set, Buffer *payload) {
    cache_bytes_put_count(payload, set->count);
    for (size_t g = 0; g < set->count; g++) {
        const SampleGroup *group = &set->groups[g];
        cache_bytes_put_count(payload, group->sample_count);
        for (size_t i = 0; i < group->sample_count; i++) {
            cache_bytes_put_count(payload, group->samples[i].is_ended);
            cache_bytes_put_count(payload, group->samples[i].count);
            cache_bytes_put_integers(payload, group->samples[i].ids, group->samples[i].count);
        }
    }
}

static bool take_sample(CacheReader *reader, const RolloutOptions *options, size_t vocabulary,
                        SampleGroup *group) {
    Sample *sample;
    uint64_t is_ended = cache_bytes_take_count(reader), count = cache_bytes_take_count(reader);
    if (reader->failed || is_ended > 1 || count == 0 || count > options->most_tokens ||
        count > reader->left / sizeof(int32_t))
        return false;
    if (sample_set_add_sample(group, &sample, NULL) != STATUS_OK) return false;
    sample->ids = memory_allocate((size_t)count, sizeof *sample->ids);
    if (sample->ids == NULL) return false;
    sample->count = (size_t)count;
    sample->is_ended = is_ended == 1;
    cache_bytes_take_integers(reader, sample->ids, sample->count);
    for (size_t i = 0; i < sample->count; i++)
        if (sample->ids[i] < 0 || (uint64_t)sample->ids[i] >= vocabulary) return false;
    return true;
}

static bool take_samples(CacheReader *reader, const RolloutOptions *options, size_t vocabulary,
                         SampleSet *set) {
    if (cache_bytes_take_count(reader) != set->count) return false;
    for (size_t g = 0; g < set->count; g++) {
        if (cache_bytes_take_count(reader) != options->samples) return false;
        for (size_t i = 0; i < options->samples; i++)
            if (!take_sample(reader, options, vocabulary, &set->groups[g])) return false;
    }
    return cache_bytes_end(reader);
}

bool cache_samples_unpack(const unsigned char *bytes, size_t size, const RolloutOptions *options,
                          size_t vocabulary, SampleSet *set) {
    CacheReader reader = {.next = bytes, .left = size};
    if (take_samples(&reader, options, vocabulary, set)) return true;
    for (size_t g = 0; g < set->count; g++) sample_set_drop_samples(&set->groups[g]);
    return false;
}

/* ---- scores as bytes ---- */

void cache_samples_pack_scores(SampleTokenScore *const tokens[SIDE_COUNT], size_t count, Buffer *payload) {
    cache_bytes_put_count(payload, count);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        for (size_t i = 0; i < count; i++) {
            cache_bytes_put_floats(payload, &tokens[side][i].log_probability, 1);
            cache_bytes_put_floats(payload, &tokens[side][i].entropy, 1);
        }
    }
}

bool cache_samples_unpack_scores(const unsigned char *bytes, size_t size, size_t count,
                                 SampleTokenScore *const tokens[SIDE_COUNT]) {
    CacheReader reader = {.next = bytes, .left = size};
    if (cache_bytes_take_count(&reader) != count) return false;
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        for (size_t i = 0; i < count; i++) {
            cache_bytes_take_floats(&reader, &tokens[side][i].log_probability, 1);
            cache_bytes_take_floats(&reader, &tokens[side][i].entropy, 1);
        }
    }
    return cache_bytes_end(&reader);
}

/* ---- a gradient as bytes ---- */

void cache_samples_pack_gradient(const Gradient *gradient, Buffer *payload) {
    cache_bytes_put_double(payload, gradient->loss);
    cache_bytes_put_count(payload, gradient->tokens);
    cache_bytes_put_count(payload, gradient->count);
    for (size_t i = 0; i < gradient->count; i++) {
        const GradientTensor *tensor = &gradient->tensors[i];
        size_t bytes = strlen(tensor->tensor->name);
        cache_bytes_put_count(payload, bytes);
        buffer_add(payload, tensor->tensor->name, bytes);
        cache_bytes_put_count(payload, (uint64_t)tensor->role);
        cache_bytes_put_count(payload, (uint64_t)tensor->layer + 1); /* of none, −1: 0 */
        cache_bytes_put_double(payload, tensor->norm);
        cache_bytes_put_double(payload, tensor->weight);
    }
    cache_bytes_put_count(payload, gradient->expert_count);
    for (size_t i = 0; i < gradient->expert_count; i++) {
        const GradientExpert *expert = &gradient->experts[i];
        cache_bytes_put_count(payload, (uint64_t)expert->layer);
        cache_bytes_put_count(payload, expert->expert);
        cache_bytes_put_double(payload, expert->norm);
        cache_bytes_put_double(payload, expert->weight);
    }
}

/* The tensor of that name, near `near`, for they are kept in nearly the pair's order. */
static const PairTensor *find_tensor(const Pair *pair, const unsigned char *name, size_t bytes, size_t near) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[(near + i) % pair->count];
        if (strlen(tensor->name) == bytes && memcmp(tensor->name, name, bytes) == 0) return tensor;
    }
    return NULL;
}

static bool take_tensor(CacheReader *reader, const Pair *pair, size_t near, GradientTensor *tensor) {
    uint64_t bytes = cache_bytes_take_count(reader);
    if (reader->failed || bytes > NAME_MOST || bytes > reader->left) return false;
    tensor->tensor = find_tensor(pair, reader->next, (size_t)bytes, near);
    reader->next += bytes;
    reader->left -= (size_t)bytes;
    uint64_t role = cache_bytes_take_count(reader), layer = cache_bytes_take_count(reader);
    tensor->norm = cache_bytes_take_double(reader);
    tensor->weight = cache_bytes_take_double(reader);
    if (reader->failed || tensor->tensor == NULL || role >= TENSOR_ROLE_COUNT || layer > INT32_MAX)
        return false;
    tensor->role = (TensorRole)role;
    tensor->layer = (int)layer - 1;
    return true;
}

/* Each takes some bytes: there are no more than those that are left. */
static bool take_experts(CacheReader *reader, Gradient *gradient) {
    uint64_t count = cache_bytes_take_count(reader);
    if (reader->failed || count > reader->left) return false;
    gradient->experts = memory_allocate((size_t)count, sizeof *gradient->experts);
    if (gradient->experts == NULL) return false;
    gradient->expert_count = (size_t)count;
    for (size_t i = 0; i < gradient->expert_count; i++) {
        uint64_t layer = cache_bytes_take_count(reader), expert = cache_bytes_take_count(reader);
        if (reader->failed || layer >= INT32_MAX || expert > SIZE_MAX) return false;
        gradient->experts[i] = (GradientExpert){.layer = (int)layer, .expert = (size_t)expert};
        gradient->experts[i].norm = cache_bytes_take_double(reader);
        gradient->experts[i].weight = cache_bytes_take_double(reader);
    }
    return !reader->failed;
}

bool cache_samples_unpack_gradient(const unsigned char *bytes, size_t size, const Pair *pair,
                                   Gradient *gradient) {
    CacheReader reader = {.next = bytes, .left = size};
    *gradient = (Gradient){.loss = cache_bytes_take_double(&reader)};
    gradient->tokens = (size_t)cache_bytes_take_count(&reader);
    uint64_t count = cache_bytes_take_count(&reader);
    bool sound = !reader.failed && count <= pair->count;
    gradient->tensors = sound ? memory_allocate((size_t)count, sizeof *gradient->tensors) : NULL;
    sound = gradient->tensors != NULL;
    for (size_t i = 0; i < count && sound; i++, gradient->count += sound)
        sound = take_tensor(&reader, pair, i, &gradient->tensors[i]);
    sound = sound && take_experts(&reader, gradient) && cache_bytes_end(&reader);
    if (!sound) gradient_free(gradient);
    return sound;
}

/* ---- found and kept ---- */

static Status store(const Cache *cache, const CacheKey *key, Buffer *payload, Error *error) {
    Status status = payload->failed ? memory_fail(error, "a cache entry")
                                    : cache_store(cache, key, payload->text, payload->length, error);
    buffer_free(payload);
    return status;
}

bool cache_samples_recall(const Cache *cache, const CacheSampling *sampling, SampleSet *set) {
    CacheKey key;
    CacheEntry entry;
    if (make_samples_key(sampling, &key, NULL) != STATUS_OK || !cache_find(cache, &key, &entry)) return false;
    bool is_sound =
        cache_samples_unpack(entry.payload, entry.size, sampling->options, sampling->vocabulary, set);
    cache_free_entry(&entry);
    return is_sound;
}

Status cache_samples_keep(const Cache *cache, const CacheSampling *sampling, const SampleSet *set,
                          Error *error) {
    CacheKey key;
    Buffer payload = {0};
    Status status = make_samples_key(sampling, &key, error);
    if (status != STATUS_OK) return status;
    cache_samples_pack(set, &payload);
    return store(cache, &key, &payload, error);
}

bool cache_samples_recall_scores(const Cache *cache, const CacheOrigin *origin, const Settings *dials,
                                 const SampleRows *rows, SampleTokenScore *const tokens[SIDE_COUNT]) {
    CacheKey key;
    CacheEntry entry;
    if (make_rows_key(origin, dials, rows, NULL, &key, NULL) != STATUS_OK || !cache_find(cache, &key, &entry))
        return false;
    bool is_sound = cache_samples_unpack_scores(entry.payload, entry.size, rows->response_tokens, tokens);
    cache_free_entry(&entry);
    return is_sound;
}

Status cache_samples_keep_scores(const Cache *cache, const CacheOrigin *origin, const Settings *dials,
                                 const SampleRows *rows, SampleTokenScore *const tokens[SIDE_COUNT],
                                 Error *error) {
    CacheKey key;
    Buffer payload = {0};
    Status status = make_rows_key(origin, dials, rows, NULL, &key, error);
    if (status != STATUS_OK) return status;
    cache_samples_pack_scores(tokens, rows->response_tokens, &payload);
    return store(cache, &key, &payload, error);
}

bool cache_samples_recall_gradient(const Cache *cache, const CacheOrigin *origin, const Settings *settings,
                                   const SampleRows *rows, const double *advantages, const Pair *pair,
                                   Gradient *gradient) {
    CacheKey key;
    CacheEntry entry;
    if (make_rows_key(origin, settings, rows, advantages, &key, NULL) != STATUS_OK ||
        !cache_find(cache, &key, &entry))
        return false;
    bool is_sound = cache_samples_unpack_gradient(entry.payload, entry.size, pair, gradient);
    cache_free_entry(&entry);
    return is_sound;
}

Status cache_samples_keep_gradient(const Cache *cache, const CacheOrigin *origin, const Settings *settings,
                                   const SampleRows *rows, const double *advantages, const Gradient *gradient,
                                   Error *error) {
    CacheKey key;
    Buffer payload = {0};
    Status status = make_rows_key(origin, settings, rows, advantages, &key, error);
    if (status != STATUS_OK) return status;
    cache_samples_pack_gradient(gradient, &payload);
    return store(cache, &key, &payload, error);
}
