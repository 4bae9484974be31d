/* Any bytes as an entry of the cache, or as its payload: refused, or taken; and what was taken, written again
 * gives the same bytes. The first byte says as what. */
#include "core/cache/cache.h"
#include "core/cache/cache_drift.h"
#include "core/cache/cache_method.h"
#include "core/cache/cache_samples.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Two layers of 2 q, 1 k, 1 v, 3 gate, 3 up, 4 o (2 heads) and 3 down, on two rows. */
static const EvaluationRow ROWS[] = {{.ids = NULL, .count = 5, .first = 2, .end = 5},
                                     {.ids = NULL, .count = 4, .first = 1, .end = 3}};
static const CacheMethodShape SHAPE = {.table = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 4, 3}},
                                       .heads = 2,
                                       .vocabulary = 10,
                                       .rows = ROWS,
                                       .row_count = 2};
enum { TARGETS = 3 };

static void check_entry(const uint8_t *bytes, size_t count) {
    static const CacheKey KEY = {"fuzz", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    const unsigned char *payload = NULL;
    size_t size = 0;
    if (!cache_check_entry(&KEY, bytes, count, &payload, &size)) return;
    if (payload < bytes || size > count || payload + size != bytes + count) abort();
}

static void check_same(Buffer *packed, const uint8_t *bytes, size_t count) {
    if (packed->failed || packed->length != count || memcmp(packed->text, bytes, count) != 0) abort();
    buffer_free(packed);
}

/* A matrix, one of a larger vocabulary, and one that only SFT has. */
static void check_drift(const uint8_t *bytes, size_t count) {
    const Tensor matrix = {.dtype = DTYPE_F32, .rows = 3, .columns = 4};
    const Tensor small = {.dtype = DTYPE_F32, .rows = 2, .columns = 5}, large = {.rows = 6, .columns = 5};
    PairTensor tensors[] = {{.name = "a", .base = &matrix, .sft = &matrix, .is_fused = true},
                            {.name = "b", .base = &small, .sft = &large, .is_fused = true},
                            {.name = "c", .sft = &matrix}};
    const Pair pair = {.tensors = tensors, .count = sizeof tensors / sizeof *tensors};
    DriftTable *table;
    if (drift_table_create(&pair, &table, NULL) != STATUS_OK) abort();
    bool sound = cache_drift_unpack(&pair, table, bytes, count);
    if (drift_table_ready(table) != (sound ? pair.count : 0)) abort();
    if (sound) {
        Buffer packed = {0};
        cache_drift_pack(table, &packed);
        check_same(&packed, bytes, count);
    }
    drift_table_free(table);
}

static void check_attribution(const uint8_t *bytes, size_t count) {
    Attribution attribution;
    Buffer packed = {0};
    if (!cache_method_unpack_attribution(&SHAPE, TARGETS, bytes, count, &attribution)) return;
    cache_method_pack_attribution(&attribution, &packed);
    check_same(&packed, bytes, count);
    attribution_free(&attribution);
}

static void check_dormancy(const uint8_t *bytes, size_t count) {
    for (int with_gradient = 0; with_gradient <= 1; with_gradient++) {
        Dormancy dormancy;
        Buffer packed = {0};
        if (!cache_method_unpack_dormancy(&SHAPE, with_gradient, bytes, count, &dormancy)) continue;
        cache_method_pack_dormancy(&dormancy, &packed);
        check_same(&packed, bytes, count);
        dormancy_free(&dormancy);
    }
}

static void check_neuron_drift(const uint8_t *bytes, size_t count) {
    double *drift;
    Buffer packed = {0};
    if (!cache_method_unpack_drift(&SHAPE, bytes, count, &drift)) return;
    cache_method_pack_drift(&SHAPE.table, drift, &packed);
    check_same(&packed, bytes, count);
    free(drift);
}

static void check_averages(const uint8_t *bytes, size_t count) {
    DistributionAverages base, sft;
    Buffer packed = {0};
    if (!cache_method_unpack_averages(&SHAPE, bytes, count, &base, &sft)) return;
    cache_method_pack_averages(&base, &sft, &packed);
    check_same(&packed, bytes, count);
}

static const RolloutOptions OPTIONS = {.samples = 2, .most_tokens = 3};

static void check_samples(const uint8_t *bytes, size_t count) {
    SampleGroup groups[2] = {{0}, {0}};
    SampleSet set = {.groups = groups, .count = 2};
    Buffer packed = {0};
    if (cache_samples_unpack(bytes, count, &OPTIONS, 10, &set)) {
        cache_samples_pack(&set, &packed);
        check_same(&packed, bytes, count);
    }
    for (int i = 0; i < 2; i++) {
        sample_set_drop_samples(&groups[i]);
        free(groups[i].samples);
    }
}

static void check_scores(const uint8_t *bytes, size_t count) {
    SampleTokenScore scores[SIDE_COUNT][2];
    SampleTokenScore *const tokens[SIDE_COUNT] = {scores[0], scores[1], scores[2]};
    Buffer packed = {0};
    if (!cache_samples_unpack_scores(bytes, count, 2, tokens)) return;
    cache_samples_pack_scores(tokens, 2, &packed);
    check_same(&packed, bytes, count);
}

static void check_gradient(const uint8_t *bytes, size_t count) {
    PairTensor tensors[] = {{.name = "a"}, {.name = "b"}};
    const Pair pair = {.tensors = tensors, .count = sizeof tensors / sizeof *tensors};
    Gradient gradient;
    Buffer packed = {0};
    if (!cache_samples_unpack_gradient(bytes, count, &pair, &gradient)) return;
    cache_samples_pack_gradient(&gradient, &packed);
    check_same(&packed, bytes, count);
    gradient_free(&gradient);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static void (*const CHECKS[])(const uint8_t *, size_t) = {
        check_entry,    check_drift,   check_attribution, check_dormancy, check_neuron_drift,
        check_averages, check_samples, check_scores,      check_gradient};
    if (count > 0) CHECKS[(uint8_t)(bytes[0] - '0') % (sizeof CHECKS / sizeof *CHECKS)](bytes + 1, count - 1);
    return 0;
}
