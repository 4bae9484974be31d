/*
 * Weights that are not all finite: nothing is ranked by what is not a number, for the set would be one of neurons
 * that happen to come first.
 */
#include "core/method/attribution.h"
#include "core/method/selectors.h"
#include "tiny_model.h"

static const char TINY[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
enum { ROW_TOKENS = 7 };

/* A tiny pair whose SFT side has `value` as the last of its weights: of the head's, which come last. */
static TinyModel make_broken(float value) {
    TinyModel tiny;
    Error error = {0};
    tiny_write_side("base", TINY, 1);
    tiny_write_side("sft", TINY, 2);
    char *base = scratch_path("base"), *sft = scratch_path("sft"),
         *path = scratch_path("sft/model.safetensors");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -(long)sizeof value, SEEK_END), 0);
    assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    if (pair_open(base, sft, &tiny.pair, &error) != STATUS_OK ||
        model_open(tiny.pair, &tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(base);
    free(sft);
    free(path);
    return tiny;
}

static Status attribute(float value, int32_t token, Error *error) {
    TinyModel tiny = make_broken(value);
    int32_t ids[ROW_TOKENS];
    tiny_ids(ids, ROW_TOKENS, 5);
    const EvaluationRow row = {.ids = ids, .count = ROW_TOKENS, .first = 0, .end = 6};
    const AttributionTarget targets[] = {{.row = 0, .position = 2, .token = 4},
                                         {.row = 0, .position = 5, .token = token}};
    Attribution attribution;
    Job *job;
    assert_int_equal(job_create(1, NULL, NULL, &job, error), STATUS_OK);
    Status status = attribution_run(tiny.model, &row, targets, 2, false, 0, &attribution, job, error);
    if (status != STATUS_OK) assert_null(attribution.best_rank);
    attribution_free(&attribution);
    job_free(job);
    tiny_model_free(&tiny);
    return status;
}

/* Token 60 is the head's last row: only what leads to it goes wrong. */
static void a_score_that_is_not_finite_is_refused(void **state) {
    (void)state;
    Error error = {0};
    assert_int_equal(attribute(NAN, 59, &error), STATUS_OK);
    assert_int_equal(attribute(NAN, 60, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "row 0, position 5"));
    assert_int_equal(attribute(INFINITY, 60, &error), STATUS_FORMAT);
    assert_int_equal(attribute(1.0F, 60, &error), STATUS_OK);
}

static void dormancy_that_is_not_a_number_ranks_nothing(void **state) {
    (void)state;
    const NeuronTable table = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 2, 3}};
    double mlp[] = {1.0, 2.0, 0.0, 1.0, 1.0, 1.0}, gradient[] = {1.0, 1.0, 1.0, 1.0, NAN, 1.0};
    const Dormancy dormancy = {
        .layers = 2, .mlp = 3, .response_tokens = 1, .mlp_scores = mlp, .gradient_scores = gradient};
    RankingOrigin origin = {.selector = SELECTOR_GRADIENT};
    Ranking *ranking;
    Error error = {0};
    assert_int_equal(selectors_rank_dormancy(&table, &origin, &dormancy, &ranking, &error), STATUS_FORMAT);
    assert_null(ranking);
    assert_non_null(strstr(error.message, "layer 1: gradient dormancy"));
    origin.selector = SELECTOR_DORMANCY;
    assert_int_equal(selectors_rank_dormancy(&table, &origin, &dormancy, &ranking, &error), STATUS_OK);
    ranking_free(ranking);
    mlp[1] = NAN;
    assert_int_equal(selectors_rank_dormancy(&table, &origin, &dormancy, &ranking, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "layer 0: dormancy"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_that_is_not_finite_is_refused),
        cmocka_unit_test(dormancy_that_is_not_a_number_ranks_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
