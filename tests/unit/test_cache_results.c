/*
 * Results as payloads: the same bits come back, and bytes that are no result of this pair give nothing.
 */
#include "core/cache/cache_analysis.h"
#include "core/cache/cache_drift.h"
#include "core/cache/cache_method.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "tests/unit/pair_files.h"
#include "tests/unit/scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- drift ---- */

static Pair *open_pair(const char *base, const char *sft) {
    Pair *pair;
    Error error = {0};
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    return pair;
}

static Pair *open_demo(void) {
    return open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft");
}

/* Tensors that only one side has, an enlarged vocabulary, and others that cannot be compared. */
static Pair *open_shapes(void) {
    return open_pair(TESTS_DIR "/golden/pairs/shapes/base", TESTS_DIR "/golden/pairs/shapes/sft");
}

static DriftTable *make_table(const Pair *pair) {
    DriftTable *table;
    assert_int_equal(drift_table_create(pair, &table, NULL), STATUS_OK);
    return table;
}

/* The payload of a scan of the pair. */
static Buffer scan_pair(const Pair *pair, DriftTable **table) {
    Buffer payload = {0};
    Error error = {0};
    *table = make_table(pair);
    if (drift_scan(pair, *table, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    cache_drift_pack(*table, &payload);
    assert_false(payload.failed);
    return payload;
}

static bool unpack_drift(const Pair *pair, DriftTable *table, const Buffer *payload, size_t size) {
    return cache_drift_unpack(pair, table, (const unsigned char *)payload->text, size);
}

/* The bytes of a row without its padding. */
static void assert_rows_equal(const DriftRow *a, const DriftRow *b) {
    assert_ptr_equal(a->tensor, b->tensor);
    assert_int_equal(a->is_compared, b->is_compared);
    assert_int_equal(a->is_equal, b->is_equal);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->changed, b->changed);
    assert_int_equal(a->sign_flips, b->sign_flips);
    assert_int_equal(a->max_row, b->max_row);
    assert_int_equal(a->max_column, b->max_column);
    assert_int_equal(a->tensors, b->tensors);
    assert_int_equal(a->equal_tensors, b->equal_tensors);
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        double x = drift_value(a, metric), y = drift_value(b, metric);
        assert_memory_equal(&x, &y, sizeof x);
    }
}

static void check_return(Pair *pair) {
    DriftTable *scanned, *read = make_table(pair);
    Buffer payload = scan_pair(pair, &scanned), again = {0};
    assert_true(unpack_drift(pair, read, &payload, payload.length));
    assert_int_equal(drift_table_ready(read), pair->count);
    for (size_t i = 0; i < pair->count; i++) {
        DriftRow a, b;
        assert_true(drift_table_row(scanned, i, &a) && drift_table_row(read, i, &b));
        assert_rows_equal(&a, &b);
    }
    cache_drift_pack(read, &again);
    assert_int_equal(again.length, payload.length);
    assert_memory_equal(again.text, payload.text, payload.length);
    buffer_free(&payload);
    buffer_free(&again);
    drift_table_free(scanned);
    drift_table_free(read);
    pair_close(pair);
}

static void a_drift_table_comes_back_bit_for_bit(void **state) {
    (void)state;
    check_return(open_demo());
    check_return(open_shapes());
}

static void rows_that_one_side_alone_has_are_a_difference_that_comes_back(void **state) {
    (void)state;
    const float values[6] = {1, 2, 3, 4, 5, 6};
    const FileTensor few = {"model.embed_tokens.weight", DTYPE_F32, 2, 2, values},
                     many = {"model.embed_tokens.weight", DTYPE_F32, 3, 2, values};
    const FileTensor *const sides[][2] = {{&few, &many}, {&many, &few}};
    for (size_t i = 0; i < 2; i++) {
        PairFiles files;
        pair_files_make(&files, sides[i][0], 1, sides[i][1], 1);
        check_return(files.pair);
        files.pair = NULL; /* closed */
        pair_files_remove(&files);
    }
}

