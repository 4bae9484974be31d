/*
 * Drift against reference figures (golden/method/PAIR/drift.json, float64): every metric of every tensor of
 * three pairs, and the first row and column norms of the matrices.
 *
 * Tolerance: 1e-12, relative; the largest error observed stands beside each test, which prints it.
 */
#include "core/drift/drift.h"
#include "tests/golden/golden.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 1e-12

typedef struct Compared {
    double worst;
    size_t figures;
} Compared;

static void compare(Compared *compared, const char *name, const char *key, double expected, double found) {
    double error = found == expected ? 0.0 : fabs(found - expected) / fabs(expected);
    if (!(error <= TOLERANCE)) fail_msg("%s, %s: expected %.17g, found %.17g", name, key, expected, found);
    if (error > compared->worst) compared->worst = error;
    compared->figures++;
}

static void compare_norms(Compared *compared, const char *name, const cJSON *facts, const char *key,
                          const double *found) {
    const cJSON *norm;
    size_t i = 0;
    cJSON_ArrayForEach(norm, json_find(facts, key))
        compare(compared, name, key, norm->valuedouble, found[i++]);
}

static void compare_tensor(Compared *compared, const Pair *pair, const DriftTable *table,
                           const cJSON *facts) {
    const PairTensor *tensor = pair_find_tensor(pair, facts->string);
    assert_non_null(tensor);
    DriftRow row;
    assert_true(drift_table_row(table, (size_t)(tensor - pair->tensors), &row));
    size_t keys = 0;
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        const char *key = drift_metric_facts(metric)->key;
        const cJSON *figure = json_find(facts, key);
        if (figure == NULL) continue; /* the two norms, which the reference does not list */
        keys++;
        compare(compared, facts->string, key, figure->valuedouble, drift_value(&row, metric));
    }
    assert_int_equal(keys, 9);
    if (json_find(facts, "row_norms_3") == NULL) return;
    DriftProfile profile;
    Error error;
    assert_int_equal(drift_profile(tensor, &profile, NULL, &error), STATUS_OK);
    compare_norms(compared, facts->string, facts, "row_norms_3", profile.row_difference);
    compare_norms(compared, facts->string, facts, "column_norms_3", profile.column_difference);
    drift_profile_free(&profile);
}

static void compare_pair(const char *name, const char *folder) {
    Error error = {0};
    char *base = golden_path("%s%s/base", folder, ""), *sft = golden_path("%s%s/sft", folder, "");
    Pair *pair;
    DriftTable *table;
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(drift_table_create(pair, &table, &error), STATUS_OK);
    assert_int_equal(drift_scan(pair, table, NULL, &error), STATUS_OK);
    cJSON *expected = golden_read_json("golden/method/%s/drift.json%s", name, "");
    assert_int_equal(cJSON_GetArraySize(expected), pair->count);
    Compared compared = {0};
    const cJSON *facts;
    cJSON_ArrayForEach(facts, expected) compare_tensor(&compared, pair, table, facts);
    print_message("%s: %zu figures, largest relative error %.2g\n", name, compared.figures, compared.worst);
    cJSON_Delete(expected);
    drift_table_free(table);
    pair_close(pair);
    free(base);
    free(sft);
}

/* observed: 1.0e-15, in 777 figures */
static void every_metric_of_the_demo_pair_equals_the_reference(void **state) {
    (void)state;
    compare_pair("demo", "demo");
}

/* observed: 1.4e-15, in 489 figures */
static void every_metric_of_a_float32_pair_equals_the_reference(void **state) {
    (void)state;
    compare_pair("qwen2-bias", "golden/pairs/qwen2-bias");
}

/* observed: 9.7e-16, in 447 figures */
static void every_metric_of_a_tied_bfloat16_pair_equals_the_reference(void **state) {
    (void)state;
    compare_pair("qwen3-tied", "golden/pairs/qwen3-tied");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_of_the_demo_pair_equals_the_reference),
        cmocka_unit_test(every_metric_of_a_float32_pair_equals_the_reference),
        cmocka_unit_test(every_metric_of_a_tied_bfloat16_pair_equals_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
