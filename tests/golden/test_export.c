/*
 * Exports against mergekit and torch: the sha256 of every tensor's bytes, for every alpha and type that the
 * golden data has. Tolerance: none.
 */
#include "core/export/export.h"
#include "core/export/verify.h"
#include "tests/golden/golden_ranking.h"
#include "tests/scratch.h"

#include <math.h>

typedef struct Expectation {
    const char *base, *sft; /* directories below tests/ */
    Settings settings;
    DType dtype;
    const cJSON *tensors; /* "name": "sha256", or "name": {"sha256": …, "dtype": …, "shape": …} */
} Expectation;

static void check_tensors(const Checkpoint *export, const cJSON *tensors) {
    assert_int_equal(export->tensor_count, cJSON_GetArraySize(tensors));
    const cJSON *item;
    cJSON_ArrayForEach(item, tensors) {
        const Tensor *tensor = checkpoint_find_tensor(export, item->string);
        if (tensor == NULL) fail_msg("%s is missing", item->string);
        char sum[HASH_HEX_SIZE];
        assert_int_equal(hash_bytes(tensor->data, tensor->bytes, sum, NULL), STATUS_OK);
        const char *expected = cJSON_IsString(item) ? item->valuestring : json_get_text(item, "sha256", "");
        if (strcmp(sum, expected) != 0) fail_msg("%s: expected %s, exported %s", item->string, expected, sum);
        if (cJSON_IsObject(item))
            assert_string_equal(dtype_name(tensor->dtype), json_get_text(item, "dtype", ""));
    }
}

static Pair *open_pair(const Expectation *expectation) {
    char *base = golden_path("%s%s", expectation->base, ""), *sft = golden_path("%s%s", expectation->sft, "");
    Pair *pair;
    Error error = {0};
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    return pair;
}

