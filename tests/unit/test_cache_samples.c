/* Samples and their scores in the cache: found again for the same models, dials, prompts and options, and for no others. */
#include "core/cache/cache_samples.h"
#include "core/support/memory.h"
#include "tests/unit/scratch.h"

#include <math.h>
#include <string.h>

enum { VOCABULARY = 10, SAMPLES = 2, GROUPS = 2, TOKENS = 3 };

static Cache *open_cache(void) {
    Cache *cache;
    Error error = {0};
    char *path = scratch_path("cache");
    if (cache_create(path, 0, &cache, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return cache;
}

static void add_prompts(SampleSet *set, int32_t first) {
    for (int32_t g = 0; g < GROUPS; g++) {
        SampleGroup *group;
        assert_int_equal(sample_set_add_group(set, &group, NULL), STATUS_OK);
        group->ids = calloc(2, sizeof *group->ids);
        group->ids[0] = first;
        group->ids[1] = g;
        group->count = 2;
    }
}

static void add_samples(SampleSet *set) {
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            Sample *sample;
            assert_int_equal(sample_set_add_sample(&set->groups[g], &sample, NULL), STATUS_OK);
            sample->count = 1 + i;
            sample->ids = calloc(sample->count, sizeof *sample->ids);
            for (size_t t = 0; t < sample->count; t++) sample->ids[t] = (int32_t)(g + i + t);
            sample->is_ended = i == 0;
        }
    }
}

static const CacheOrigin ORIGIN = {.base = "b1", .sft = "51", .threads = 2};

static CacheSampling sampling_of(const SampleSet *prompts, const RolloutOptions *options,
                                 const Settings *dials, Side side) {
    return (CacheSampling){.origin = &ORIGIN,
                           .side = side,
                           .dials = dials,
                           .prompts = prompts,
                           .options = options,
                           .vocabulary = VOCABULARY};
}

static RolloutOptions usual_options(void) {
    return (RolloutOptions){.samples = SAMPLES,
                            .most_tokens = TOKENS,
                            .sampling = {.temperature = 1.0, .top_p = 1.0},
                            .seed = 3,
                            .end = 9};
}

/* Whether samples are found for these; then they are those that were kept. */
static bool is_found(const Cache *cache, const CacheSampling *sampling) {
    SampleSet found = {0}, expected = {0};
    add_prompts(&found, sampling->prompts->groups[0].ids[0]);
    add_prompts(&expected, 1);
    add_samples(&expected);
    bool is_there = cache_samples_recall(cache, sampling, &found);
    for (size_t g = 0; g < GROUPS; g++) {
        assert_int_equal(found.groups[g].sample_count, is_there ? SAMPLES : 0);
        for (size_t i = 0; i < SAMPLES && is_there; i++) {
            const Sample *left = &expected.groups[g].samples[i], *right = &found.groups[g].samples[i];
            assert_int_equal(left->count, right->count);
            assert_memory_equal(left->ids, right->ids, left->count * sizeof *left->ids);
            assert_true(left->is_ended == right->is_ended && isnan(right->reward));
        }
    }
    sample_set_free(&found);
    sample_set_free(&expected);
    return is_there;
}