static void a_drift_table_that_is_cut_or_goes_on_gives_no_row(void **state) {
    (void)state;
    Pair *pair = open_demo();
    DriftTable *scanned, *read = make_table(pair);
    Buffer payload = scan_pair(pair, &scanned);
    for (size_t size = 0; size < payload.length; size++)
        assert_false(unpack_drift(pair, read, &payload, size));
    buffer_add(&payload, "", 1);
    assert_false(unpack_drift(pair, read, &payload, payload.length));
    assert_int_equal(drift_table_ready(read), 0);
    buffer_free(&payload);
    drift_table_free(scanned);
    drift_table_free(read);
    pair_close(pair);
}

static void counts_that_no_tensor_has_are_refused(void **state) {
    (void)state;
    enum { ROW = 8 * (1 + 9 + 10), NUMBERS = 1 + 9 };
    Pair *pair = open_demo();
    DriftTable *scanned, *read = make_table(pair);
    Buffer payload = scan_pair(pair, &scanned);
    for (size_t i = 0; i <= NUMBERS; i++) { /* the table's count, then each number of the last row */
        char *place = payload.text + (i == 0 ? 0 : payload.length - ROW + 8 * (i - 1)), kept[8];
        memcpy(kept, place, 8);
        memset(place, 0xff, 8);
        if (unpack_drift(pair, read, &payload, payload.length)) fail_msg("number %zu may be anything", i);
        memcpy(place, kept, 8);
    }
    assert_int_equal(drift_table_ready(read), 0);
    assert_true(unpack_drift(pair, read, &payload, payload.length)); /* it was whole but for that */
    buffer_free(&payload);
    drift_table_free(scanned);
    drift_table_free(read);
    pair_close(pair);
}

static void the_drift_of_another_pair_is_refused(void **state) {
    (void)state;
    Pair *pair = open_demo();
    Pair *other = open_shapes();
    DriftTable *scanned, *read = make_table(other);
    Buffer payload = scan_pair(pair, &scanned);
    assert_false(unpack_drift(other, read, &payload, payload.length));
    assert_int_equal(drift_table_ready(read), 0);
    buffer_free(&payload);
    drift_table_free(scanned);
    drift_table_free(read);
    pair_close(other);
    pair_close(pair);
}

/* ---- neurons ---- */

/* Two layers of 2 q, 1 k, 1 v, 3 gate, 3 up, 4 o (2 heads) and 3 down. */
enum {
    LAYERS = 2,
    NEURONS = 34,
    HEADS = 2,
    CHANNELS = 4,
    MLP = 3,
    TARGETS = 3,
    TOKENS = 9,
    POSITIONS = 5,
    RESPONSES = 4
};
static const int32_t IDS[] = {5, 6, 7, 8, 9};
static const EvaluationRow ROWS[] = {{.ids = IDS, .count = 5, .first = 2, .end = 5},
                                     {.ids = IDS, .count = 4, .first = 1, .end = 3}};
static const CacheMethodShape SHAPE = {
    .table = {.layers = LAYERS, .counts = {2, 1, 1, 0, 3, 3, 0, CHANNELS, MLP}},
    .heads = HEADS,
    .vocabulary = 10,
    .rows = ROWS,
    .row_count = 2};

static double any_number(uint64_t i) {
    static const double ODD[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, -1.7e308};
    return i % 3 == 0 ? ODD[i / 3 % (sizeof ODD / sizeof *ODD)] : random_uniform(1, i) - 0.5;
}

