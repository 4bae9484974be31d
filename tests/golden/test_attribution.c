/*
 * Targets, scores, ranks and reset sets of three pairs of three architectures, against float64 autograd runs.
 *
 * Tolerances: entropies 1e-4; scores 3e-5 of each target's largest; reset sets at ρ = 0.5, 1, 2, 4 % equal,
 * neuron for neuron, but for the near ties that the golden data lists; masses of blocks 3e-5 of the whole, as
 * those of the golden scores. Observed errors are printed.
 */
#include "core/fusion/neurons.h"
#include "core/method/attribution.h"
#include "method_fixture.h"

#include <math.h>
#include <string.h>

static const double ENTROPY_TOLERANCE = 1e-4, SCORE_TOLERANCE = 3e-5;

static void choose_targets(Fixture *fixture, AttributionTarget **targets, size_t *count) {
    Evaluation *evaluation;
    EvaluationResult base, sft;
    Error error = {0};
    size_t wanted = (size_t)cJSON_GetArraySize(json_find(fixture->golden, "targets"));
    assert_int_equal(
        evaluation_create(fixture->model, fixture->rows, fixture->row_count, 0, &evaluation, &error),
        STATUS_OK);
    if (evaluation_prepare(evaluation, &base, &sft, fixture->job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(attribution_choose_targets(fixture->rows, fixture->row_count, &base, &sft, wanted,
                                                targets, count, &error),
                     STATUS_OK);
    assert_int_equal(*count, wanted);
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
}

static void compare_targets(const Fixture *fixture, const Attribution *attribution, const char *name) {
    double entropy = 0.0, logit = 0.0, reconstruction = 0.0;
    size_t i = 0;
    const cJSON *expected;
    cJSON_ArrayForEach(expected, json_find(fixture->golden, "targets")) {
        const AttributionTarget *target = &attribution->targets[i++];
        assert_int_equal(target->row, (size_t)json_get_number(expected, "row", NAN));
        assert_int_equal(target->position, (size_t)json_get_number(expected, "position", NAN));
        assert_int_equal(target->token, (int)json_get_number(expected, "token", NAN));
        entropy = fmax(entropy, fabs(target->entropy_base - json_get_number(expected, "entropy_base", NAN)));
        entropy = fmax(entropy, fabs(target->entropy_sft - json_get_number(expected, "entropy_sft", NAN)));
        logit = fmax(logit, fabs(target->logit - json_get_number(expected, "logit", NAN)));
        reconstruction = fmax(reconstruction, fabs(target->logit - target->logit_linear));
    }
    print_message("%-10s %zu targets: entropies %.1e, logits %.1e, reconstruction error %.1e\n", name, i,
                  entropy, logit, reconstruction);
    assert_true(entropy < ENTROPY_TOLERANCE);
    assert_true(logit < ENTROPY_TOLERANCE);
    assert_true(reconstruction < ENTROPY_TOLERANCE);
}

static void compare_scores(const Attribution *attribution, const char *name) {
    size_t bytes;
    float *expected = golden_read_bytes("golden/method/%s/%s", name, "scores.f32", &bytes);
    assert_int_equal(bytes, attribution->target_count * attribution->neurons * sizeof(float));
    double worst = 0.0;
    for (size_t t = 0; t < attribution->target_count; t++) {
        const float *ours = attribution->scores + t * attribution->neurons,
                    *theirs = expected + t * attribution->neurons;
        double largest = 0.0, error = 0.0;
        for (size_t j = 0; j < attribution->neurons; j++) {
            largest = fmax(largest, (double)theirs[j]);
            error = fmax(error, fabs((double)ours[j] - (double)theirs[j]));
        }
        worst = fmax(worst, error / largest);
    }
    print_message("%-10s scores: %.1e of each target's largest\n", name, worst);
    assert_true(worst < SCORE_TOLERANCE);
    free(expected);
}

/* Summed here neuron by neuron, from the golden scores. */
static void compare_masses(const Fixture *fixture, const Attribution *attribution, const char *name) {
    NeuronTable table = neurons_list(fixture->model->config);
    size_t bytes, blocks = neurons_block_count(&table);
    float *scores = golden_read_bytes("golden/method/%s/%s", name, "scores.f32", &bytes);
    double *expected = memory_allocate(blocks, sizeof *expected), worst = 0.0, sum = 0.0;
    assert_non_null(expected);
    for (size_t t = 0; t < attribution->target_count; t++) {
        double total = 0.0;
        for (size_t j = 0; j < attribution->neurons; j++)
            total += (double)scores[t * attribution->neurons + j];
        for (size_t j = 0; j < attribution->neurons; j++) {
            NeuronBlock block = neurons_locate(&table, j);
            expected[block.index] +=
                (double)scores[t * attribution->neurons + j] / total / (double)attribution->target_count;
        }
    }
    for (size_t b = 0; b < blocks; b++) {
        worst = fmax(worst, fabs(attribution->masses[b] - expected[b]));
        sum += attribution->masses[b];
    }
    print_message("%-10s masses: %.1e of the whole, which is 1 within %.1e\n", name, worst, fabs(sum - 1.0));
    assert_true(worst < SCORE_TOLERANCE);
    assert_true(fabs(sum - 1.0) < 1e-12);
    free(expected);
    free(scores);
}

static void mark(const NeuronTable *table, const cJSON *blocks, unsigned char *marks) {
    const cJSON *block, *index;
    cJSON_ArrayForEach(block, blocks) {
        NeuronBlock found;
        assert_true(neurons_read_name(table, block->string, &found));
        cJSON_ArrayForEach(index, block) marks[found.first + (size_t)index->valuedouble] = 1;
    }
}

static void compare_sets(const Fixture *fixture, const Attribution *attribution, const char *name) {
    NeuronTable table = neurons_list(fixture->model->config);
    assert_int_equal(neurons_count(&table), attribution->neurons);
    const cJSON *reset;
    cJSON_ArrayForEach(reset, json_find(fixture->golden, "resets")) {
        unsigned char *expected = memory_allocate(attribution->neurons, 1),
                      *excused = memory_allocate(attribution->neurons, 1);
        assert_true(expected != NULL && excused != NULL);
        mark(&table, json_find(reset, "set"), expected);
        mark(&table, json_find(reset, "near_ties"), excused);
        size_t cut = attribution_cut(attribution->neurons, strtod(reset->string, NULL)), differ = 0,
               selected = 0, excuses = 0;
        assert_int_equal(cut, (size_t)json_get_number(reset, "per_target", NAN));
        for (size_t j = 0; j < attribution->neurons; j++) {
            bool ours = (size_t)attribution->best_rank[j] < cut;
            selected += ours;
            excuses += excused[j];
            if (ours != (expected[j] != 0) && !excused[j]) differ++;
        }
        print_message("%-10s rho %s: %zu a target, %zu selected (golden %g), %zu near ties, %zu differ\n",
                      name, reset->string, cut, selected, json_get_number(reset, "neurons", NAN), excuses,
                      differ);
        assert_int_equal(differ, 0);
        free(expected);
        free(excused);
    }
}

static void check_pair(const char *name, const char *root) {
    Fixture fixture = {0};
    method_load(&fixture, name, root);
    AttributionTarget *targets;
    size_t count;
    choose_targets(&fixture, &targets, &count);
    Attribution attribution, again;
    Error error = {0};
    if (attribution_run(fixture.model, fixture.rows, targets, count, true, 0, &attribution, fixture.job,
                        &error) != STATUS_OK)
        fail_msg("%s", error.message);
    compare_targets(&fixture, &attribution, name);
    compare_scores(&attribution, name);
    compare_masses(&fixture, &attribution, name);
    compare_sets(&fixture, &attribution, name);
    /* the grouping of targets is a matter of memory, not of results */
    if (attribution_run(fixture.model, fixture.rows, targets, count, false, 1, &again, fixture.job, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    size_t moved = 0;
    for (size_t j = 0; j < attribution.neurons; j++)
        moved += abs(attribution.best_rank[j] - again.best_rank[j]) > 4;
    assert_true(moved < attribution.neurons / 100);
    attribution_free(&attribution);
    attribution_free(&again);
    free(targets);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_pair_equals_golden),
        cmocka_unit_test(a_tied_pair_with_qk_norms_equals_golden),
        cmocka_unit_test(a_pair_with_biases_equals_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
