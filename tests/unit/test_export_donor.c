/*
 * What goes along with the weights: everything that a loader reads, by the names that the libraries have for it; and
 * what is said of the rest.
 */
#include "tests/export_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static int make_pair(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    fixture_make_pair();
    return 0;
}

/* A file of SFT's, with the folder it lies in. */
static void put(const char *name, const char *text) {
    char path[256];
    (void)snprintf(path, sizeof path, "sft/%s", name);
    char *slash = strchr(path + sizeof "sft", '/');
    if (slash != NULL) {
        *slash = '\0';
        (void)mkdir(scratch_path(path), 0777); /* it may be there already */
        *slash = '/';
    }
    scratch_write_text(path, text);
}

static bool is_exported(const char *name) {
    char path[256];
    (void)snprintf(path, sizeof path, "out/%s", name);
    return scratch_has(path);
}

/* The plan's findings, as the caller's to free. */
static FindingList plan_findings(void) {
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    FindingList findings = plan->findings;
    plan->findings = (FindingList){0};
    export_plan_free(plan);
    pair_close(pair);
    return findings;
}

static void expect_finding(Severity severity, const char *subject, const char *text) {
    FindingList findings = plan_findings();
    if (!fixture_has_finding(&findings, severity, subject, text)) {
        for (size_t i = 0; i < findings.count; i++)
            print_message("%s: %s\n", findings.items[i].subject, findings.items[i].text);
        fail_msg("nothing about %s says: %s", subject, text);
    }
    finding_free(&findings);
}

static void expect_no_finding(const char *subject) {
    FindingList findings = plan_findings();
    for (size_t i = 0; i < findings.count; i++) assert_string_not_equal(findings.items[i].subject, subject);
    finding_free(&findings);
}

/* Names from transformers 5.24.0 (the vocab_files_names of its tokenizers, CHAT_TEMPLATE_DIR, the *_NAME of utils),
 * mistral_common (tekken.json, tokenizer.model.v3), Qwen's and rwkv's own code. */
static const char *const READ[] = {"generation_config.json",
                                   "tokenizer_config.json",
                                   "special_tokens_map.json",
                                   "added_tokens.json",
                                   "vocab.json",
                                   "merges.txt",
                                   "vocab.txt",
                                   "tokenizer.model",
                                   "tokenizer.model.v3",
                                   "tekken.json",
                                   "qwen.tiktoken",
                                   "spiece.model",
                                   "sentencepiece.bpe.model",
                                   "source.spm",
                                   "vocab-src.json",
                                   "entity_vocab.json",
                                   "rwkv_vocab_v20230424.txt",
                                   "bpe.codes",
                                   "prophetnet.tokenizer",
                                   "normalizer.json",
                                   "chat_template.json",
                                   "chat_template.jinja",
                                   "processor_config.json",
                                   "preprocessor_config.json",
                                   "video_preprocessor_config.json",
                                   "audio_tokenizer_config.json",
                                   "additional_chat_templates/tool_use.jinja",
                                   "additional_chat_templates/rag.jinja",
                                   "chat_templates/tool.jinja"};

static void everything_that_a_loader_reads_goes_along(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) put(READ[i], "{}");
    expect_no_finding("not copied");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) {
        if (!is_exported(READ[i])) fail_msg("%s is lost", READ[i]);
    }
    VerifyResult *result;
    Error error = {0};
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    verify_result_free(result);
    scratch_write_text("out/additional_chat_templates/rag.jinja", "changed");
    assert_int_equal(fixture_verify(&result, &error), STATUS_MISMATCH);
    assert_true(fixture_has_finding(&result->findings, SEVERITY_ERROR, "additional_chat_templates/rag.jinja",
                                    "expected 2 bytes"));
    verify_result_free(result);
}

static void chat_templates_that_go_along_are_recorded_and_others_of_the_other_side_warned_of(void **state) {
    (void)state;
    put("chat_template.jinja", "{{ bos_token }}ours");
    put("additional_chat_templates/rag.jinja", "R");
    put("tokenizer_config.json", "{\"bos_token\": \"<s>\"}");
    expect_no_finding("chat template");
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    const Recipe *recipe = plan->recipe;
    assert_int_equal(recipe->template_count, 2);
    assert_string_equal(recipe->templates[0].name, "default");
    assert_string_equal(recipe->templates[0].file, "chat_template.jinja");
    assert_string_equal(recipe->templates[1].name, "rag");
    assert_string_equal(recipe->templates[1].file, "additional_chat_templates/rag.jinja");
    char *text;
    assert_int_equal(recipe_format(recipe, &text, NULL), STATUS_OK);
    assert_non_null(strstr(text, "additional_chat_templates/rag.jinja"));
    free(text);
    export_plan_free(plan);
    pair_close(pair);
    scratch_write_text(
        "base/tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"{{ bos_token }}theirs\"}, "
        "{\"name\": \"tool_use\", \"template\": \"T\"}], \"bos_token\": \"<b>\"}");
    expect_finding(
        SEVERITY_WARNING, "chat template",
        "default goes along as SFT has it (chat_template.jinja); base's (tokenizer_config.json) is "
        "another");
    expect_finding(SEVERITY_WARNING, "chat template",
                   "SFT has none that is called tool_use; base's (tokenizer_config.json) does not go along");
    expect_finding(SEVERITY_WARNING, "chat template",
                   "bos_token, which templates write, is <s> in SFT, which goes along, and <b> in base");
    assert_int_equal(unlink(scratch_path("base/tokenizer_config.json")), 0);
}

