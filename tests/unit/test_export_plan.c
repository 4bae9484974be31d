/* What export_plan() decides; nothing is written but by the runs whose files are looked at. */
#include "core/files/json.h"
#include "tests/export_fixture.h"

static int make_pair(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    fixture_make_pair();
    return 0;
}

static void one_file_keeps_the_name_and_order_of_the_sft_model(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(plan->shard_count, 1);
    assert_string_equal(plan->shards[0].name, "model.safetensors");
    assert_int_equal(plan->tensor_count, FIXTURE_TENSORS);
    for (size_t i = 0; i < plan->tensor_count; i++)
        assert_string_equal(plan->tensors[i].source->name, FIXTURE_SFT[i].name);
    assert_int_equal(plan->weight_bytes, 32 + 160 + 384 + 384 + 160 + 3);
    assert_int_equal(plan->main_dtype, DTYPE_BF16);
    assert_int_equal(plan->kept_bytes, 0);
    assert_int_equal(export_check(plan, NULL), STATUS_OK);
    export_plan_free(plan);
    pair_close(pair);
}

static void a_plan_writes_nothing(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    export_plan_free(fixture_plan(pair, &options));
    assert_false(scratch_has("out"));
    assert_false(scratch_has(".out.rejuv-partial"));
    pair_close(pair);
}

static void every_tensor_keeps_its_type_unless_one_is_asked_for(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    for (size_t i = 0; i < plan->tensor_count; i++)
        assert_int_equal(plan->tensors[i].dtype, FIXTURE_SFT[i].dtype);
    export_plan_free(plan);
    options.dtype = DTYPE_F16;
    plan = fixture_plan(pair, &options);
    for (size_t i = 0; i + 1 < plan->tensor_count; i++) assert_int_equal(plan->tensors[i].dtype, DTYPE_F16);
    assert_int_equal(plan->tensors[FIXTURE_TENSORS - 1].dtype, DTYPE_U8); /* a buffer is copied */
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, "dtype", "65504"));
    export_plan_free(plan);
    pair_close(pair);
}

static void types_that_cannot_be_written_become_wider_ones_and_are_named(void **state) {
    (void)state;
    static const ScratchTensor WIDE[] = {{"model.a", DTYPE_F64, 2, {4, 4}, 1},
                                         {"model.b", DTYPE_F8_E4M3, 2, {4, 4}, 2},
                                         {"model.c", DTYPE_F8_E5M2, 2, {4, 4}, 3}};
    scratch_write_checkpoint("base", WIDE, 3, FIXTURE_CONFIG);
    scratch_write_checkpoint("sft", WIDE, 3, FIXTURE_CONFIG);
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(plan->tensors[0].dtype, DTYPE_F32);
    assert_int_equal(plan->tensors[1].dtype, DTYPE_BF16);
    assert_int_equal(plan->tensors[2].dtype, DTYPE_BF16);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, "dtype", "1 tensors are F64"));
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, "dtype", "2 tensors are F8"));
    export_plan_free(plan);
    pair_close(pair);
    fixture_export(&options);
    VerifyResult *result;
    assert_int_equal(fixture_verify(&result, NULL), STATUS_OK);
    assert_int_equal(result->tensors_blended, 3);
    verify_result_free(result);
}

