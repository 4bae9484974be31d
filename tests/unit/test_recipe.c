#include "core/json.h"
#include "core/recipe.h"
#include "tests/scratch.h"

static const char SUM[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static Recipe *make_recipe(void) {
    Recipe *recipe;
    assert_int_equal(recipe_create(&recipe, NULL), STATUS_OK);
    recipe->settings.alpha = 0.1 + 0.2; /* not 0.3: seventeen digits or nothing */
    recipe->dtype = DTYPE_BF16;
    recipe->shard_bytes = 5000000000;
    recipe->donor = DONOR_BASE;
    recipe->base.directory = memory_format("a \"base\"\n");
    recipe->sft.directory = memory_format("sft");
    recipe->tensors = memory_allocate(2, sizeof *recipe->tensors);
    recipe->tensor_count = 2;
    for (size_t i = 0; i < 2; i++) {
        RecipeTensor *tensor = &recipe->tensors[i];
        tensor->name = memory_format("tensor.%zu", i);
        tensor->dtype = i == 0 ? DTYPE_F16 : DTYPE_I64;
        tensor->rank = (unsigned)i * 2; /* a scalar and a matrix */
        tensor->shape[0] = 151936;
        tensor->shape[1] = (uint64_t)1 << 40;
        memcpy(tensor->sha256, SUM, sizeof SUM);
    }
    assert_int_equal(recipe_add_file(&recipe->base.files, "model.safetensors", 7, SUM, NULL), STATUS_OK);
    assert_int_equal(recipe_add_file(&recipe->sft.files, "model.safetensors", 8, SUM, NULL), STATUS_OK);
    assert_int_equal(recipe_add_file(&recipe->files, "chat_templates/a.jinja", 9, SUM, NULL), STATUS_OK);
    return recipe;
}

__attribute__((noinline)) static char *format(const Recipe *recipe) {
    char *text;
    assert_int_equal(recipe_format(recipe, &text, NULL), STATUS_OK);
    return text;
}

static void what_is_read_is_what_was_written(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(read->settings.alpha == 0.1 + 0.2);
    assert_int_equal(read->dtype, DTYPE_BF16);
    assert_int_equal(read->shard_bytes, 5000000000);
    assert_int_equal(read->donor, DONOR_BASE);
    assert_string_equal(read->base.directory, recipe->base.directory);
    assert_int_equal(read->tensor_count, 2);
    assert_int_equal(read->tensors[0].rank, 0);
    assert_int_equal(read->tensors[1].shape[1], (uint64_t)1 << 40);
    char *again = format(read);
    assert_string_equal(again, text);
    free(again);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void every_type_to_write_has_a_name_and_keep_is_one(void **state) {
    (void)state;
    static const DType DTYPES[] = {DTYPE_UNKNOWN, DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        Recipe *recipe = make_recipe(), *read;
        recipe->dtype = DTYPES[i];
        char *text = format(recipe);
        scratch_write_text("recipe.json", text);
        assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
        assert_int_equal(read->dtype, DTYPES[i]);
        free(text);
        recipe_free(read);
        recipe_free(recipe);
    }
}

/* The recipe with `from` replaced by `to` is refused with `status`, and the message says `word`. */
static void expect_refusal(const char *from, const char *to, Status status, const char *word) {
    Recipe *recipe = make_recipe(), *read;
    char *text = format(recipe);
    const char *at = strstr(text, from);
    if (at == NULL) fail_msg("the recipe does not contain %s", from);
    char *changed = memory_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    scratch_write_text("recipe.json", changed);
    Error error = {0};
    Status found = recipe_read(scratch_path("recipe.json"), &read, &error);
    if (found != status || strstr(error.message, word) == NULL)
        fail_msg("%s → %s: %s: %s", from, to, status_name(found), error.message);
    assert_null(read);
    free(changed);
    free(text);
    recipe_free(recipe);
}

static void a_recipe_that_is_not_whole_is_refused(void **state) {
    (void)state;
    expect_refusal("rejuv-recipe", "other", STATUS_FORMAT, "format");
    expect_refusal("{", "", STATUS_FORMAT, "recipe.json");
    expect_refusal("\"alpha\":\t0.30000000000000004", "\"alpha\":\t\"NaN\"", STATUS_FORMAT, "alpha");
    expect_refusal("\"alpha\":\t0.30000000000000004", "\"alpha\":\t1e999", STATUS_FORMAT, "alpha");
    expect_refusal("\"dtype\":\t\"BF16\"", "\"dtype\":\t\"I64\"", STATUS_FORMAT, "dtype");
    expect_refusal("5000000000", "-1", STATUS_FORMAT, "shard_bytes");
    expect_refusal("\"donor\":\t\"base\"", "\"donor\":\t\"x\"", STATUS_FORMAT, "donor");
    expect_refusal("tensor.1", "tensor.0", STATUS_FORMAT, "twice");
    expect_refusal("\"I64\"", "\"I65\"", STATUS_FORMAT, "dtype");
    expect_refusal("151936", "1.5", STATUS_FORMAT, "shape");
    expect_refusal("151936", "1, 1, 1, 1, 1, 1, 1, 1", STATUS_FORMAT, "shape");
    expect_refusal(SUM, "ba78", STATUS_FORMAT, "sha256");
    expect_refusal("\"bytes\":\t8", "\"bytes\":\t-8", STATUS_FORMAT, "bytes");
    expect_refusal("\"inputs\"", "\"outputs\"", STATUS_FORMAT, "base");
}

static void a_file_name_that_leaves_its_directory_is_refused(void **state) {
    (void)state;
    static const char *const NAMES[] = {"../a", "/etc/passwd", "a/../../b", "a//b", ".", "", "a/"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        expect_refusal("chat_templates/a.jinja", NAMES[i], STATUS_FORMAT, "within the directory");
}

static void what_a_later_version_wrote_is_refused_by_name(void **state) {
    (void)state;
    expect_refusal("\"format_version\":\t1", "\"format_version\":\t2", STATUS_UNSUPPORTED, "version 1");
    expect_refusal("\"settings\":\t{", "\"settings\":\t{\"rho\": 0.01,", STATUS_UNSUPPORTED, "rho");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(every_type_to_write_has_a_name_and_keep_is_one),
        cmocka_unit_test(a_recipe_that_is_not_whole_is_refused),
        cmocka_unit_test(a_file_name_that_leaves_its_directory_is_refused),
        cmocka_unit_test(what_a_later_version_wrote_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