/* An interrupted run left folders and files in the partial directory: the next one writes them anew. */
static void folders_that_are_there_already_do_no_harm(void **state) {
    (void)state;
    put("additional_chat_templates/rag.jinja", "{{ documents }}");
    ExportOptions options = fixture_options();
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(mkdir(scratch_path(".out.rejuv-partial"), 0777), 0);
    assert_int_equal(mkdir(scratch_path(".out.rejuv-partial/additional_chat_templates"), 0777), 0);
    scratch_write_text(".out.rejuv-partial/additional_chat_templates/rag.jinja", "half of i");
    assert_int_equal(export_run(plan, NULL, NULL), STATUS_OK);
    export_plan_free(plan);
    pair_close(pair);
    char *text = scratch_read("out/additional_chat_templates/rag.jinja", NULL);
    assert_non_null(text);
    assert_string_equal(text, "{{ documents }}");
    free(text);
}

static void what_is_not_copied_is_named_in_groups(void **state) {
    (void)state;
    static const char *const LEFT[] = {"optimizer.pt",
                                       "rng_state_0.pth",
                                       "rng_state_1.pth",
                                       "rng_state_10.pth",
                                       "trainer_state.json",
                                       "checkpoint-500/scheduler.pt",
                                       "checkpoint-1000/scheduler.pt",
                                       "modeling.py"};
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++) put(LEFT[i], "");
    put(".gitattributes", "");      /* hidden ones are nobody's loss */
    put("rejuvenation.json", "{}"); /* the export has its own */
    expect_finding(SEVERITY_NOTE, "not copied",
                   "checkpoint-*/ (2), modeling.py, optimizer.pt, rng_state_*.pth (3), trainer_state.json");
    FindingList findings = plan_findings();
    for (size_t i = 0; i < findings.count; i++) {
        assert_null(strstr(findings.items[i].text, ".gitattributes"));
        assert_null(strstr(findings.items[i].text, "rejuvenation.json"));
        assert_null(strstr(findings.items[i].text, "model.safetensors"));
    }
    finding_free(&findings);
    ExportOptions options = fixture_options();
    fixture_export(&options);
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++) assert_false(is_exported(LEFT[i]));
    for (char name[] = "log_a.txt"; name[4] <= 'j'; name[4]++) put(name, "");
    expect_finding(SEVERITY_NOTE, "not copied", "log_i.txt and 5 more");
}

static void code_goes_along_where_auto_map_names_it_with_a_warning(void **state) {
    (void)state;
    put("modeling_x.py", "");
    put("helpers.py", ""); /* what modeling_x imports */
    put("tokenizer_config.json",
        "{\"auto_map\": {\"AutoTokenizer\": [\"tokenization_x.XTokenizer\", null]}}");
    put("tokenization_x.py", "");
    expect_finding(SEVERITY_WARNING, "code", "3 files of code are copied");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    assert_true(is_exported("modeling_x.py") && is_exported("helpers.py") &&
                is_exported("tokenization_x.py"));
    assert_int_equal(unlink(scratch_path("sft/tokenization_x.py")), 0);
    expect_finding(SEVERITY_WARNING, "tokenizer_config.json", "auto_map names tokenization_x.py, which");
}

static void code_of_another_repository_is_not_copied_and_said(void **state) {
    (void)state;
    put("config.json", "{\"vocab_size\": 10, \"auto_map\": {\"AutoModel\": \"owner/name--modeling_x.X\"}}");
    put("unrelated.py", "");
    expect_finding(SEVERITY_NOTE, "config.json", "owner/name--modeling_x.X: code of another repository");
    expect_finding(SEVERITY_NOTE, "not copied", "unrelated.py");
    expect_no_finding("code");
}

static void modules_of_sentence_transformers_go_along_where_there_are_some(void **state) {
    (void)state;
    put("1_Pooling/config.json", "{}");
    put("sentence_bert_config.json", "{}");
    expect_finding(SEVERITY_NOTE, "not copied", "1_Pooling/, sentence_bert_config.json");
    put("modules.json", "[]");
    expect_no_finding("not copied");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    assert_true(is_exported("modules.json") && is_exported("1_Pooling/config.json"));
}

static void settings_alone_are_no_tokenizer(void **state) {
    (void)state;
    assert_int_equal(unlink(scratch_path("sft/tokenizer.json")), 0);
    put("generation_config.json", "{}");
    put("tokenizer_config.json", "{}");
    expect_finding(SEVERITY_WARNING, "tokenizer", "has none to copy");
    put("tekken.json", "{}");
    expect_no_finding("tokenizer");
}