static void shards_hold_at_most_what_was_asked_for_unless_a_tensor_is_larger(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    options.shard_bytes = 200; /* 32 + 160 | 384 | 384 | 160 + 3 */
    ExportPlan *plan = fixture_plan(pair, &options);
    static const size_t COUNTS[] = {2, 1, 1, 2};
    assert_int_equal(plan->shard_count, 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(plan->shards[i].count, COUNTS[i]);
    assert_string_equal(plan->shards[3].name, "model-00004-of-00004.safetensors");
    export_plan_free(plan);
    options.shard_bytes = 192;
    plan = fixture_plan(pair, &options);
    assert_int_equal(plan->shards[0].count, 2); /* exactly full */
    export_plan_free(plan);
    options.shard_bytes = 191;
    plan = fixture_plan(pair, &options);
    assert_int_equal(plan->shards[0].count, 1);
    export_plan_free(plan);
    pair_close(pair);
}

static void the_planned_sizes_are_the_written_ones(void **state) {
    (void)state;
    for (uint64_t shard_bytes = 0; shard_bytes < 600; shard_bytes += 200) {
        scratch_clear("out");
        Pair *pair = fixture_open();
        ExportOptions options = fixture_options();
        options.shard_bytes = shard_bytes;
        ExportPlan *plan = fixture_plan(pair, &options);
        uint64_t total = 0;
        Error error = {0};
        if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
        struct stat facts;
        char name[256];
        for (size_t i = 0; i < plan->shard_count + plan->sidecar_count; i++) {
            bool is_shard = i < plan->shard_count;
            const ExportSidecar *sidecar = is_shard ? NULL : &plan->sidecars[i - plan->shard_count];
            (void)snprintf(name, sizeof name, "out/%s", is_shard ? plan->shards[i].name : sidecar->name);
            assert_int_equal(stat(scratch_path(name), &facts), 0);
            assert_int_equal(facts.st_size, is_shard ? plan->shards[i].file_bytes : sidecar->bytes);
            total += (uint64_t)facts.st_size;
        }
        assert_int_equal(total, plan->total_bytes);
        export_plan_free(plan);
        pair_close(pair);
    }
}

static void a_tensor_that_would_be_misaligned_moves_behind_wider_ones(void **state) {
    (void)state;
    static const ScratchTensor ODD[] = {{"model.a", DTYPE_BF16, 1, {3}, 1},
                                        {"model.b", DTYPE_U8, 1, {3}, 2},
                                        {"model.c", DTYPE_F32, 1, {2}, 3},
                                        {"model.d", DTYPE_BF16, 1, {1}, 4}};
    scratch_write_checkpoint("base", ODD, 4, NULL);
    scratch_write_checkpoint("sft", ODD, 4, NULL);
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    static const char *const ORDER[] = {"model.c", "model.a", "model.d", "model.b"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(plan->tensors[i].source->name, ORDER[i]);
        assert_int_equal(plan->tensors[i].offset % dtype_size(plan->tensors[i].dtype), 0);
    }
    assert_int_equal((plan->shards[0].file_bytes - plan->shards[0].data_bytes) % 8, 0);
    export_plan_free(plan);
    pair_close(pair);
    fixture_export(&options);
}

/* ---- the target ---- */

static void expect_refused_path(const char *path, const char *text) {
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    options.directory = path;
    ExportPlan *plan = fixture_plan(pair, &options);
    Error error = {0};
    assert_int_equal(export_check(plan, &error), STATUS_ARGUMENT);
    if (strstr(error.message, text) == NULL) fail_msg("%s: %s", path, error.message);
    assert_int_equal(export_run(plan, NULL, &error), STATUS_ARGUMENT);
    export_plan_free(plan);
    pair_close(pair);
}

static void expect_refused_target(const char *name, const char *text) {
    expect_refused_path(scratch_path(name), text);
}

static void a_target_that_exists_is_not_touched(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch_path("out"), 0777), 0);
    scratch_write_text("out/precious", "1");
    expect_refused_target("out", "nothing is overwritten");
    expect_refused_target("out/", "nothing is overwritten");
    expect_refused_target("out/precious", "found a file");
    scratch_write_text("out/rejuvenation.json", "{}");
    expect_refused_target("out", "found an export: nothing is overwritten; `rejuv verify` says");
    expect_refused_path("/proc", "found a mounted volume");
    scratch_clear("link");
    assert_int_equal(symlink("nowhere", scratch_path("link")), 0);
    expect_refused_target("link", "found a symbolic link");
    expect_refused_target("sft", "nothing is overwritten");
    expect_refused_target("none/out", "cannot be reached");
    assert_true(scratch_has("out/precious"));
}

static void an_empty_directory_is_a_target(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch_path("out"), 0777), 0);
    ExportOptions options = fixture_options();
    options.directory = scratch_path("out///");
    fixture_export(&options);
    assert_true(scratch_has("out/model.safetensors"));
}

