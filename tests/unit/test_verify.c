/* What verification finds: an export of the small pair with one thing wrong at a time. */
#include "core/export/recipe_seal.h"
#include "tests/export_fixture.h"

static int export_pair(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear("moved");
    fixture_make_pair();
    ExportOptions options = fixture_options();
    options.shard_bytes = 600;
    fixture_export(&options);
    return 0;
}

static void a_fresh_export_is_whole(void **state) {
    (void)state;
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(result->tensors, FIXTURE_TENSORS);
    assert_int_equal(result->tensors_equal, FIXTURE_TENSORS);
    assert_int_equal(result->tensors_blended, FIXTURE_TENSORS);
    assert_int_equal(result->files, 4); /* config.json, index, tokenizer.json, mergekit.yaml */
    assert_int_equal(result->files_equal, 4);
    assert_int_equal(result->input_files, 2);
    assert_int_equal(result->input_files_equal, 2);
    assert_true(result->has_inputs);
    assert_int_equal(result->bytes, 1123);
    assert_int_equal(result->nonfinite, 0);
    assert_int_equal(result->findings.count, 0);
    verify_result_free(result);
}

/* Verification says STATUS_MISMATCH, and one of its findings is this error. */
static void expect_error(const char *subject, const char *text) {
    VerifyResult *result;
    Error error = {0};
    Status status = fixture_verify(&result, &error);
    if (status != STATUS_MISMATCH) fail_msg("%s: %s: %s", subject, status_name(status), error.message);
    if (!fixture_has_finding(&result->findings, SEVERITY_ERROR, subject, text)) {
        for (size_t i = 0; i < result->findings.count; i++)
            print_error("%s: %s\n", result->findings.items[i].subject, result->findings.items[i].text);
        fail_msg("%s: expected \"%s\" among the findings", subject, text);
    }
    verify_result_free(result);
}

/* Flips the lowest bit of a byte, counted from the end of the file. */
static void flip(const char *name, size_t from_end) {
    size_t size = 0;
    char *bytes = scratch_read(name, &size);
    assert_true(bytes != NULL && size >= from_end);
    bytes[size - from_end] ^= 1;
    scratch_write(name, bytes, size);
    free(bytes);
}

static void a_changed_bit_is_found_in_its_row_and_column(void **state) {
    (void)state;
    /* the second shard: down_proj [8 × 24], lm_head [10 × 8], counter [3] */
    flip("out/model-00002-of-00002.safetensors", 3 + 160 + 384 - (2 * 24 + 5) * 2);
    expect_error("model.layers.0.mlp.down_proj.weight", "row 2, column 5: expected ");
    expect_error("model.layers.0.mlp.down_proj.weight", "expected the recipe's ");
}

static void a_changed_bit_is_found_without_the_inputs_too(void **state) {
    (void)state;
    flip("out/model-00002-of-00002.safetensors", 1);
    VerifyResult *result;
    Error error = {0};
    VerifyOptions options = {.without_inputs = true};
    assert_int_equal(verify_export(scratch_path("out"), &options, NULL, &result, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "model.counter: expected the recipe's"));
    assert_int_equal(result->tensors_equal, FIXTURE_TENSORS - 1);
    assert_false(result->has_inputs);
    verify_result_free(result);
}

static void change_in_recipe(const char *text, char last) {
    char *recipe = scratch_read("out/rejuvenation.json", NULL), *found = strstr(recipe, text);
    assert_non_null(found);
    found[strlen(text) - 1] = last;
    scratch_write_text("out/rejuvenation.json", recipe);
    free(recipe);
}

static void change_recipe(void) {
    change_in_recipe("0.3", '4');
}

static void a_recipe_of_other_settings_is_found_by_blending_again(void **state) {
    (void)state;
    change_recipe();
    expect_error("lm_head.weight", "row 0, column 0: expected ");
}

static void other_files_are_compared_too(void **state) {
    (void)state;
    flip("out/tokenizer.json", 4);
    expect_error("tokenizer.json", "expected 13 bytes with ");
    scratch_clear("out/tokenizer.json");
    expect_error("tokenizer.json", "No such file");
}