/* Exported in one file and in shards of little bytes and windows: the tensors are the same. */
static void check_export(const Expectation *expectation, uint64_t shard_bytes, size_t window_bytes,
                         unsigned threads) {
    Error error = {0};
    Pair *pair = open_pair(expectation);
    scratch_clear("out");
    const char *out = scratch_path("out");
    ExportOptions options = {.settings = expectation->settings,
                             .directory = out,
                             .dtype = expectation->dtype,
                             .shard_bytes = shard_bytes,
                             .window_bytes = window_bytes};
    ExportPlan *plan;
    Job *job;
    Checkpoint *export;
    VerifyResult *result;
    if (export_plan(pair, &options, &plan, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (job_create(threads, NULL, NULL, &job, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (export_run(plan, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (checkpoint_open(out, &export, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(export->model_status, STATUS_OK);
    check_tensors(export, expectation->tensors);
    checkpoint_close(export);
    if (verify_export(out, &(VerifyOptions){0}, job, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(result->tensors_equal, pair->count);
    assert_int_equal(result->tensors_blended, pair->count);
    verify_result_free(result);
    job_free(job);
    export_plan_free(plan);
    pair_close(pair);
}

static void every_export_of_the_demo_pair_has_the_bytes_that_mergekit_wrote(void **state) {
    (void)state;
    cJSON *golden = golden_read_json("golden/mergekit/%s%s", "demo", ".json");
    const cJSON *entry;
    int entries = 0;
    cJSON_ArrayForEach(entry, golden) {
        char dtype[16];
        Expectation expectation = {.base = "demo/base", .sft = "demo/sft", .tensors = entry};
        assert_int_equal(sscanf(entry->string, "%lf %15s", &expectation.settings.alpha, dtype), 2);
        expectation.dtype = dtype_find(dtype);
        check_export(&expectation, 0, 0, 2);
        check_export(&expectation, 300000, 10007, 1);
        entries++;
    }
    assert_int_equal(entries, 11);
    cJSON_Delete(golden);
}

/* "alpha A rho R omega O DTYPE"; without a reset no omega is named. */
static void read_entry(const char *entry, Settings *settings, DType *dtype) {
    char type[16];
    if (sscanf(entry, "alpha %lf rho %lf omega %lf %15s", &settings->alpha, &settings->rho, &settings->omega,
               type) != 4)
        assert_int_equal(sscanf(entry, "alpha %lf rho %lf %15s", &settings->alpha, &settings->rho, type), 3);
    *dtype = dtype_find(type);
}

static void check_pair(const char *name, const char *base, const char *sft) {
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "exports.json");
    const cJSON *entry;
    int entries = 0, resets = 0;
    Expectation expectation = {.base = base, .sft = sft};
    Pair *pair = open_pair(&expectation);
    Ranking *ranking = golden_read_ranking(name, &pair->sft->model);
    pair_close(pair);
    cJSON_ArrayForEach(entry, golden) {
        expectation.settings = (Settings){.ranking = ranking};
        expectation.tensors = entry;
        read_entry(entry->string, &expectation.settings, &expectation.dtype);
        check_export(&expectation, 0, 0, 2);
        check_export(&expectation, 70001, 4099, 1);
        entries++;
        resets += expectation.settings.rho > 0.0;
    }
    assert_int_equal(entries, 6);
    assert_int_equal(resets, 4);
    ranking_free(ranking);
    cJSON_Delete(golden);
}

static void every_export_with_and_without_a_reset_has_the_bytes_that_torch_computes(void **state) {
    (void)state;
    check_pair("demo", "demo/base", "demo/sft");
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias/base", "golden/pairs/qwen2-bias/sft");
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied/base", "golden/pairs/qwen3-tied/sft");
}

/* The reset is in the recipe as a list: no ranking is needed to make the same files again. */
static void a_recipe_with_a_reset_makes_the_same_directory_again(void **state) {
    (void)state;
    Expectation expectation = {.base = "golden/pairs/qwen2-bias/base", .sft = "golden/pairs/qwen2-bias/sft"};
    Pair *pair = open_pair(&expectation);
    Ranking *ranking = golden_read_ranking("qwen2-bias", &pair->sft->model);
    ExportOptions options = {.settings = {.alpha = 0.45, .rho = 0.02, .omega = 0.75, .ranking = ranking},
                             .dtype = DTYPE_F16};
    options.settings.kinds[SETTINGS_NORM] = (SettingsOwn){true, 1.0};
    options.settings.kinds[SETTINGS_DOWN] = (SettingsOwn){true, 0.1};
    SettingsCurve *curve;
    assert_int_equal(settings_curve_create_ramp(pair->sft->model.layers, 0.3, 0.7, &curve, NULL), STATUS_OK);
    options.settings.curve = curve;
    char *texts[2];
    Recipe *recipe = NULL;
    for (int i = 0; i < 2; i++) {
        ExportPlan *plan;
        Error error = {0};
        const char *out = scratch_path(i == 0 ? "first" : "again");
        if (i == 1) options = export_options_from_recipe(recipe);
        options.directory = out;
        if (export_plan(pair, &options, &plan, &error) != STATUS_OK) fail_msg("%s", error.message);
        if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
        export_plan_free(plan);
        texts[i] = scratch_read(i == 0 ? "first/" RECIPE_FILE_NAME : "again/" RECIPE_FILE_NAME, NULL);
        assert_non_null(texts[i]);
        if (i == 1) break;
        ranking_free(ranking);
        settings_curve_free(curve);
        if (recipe_read(scratch_path("first/" RECIPE_FILE_NAME), &recipe, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    assert_string_equal(texts[0], texts[1]);
    recipe_free(recipe);
    free(texts[0]);
    free(texts[1]);
    pair_close(pair);
}

/* The list of a recipe is only a file's word: ranks are never read beyond it. */
static void a_reset_of_another_model_is_found_when_verifying(void **state) {
    (void)state;
    Expectation expectation = {.base = "golden/pairs/qwen2-bias/base", .sft = "golden/pairs/qwen2-bias/sft"};
    Pair *pair = open_pair(&expectation);
    Ranking *ranking = golden_read_ranking("qwen2-bias", &pair->sft->model);
    const ExportOptions options = {.settings = {.alpha = 0.5, .rho = 0.01, .omega = 1.0, .ranking = ranking},
                                   .directory = scratch_path("misfit")};
    ExportPlan *plan;
    Error error = {0};
    if (export_plan(pair, &options, &plan, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    export_plan_free(plan);
    ranking_free(ranking);
    pair_close(pair);
    char *text = scratch_read("misfit/" RECIPE_FILE_NAME, NULL), *at = strstr(text, "\"layers\":\t3");
    assert_non_null(at);
    at[strlen("\"layers\":\t")] = '4';
    scratch_write_text("misfit/" RECIPE_FILE_NAME, text);
    VerifyResult *result;
    assert_int_equal(verify_export(scratch_path("misfit"), &(VerifyOptions){0}, NULL, &result, &error),
                     STATUS_MISMATCH);
    assert_int_equal(result->tensors_blended, 0);
    assert_int_equal(result->tensors_equal, result->tensors);
    if (strstr(error.message, "4") == NULL) fail_msg("%s", error.message);
    verify_result_free(result);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_export_of_the_demo_pair_has_the_bytes_that_mergekit_wrote),
        cmocka_unit_test(every_export_with_and_without_a_reset_has_the_bytes_that_torch_computes),
        cmocka_unit_test(a_recipe_with_a_reset_makes_the_same_directory_again),
        cmocka_unit_test(a_reset_of_another_model_is_found_when_verifying),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