static void expect_bad_options(const ExportOptions *options, Status status, const char *text) {
    Pair *pair = fixture_open();
    ExportPlan *plan;
    Error error = {0};
    Status found = export_plan(pair, options, &plan, &error);
    if (found != status || strstr(error.message, text) == NULL)
        fail_msg("%s: %s", status_name(found), error.message);
    assert_null(plan);
    pair_close(pair);
}

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const char *const NAMES[] = {"", "/", ".", "..", "a/..", "a/."};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        ExportOptions options = fixture_options();
        options.directory = NAMES[i];
        expect_bad_options(&options, STATUS_ARGUMENT, "new directory");
    }
    ExportOptions options = fixture_options();
    options.dtype = DTYPE_F8_E4M3;
    expect_bad_options(&options, STATUS_ARGUMENT, "F8_E4M3");
    options = fixture_options();
    options.settings.alpha = (double)strtof("nan", NULL);
    expect_bad_options(&options, STATUS_ARGUMENT, "alpha");
}

static void models_that_cannot_be_fused_are_refused_by_the_plan(void **state) {
    (void)state;
    ScratchTensor other[FIXTURE_TENSORS];
    memcpy(other, FIXTURE_SFT, sizeof other);
    other[2].shape[0] = 23;
    scratch_write_checkpoint("base", other, FIXTURE_TENSORS, FIXTURE_CONFIG);
    ExportOptions options = fixture_options();
    expect_bad_options(&options, STATUS_MISMATCH, "model.layers.0.mlp.up_proj.weight");
}

static void an_alpha_beyond_both_models_is_a_warning(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    options.settings.alpha = 1.25;
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_WARNING, "alpha", "1.25"));
    export_plan_free(plan);
    pair_close(pair);
}

/* ---- config.json and the donor's files ---- */

static void expect_config(const ExportOptions *options, const char *wanted) {
    scratch_clear("out");
    fixture_export(options);
    char *config = scratch_read("out/config.json", NULL);
    assert_non_null(config);
    assert_string_equal(config, wanted);
    free(config);
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    verify_result_free(result);
}

static void a_config_that_fits_is_copied_to_the_byte(void **state) {
    (void)state;
    ExportOptions options = fixture_options();
    expect_config(&options, FIXTURE_CONFIG);
}

static void the_written_type_is_stated_in_the_spelling_of_the_donor(void **state) {
    (void)state;
    ExportOptions options = fixture_options();
    options.dtype = DTYPE_F32;
    scratch_write_text("sft/config.json",
                       "{\"vocab_size\": 10, \"torch_dtype\": \"bfloat16\", \"eps\": 1e-05}");
    expect_config(&options, "{\"vocab_size\": 10, \"torch_dtype\": \"float32\", \"eps\": 1e-05}");
    scratch_write_text("sft/config.json", "{\"vocab_size\": 10, \"dtype\": \"bfloat16\"}");
    expect_config(&options, "{\"vocab_size\": 10, \"dtype\": \"float32\"}");
    scratch_write_text("sft/config.json", "{\"vocab_size\": 10}");
    expect_config(&options, "{\"vocab_size\": 10,\"torch_dtype\": \"float32\"}");
}

static void the_vocabulary_is_what_the_embedding_has(void **state) {
    (void)state;
    ScratchTensor larger[FIXTURE_TENSORS];
    memcpy(larger, FIXTURE_SFT, sizeof larger);
    larger[1].shape[0] = larger[4].shape[0] = 13;
    scratch_write_checkpoint("sft", larger, FIXTURE_TENSORS, FIXTURE_CONFIG);
    ExportOptions options = fixture_options();
    options.donor = DONOR_BASE; /* which has ten */
    scratch_write_text("base/config.json", "{\"vocab_size\": 10, \"torch_dtype\": \"bfloat16\"}");
    expect_config(&options, "{\"vocab_size\": 13, \"torch_dtype\": \"bfloat16\"}");
}