static void samples_are_found_for_what_they_came_from_alone(void **state) {
    (void)state;
    Cache *cache = open_cache();
    SampleSet set = {0}, others = {0};
    const Settings dials = settings_at(0.5), moved = settings_at(0.25);
    const RolloutOptions options = usual_options();
    RolloutOptions changed[8];
    Error error = {0};
    add_prompts(&set, 1);
    add_prompts(&others, 2);
    add_samples(&set);
    CacheSampling sampling = sampling_of(&set, &options, &dials, SIDE_FUSED);
    assert_false(is_found(cache, &sampling));
    if (cache_samples_keep(cache, &sampling, &set, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(is_found(cache, &sampling));
    for (size_t i = 0; i < 8; i++) changed[i] = options;
    changed[0].samples = SAMPLES + 1;
    changed[1].most_tokens = TOKENS + 1;
    changed[2].sampling.temperature = 0.9;
    changed[3].sampling.top_p = 0.9;
    changed[4].sampling.top_k = 4;
    changed[5].seed = 4;
    changed[6].end = 8;
    changed[7].slots = 1;
    for (size_t i = 0; i < 8; i++) {
        CacheSampling other = sampling_of(&set, &changed[i], &dials, SIDE_FUSED);
        assert_false(is_found(cache, &other));
    }
    CacheSampling beside[] = {sampling_of(&set, &options, &moved, SIDE_FUSED),
                              sampling_of(&set, &options, &dials, SIDE_SFT),
                              sampling_of(&others, &options, &dials, SIDE_FUSED)};
    for (size_t i = 0; i < 3; i++) assert_false(is_found(cache, &beside[i]));
    const CacheOrigin other_threads = {.base = "b1", .sft = "51", .threads = 3},
                      other_sft = {.base = "b1", .sft = "52", .threads = 2};
    CacheSampling elsewhere = sampling;
    elsewhere.origin = &other_threads;
    assert_false(is_found(cache, &elsewhere));
    elsewhere.origin = &other_sft;
    assert_false(is_found(cache, &elsewhere));
    sample_set_free(&set);
    sample_set_free(&others);
    cache_free(cache);
}

/* Base and SFT do not depend on the dials; W at α 1 is SFT, under its own name. */
static void what_base_says_is_found_at_any_dials(void **state) {
    (void)state;
    Cache *cache = open_cache();
    SampleSet set = {0};
    const Settings dials = settings_at(0.5), moved = settings_at(0.25);
    const RolloutOptions options = usual_options();
    add_prompts(&set, 1);
    add_samples(&set);
    CacheSampling kept = sampling_of(&set, &options, &dials, SIDE_BASE);
    assert_int_equal(cache_samples_keep(cache, &kept, &set, NULL), STATUS_OK);
    CacheSampling later = sampling_of(&set, &options, &moved, SIDE_BASE);
    assert_true(is_found(cache, &later));
    sample_set_free(&set);
    cache_free(cache);
}

/* Which neurons are reset counts, not by which ranking. */
static void dials_are_named_by_what_they_reset(void **state) {
    (void)state;
    Cache *cache = open_cache();
    SampleSet set = {0};
    const RolloutOptions options = usual_options();
    const NeuronTable table = {.layers = 1, .counts = {2, 2, 2, 0, 2, 2, 0, 2, 2}};
    const RankingOrigin origin = {.selector = SELECTOR_RANDOM};
    uint32_t ranks[14];
    Ranking *ranking, *same, *other;
    for (uint32_t i = 0; i < 14; i++) ranks[i] = i;
    assert_int_equal(ranking_create(&table, &origin, ranks, &ranking, NULL), STATUS_OK);
    ranks[12] = 13; /* behind the cut */
    ranks[13] = 12;
    assert_int_equal(ranking_create(&table, &origin, ranks, &same, NULL), STATUS_OK);
    ranks[0] = 5; /* before it */
    ranks[5] = 0;
    assert_int_equal(ranking_create(&table, &origin, ranks, &other, NULL), STATUS_OK);
    Settings dials = settings_at(0.5);
    dials.rho = 1.0 / 14;
    dials.ranking = ranking;
    add_prompts(&set, 1);
    add_samples(&set);
    CacheSampling sampling = sampling_of(&set, &options, &dials, SIDE_FUSED);
    assert_int_equal(cache_samples_keep(cache, &sampling, &set, NULL), STATUS_OK);
    dials.ranking = same;
    assert_true(is_found(cache, &sampling));
    dials.ranking = other;
    assert_false(is_found(cache, &sampling));
    dials.ranking = ranking;
    dials.omega = 0.5;
    assert_false(is_found(cache, &sampling));
    ranking_free(ranking);
    ranking_free(same);
    ranking_free(other);
    sample_set_free(&set);
    cache_free(cache);
}

/* ---- payloads ---- */

static bool unpacks(const Buffer *payload, size_t bytes, const RolloutOptions *options, size_t vocabulary) {
    SampleSet set = {0};
    add_prompts(&set, 1);
    bool is_sound =
        cache_samples_unpack((const unsigned char *)payload->text, bytes, options, vocabulary, &set);
    for (size_t g = 0; g < GROUPS && !is_sound; g++) assert_int_equal(set.groups[g].sample_count, 0);
    sample_set_free(&set);
    return is_sound;
}

static void a_payload_that_does_not_fit_gives_nothing(void **state) {
    (void)state;
    Buffer payload = {0};
    SampleSet set = {0};
    RolloutOptions options = usual_options();
    add_prompts(&set, 1);
    add_samples(&set);
    cache_samples_pack(&set, &payload);
    assert_true(unpacks(&payload, payload.length, &options, VOCABULARY));
    for (size_t bytes = 0; bytes < payload.length; bytes++)
        assert_false(unpacks(&payload, bytes, &options, VOCABULARY));
    assert_false(unpacks(&payload, payload.length, &options, 3)); /* a token that the model has not */
    options.most_tokens = 1;
    assert_false(unpacks(&payload, payload.length, &options, VOCABULARY)); /* longer than one could be */
    options.most_tokens = TOKENS;
    options.samples = SAMPLES + 1;
    assert_false(unpacks(&payload, payload.length, &options, VOCABULARY));
    sample_set_free(&set);
    buffer_free(&payload);
}

static void scores_come_back_bit_for_bit(void **state) {
    (void)state;
    Cache *cache = open_cache();
    int32_t ids[] = {1, 2, 3};
    EvaluationRow row = {.ids = ids, .count = 3, .first = 1, .end = 3};
    SampleRows rows = {.rows = &row, .count = 1, .response_tokens = 2};
    SampleTokenScore kept[SIDE_COUNT][2], found[SIDE_COUNT][2];
    SampleTokenScore *const to_keep[] = {kept[0], kept[1], kept[2]}, *const to_find[] = {found[0], found[1],
                                                                                         found[2]};
    const Settings dials = settings_at(0.5), moved = settings_at(0.75);
    for (size_t i = 0; i < SIDE_COUNT * 2; i++)
        kept[i / 2][i % 2] = (SampleTokenScore){-0.1F * (float)(i + 1), i == 3 ? NAN : (float)i};
    assert_false(cache_samples_recall_scores(cache, &ORIGIN, &dials, &rows, to_find));
    assert_int_equal(cache_samples_keep_scores(cache, &ORIGIN, &dials, &rows, to_keep, NULL), STATUS_OK);
    assert_true(cache_samples_recall_scores(cache, &ORIGIN, &dials, &rows, to_find));
    assert_memory_equal(found, kept, sizeof kept);
    assert_false(cache_samples_recall_scores(cache, &ORIGIN, &moved, &rows, to_find));
    ids[2] = 4;
    assert_false(cache_samples_recall_scores(cache, &ORIGIN, &dials, &rows, to_find));
    cache_free(cache);
}

static void a_gradient_comes_back_for_the_same_advantages(void **state) {
    (void)state;
    Cache *cache = open_cache();
    int32_t ids[] = {1, 2, 3};
    EvaluationRow row = {.ids = ids, .count = 3, .first = 1, .end = 3};
    SampleRows rows = {.rows = &row, .count = 1, .response_tokens = 2};
    PairTensor tensors[] = {{.name = "model.embed"}, {.name = "model.layers.0.q"}};
    const Pair pair = {.tensors = tensors, .count = 2}, other = {.tensors = tensors, .count = 1};
    GradientTensor norms[] = {{&tensors[0], TENSOR_EMBEDDING, -1, 0.25, 3.0},
                              {&tensors[1], TENSOR_Q, 0, 0.5, 2.0}};
    GradientExpert experts[] = {{3, 0, 0.0, 1.5}, {3, 1, 0.75, 2.5}, {4, 0, 1.0, 3.5}};
    const Gradient kept = {
        .tensors = norms, .count = 2, .experts = experts, .expert_count = 3, .loss = -0.125, .tokens = 2};
    const double advantages[] = {0.5}, others[] = {0.75};
    const Settings settings = settings_at(0.5);
    Gradient found;
    assert_int_equal(cache_samples_keep_gradient(cache, &ORIGIN, &settings, &rows, advantages, &kept, NULL),
                     STATUS_OK);
    assert_false(cache_samples_recall_gradient(cache, &ORIGIN, &settings, &rows, others, &pair, &found));
    assert_false(cache_samples_recall_gradient(cache, &ORIGIN, &settings, &rows, advantages, &other, &found));
    assert_true(cache_samples_recall_gradient(cache, &ORIGIN, &settings, &rows, advantages, &pair, &found));
    assert_true(found.count == 2 && found.loss == kept.loss && found.tokens == kept.tokens);
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(found.tensors[i].tensor, norms[i].tensor);
        assert_true(found.tensors[i].role == norms[i].role && found.tensors[i].layer == norms[i].layer);
        assert_true(found.tensors[i].norm == norms[i].norm && found.tensors[i].weight == norms[i].weight);
    }
    assert_int_equal(found.expert_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(found.experts[i].layer == experts[i].layer &&
                    found.experts[i].expert == experts[i].expert);
        assert_true(found.experts[i].norm == experts[i].norm && found.experts[i].weight == experts[i].weight);
    }
    gradient_free(&found);
    Buffer payload = {0};
    cache_samples_pack_gradient(&kept, &payload);
    for (size_t bytes = 0; bytes < payload.length; bytes++)
        assert_false(
            cache_samples_unpack_gradient((const unsigned char *)payload.text, bytes, &pair, &found));
    buffer_free(&payload);
    cache_free(cache);
}

int main(void) {
#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        SCRATCH(samples_are_found_for_what_they_came_from_alone),
        SCRATCH(what_base_says_is_found_at_any_dials),
        SCRATCH(dials_are_named_by_what_they_reset),
        SCRATCH(a_payload_that_does_not_fit_gives_nothing),
        SCRATCH(scores_come_back_bit_for_bit),
        SCRATCH(a_gradient_comes_back_for_the_same_advantages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
