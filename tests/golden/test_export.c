/*
 * Exports against mergekit and torch: the sha256 of every tensor's bytes, for every alpha and type that the
 * golden data has. Tolerance: none.
 */
#include "core/export.h"
#include "core/verify.h"
#include "tests/golden/golden.h"
#include "tests/scratch.h"

#include <math.h>

typedef struct Expectation {
    const char *base, *sft; /* directories below tests/ */
    double alpha;
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
    ExportOptions options = {.settings = {.alpha = expectation->alpha},
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
        assert_int_equal(sscanf(entry->string, "%lf %15s", &expectation.alpha, dtype), 2);
        expectation.dtype = dtype_find(dtype);
        check_export(&expectation, 0, 0, 2);
        check_export(&expectation, 300000, 10007, 1);
        entries++;
    }
    assert_int_equal(entries, 11);
    cJSON_Delete(golden);
}

static void check_pair(const char *name, const char *base, const char *sft) {
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "exports.json");
    const cJSON *entry;
    int entries = 0;
    cJSON_ArrayForEach(entry, golden) {
        char dtype[16];
        double rho;
        Expectation expectation = {.base = base, .sft = sft, .tensors = entry};
        /* with a reset, "omega" stands where the type is here */
        if (sscanf(entry->string, "alpha %lf rho %lf %15s", &expectation.alpha, &rho, dtype) != 3 ||
            rho != 0.0)
            continue;
        expectation.dtype = dtype_find(dtype);
        check_export(&expectation, 0, 0, 2);
        entries++;
    }
    assert_int_equal(entries, 2);
    cJSON_Delete(golden);
}

static void exports_without_a_reset_have_the_bytes_that_torch_computes(void **state) {
    (void)state;
    check_pair("demo", "demo/base", "demo/sft");
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias/base", "golden/pairs/qwen2-bias/sft");
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied/base", "golden/pairs/qwen3-tied/sft");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_export_of_the_demo_pair_has_the_bytes_that_mergekit_wrote),
        cmocka_unit_test(exports_without_a_reset_have_the_bytes_that_torch_computes),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