static void a_head_of_its_own_unties_the_config(void **state) {
    (void)state;
    static const char TIED[] = "{\"vocab_size\": 10, \"tie_word_embeddings\": true, \"dtype\": \"bfloat16\"}";
    static const char UNTIED[] =
        "{\"vocab_size\": 10, \"tie_word_embeddings\": false, \"dtype\": \"bfloat16\"}";
    static const Donor DONORS[] = {DONOR_SFT, DONOR_BASE};
    scratch_write_checkpoint("sft", FIXTURE_SFT, 4, TIED); /* without lm_head and counter */
    scratch_write_checkpoint("base", FIXTURE_SFT, 5, UNTIED);
    for (int i = 0; i < 2; i++) {
        ExportOptions options = fixture_options();
        options.donor = DONORS[i];
        expect_config(&options, UNTIED);
        Checkpoint *export;
        assert_int_equal(checkpoint_open(scratch_path("out"), &export, NULL), STATUS_OK);
        const Tensor *head = checkpoint_find_tensor(export, "lm_head.weight");
        assert_non_null(head);
        assert_int_equal(head->rows, 10);
        checkpoint_close(export);
    }
}

static void two_tied_models_stay_tied_whatever_the_donor_says(void **state) {
    (void)state;
    static const char TIED[] = "{\"vocab_size\": 10, \"tie_word_embeddings\": true, \"dtype\": \"bfloat16\"}";
    scratch_write_checkpoint("sft", FIXTURE_SFT, 4, TIED);
    scratch_write_checkpoint("base", FIXTURE_SFT, 4, TIED);
    ExportOptions options = fixture_options();
    expect_config(&options, TIED);
    scratch_write_text("base/config.json", "{\"vocab_size\": 10, \"dtype\": \"bfloat16\"}");
    options.donor = DONOR_BASE;
    expect_config(&options, "{\"vocab_size\": 10, \"dtype\": \"bfloat16\", \"tie_word_embeddings\": true}");
}

static void a_missing_config_is_a_warning(void **state) {
    (void)state;
    scratch_clear("sft/config.json");
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_WARNING, "config.json", "will not load"));
    export_plan_free(plan);
    pair_close(pair);
}

static void expect_file(const char *name, const char *wanted) {
    char *text = scratch_read(name, NULL);
    if (text == NULL) fail_msg("%s is missing", name);
    assert_string_equal(text, wanted);
    free(text);
}

static void tokenizer_and_templates_come_from_the_donor(void **state) {
    (void)state;
    scratch_write_text("sft/chat_template.jinja", "{{ template }}");
    assert_int_equal(mkdir(scratch_path("sft/chat_templates"), 0777), 0);
    scratch_write_text("sft/chat_templates/tool_use.jinja", "{{ tools }}");
    scratch_write_text("sft/chat_templates/.hidden.jinja", "no");
    scratch_write_text("sft/chat_templates/notes.txt", "no");
    scratch_write_text("sft/modeling.py", "no");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    expect_file("out/tokenizer.json", "{\"of\": \"sft\"}");
    expect_file("out/chat_template.jinja", "{{ template }}");
    expect_file("out/chat_templates/tool_use.jinja", "{{ tools }}");
    assert_false(scratch_has("out/chat_templates/.hidden.jinja"));
    assert_false(scratch_has("out/chat_templates/notes.txt"));
    assert_false(scratch_has("out/modeling.py"));
    assert_false(scratch_has("out/rejuv-partial.json"));
    scratch_clear("out");
    options.donor = DONOR_BASE;
    fixture_export(&options);
    expect_file("out/tokenizer.json", "{\"of\": \"the base\"}");
    assert_false(scratch_has("out/chat_template.jinja"));
}

static void the_only_tokenizer_of_newer_mistral_models_goes_with_the_weights(void **state) {
    (void)state;
    scratch_clear("sft/tokenizer.json");
    scratch_write_text("sft/tekken.json", "{\"vocab\": []}");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    expect_file("out/tekken.json", "{\"vocab\": []}");
}

