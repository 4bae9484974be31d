/*
 * Distributions of base, SFT and the fusion on the calibration rows of three pairs, against float64 autograd
 * runs: averages over all response positions, every position of the first rows, and the logits of
 * row 0, all also with 1 % of the neurons reset ("rejuvenated").
 *
 * Tolerance: 1e-4 for averages and positions (torch in float32 is at 6e-6 and 1.5e-5), 5e-6 of the range for
 * logits. Observed errors are printed.
 */
#include "core/evaluation/evaluation.h"
#include "golden_ranking.h"

#include <math.h>
#include <string.h>

static const double TOLERANCE = 1e-4, LOGITS_TOLERANCE = 5e-6;

typedef struct Fixture {
    Pair *pair;
    Model *model;
    EvaluationRow *rows;
    size_t row_count;
    Ranking *ranking;
    Settings fused, rejuvenated;
} Fixture;

static void load(Fixture *fixture, const char *name, const char *root) {
    char *base = golden_path("%s/%s", root, "base"), *sft = golden_path("%s/%s", root, "sft");
    Error error = {0};
    if (pair_open(base, sft, &fixture->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(fixture->pair, &fixture->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "attribution.json");
    fixture->ranking = golden_read_ranking(name, fixture->model->config);
    fixture->fused = (Settings){.alpha = json_get_number(golden, "alpha", NAN)};
    fixture->rejuvenated =
        (Settings){.alpha = fixture->fused.alpha, .rho = 0.01, .omega = 1.0, .ranking = fixture->ranking};
    const cJSON *rows = json_find(golden, "rows"), *row;
    fixture->rows = memory_allocate((size_t)cJSON_GetArraySize(rows), sizeof *fixture->rows);
    assert_non_null(fixture->rows);
    cJSON_ArrayForEach(row, rows) {
        EvaluationRow *made = &fixture->rows[fixture->row_count++];
        made->ids = golden_read_ids(json_find(row, "ids"), &made->count);
        made->first = (size_t)json_get_number(row, "prompt_tokens", NAN) - 1;
        made->end = made->count - 1;
    }
    cJSON_Delete(golden);
}

static void unload(Fixture *fixture) {
    for (size_t i = 0; i < fixture->row_count; i++) free((void *)(uintptr_t)fixture->rows[i].ids);
    free(fixture->rows);
    ranking_free(fixture->ranking);
    model_close(fixture->model);
    pair_close(fixture->pair);
}

static double worst_average(const cJSON *expected, const DistributionAverages *averages) {
    double worst = 0.0;
    assert_int_equal((size_t)json_get_number(expected, "response_tokens", NAN), averages->response_tokens);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        double value = json_get_number(expected, DISTRIBUTION_FIGURES[i].key, NAN);
        if (strcmp(DISTRIBUTION_FIGURES[i].key, "loss") == 0)
            value = log(json_get_number(expected, "perplexity", NAN));
        assert_true(value == value); /* every figure is in the golden data */
        /* a perplexity is e to the loss, in the hundreds for random models: compared relative to itself */
        bool relative = strcmp(DISTRIBUTION_FIGURES[i].key, "perplexity") == 0;
        worst = fmax(worst, fabs(value - distribution_figure(averages, i)) / (relative ? value : 1.0));
    }
    return worst;
}

static double position_error(const cJSON *expected, const char *key, size_t i, double value) {
    const cJSON *array = json_find(expected, key);
    assert_non_null(array);
    return fabs(cJSON_GetArrayItem(array, (int)i)->valuedouble - value);
}

/* Every position of the rows that the golden data has one by one. */
static double worst_position(const cJSON *all, const Fixture *fixture, const char *model,
                             const EvaluationResult *result, size_t *compared) {
    double worst = 0.0;
    const cJSON *expected;
    cJSON_ArrayForEach(expected, all) {
        if (strcmp(json_get_text(expected, "model", ""), model) != 0) continue;
        size_t row = (size_t)json_get_number(expected, "row", NAN), at = 0;
        for (size_t i = 0; i < row; i++) at += fixture->rows[i].end - fixture->rows[i].first;
        size_t count = fixture->rows[row].end - fixture->rows[row].first;
        assert_int_equal((size_t)json_get_number(expected, "first_position", NAN), fixture->rows[row].first);
        assert_int_equal((size_t)cJSON_GetArraySize(json_find(expected, "entropy")), count);
        for (size_t i = 0; i < count; i++) {
            const DistributionPosition *position = &result->positions[at + i];
            worst = fmax(worst, position_error(expected, "entropy", i, position->entropy));
            worst = fmax(worst, position_error(expected, "top1", i, position->top1));
            worst = fmax(worst, position_error(expected, "kl_base", i, position->kl_base));
            worst = fmax(worst, position_error(expected, "kl_sft", i, position->kl_sft));
            worst = fmax(worst, position_error(expected, "p_next", i, exp(position->next_log_probability)));
            assert_int_equal(cJSON_GetArrayItem(json_find(expected, "top1_id"), (int)i)->valueint,
                             position->top);
            (*compared)++;
        }
    }
    return worst;
}

static void check_pair(const char *name, const char *root) {
    Fixture fixture = {0};
    load(&fixture, name, root);
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "distributions.json");
    Error error = {0};
    Job *job;
    Evaluation *evaluation;
    EvaluationResult results[4];
    const Settings measured[] = {fixture.fused, fixture.rejuvenated};
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(
        evaluation_create(fixture.model, fixture.rows, fixture.row_count, 8, &evaluation, &error), STATUS_OK);
    if (evaluation_prepare(evaluation, &results[0], &results[1], job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (evaluation_measure(evaluation, measured, 2, &results[2], job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    static const char *const MODELS[] = {"base", "sft", "fused", "rejuvenated"};
    const cJSON *averages = json_find(golden, "averages");
    for (int i = 0; i < 4; i++) {
        size_t compared = 0;
        double average = worst_average(json_find(averages, MODELS[i]), &results[i].averages);
        double position =
            worst_position(json_find(golden, "positions"), &fixture, MODELS[i], &results[i], &compared);
        print_message("%-10s %-11s averages %.1e  %zu positions %.1e\n", name, MODELS[i], average, compared,
                      position);
        assert_true(compared > 0);
        assert_true(average < TOLERANCE);
        assert_true(position < TOLERANCE);
        /* the top tokens belong to the same distributions, and following one gives the same figure */
        const DistributionToken *top = results[i].top;
        assert_int_equal(top[0].id, results[i].positions[0].top);
        assert_true(fabs(exp((double)top[0].log_probability) - results[i].positions[0].top1) < 1e-6);
        assert_true(fabs(evaluation_follow_token(fixture.model, &results[i], 0, top[3].id) -
                         (double)top[3].log_probability) < 1e-4);
        evaluation_free_result(&results[i]);
    }
    evaluation_free(evaluation);
    job_free(job);
    cJSON_Delete(golden);
    unload(&fixture);
}

static void distributions_of_the_demo_pair_equal_golden(void **unused) {
    (void)unused;
    check_pair("demo", "demo");
}

static void distributions_of_a_tied_pair_with_qk_norms_equal_golden(void **unused) {
    (void)unused;
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied");
}

static void distributions_of_a_pair_with_biases_equal_golden(void **unused) {
    (void)unused;
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias");
}

/* Logits of row 0, W kept in float32. */
static void check_logits(const char *name, const char *root, const char *file) {
    Fixture fixture = {0};
    load(&fixture, name, root);
    Settings settings = strcmp(file, "logits_fused_row0.f32") == 0 ? fixture.fused : fixture.rejuvenated;
    size_t bytes, vocabulary = forward_vocabulary(fixture.model);
    float *expected = golden_read_bytes("golden/method/%s/%s", name, file, &bytes);
    size_t tokens = bytes / sizeof(float) / vocabulary;
    assert_int_equal(tokens, fixture.rows[0].count);
    float *logits = memory_allocate(tokens * vocabulary, sizeof *logits);
    assert_non_null(logits);
    Error error = {0};
    MatmulScratch *scratch;
    ForwardState *state;
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &settings, tokens, &state, &error), STATUS_OK);
    ForwardInput input = {.ids = fixture.rows[0].ids, .count = tokens};
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_OK);
    ForwardHead head = {&settings, forward_hidden(state), logits};
    assert_int_equal(forward_logits(fixture.model, &head, 1, tokens, scratch, NULL, &error), STATUS_OK);
    double worst = 0.0, low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < tokens * vocabulary; i++) {
        worst = fmax(worst, fabs((double)logits[i] - (double)expected[i]));
        low = fmin(low, (double)expected[i]);
        high = fmax(high, (double)expected[i]);
    }
    print_message("%-10s %s: %.1e of the range\n", name, file, worst / (high - low));
    assert_true(worst / (high - low) < LOGITS_TOLERANCE);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    free(logits);
    free(expected);
    unload(&fixture);
}

static void fused_and_rejuvenated_logits_equal_golden(void **unused) {
    (void)unused;
    static const char *const FILES[] = {"logits_fused_row0.f32", "logits_rejuvenated_row0.f32"};
    for (int i = 0; i < 2; i++) {
        check_logits("demo", "demo", FILES[i]);
        check_logits("qwen3-tied", "golden/pairs/qwen3-tied", FILES[i]);
        check_logits("qwen2-bias", "golden/pairs/qwen2-bias", FILES[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributions_of_the_demo_pair_equal_golden),
        cmocka_unit_test(distributions_of_a_tied_pair_with_qk_norms_equal_golden),
        cmocka_unit_test(distributions_of_a_pair_with_biases_equal_golden),
        cmocka_unit_test(fused_and_rejuvenated_logits_equal_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
