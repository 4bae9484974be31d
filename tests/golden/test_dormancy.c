/*
 * Dormancy of MLP neurons, attention channels and heads, and gradient dormancy, of base, SFT and the fusion
 * of three pairs, against float64 autograd runs.
 *
 * Tolerance: 2e-5 of the layer's mean (which is 1 in scores). Observed errors are printed.
 */
#include "core/method/dormancy.h"
#include "method_fixture.h"

#include <string.h>

static const double TOLERANCE = 2e-5;

static double worst_error(const cJSON *model, const char *key, const double *scores, size_t count) {
    double worst = 0.0;
    size_t layer = 0;
    const cJSON *expected, *score;
    cJSON_ArrayForEach(expected, json_find(model, key)) {
        size_t j = 0;
        assert_int_equal((size_t)cJSON_GetArraySize(expected), count);
        cJSON_ArrayForEach(score, expected) worst =
            fmax(worst, fabs(score->valuedouble - scores[layer * count + j++]));
        layer++;
    }
    assert_true(layer > 0);
    return worst;
}

static void check_model(const Fixture *fixture, const cJSON *golden, const char *pair, const char *model,
                        double alpha) {
    Dormancy dormancy;
    Error error = {0};
    Settings settings = {.alpha = alpha};
    if (dormancy_run(fixture->model, &settings, fixture->rows, fixture->row_count, true, &dormancy,
                     fixture->job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const cJSON *expected = json_find(golden, model);
    assert_int_equal(dormancy.tokens, (size_t)json_get_number(expected, "tokens", NAN));
    assert_int_equal(dormancy.response_tokens, (size_t)json_get_number(expected, "response_tokens", NAN));
    double mlp = worst_error(expected, "mlp", dormancy.mlp_scores, dormancy.mlp);
    double channel = worst_error(expected, "attention_channel", dormancy.channel_scores, dormancy.channels);
    double head = worst_error(expected, "attention_head", dormancy.head_scores, dormancy.heads);
    double gradient = worst_error(expected, "mlp_gradient", dormancy.gradient_scores, dormancy.mlp);
    print_message("%-10s %-5s mlp %.1e  channels %.1e  heads %.1e  gradient %.1e\n", pair, model, mlp,
                  channel, head, gradient);
    assert_true(mlp < TOLERANCE && channel < TOLERANCE && head < TOLERANCE && gradient < TOLERANCE);
    dormancy_free(&dormancy);
}

static void check_pair(const char *name, const char *root) {
    Fixture fixture = {0};
    method_load(&fixture, name, root);
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "dormancy.json");
    check_model(&fixture, golden, name, "base", 0.0);
    check_model(&fixture, golden, name, "sft", 1.0);
    check_model(&fixture, golden, name, "fused", json_get_number(fixture.golden, "alpha", NAN));
    cJSON_Delete(golden);
    method_unload(&fixture);
}

/* A row that is measured to its very end has one position more, and no token more to learn. */
static void the_end_of_a_row_adds_nothing_to_the_loss(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    Dormancy dormancy[2];
    Error error = {0};
    const Settings sft = {.alpha = 1.0};
    method_load(&fixture, "demo", "demo");
    EvaluationRow row = fixture.rows[0];
    int32_t *ids = memory_allocate(row.count + 1, sizeof *ids);
    assert_non_null(ids);
    memcpy(ids, row.ids, row.count * sizeof *ids);
    ids[row.count] = ids[0]; /* behind the row: nobody may take it for its next token */
    row.ids = ids;
    for (int i = 0; i < 2; i++, row.end++) {
        if (dormancy_run(fixture.model, &sft, &row, 1, true, &dormancy[i], fixture.job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    assert_int_equal(dormancy[0].response_tokens, dormancy[1].response_tokens);
    assert_memory_equal(dormancy[0].gradient_scores, dormancy[1].gradient_scores,
                        dormancy[0].layers * dormancy[0].mlp * sizeof(double));
    dormancy_free(&dormancy[0]);
    dormancy_free(&dormancy[1]);
    free(ids);
    method_unload(&fixture);
}

/* Spans that touch are one: the loss is over the same tokens. */
static void a_response_in_pieces_has_the_gradient_of_the_whole(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    Dormancy dormancy[2];
    Error error = {0};
    const Settings sft = {.alpha = 1.0};
    method_load(&fixture, "demo", "demo");
    EvaluationRow row = fixture.rows[0];
    const EvaluationSpan pieces[] = {{row.first, row.first + 1}, {row.first + 1, row.end}};
    for (int i = 0; i < 2; i++) {
        if (dormancy_run(fixture.model, &sft, &row, 1, true, &dormancy[i], fixture.job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        row.spans = pieces;
        row.span_count = 2;
    }
    assert_int_equal(dormancy[0].response_tokens, dormancy[1].response_tokens);
    assert_memory_equal(dormancy[0].gradient_scores, dormancy[1].gradient_scores,
                        dormancy[0].layers * dormancy[0].mlp * sizeof(double));
    dormancy_free(&dormancy[0]);
    dormancy_free(&dormancy[1]);
    method_unload(&fixture);
}

static void the_demo_pair_equals_golden(void **unused) {
    (void)unused;
    check_pair("demo", "demo");
}

static void a_tied_pair_with_qk_norms_equals_golden(void **unused) {
    (void)unused;
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied");
}

static void a_pair_with_biases_equals_golden(void **unused) {
    (void)unused;
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias");
}

static Status run_dense_at(const char *name, double alpha, bool with_gradient, Dormancy *dormancy,
                           Error *error) {
    static const int32_t IDS[] = {1, 7, 3, 9, 4, 11};
    const EvaluationRow row = {.ids = IDS, .count = 6, .first = 2, .end = 6};
    const Settings settings = {.alpha = alpha};
    Pair *pair;
    Model *model;
    Job *job;
    char *base = golden_path("golden/dense/%s/%s", name, "base"),
         *sft = golden_path("golden/dense/%s/%s", name, "sft");
    assert_int_equal(pair_open(base, sft, &pair, NULL), STATUS_OK);
    assert_int_equal(model_open(pair, &model, NULL), STATUS_OK);
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    Status status = dormancy_run(model, &settings, &row, 1, with_gradient, dormancy, job, error);
    job_free(job);
    model_close(model);
    pair_close(pair);
    free(base);
    free(sft);
    return status;
}

/* Of a pair of golden/dense, its activations alone. */
static Status run_dense(const char *name, Dormancy *dormancy, Error *error) {
    return run_dense_at(name, 0.5, false, dormancy, error);
}

/* The scores of the layers that golden has. */
static double worst_of_layers(const cJSON *layers, const double *scores, size_t width) {
    double worst = 0.0;
    const cJSON *layer, *score;
    assert_true(cJSON_GetArraySize(layers) > 0);
    cJSON_ArrayForEach(layer, layers) {
        const double *own = scores + strtoul(layer->string, NULL, 10) * width;
        size_t j = 0;
        assert_true((size_t)cJSON_GetArraySize(layer) <= width); /* a layer of experts may be wider */
        cJSON_ArrayForEach(score, layer) worst = fmax(worst, fabs(score->valuedouble - own[j++]));
        assert_true(!isnan(own[0]));
    }
    return worst;
}

/* What is not known is not a number; what needs no gradient is there all the same. */
static void dormancy_needs_no_way_back(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s%s", "without-gradients", ".json");
    const cJSON *pair;
    cJSON_ArrayForEach(pair, json_find(golden, "pairs")) {
        Dormancy dormancy;
        Error error = {0};
        if (run_dense_at(pair->string, 1.0, true, &dormancy, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        double mlp = worst_of_layers(json_find(pair, "down"), dormancy.mlp_scores, dormancy.mlp);
        double channel = worst_of_layers(json_find(pair, "o"), dormancy.channel_scores, dormancy.channels);
        print_message("%-13s mlp %.1e  channels %.1e\n", pair->string, mlp, channel);
        assert_true(mlp < TOLERANCE && channel < TOLERANCE);
        for (size_t i = 0; i < dormancy.layers * dormancy.mlp; i++)
            assert_true(isnan(dormancy.gradient_scores[i]) != 0);
        dormancy_free(&dormancy);
    }
    cJSON_Delete(golden);
}

/* A convolution has no channels of attention, dormant or not. */
static void a_layer_without_attention_has_no_channels(void **unused) {
    (void)unused;
    Dormancy dormancy;
    assert_int_equal(run_dense("lfm2", &dormancy, NULL), STATUS_OK);
    for (size_t layer = 0; layer < 3; layer++) {
        double sum = 0.0;
        for (size_t c = 0; c < dormancy.channels; c++)
            sum += dormancy.channel_scores[layer * dormancy.channels + c];
        assert_true(layer == 1 ? fabs(sum / (double)dormancy.channels - 1.0) < TOLERANCE : isnan(sum));
        assert_true(isnan(dormancy.head_scores[layer * dormancy.heads]) == (layer != 1));
        assert_true(dormancy_share(dormancy.mlp_scores + layer * dormancy.mlp, dormancy.mlp, 0.5) < 1.0);
    }
    dormancy_free(&dormancy);
}

/* Attention beside a state space has channels like any other; where no layer has attention or an MLP there is nothing to
 * measure. */
static void layers_of_state_spaces_have_what_attention_and_mlp_they_have(void **unused) {
    (void)unused;
    static const char *const NAMES[] = {"mamba", "mamba2"};
    Dormancy dormancy;
    assert_int_equal(run_dense("falcon_h1", &dormancy, NULL), STATUS_OK);
    double sum = 0.0;
    for (size_t c = 0; c < dormancy.channels; c++) sum += dormancy.channel_scores[c];
    assert_true(fabs(sum / (double)dormancy.channels - 1.0) < TOLERANCE);
    assert_true(dormancy_share(dormancy.mlp_scores, dormancy.mlp, 0.5) < 1.0);
    dormancy_free(&dormancy);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        Error error = {0};
        assert_int_equal(run_dense(NAMES[i], &dormancy, &error), STATUS_UNSUPPORTED);
        if (strstr(error.message, "no layer has attention or an MLP") == NULL)
            fail_msg("%s: %s", NAMES[i], error.message);
    }
}

/* A layer that sees a picture alone has nothing of a text. */
static void a_layer_that_is_passed_over_has_no_scores(void **unused) {
    (void)unused;
    Dormancy dormancy;
    assert_int_equal(run_dense("mllama", &dormancy, NULL), STATUS_OK);
    size_t silent = 0;
    for (size_t layer = 0; layer < dormancy.layers; layer++) {
        bool is_silent = isnan(dormancy.mlp_scores[layer * dormancy.mlp]) != 0;
        assert_true((isnan(dormancy.channel_scores[layer * dormancy.channels]) != 0) == is_silent);
        silent += is_silent;
    }
    assert_true(silent > 0 && silent < dormancy.layers);
    dormancy_free(&dormancy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_pair_equals_golden),
        cmocka_unit_test(a_tied_pair_with_qk_norms_equals_golden),
        cmocka_unit_test(a_pair_with_biases_equals_golden),
        cmocka_unit_test(the_end_of_a_row_adds_nothing_to_the_loss),
        cmocka_unit_test(a_layer_without_attention_has_no_channels),
        cmocka_unit_test(layers_of_state_spaces_have_what_attention_and_mlp_they_have),
        cmocka_unit_test(dormancy_needs_no_way_back),
        cmocka_unit_test(a_layer_that_is_passed_over_has_no_scores),
        cmocka_unit_test(a_response_in_pieces_has_the_gradient_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
