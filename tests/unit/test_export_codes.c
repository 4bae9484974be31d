/*
 * Exports of pairs whose weights are codes with scales, and of tensors whose dtype is not known: what is written, and read
 * again, is the blend of the values, plain; or the bytes. (What the values are: test_tensor_values.c.)
 */
#include "core/checkpoint/tensor_values.h"
#include "tests/export_fixture.h"

#define HEAD         "{\n  \"model_type\": \"llama\",\n  \"tie_word_embeddings\": true,\n"
#define TAIL         "  \"torch_dtype\": \"bfloat16\"\n}\n"
#define PLAIN_CONFIG HEAD "  \"text_config\": {\"n\": 1},\n" TAIL
#define SCALED_CONFIG                                                                                        \
    HEAD "  \"text_config\": {\"quantization_config\": {\"bits\": 8}, \"n\": 1},\n"                          \
         "  \"quantization_config\": {\n    \"weight_block_size\": [4, 8]\n  },\n" TAIL

enum { SCALED_TENSORS = 6, PLAIN_TENSORS = 2, MOST = 256 };

/* The last blocks of `up` are cut in both directions; `mtp` is only on this side. */
static const ScratchTensor SCALED[SCALED_TENSORS] = {
    {"model.norm.weight", DTYPE_BF16, 1, {8}, 1},
    {"model.up.weight", DTYPE_F8_E4M3, 2, {10, 20}, 2},
    {"model.up.weight_scale_inv", DTYPE_F32, 2, {3, 3}, 3},
    {"model.up.input_scale", DTYPE_F32, 1, {1}, 4},
    {"mtp.weight", DTYPE_F8_E4M3, 2, {4, 8}, 5},
    {"mtp.weight_scale_inv", DTYPE_F32, 2, {1, 1}, 6},
};
static const ScratchTensor PLAIN[PLAIN_TENSORS] = {
    {"model.norm.weight", DTYPE_BF16, 1, {8}, 11},
    {"model.up.weight", DTYPE_BF16, 2, {10, 20}, 12},
};

static int clear(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear("base");
    scratch_clear("sft");
    return 0;
}

static Checkpoint *open_side(const char *name) {
    Checkpoint *checkpoint;
    Error error = {0};
    if (checkpoint_open(scratch_path(name), &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    return checkpoint;
}

/* Replaces a side by its values in F32. */
static void make_plain(const char *name) {
    Checkpoint *side = open_side(name);
    char header[1024] = "{", path[64];
    static float values[8 * MOST];
    size_t length = 1, at = 0;
    for (size_t i = 0; i < side->tensor_count; i++) {
        const Tensor *tensor = &side->tensors[i];
        size_t count = (size_t)(tensor->rows * tensor->columns);
        tensor_values_read(tensor, 0, count, values + at);
        char shape[32];
        (void)snprintf(shape, sizeof shape, tensor->rank == 1 ? "[%u]" : "[%u,%u]", (unsigned)tensor->rows,
                       (unsigned)tensor->columns);
        length += (size_t)snprintf(header + length, sizeof header - length,
                                   "%s\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                                   i > 0 ? "," : "", tensor->name, shape, 4 * at, 4 * (at + count));
        at += count;
    }
    header[length++] = '}';
    checkpoint_close(side);
    unsigned char file[8 + sizeof header + sizeof values] = {(unsigned char)length,
                                                             (unsigned char)(length >> 8)};
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, values, 4 * at);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", name);
    scratch_write(path, file, 8 + length + 4 * at);
    (void)snprintf(path, sizeof path, "%s/config.json", name);
    scratch_write_text(path, PLAIN_CONFIG);
}

static void expect_verified(uint64_t blended) {
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(result->tensors_blended, blended);
    assert_int_equal(result->findings.count, 0);
    verify_result_free(result);
}

/* Exports the pair, and the pair of its values: the same weights, to the last bit, and a config.json without a word of
 * codes. */
static void expect_values_blended(DType dtype, const char *said) {
    ExportOptions options = fixture_options();
    options.dtype = dtype;
    options.allow_unmatched = true; /* `mtp` */
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, "quantization", said));
    export_plan_free(plan);
    size_t tensors = pair->count;
    pair_close(pair);
    fixture_export(&options);
    expect_verified(tensors);
    size_t size, twin_size;
    char *weights = scratch_read("out/model.safetensors", &size),
         *config = scratch_read("out/config.json", NULL);
    assert_true(weights != NULL && config != NULL);
    assert_null(strstr(config, "quantization_config"));
    assert_null(strstr(weights + 8, "scale"));
    make_plain("base");
    make_plain("sft");
    scratch_clear("out");
    options.dtype = dtype == DTYPE_UNKNOWN ? DTYPE_BF16 : dtype;
    fixture_export(&options);
    expect_verified(tensors);
    char *twin = scratch_read("out/model.safetensors", &twin_size);
    assert_int_equal(size, twin_size);
    assert_memory_equal(weights, twin, size);
    free(weights);
    free(twin);
    free(config);
}

static void make_sides(const ScratchTensor *base, size_t base_count, const char *base_config,
                       const ScratchTensor *sft, size_t sft_count, const char *sft_config) {
    scratch_write_checkpoint("base", base, base_count, base_config);
    scratch_write_checkpoint("sft", sft, sft_count, sft_config);
}