static void a_config_that_does_not_fit_the_weights_is_found(void **state) {
    (void)state;
    scratch_write_text("out/config.json", "{\"vocab_size\": 11, \"torch_dtype\": \"float16\"}");
    expect_error("config.json", "dtype: expected bfloat16, found float16");
    expect_error("config.json", "vocab_size: expected the embedding's 10 rows");
}

static void an_index_that_lies_is_found(void **state) {
    (void)state;
    char *index = scratch_read("out/model.safetensors.index.json", NULL), *total = strstr(index, "1123");
    assert_non_null(total);
    total[0] = '2';
    scratch_write_text("out/model.safetensors.index.json", index);
    free(index);
    expect_error("model.safetensors.index.json", "total_size: expected 1123");
}

static void weights_that_do_not_open_are_a_difference(void **state) {
    (void)state;
    assert_int_equal(truncate(scratch_path("out/model-00001-of-00002.safetensors"), 500), 0);
    expect_error("weights", "model-00001-of-00002.safetensors");
}

static void the_mark_of_an_unfinished_export_is_found(void **state) {
    (void)state;
    scratch_write_text("out/rejuv-partial.json", "{}");
    expect_error("rejuv-partial.json", "unfinished");
}

static void tensors_too_many_or_too_few_are_found(void **state) {
    (void)state;
    scratch_clear("out/model.safetensors.index.json");
    scratch_write_tensors("out/model.safetensors", FIXTURE_SFT, FIXTURE_TENSORS - 1);
    expect_error("model.counter", "is missing");
    ScratchTensor more[FIXTURE_TENSORS + 1];
    memcpy(more, FIXTURE_SFT, sizeof FIXTURE_SFT);
    more[FIXTURE_TENSORS] = (ScratchTensor){"model.new", DTYPE_F32, 1, {1}, 1};
    scratch_write_tensors("out/model.safetensors", more, FIXTURE_TENSORS + 1);
    expect_error("weights", "1 tensors are not in the recipe");
    more[2].dtype = DTYPE_F16;
    scratch_write_tensors("out/model.safetensors", more, FIXTURE_TENSORS + 1);
    expect_error("model.layers.0.mlp.up_proj.weight", "dtype BF16 and shape, found F16");
}

/* Exports to out, changes it by `change`, and verifies it with what is known of how it was made. */
static void verify_made(void (*change)(void), Status wanted, size_t made, size_t blended) {
    scratch_clear("out");
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    options.shard_bytes = 600;
    ExportPlan *plan = fixture_plan(pair, &options);
    Error error = {0};
    if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (change != NULL) change();
    VerifyResult *result;
    VerifyOptions how = {.made = plan, .written = plan->recipe};
    assert_int_equal(verify_export(scratch_path("out"), &how, NULL, &result, &error), wanted);
    assert_int_equal(result->tensors_made, made);
    assert_int_equal(result->tensors_blended, blended);
    verify_result_free(result);
    export_plan_free(plan);
    pair_close(pair);
}

static void flip_down_proj(void) {
    flip("out/model-00002-of-00002.safetensors", 3 + 160 + 384 - (2 * 24 + 5) * 2);
}

static void what_was_just_made_is_not_blended_again(void **state) {
    (void)state;
    verify_made(NULL, STATUS_OK, FIXTURE_TENSORS, FIXTURE_TENSORS);
}

static void what_is_no_longer_what_was_made_is(void **state) {
    (void)state;
    verify_made(flip_down_proj, STATUS_MISMATCH, FIXTURE_TENSORS - 1, FIXTURE_TENSORS - 1);
    verify_made(change_recipe, STATUS_MISMATCH, 0, 1); /* the integers are copied at any weight */
}

static void change_dial(void) {
    change_in_recipe("\"dial\":\t\"alp", 't');
}

static void change_input(void) {
    change_in_recipe("/base", 'a');
}

/* One bit that the disk turned in what no sum and no blending depends on. */
static void a_recipe_that_reads_back_otherwise_is_a_difference(void **state) {
    (void)state;
    verify_made(change_dial, STATUS_MISMATCH, 0, FIXTURE_TENSORS);
    verify_made(change_input, STATUS_MISMATCH, 0, 0); /* no inputs at hand, which alone is a note */
}

