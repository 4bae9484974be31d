/*
 * Samples of three pairs, their figures, their scores under base, SFT and the fusion, and the gradient at hand-over of each of
 * the three, tensor by tensor, against float64 autograd runs.
 *
 * Tolerances: figures, 1e-12 of them; scores of a sample, 1e-4 nat, their means 2e-6; gradients, 1e-4 relative for every tensor whose norm is above 1e-3 of the
 * largest, 1e-6 of the largest otherwise. Observed errors are printed.
 */
#include "core/readiness/gradient.h"
#include "core/readiness/sample_figures.h"
#include "core/readiness/sample_file.h"
#include "core/readiness/sample_score.h"
#include "golden.h"

#include <math.h>
#include <string.h>

static const char *const STATES[SIDE_COUNT] = {"base", "sft", "fused"};

typedef struct Readiness {
    Pair *pair;
    Model *model;
    Job *job;
    cJSON *golden;
    SampleFile file;
    SampleRows rows;
    double *advantages;
    Settings dials;
} Readiness;

static void load(Readiness *readiness, const char *name, const char *root) {
    char *base = golden_path("%s/%s", root, "base"), *sft = golden_path("%s/%s", root, "sft");
    char *samples = golden_path("golden/readiness/%s/%s", name, "samples.jsonl");
    Error error = {0};
    if (pair_open(base, sft, &readiness->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(readiness->pair, &readiness->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(job_create(2, NULL, NULL, &readiness->job, &error), STATUS_OK);
    readiness->golden = golden_read_json("golden/readiness/%s/%s", name, "readiness.json");
    readiness->dials = settings_at(json_get_number(readiness->golden, "alpha", NAN));
    const CalibrationReading reading = {.config = readiness->model->config};
    if (sample_file_read(samples, &reading, readiness->job, &readiness->file, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(sample_rows_list(&readiness->file.set, &readiness->rows, &error), STATUS_OK);
    readiness->advantages = memory_allocate(readiness->rows.count, sizeof(double));
    assert_non_null(readiness->advantages);
    sample_figures_advantages(&readiness->file.set, readiness->advantages);
    free(base);
    free(sft);
    free(samples);
}

static void unload(Readiness *readiness) {
    free(readiness->advantages);
    sample_rows_free(&readiness->rows);
    sample_file_free(&readiness->file);
    cJSON_Delete(readiness->golden);
    job_free(readiness->job);
    model_close(readiness->model);
    pair_close(readiness->pair);
}

static double relative(double found, double expected) {
    return expected == 0.0 ? fabs(found) : fabs(found - expected) / fabs(expected);
}

/* ---- figures ---- */

static double check_advantages(const Readiness *readiness) {
    const cJSON *group, *value;
    double worst = 0.0;
    size_t at = 0;
    cJSON_ArrayForEach(group, json_find(readiness->golden, "advantages")) {
        cJSON_ArrayForEach(value, group) worst =
            fmax(worst, fabs(readiness->advantages[at++] - value->valuedouble));
    }
    assert_int_equal(at, readiness->rows.count);
    return worst;
}

static void check_figures(const Readiness *readiness, const char *name) {
    SampleFigures figures;
    Error error = {0};
    const cJSON *pass = json_find(readiness->golden, "pass_at");
    if (sample_figures_measure(&readiness->file.set, 1, &figures, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(figures.prompt_count, (size_t)json_get_number(readiness->golden, "prompts", NAN));
    assert_int_equal(figures.fewest, (size_t)json_get_number(readiness->golden, "samples", NAN));
    double worst = relative(figures.average.value, json_get_number(readiness->golden, "avg_at_k", NAN));
    worst = fmax(worst,
                 relative(figures.mean_reward.value, json_get_number(readiness->golden, "mean_reward", NAN)));
    worst =
        fmax(worst, relative(figures.mixed.value, json_get_number(readiness->golden, "mixed_share", NAN)));
    assert_int_equal(cJSON_GetArraySize(pass), figures.fewest);
    for (size_t k = 1; k <= figures.fewest; k++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%zu", k);
        worst = fmax(worst, relative(figures.pass[k - 1].value, json_get_number(pass, key, NAN)));
    }
    double advantages = check_advantages(readiness);
    print_message("%-10s figures %.1e, advantages %.1e\n", name, worst, advantages);
    assert_true(worst < 1e-12 && advantages < 1e-12);
    sample_figures_free(&figures);
}

/* ---- scores ---- */

static void check_side_scores(const Readiness *readiness, const char *name, const char *state,
                              const SampleScore *scores) {
    const cJSON *expected = json_find(json_find(readiness->golden, "states"), state), *sample;
    double log_probability = 0.0, entropy = 0.0;
    size_t at = 0;
    cJSON_ArrayForEach(sample, json_find(expected, "per_sample")) {
        log_probability = fmax(log_probability, fabs(scores[at].log_probability -
                                                     json_get_number(sample, "log_probability", NAN)));
        entropy = fmax(entropy, fabs(scores[at].entropy - json_get_number(sample, "entropy", NAN)));
        at++;
    }
    assert_int_equal(at, readiness->rows.count);
    SampleScoreMeans means = sample_score_average(&readiness->rows, scores);
    assert_int_equal(means.response_tokens, (size_t)json_get_number(expected, "response_tokens", NAN));
    double mean = relative(means.entropy, json_get_number(expected, "entropy", NAN));
    mean =
        fmax(mean, relative(means.log_probability, json_get_number(expected, "mean_log_probability", NAN)));
    print_message("%-10s %-5s ln p of a sample %.1e nat, entropy %.1e nat; means %.1e\n", name, state,
                  log_probability, entropy, mean);
    assert_true(log_probability < 1e-4 && entropy < 1e-5 && mean < 2e-6);
}

static void check_scores(const Readiness *readiness, const char *name) {
    SampleScore *scores[SIDE_COUNT];
    Error error = {0};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        scores[side] = memory_allocate(readiness->rows.count, sizeof *scores[side]);
        assert_non_null(scores[side]);
    }
    if (sample_score_measure(readiness->model, &readiness->dials, &readiness->rows, scores, readiness->job,
                             &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        check_side_scores(readiness, name, STATES[side], scores[side]);
        free(scores[side]);
    }
}

/* ---- the gradient ---- */

typedef struct Worst {
    double large, small, weight; /* of tensors above 1e-3 of the largest; of the others, in parts of it */
} Worst;

static Worst compare_gradient(const Gradient *gradient, const cJSON *expected) {
    const cJSON *norms = json_find(expected, "gradient"), *weights = json_find(expected, "weight_norm"),
                *norm;
    double largest = 0.0;
    Worst worst = {0};
    cJSON_ArrayForEach(norm, norms) largest = fmax(largest, norm->valuedouble);
    assert_int_equal(cJSON_GetArraySize(norms), gradient->count);
    for (size_t i = 0; i < gradient->count; i++) {
        const GradientTensor *own = &gradient->tensors[i];
        double known = json_get_number(norms, own->tensor->name, NAN);
        if (isnan(known)) fail_msg("there is no tensor %s in the golden gradient", own->tensor->name);
        if (known > 1e-3 * largest)
            worst.large = fmax(worst.large, relative(own->norm, known));
        else
            worst.small = fmax(worst.small, fabs(own->norm - known) / largest);
        worst.weight =
            fmax(worst.weight, relative(own->weight, json_get_number(weights, own->tensor->name, NAN)));
    }
    return worst;
}

static void check_gradient(const Readiness *readiness, const char *name, Side side, size_t group_tokens) {
    Settings settings = settings_of_side(side, &readiness->dials);
    const cJSON *expected = json_find(json_find(readiness->golden, "states"), STATES[side]);
    Gradient gradient;
    Error error = {0};
    if (gradient_measure(readiness->model, &settings, &readiness->rows, readiness->advantages, group_tokens,
                         &gradient, readiness->job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    Worst worst = compare_gradient(&gradient, expected);
    GradientNorms all = gradient_add_up(&gradient, GRADIENT_ALL, TENSOR_ROLE_COUNT);
    double whole = relative(all.gradient, json_get_number(expected, "gradient_norm", NAN));
    double loss = relative(gradient.loss, json_get_number(expected, "surrogate_loss", NAN));
    print_message("%-10s %-5s groups of %4zu: gradient %.1e, small %.1e, whole %.1e; L %.1e; weights %.1e\n",
                  name, STATES[side], group_tokens, worst.large, worst.small, whole, loss, worst.weight);
    assert_true(worst.large < 1e-4 && worst.small < 1e-6 && whole < 1e-4);
    assert_true(loss < 1e-4 && worst.weight < 1e-6);
    assert_int_equal(gradient.tokens, (size_t)json_get_number(expected, "response_tokens", NAN));
    gradient_free(&gradient);
}

static void check_pair(const char *name, const char *root) {
    static const size_t GROUPS[] = {0, 100, 1 << 20};
    Readiness readiness = {0};
    load(&readiness, name, root);
    check_figures(&readiness, name);
    check_scores(&readiness, name);
    for (int side = 0; side < SIDE_COUNT; side++) {
        for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++)
            check_gradient(&readiness, name, (Side)side, GROUPS[i]);
    }
    unload(&readiness);
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