static void two_sides_of_codes_are_fused_by_their_values_and_written_plain(void **state) {
    (void)state;
    ScratchTensor base[SCALED_TENSORS];
    memcpy(base, SCALED, sizeof base);
    for (int i = 0; i < SCALED_TENSORS; i++) base[i].fill += 100;
    static const DType DTYPES[] = {DTYPE_UNKNOWN, DTYPE_F32, DTYPE_F16};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        (void)clear(NULL);
        make_sides(base, SCALED_TENSORS, SCALED_CONFIG, SCALED, SCALED_TENSORS, SCALED_CONFIG);
        expect_values_blended(
            DTYPES[i], "2 tensors of base and 2 of SFT are read as code × scale; what is written is plain");
    }
}

static void a_base_of_codes_meets_plain_weights(void **state) {
    (void)state;
    make_sides(SCALED, SCALED_TENSORS, SCALED_CONFIG, PLAIN, PLAIN_TENSORS, PLAIN_CONFIG);
    expect_values_blended(DTYPE_UNKNOWN, "2 tensors of base and 0 of SFT");
}

/* `mtp` is copied from SFT: its values, for its scales are not written. */
static void codes_that_only_sft_has_are_written_as_their_values(void **state) {
    (void)state;
    make_sides(PLAIN, PLAIN_TENSORS, PLAIN_CONFIG, SCALED, SCALED_TENSORS, SCALED_CONFIG);
    expect_values_blended(DTYPE_F32, "0 tensors of base and 2 of SFT");
}

static void config_json_loses_those_keys_and_nothing_else(void **state) {
    (void)state;
    make_sides(SCALED, SCALED_TENSORS, SCALED_CONFIG, SCALED, SCALED_TENSORS, SCALED_CONFIG);
    ExportOptions options = fixture_options();
    fixture_export(&options);
    char *config = scratch_read("out/config.json", NULL);
    assert_string_equal(config, HEAD "  \"text_config\": { \"n\": 1},\n" TAIL);
    free(config);
}

static void a_leftover_is_said_and_not_written(void **state) {
    (void)state;
    make_sides(PLAIN, PLAIN_TENSORS, PLAIN_CONFIG, PLAIN, PLAIN_TENSORS, SCALED_CONFIG);
    ExportOptions options = fixture_options();
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, "quantization",
                                    "but all tensors are plain: it is a leftover"));
    export_plan_free(plan);
    pair_close(pair);
    fixture_export(&options);
    char *config = scratch_read("out/config.json", NULL);
    assert_null(strstr(config, "quantization_config"));
    free(config);
    expect_verified(PLAIN_TENSORS);
}

/* ---- types that are not known ---- */

#define OTHER_HEADER(UP)                                                                                     \
    "{\"a\":{\"dtype\":\"F8_E5M4\",\"shape\":[3,5],\"data_offsets\":[0,7]},"                                 \
    "\"b\":{\"dtype\":\"F4\",\"shape\":[2,5],\"data_offsets\":[7,12]},"                                      \
    "\"" UP "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}"

static void write_other(const char *side, const char *header) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s/", side);
    assert_int_equal(mkdir(scratch_path(path), 0700), 0);
    unsigned char file[512] = {0};
    size_t length = strlen(header);
    file[0] = (unsigned char)length;
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < 20; i++) file[8 + length + i] = (unsigned char)(i + 1);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", side);
    scratch_write(path, file, 8 + length + 20);
}

static void a_type_that_is_not_known_is_copied_under_its_name(void **state) {
    (void)state;
    write_other("base", OTHER_HEADER("up"));
    write_other("sft", OTHER_HEADER("up"));
    ExportOptions options = fixture_options();
    options.dtype = DTYPE_BF16;
    fixture_export(&options);
    expect_verified(3);
    Checkpoint *out = open_side("out");
    const Tensor *a = checkpoint_find_tensor(out, "a"), *b = checkpoint_find_tensor(out, "b");
    assert_string_equal(a->dtype_name, "F8_E5M4");
    assert_int_equal(a->shape[1], 5);
    assert_int_equal(a->bytes, 7);
    assert_memory_equal(a->data, "\1\2\3\4\5\6\7", 7);
    assert_int_equal(b->dtype, DTYPE_F4);
    assert_memory_equal(b->data, "\10\11\12\13\14", 5);
    assert_int_equal(checkpoint_find_tensor(out, "up")->dtype, DTYPE_BF16);
    checkpoint_close(out);
    Recipe *recipe;
    Error error = {0};
    assert_int_equal(recipe_read(scratch_path("out/" RECIPE_FILE_NAME), &recipe, &error), STATUS_OK);
    bool is_named = false;
    for (size_t i = 0; i < recipe->tensor_count; i++)
        is_named = is_named || strcmp(recipe_dtype_name(&recipe->tensors[i]), "F8_E5M4") == 0;
    assert_true(is_named);
    recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(two_sides_of_codes_are_fused_by_their_values_and_written_plain, clear),
        cmocka_unit_test_setup(a_base_of_codes_meets_plain_weights, clear),
        cmocka_unit_test_setup(codes_that_only_sft_has_are_written_as_their_values, clear),
        cmocka_unit_test_setup(config_json_loses_those_keys_and_nothing_else, clear),
        cmocka_unit_test_setup(a_leftover_is_said_and_not_written, clear),
        cmocka_unit_test_setup(a_type_that_is_not_known_is_copied_under_its_name, clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