/* By another process, which has nothing but the recipe to go by. */
static void a_recipe_that_was_changed_breaks_its_seal(void **state) {
    (void)state;
    change_dial();
    expect_error("rejuvenation.json", "is not as it was written");
    change_in_recipe("\"dial\":\t\"alt", 'p');
    change_input();
    expect_error("rejuvenation.json", "is not as it was written");
}

/* How many differences verification finds, and how many of them are on the recipe's own text. */
static void expect_changes(size_t errors, size_t changes) {
    VerifyResult *result;
    Error error = {0};
    assert_int_equal(fixture_verify(&result, &error), errors > 0 ? STATUS_MISMATCH : STATUS_OK);
    assert_int_equal(finding_count(&result->findings, SEVERITY_ERROR), errors);
    assert_int_equal(result->recipe_changes, changes);
    verify_result_free(result);
}

static void a_recipe_that_was_changed_is_told_from_an_export_that_was(void **state) {
    (void)state;
    expect_changes(0, 0);
    change_dial();
    expect_changes(1, 1);
    flip("out/tokenizer.json", 4);
    expect_changes(2, 1);
}

/* All else is as it was, and nothing is sealed: the name alone tells. */
static void a_bit_in_the_name_of_the_seal_is_found(void **state) {
    (void)state;
    change_in_recipe("\"recipe_sha256", '7');
    expect_error("rejuvenation.json", "does not know: \"recipe_sha257\"");
    expect_changes(1, 1);
}

/* As versions wrote it that knew no seal, and as somebody leaves it who edits it on purpose. */
static void a_recipe_without_a_seal_is_taken_at_its_word(void **state) {
    (void)state;
    char *recipe = scratch_read("out/rejuvenation.json", NULL),
         *seal = strstr(recipe, ",\n\t\"recipe_sha256\"");
    assert_non_null(seal);
    memcpy(seal, "\n}", sizeof "\n}");
    scratch_write_text("out/rejuvenation.json", recipe);
    free(recipe);
    expect_changes(0, 0);
}

/* A later version may write what this one does not know: the seal says that it did. */
static void a_member_that_is_sealed_is_a_note(void **state) {
    (void)state;
    char *recipe = scratch_read("out/rejuvenation.json", NULL),
         *seal = strstr(recipe, ",\n\t\"recipe_sha256\"");
    assert_non_null(seal);
    char *later = memory_format("%.*s,\n\t\"later\":\t1\n}", (int)(seal - recipe), recipe);
    assert_int_equal(recipe_seal(&later, NULL), STATUS_OK);
    scratch_write_text("out/rejuvenation.json", later);
    free(later);
    free(recipe);
    VerifyResult *result;
    assert_int_equal(fixture_verify(&result, NULL), STATUS_OK);
    assert_true(fixture_has_finding(&result->findings, SEVERITY_NOTE, "rejuvenation.json", "\"later\""));
    verify_result_free(result);
}