static void expect_stand_in(const char *part, const char *text) {
    Pair *pair = fixture_open();
    ExportOptions options = fixture_options();
    ExportPlan *plan;
    Error error = {0};
    assert_int_equal(export_plan(pair, &options, &plan, &error), STATUS_IO);
    if (strstr(error.message, part) == NULL || strstr(error.message, text) == NULL)
        fail_msg("expected %s and %s in: %s", part, text, error.message);
    pair_close(pair);
}

static void what_only_stands_for_a_file_is_an_error_in_folders_too(void **state) {
    (void)state;
    static const char POINTER[] = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 17\n";
    put("additional_chat_templates/rag.jinja", POINTER);
    expect_stand_in("additional_chat_templates/rag.jinja", "git lfs pull");
    scratch_clear("sft/additional_chat_templates");
    assert_int_equal(symlink("../../blobs/gone", scratch_path("sft/additional_chat_templates")), 0);
    expect_stand_in("sft/additional_chat_templates", "which is not there");
    scratch_clear("sft/additional_chat_templates");
    assert_int_equal(symlink("../../blobs/gone", scratch_path("sft/preprocessor_config.json")), 0);
    expect_stand_in("sft/preprocessor_config.json", "which is not there");
    assert_int_equal(unlink(scratch_path("sft/preprocessor_config.json")), 0);
    assert_int_equal(symlink("../../blobs/gone", scratch_path("sft/optimizer.pt")), 0); /* nobody wants it */
    expect_finding(SEVERITY_NOTE, "not copied", "optimizer.pt");
}

/* Latin-1 for "é": the recipe could not name it. */
static void a_name_that_is_no_utf_8_is_not_copied_and_said(void **state) {
    (void)state;
    put("\xe9.jinja", "");
    put("additional_chat_templates/\xe9.jinja", "");
    expect_finding(SEVERITY_NOTE, "not copied", ".jinja");
    ExportOptions options = fixture_options();
    fixture_export(&options);
    assert_false(is_exported("\xe9.jinja"));
}

/* mergekit 0.1.5 splits a reference that is a text at + (LoRA) and at @ (revision), mergekit/common.py; one whose parts
 * are spelled out is taken as it is. */
static void mergekit_is_told_paths_that_it_reads_right(void **state) {
    (void)state;
    static const struct {
        const char *name, *form, *spelled;
    } CASES[] = {{"plain", "\"%s\"", "plain"},
                 {"sft+dpo", "{model: {path: \"%s\"}}", "sft+dpo"},
                 {"sft@main", "{model: {path: \"%s\"}}", "sft@main"},
                 {"caf\xc3\xa9", "\"%s\"", "caf\xc3\xa9"},
                 {"a\"b", "\"%s\"", "a\\\"b"},
                 {"a\xc2\x85z\x7f", "\"%s\"", "a\\u0085z\\u007f"},
                 {"caf\xe9", "\"%s\"", "caf\xEF\xBF\xBD"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char path[256], wanted[1200], *root = realpath(scratch_path(""), NULL);
        Pair *pair;
        (void)snprintf(path, sizeof path, "%s/%s", root, CASES[i].spelled);
        (void)snprintf(wanted, sizeof wanted, "  - model: ");
        (void)snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), CASES[i].form, path);
        assert_int_equal(rename(scratch_path("sft"), scratch_path(CASES[i].name)), 0);
        assert_int_equal(pair_open(scratch_path("base"), scratch_path(CASES[i].name), &pair, NULL),
                         STATUS_OK);
        ExportOptions options = fixture_options();
        ExportPlan *plan = fixture_plan(pair, &options);
        const char *yaml = NULL;
        for (size_t s = 0; s < plan->sidecar_count; s++) {
            if (strcmp(plan->sidecars[s].name, "mergekit.yaml") == 0) yaml = plan->sidecars[s].text;
        }
        assert_non_null(yaml);
        if (strstr(yaml, wanted) == NULL) fail_msg("expected %s in:\n%s", wanted, yaml);
        export_plan_free(plan);
        pair_close(pair);
        assert_int_equal(rename(scratch_path(CASES[i].name), scratch_path("sft")), 0);
        free(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_that_a_loader_reads_goes_along, make_pair),
        cmocka_unit_test_setup(
            chat_templates_that_go_along_are_recorded_and_others_of_the_other_side_warned_of, make_pair),
        cmocka_unit_test_setup(folders_that_are_there_already_do_no_harm, make_pair),
        cmocka_unit_test_setup(what_is_not_copied_is_named_in_groups, make_pair),
        cmocka_unit_test_setup(code_goes_along_where_auto_map_names_it_with_a_warning, make_pair),
        cmocka_unit_test_setup(code_of_another_repository_is_not_copied_and_said, make_pair),
        cmocka_unit_test_setup(modules_of_sentence_transformers_go_along_where_there_are_some, make_pair),
        cmocka_unit_test_setup(settings_alone_are_no_tokenizer, make_pair),
        cmocka_unit_test_setup(what_only_stands_for_a_file_is_an_error_in_folders_too, make_pair),
        cmocka_unit_test_setup(a_name_that_is_no_utf_8_is_not_copied_and_said, make_pair),
        cmocka_unit_test_setup(mergekit_is_told_paths_that_it_reads_right, make_pair),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