static double *any_numbers(size_t count) {
    double *numbers = memory_allocate(count, sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = any_number(i);
    return numbers;
}

static Attribution make_attribution(void) {
    Attribution made = {
        .target_count = TARGETS, .neurons = NEURONS, .blocks = neurons_block_count(&SHAPE.table)};
    made.targets = memory_allocate(TARGETS, sizeof *made.targets);
    made.best_rank = memory_allocate(NEURONS, sizeof *made.best_rank);
    made.best_target = memory_allocate(NEURONS, sizeof *made.best_target);
    made.best_score = memory_allocate(NEURONS, sizeof *made.best_score);
    made.masses = memory_allocate(made.blocks, sizeof *made.masses);
    assert_true(made.targets != NULL && made.best_rank != NULL && made.best_target != NULL &&
                made.best_score != NULL && made.masses != NULL);
    for (size_t i = 0; i < made.blocks; i++) made.masses[i] = any_number(100 + i);
    for (size_t i = 0; i < TARGETS; i++)
        made.targets[i] = (AttributionTarget){i % 2, 2, (int32_t)(9 - i), any_number(i), 0.25, -1.5, NAN};
    for (int32_t i = 0; i < NEURONS; i++) {
        made.best_rank[i] = NEURONS - 1 - i;
        made.best_target[i] = i % TARGETS;
        made.best_score[i] = (float)any_number((uint64_t)i);
    }
    return made;
}

static bool unpack_attribution(const Buffer *payload, size_t size, size_t wanted, Attribution *attribution) {
    bool sound = cache_method_unpack_attribution(&SHAPE, wanted, (const unsigned char *)payload->text, size,
                                                 attribution);
    if (!sound) assert_null(attribution->targets);
    return sound;
}

static void attribution_comes_back_bit_for_bit(void **state) {
    (void)state;
    Attribution made = make_attribution(), read;
    Buffer payload = {0}, again = {0};
    cache_method_pack_attribution(&made, &payload);
    assert_true(unpack_attribution(&payload, payload.length, TARGETS, &read));
    assert_int_equal(read.neurons, NEURONS);
    assert_int_equal(read.target_count, TARGETS);
    assert_null(read.scores);
    assert_memory_equal(read.best_rank, made.best_rank, NEURONS * sizeof(int32_t));
    assert_memory_equal(read.best_target, made.best_target, NEURONS * sizeof(int32_t));
    assert_memory_equal(read.best_score, made.best_score, NEURONS * sizeof(float));
    assert_int_equal(read.blocks, made.blocks);
    assert_memory_equal(read.masses, made.masses, made.blocks * sizeof(double));
    assert_int_equal(read.targets[2].token, 7);
    cache_method_pack_attribution(&read, &again);
    assert_int_equal(again.length, payload.length);
    assert_memory_equal(again.text, payload.text, payload.length);
    buffer_free(&payload);
    buffer_free(&again);
    attribution_free(&made);
    attribution_free(&read);
}

static void attribution_with_anything_out_of_place_is_refused(void **state) {
    (void)state;
    enum { COUNT, ROW, POSITION, TOKEN, RANK, TARGET, CASES };
    Attribution read;
    for (int wrong = 0; wrong <= CASES; wrong++) {
        Attribution made = make_attribution();
        Buffer payload = {0};
        if (wrong == COUNT) made.target_count = TARGETS - 1;
        if (wrong == ROW) made.targets[1].row = 2;
        if (wrong == POSITION) made.targets[1].position = 0; /* of row 1, whose positions begin at 1 */
        if (wrong == TOKEN) made.targets[1].token = 10;
        if (wrong == RANK) made.best_rank[3] = NEURONS;
        if (wrong == TARGET) made.best_target[3] = -1;
        cache_method_pack_attribution(&made, &payload);
        bool sound = unpack_attribution(&payload, payload.length, TARGETS, &read);
        assert_int_equal(sound, wrong == CASES); /* the last has nothing wrong */
        if (sound) attribution_free(&read);
        attribution_free(&made);
        buffer_free(&payload);
    }
}

static void attribution_to_another_number_of_targets_is_refused(void **state) {
    (void)state;
    Attribution made = make_attribution(), read;
    Buffer payload = {0};
    cache_method_pack_attribution(&made, &payload);
    assert_false(unpack_attribution(&payload, payload.length, TARGETS + 1, &read));
    assert_false(unpack_attribution(&payload, payload.length, 0, &read));
    for (size_t size = 0; size < payload.length; size++)
        assert_false(unpack_attribution(&payload, size, TARGETS, &read));
    attribution_free(&made);
    buffer_free(&payload);
}

static Dormancy make_dormancy(bool with_gradient) {
    return (Dormancy){.layers = LAYERS,
                      .mlp = MLP,
                      .channels = CHANNELS,
                      .heads = HEADS,
                      .tokens = TOKENS,
                      .response_tokens = RESPONSES,
                      .mlp_scores = any_numbers(LAYERS * MLP),
                      .channel_scores = any_numbers(LAYERS * CHANNELS),
                      .head_scores = any_numbers(LAYERS * HEADS),
                      .gradient_scores = with_gradient ? any_numbers(LAYERS * MLP) : NULL};
}

static bool unpack_dormancy(const Buffer *payload, size_t size, bool with_gradient, Dormancy *dormancy) {
    bool sound = cache_method_unpack_dormancy(&SHAPE, with_gradient, (const unsigned char *)payload->text,
                                              size, dormancy);
    if (!sound) assert_null(dormancy->mlp_scores);
    return sound;
}

static void dormancy_comes_back_bit_for_bit_with_gradients_or_without(void **state) {
    (void)state;
    for (int with_gradient = 0; with_gradient <= 1; with_gradient++) {
        Dormancy made = make_dormancy(with_gradient), read;
        Buffer payload = {0};
        cache_method_pack_dormancy(&made, &payload);
        for (size_t size = 0; size < payload.length; size++)
            assert_false(unpack_dormancy(&payload, size, with_gradient, &read));
        assert_false(unpack_dormancy(&payload, payload.length, !with_gradient, &read));
        assert_true(unpack_dormancy(&payload, payload.length, with_gradient, &read));
        assert_memory_equal(read.mlp_scores, made.mlp_scores, LAYERS * MLP * sizeof(double));
        assert_memory_equal(read.channel_scores, made.channel_scores, LAYERS * CHANNELS * sizeof(double));
        assert_memory_equal(read.head_scores, made.head_scores, LAYERS * HEADS * sizeof(double));
        if (with_gradient)
            assert_memory_equal(read.gradient_scores, made.gradient_scores, LAYERS * MLP * sizeof(double));
        assert_int_equal(read.tokens, TOKENS);
        dormancy_free(&made);
        dormancy_free(&read);
        buffer_free(&payload);
    }
}

/* A prompt without a response is measured at its last token, which predicts none. */
static void dormancy_on_a_prompt_without_a_response_comes_back(void **state) {
    (void)state;
    Pair *pair = open_demo();
    Model *model;
    Error error = {0};
    const Settings sft = {.alpha = 1.0};
    const EvaluationRow row = {.ids = IDS, .count = 5, .first = 4, .end = 5};
    Dormancy made, read = {0};
    Buffer payload = {0};
    assert_int_equal(model_open(pair, &model, &error), STATUS_OK);
    const CacheMethodShape shape = {.table = neurons_list(model->config),
                                    .heads = model->config->heads,
                                    .vocabulary = model->config->vocabulary,
                                    .rows = &row,
                                    .row_count = 1};
    if (dormancy_run(model, &sft, &row, 1, true, &made, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(made.response_tokens, 0);
    cache_method_pack_dormancy(&made, &payload);
    assert_true(cache_method_unpack_dormancy(&shape, true, (const unsigned char *)payload.text,
                                             payload.length, &read));
    assert_memory_equal(read.mlp_scores, made.mlp_scores, made.layers * made.mlp * sizeof(double));
    assert_true(isnan(read.gradient_scores[0])); /* no response: no loss */
    buffer_free(&payload);
    dormancy_free(&made);
    dormancy_free(&read);
    model_close(model);
    pair_close(pair);
}

static void assert_same_routing(const Routing *a, const Routing *b) {
    assert_int_equal(a->layers, b->layers);
    assert_int_equal(a->chosen, b->chosen);
    for (uint64_t layer = 0; layer < a->layers; layer++) {
        assert_int_equal(a->has_experts[layer], b->has_experts[layer]);
        if (!a->has_experts[layer]) continue;
        assert_true(routing_weight_entropy(a, layer) == routing_weight_entropy(b, layer));
        assert_true(routing_overlap(a, b, layer) == 1.0);
        for (size_t e = 0; e < a->experts; e++)
            assert_true(routing_share(a, layer, e) == routing_share(b, layer, e));
    }
}

/* A mixture of experts: where its tokens go is kept too. */
static void routing_comes_back_with_dormancy(void **state) {
    (void)state;
    Pair *pair = open_pair(TESTS_DIR "/golden/blocks/experts-softmax/base",
                           TESTS_DIR "/golden/blocks/experts-softmax/sft");
    Model *model;
    Error error = {0};
    const Settings sft = {.alpha = 1.0};
    const EvaluationRow row = {.ids = IDS, .count = 5, .first = 2, .end = 5};
    Dormancy made, read = {0};
    Buffer payload = {0};
    assert_int_equal(model_open(pair, &model, &error), STATUS_OK);
    const CacheMethodShape shape = {.table = neurons_list(model->config),
                                    .heads = model->config->heads,
                                    .vocabulary = model->config->vocabulary,
                                    .rows = &row,
                                    .row_count = 1};
    if (dormancy_run(model, &sft, &row, 1, false, &made, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    cache_method_pack_dormancy(&made, &payload);
    const unsigned char *bytes = (const unsigned char *)payload.text;
    for (size_t size = 0; size < payload.length; size++)
        assert_false(cache_method_unpack_dormancy(&shape, false, bytes, size, &read));
    assert_true(cache_method_unpack_dormancy(&shape, false, bytes, payload.length, &read));
    assert_memory_equal(read.mlp_scores, made.mlp_scores, made.layers * made.mlp * sizeof(double));
    assert_same_routing(&read.routing, &made.routing);
    buffer_free(&payload);
    dormancy_free(&made);
    dormancy_free(&read);
    model_close(model);
    pair_close(pair);
}

static void dormancy_of_another_shape_or_of_other_rows_is_refused(void **state) {
    (void)state;
    enum { SIZES = 6 };
    for (int wrong = 0; wrong < SIZES; wrong++) {
        Dormancy made = make_dormancy(true), read;
        Buffer payload = {0};
        cache_method_pack_dormancy(&made, &payload);
        payload.text[8 * wrong] ^= 1;
        assert_false(unpack_dormancy(&payload, payload.length, true, &read));
        dormancy_free(&made);
        buffer_free(&payload);
    }
}

static void drift_of_neurons_and_averages_come_back_bit_for_bit(void **state) {
    (void)state;
    double *drift = any_numbers(NEURONS), *read = NULL;
    Buffer payload = {0}, averages = {0};
    cache_method_pack_drift(&SHAPE.table, drift, &payload);
    const unsigned char *bytes = (const unsigned char *)payload.text;
    for (size_t size = 0; size < payload.length; size++)
        assert_false(cache_method_unpack_drift(&SHAPE, bytes, size, &read));
    assert_true(cache_method_unpack_drift(&SHAPE, bytes, payload.length, &read));
    assert_memory_equal(read, drift, NEURONS * sizeof(double));
    DistributionAverages base = {.positions = POSITIONS, .response_tokens = 4, .entropy = 0.5, .loss = NAN};
    DistributionAverages sft = {.positions = POSITIONS, .response_tokens = 5, .perplexity = INFINITY}, a, b;
    cache_method_pack_averages(&base, &sft, &averages);
    bytes = (const unsigned char *)averages.text;
    for (size_t size = 0; size < averages.length; size++)
        assert_false(cache_method_unpack_averages(&SHAPE, bytes, size, &a, &b));
    assert_true(cache_method_unpack_averages(&SHAPE, bytes, averages.length, &a, &b));
    assert_memory_equal(&a, &base, sizeof a);
    assert_memory_equal(&b, &sft, sizeof b);
    averages.text[0] ^= 1; /* another number of positions */
    assert_false(cache_method_unpack_averages(&SHAPE, bytes, averages.length, &a, &b));
    averages.text[0] ^= 1;
    averages.text[8] = POSITIONS + 1; /* more tokens of responses than positions */
    assert_false(cache_method_unpack_averages(&SHAPE, bytes, averages.length, &a, &b));
    free(drift);
    free(read);
    buffer_free(&payload);
    buffer_free(&averages);
}

/* ---- in a cache ---- */

static void each_analysis_is_recalled_as_it_was_kept_and_no_other(void **state) {
    (void)state;
    char *directory = scratch_path("cache");
    const CacheOrigin origin = {.base = "b", .sft = "s", .rows = "r", .targets = TARGETS, .threads = 1};
    Dormancy base = make_dormancy(false), sft = make_dormancy(true);
    base.mlp_scores[0] = 0.125; /* it is not SFT's */
    Attribution attribution = make_attribution();
    const CacheMeasured measured = {
        .attribution = &attribution, .dormancy = {&base, &sft}, .table = &SHAPE.table};
    Dormancy read[2] = {{0}, {0}};
    Attribution read_attribution = {0};
    double *drift = NULL;
    const CacheRecall recall = {.shape = SHAPE,
                                .attribution = &read_attribution,
                                .dormancy = {&read[SIDE_BASE], &read[SIDE_SFT]},
                                .neuron_drift = &drift};
    Cache *cache;
    Error error = {0};
    assert_int_equal(cache_create(directory, 0, &cache, &error), STATUS_OK);
    static const CacheAnalysis KEPT[] = {CACHE_ANALYSIS_ATTRIBUTION, CACHE_ANALYSIS_DORMANCY_BASE,
                                         CACHE_ANALYSIS_DORMANCY_SFT};
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++) {
        assert_false(cache_analysis_recall(cache, &origin, KEPT[i], &recall));
        assert_int_equal(cache_analysis_keep(cache, &origin, KEPT[i], &measured, &error), STATUS_OK);
        assert_true(cache_analysis_recall(cache, &origin, KEPT[i], &recall));
    }
    assert_false(cache_analysis_recall(cache, &origin, CACHE_ANALYSIS_NEURON_DRIFT, &recall));
    assert_null(drift);
    assert_memory_equal(read_attribution.best_rank, attribution.best_rank, NEURONS * sizeof(int32_t));
    assert_memory_equal(read[SIDE_BASE].mlp_scores, base.mlp_scores, LAYERS * MLP * sizeof(double));
    assert_memory_equal(read[SIDE_SFT].mlp_scores, sft.mlp_scores, LAYERS * MLP * sizeof(double));
    assert_null(read[SIDE_BASE].gradient_scores);
    assert_non_null(read[SIDE_SFT].gradient_scores);
    const CacheOrigin others = {.base = "b", .sft = "s", .rows = "r", .targets = TARGETS + 1, .threads = 1};
    assert_false(cache_analysis_recall(cache, &others, CACHE_ANALYSIS_ATTRIBUTION, &recall));
    for (int side = SIDE_BASE; side <= SIDE_SFT; side++) dormancy_free(&read[side]);
    dormancy_free(&base);
    dormancy_free(&sft);
    attribution_free(&attribution);
    attribution_free(&read_attribution);
    cache_free(cache);
    free(directory);
}

/* A later session, or another command, may have the memory that this one lacked. */
static void dormancy_without_its_gradient_is_not_kept(void **state) {
    (void)state;
    char *directory = scratch_path("cache-without");
    const CacheOrigin origin = {.base = "b", .sft = "s", .rows = "r", .targets = TARGETS, .threads = 1};
    Dormancy sft = make_dormancy(true), read = {0};
    const CacheMeasured measured = {.dormancy = {NULL, &sft}, .table = &SHAPE.table};
    const CacheRecall recall = {.shape = SHAPE, .dormancy = {NULL, &read}};
    Cache *cache;
    Error error = {0};
    (void)status_fail(&sft.no_gradient, STATUS_UNSUPPORTED, "too long");
    assert_int_equal(cache_create(directory, 0, &cache, &error), STATUS_OK);
    assert_int_equal(cache_analysis_keep(cache, &origin, CACHE_ANALYSIS_DORMANCY_SFT, &measured, &error),
                     STATUS_OK);
    assert_false(cache_analysis_recall(cache, &origin, CACHE_ANALYSIS_DORMANCY_SFT, &recall));
    sft.no_gradient = (Error){0};
    assert_int_equal(cache_analysis_keep(cache, &origin, CACHE_ANALYSIS_DORMANCY_SFT, &measured, &error),
                     STATUS_OK);
    assert_true(cache_analysis_recall(cache, &origin, CACHE_ANALYSIS_DORMANCY_SFT, &recall));
    dormancy_free(&read);
    dormancy_free(&sft);
    cache_free(cache);
    free(directory);
}

static void rows_that_differ_in_anything_that_is_measured_have_another_sum(void **state) {
    (void)state;
    static const int32_t OTHER_IDS[] = {5, 6, 7, 8, 10};
    static const EvaluationRow OTHERS[][2] = {
        {{.ids = OTHER_IDS, .count = 5, .first = 2, .end = 5},
         {.ids = IDS, .count = 4, .first = 1, .end = 3}},
        {{.ids = IDS, .count = 5, .first = 1, .end = 5}, {.ids = IDS, .count = 4, .first = 1, .end = 3}},
        {{.ids = IDS, .count = 5, .first = 2, .end = 4}, {.ids = IDS, .count = 4, .first = 1, .end = 3}},
        {{.ids = IDS, .count = 4, .first = 1, .end = 3}, {.ids = IDS, .count = 5, .first = 2, .end = 5}}};
    char hex[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
    assert_int_equal(cache_method_hash_rows(ROWS, 2, hex, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        assert_int_equal(cache_method_hash_rows(OTHERS[i], 2, other, NULL), STATUS_OK);
        assert_string_not_equal(other, hex);
    }
    assert_int_equal(cache_method_hash_rows(ROWS, 1, other, NULL), STATUS_OK);
    assert_string_not_equal(other, hex);
    assert_int_equal(cache_method_hash_rows(NULL, 0, other, NULL), STATUS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drift_table_comes_back_bit_for_bit),
        cmocka_unit_test(rows_that_one_side_alone_has_are_a_difference_that_comes_back),
        cmocka_unit_test(a_drift_table_that_is_cut_or_goes_on_gives_no_row),
        cmocka_unit_test(counts_that_no_tensor_has_are_refused),
        cmocka_unit_test(the_drift_of_another_pair_is_refused),
        cmocka_unit_test(attribution_comes_back_bit_for_bit),
        cmocka_unit_test(attribution_with_anything_out_of_place_is_refused),
        cmocka_unit_test(attribution_to_another_number_of_targets_is_refused),
        cmocka_unit_test(dormancy_comes_back_bit_for_bit_with_gradients_or_without),
        cmocka_unit_test(dormancy_on_a_prompt_without_a_response_comes_back),
        cmocka_unit_test(routing_comes_back_with_dormancy),
        cmocka_unit_test(dormancy_of_another_shape_or_of_other_rows_is_refused),
        cmocka_unit_test(drift_of_neurons_and_averages_come_back_bit_for_bit),
        cmocka_unit_test(each_analysis_is_recalled_as_it_was_kept_and_no_other),
        cmocka_unit_test(dormancy_without_its_gradient_is_not_kept),
        cmocka_unit_test(rows_that_differ_in_anything_that_is_measured_have_another_sum),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