static void a_tokenizer_that_only_stands_for_one_is_not_exported(void **state) {
    (void)state;
    static const char POINTER[] =
        "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 17209920\n";
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan;
    Error error;
    scratch_write_text("sft/tokenizer.json", POINTER);
    assert_int_equal(export_plan(pair, &options, &plan, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "run git lfs pull"));
    assert_null(plan);
    scratch_clear("sft/tokenizer.json");
    assert_int_equal(symlink("../../blobs/0123abcd", scratch_path("sft/tokenizer.json")), 0);
    assert_int_equal(export_plan(pair, &options, &plan, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "a link to ../../blobs/0123abcd, which is not there"));
    assert_null(plan);
    pair_close(pair);
}

static void the_index_names_the_shard_of_every_tensor(void **state) {
    (void)state;
    ExportOptions options = fixture_options();
    options.shard_bytes = 600;
    fixture_export(&options);
    expect_file("out/model.safetensors.index.json",
                "{\n  \"metadata\": {\n    \"total_size\": 1123\n  },\n  \"weight_map\": {\n"
                "    \"lm_head.weight\": \"model-00002-of-00002.safetensors\",\n"
                "    \"model.counter\": \"model-00002-of-00002.safetensors\",\n"
                "    \"model.embed_tokens.weight\": \"model-00001-of-00002.safetensors\",\n"
                "    \"model.layers.0.input_layernorm.weight\": \"model-00001-of-00002.safetensors\",\n"
                "    \"model.layers.0.mlp.down_proj.weight\": \"model-00002-of-00002.safetensors\",\n"
                "    \"model.layers.0.mlp.up_proj.weight\": \"model-00001-of-00002.safetensors\"\n  }\n}\n");
}

static void the_mergekit_file_has_the_weights_in_full_and_says_what_it_lacks(void **state) {
    (void)state;
    ExportOptions options = fixture_options();
    options.settings.alpha = 1e-5;
    fixture_export(&options);
    char *yaml = scratch_read("out/mergekit.yaml", NULL);
    assert_non_null(yaml);
    const char *first = strstr(yaml, "weight: 1.0000000000000001e-05\n");
    const char *second = strstr(yaml, "weight: 0.99999000000000005\n");
    assert_true(first != NULL && second != NULL && first < second); /* SFT first */
    assert_non_null(strstr(yaml, "normalize: false\ndtype: float32\nout_dtype: bfloat16\n"));
    assert_non_null(strstr(yaml, "# Not in it: 1 tensors that are copied from SFT."));
    assert_non_null(strstr(yaml, "# Not in it: 2 tensors are written in another type than out_dtype."));
    free(yaml);
}

#define TEST(name) cmocka_unit_test_setup(name, make_pair)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_file_keeps_the_name_and_order_of_the_sft_model),
        TEST(a_plan_writes_nothing),
        TEST(every_tensor_keeps_its_type_unless_one_is_asked_for),
        TEST(types_that_cannot_be_written_become_wider_ones_and_are_named),
        TEST(shards_hold_at_most_what_was_asked_for_unless_a_tensor_is_larger),
        TEST(the_planned_sizes_are_the_written_ones),
        TEST(a_tensor_that_would_be_misaligned_moves_behind_wider_ones),
        TEST(a_target_that_exists_is_not_touched),
        TEST(an_empty_directory_is_a_target),
        TEST(options_that_make_no_sense_are_refused),
        TEST(models_that_cannot_be_fused_are_refused_by_the_plan),
        TEST(an_alpha_beyond_both_models_is_a_warning),
        TEST(a_config_that_fits_is_copied_to_the_byte),
        TEST(the_written_type_is_stated_in_the_spelling_of_the_donor),
        TEST(the_vocabulary_is_what_the_embedding_has),
        TEST(a_head_of_its_own_unties_the_config),
        TEST(two_tied_models_stay_tied_whatever_the_donor_says),
        TEST(a_missing_config_is_a_warning),
        TEST(tokenizer_and_templates_come_from_the_donor),
        TEST(the_only_tokenizer_of_newer_mistral_models_goes_with_the_weights),
        TEST(a_tokenizer_that_only_stands_for_one_is_not_exported),
        TEST(the_index_names_the_shard_of_every_tensor),
        TEST(the_mergekit_file_has_the_weights_in_full_and_says_what_it_lacks),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