static void inputs_that_are_not_at_hand_are_a_note(void **state) {
    (void)state;
    assert_int_equal(rename(scratch_path("base"), scratch_path("moved")), 0);
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_false(result->has_inputs);
    assert_int_equal(result->tensors_blended, 0);
    assert_int_equal(result->tensors_equal, FIXTURE_TENSORS);
    assert_true(fixture_has_finding(&result->findings, SEVERITY_NOTE, "inputs", "not at hand"));
    verify_result_free(result);
    VerifyOptions options = {.base_directory = scratch_path("moved")};
    if (verify_export(scratch_path("out"), &options, NULL, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(result->tensors_blended, FIXTURE_TENSORS);
    verify_result_free(result);
}

static void inputs_that_are_not_the_recipes_are_never_blended(void **state) {
    (void)state;
    flip("base/model.safetensors", 20);
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message); /* the export is whole */
    assert_false(result->has_inputs);
    assert_int_equal(result->input_files_equal, 1);
    verify_result_free(result);
    VerifyOptions options = {.base_directory = scratch_path("base")}; /* asked for by name */
    assert_int_equal(verify_export(scratch_path("out"), &options, NULL, &result, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "is not the recipe's input"));
    verify_result_free(result);
}

static void a_value_that_overflows_is_named_as_a_warning(void **state) {
    (void)state;
    /* BF16 0x477f is 65280, 0x4780 is 65536: beyond F16 */
    static const ScratchTensor ONE[] = {{"model.a", DTYPE_BF16, 2, {3, 4}, 1}};
    scratch_clear("out");
    scratch_write_checkpoint("base", ONE, 1, NULL);
    scratch_write_checkpoint("sft", ONE, 1, NULL);
    static const char *const SIDES[] = {"base/model.safetensors", "sft/model.safetensors"};
    for (int i = 0; i < 2; i++) {
        size_t size = 0;
        char *bytes = scratch_read(SIDES[i], &size);
        memcpy(bytes + size - 2 * (12 - 6), "\x80\x47", 2); /* row 1, column 2 */
        memcpy(bytes + size - 2, "\x80\x7f", 2);            /* an infinity that both had before */
        scratch_write(SIDES[i], bytes, size);
        free(bytes);
    }
    ExportOptions options = fixture_options();
    options.dtype = DTYPE_F16;
    fixture_export(&options);
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(result->nonfinite, 2);
    assert_int_equal(result->nonfinite_new, 1);
    assert_true(
        fixture_has_finding(&result->findings, SEVERITY_WARNING, "model.a", "row 1, column 2: inf (0x7c00)"));
    assert_true(
        fixture_has_finding(&result->findings, SEVERITY_WARNING, "weights",
                            "1 tensor holds 1 value that is NaN or infinite, as in the inputs: model.a (1)"));
    verify_result_free(result);
}

static void a_last_tensor_of_no_elements_is_verified_too(void **state) {
    (void)state;
    static const ScratchTensor TWO[] = {{"model.a", DTYPE_BF16, 2, {3, 4}, 1},
                                        {"model.b", DTYPE_BF16, 2, {0, 4}, 1}};
    scratch_clear("out");
    scratch_write_checkpoint("base", TWO, 2, NULL);
    scratch_write_checkpoint("sft", TWO, 2, NULL);
    ExportOptions options = fixture_options();
    fixture_export(&options);
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(result->tensors_equal, 2);
    assert_int_equal(result->tensors_blended, 2);
    verify_result_free(result);
}

static void a_directory_without_a_recipe_cannot_be_verified(void **state) {
    (void)state;
    scratch_clear("out/rejuvenation.json");
    VerifyResult *result;
    Error error = {0};
    assert_int_equal(fixture_verify(&result, &error), STATUS_IO);
    assert_null(result);
}

static void a_cancelled_verification_says_so(void **state) {
    (void)state;
    Job *job;
    VerifyResult *result;
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    assert_int_equal(verify_export(scratch_path("out"), &(VerifyOptions){0}, job, &result, NULL),
                     STATUS_CANCELLED);
    assert_null(result);
    job_free(job);
}

#define TEST(name) cmocka_unit_test_setup(name, export_pair)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_fresh_export_is_whole),
        TEST(a_changed_bit_is_found_in_its_row_and_column),
        TEST(a_changed_bit_is_found_without_the_inputs_too),
        TEST(a_recipe_of_other_settings_is_found_by_blending_again),
        TEST(other_files_are_compared_too),
        TEST(a_config_that_does_not_fit_the_weights_is_found),
        TEST(an_index_that_lies_is_found),
        TEST(weights_that_do_not_open_are_a_difference),
        TEST(the_mark_of_an_unfinished_export_is_found),
        TEST(tensors_too_many_or_too_few_are_found),
        TEST(what_was_just_made_is_not_blended_again),
        TEST(what_is_no_longer_what_was_made_is),
        TEST(a_recipe_that_reads_back_otherwise_is_a_difference),
        TEST(a_recipe_that_was_changed_breaks_its_seal),
        TEST(a_recipe_that_was_changed_is_told_from_an_export_that_was),
        TEST(a_bit_in_the_name_of_the_seal_is_found),
        TEST(a_recipe_without_a_seal_is_taken_at_its_word),
        TEST(a_member_that_is_sealed_is_a_note),
        TEST(inputs_that_are_not_at_hand_are_a_note),
        TEST(inputs_that_are_not_the_recipes_are_never_blended),
        TEST(a_value_that_overflows_is_named_as_a_warning),
        TEST(a_last_tensor_of_no_elements_is_verified_too),
        TEST(a_directory_without_a_recipe_cannot_be_verified),
        TEST(a_cancelled_verification_says_so),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
