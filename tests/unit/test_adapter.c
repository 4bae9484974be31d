/*
 * Adapters that are refused, and by which name; whose tokenizer is whose; what is said of one that is opened.
 *
 * That an adapter's values are right is golden/test_adapters.
 */
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/adapter_pattern.h"
#include "core/checkpoint/pair.h"
#include "core/files/json.h"
#include "scratch.h"

#include <string.h>

#define BASE   TESTS_DIR "/golden/adapters/bases/llama"
#define MODULE "base_model.model.model.layers.0.self_attn.q_proj"

/* ---- making one ---- */

/* Factors of rank 2 for the 16 × 16 matrix of q_proj. */
#define FACTOR(name, rows, columns, begin, end)                                                              \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[" #rows "," #columns "],\"data_offsets\":[" #begin "," #end  \
    "]}"
#define FACTORS                                                                                              \
    FACTOR(MODULE ".lora_A.weight", 2, 16, 0, 128) "," FACTOR(MODULE ".lora_B.weight", 16, 2, 128, 256)

/* The caller frees the path. */
static char *make_adapter(const char *name, const char *settings, const char *header, size_t bytes) {
    char *folder = memory_format("%s/", name), *path = scratch_path(folder);
    char *config = memory_format("%s/adapter_config.json", name);
    char *weights = memory_format("%s/adapter_model.safetensors", name);
    assert_true(folder != NULL && config != NULL && weights != NULL);
    scratch_write_text(config, settings);
    scratch_write_safetensors(weights, header, bytes);
    free(folder);
    free(config);
    free(weights);
    return path;
}

#define SETTINGS(more) "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4" more "}"

static void must_refuse(const char *name, const char *settings, const char *header, size_t bytes,
                        const char *says) {
    Pair *pair;
    Error error = {0};
    char *path = make_adapter(name, settings, header, bytes);
    assert_int_not_equal(pair_open(BASE, path, &pair, &error), STATUS_OK);
    free(path);
    if (strstr(error.message, says) == NULL)
        fail_msg("%s: expected \"%s\", found \"%s\"", name, says, error.message);
}

/* ---- settings ---- */

static const struct {
    const char *name, *settings, *says;
} REFUSED[] = {
    {"ia3", "{\"peft_type\": \"IA3\"}", "found peft_type \"IA3\"; python -c"},
    {"adalora", "{\"peft_type\": \"ADALORA\"}", "found peft_type \"ADALORA\""},
    {"later", "{\"peft_type\": \"NOT_YET\"}", "found peft_type \"NOT_YET\""},
    {"prompt", "{\"peft_type\": \"PROMPT_TUNING\"}",
     "PROMPT_TUNING, which PEFT cannot merge into weights either"},
    {"none", "{}", "expected \"peft_type\" in adapter_config.json"},
    {"void", "", "adapter_config.json: is empty"},
    {"array", "[]", "expected a JSON object"},
    {"text", "LORA ", "adapter_config.json"},
    {"pissa", SETTINGS(", \"init_lora_weights\": \"pissa_niter_4\""),
     "PiSSA began by changing the base model"},
    {"olora", SETTINGS(", \"init_lora_weights\": \"OLoRA\""), "OLoRA began by changing"},
    {"corda", SETTINGS(", \"init_lora_weights\": \"corda\""), "CorDA began by changing"},
    {"loftq", SETTINGS(", \"init_lora_weights\": \"loftq\""), "LoftQ began by changing"},
    {"lora-ga", SETTINGS(", \"init_lora_weights\": \"lora_ga\""), "LoRA-GA began by changing"},
    {"init", SETTINGS(", \"init_lora_weights\": \"new\""), "init_lora_weights \"new\" is not known"},
    {"alora", SETTINGS(", \"alora_invocation_tokens\": [1]"), "an activated LoRA"},
    {"layers", SETTINGS(", \"layer_replication\": [[0, 1]]"), "layer_replication"},
    {"new", SETTINGS(", \"use_new\": true"),
     "\"use_new\" of adapter_config.json is switched on, and is not known"},
    {"new-config", SETTINGS(", \"new_config\": {\"a\": 1}"), "\"new_config\""},
    {"alpha", "{\"peft_type\": \"LORA\", \"r\": 2}", "expected a number \"lora_alpha\""},
    {"alpha-text", "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": \"4\"}",
     "expected a number \"lora_alpha\""},
    {"pattern", SETTINGS(", \"alpha_pattern\": {\"(?i)q\": 1}"), "a group of a special kind"},
    {"pattern-value", SETTINGS(", \"alpha_pattern\": {\"q_proj\": \"1\"}"),
     "alpha_pattern \"q_proj\": expected a number"},
    {"pattern-list", SETTINGS(", \"alpha_pattern\": [2]"), "expected an object \"alpha_pattern\""},
    {"pattern-lists", SETTINGS(", \"alpha_pattern\": [[2]]"), "expected an object \"alpha_pattern\""},
    {"pattern-number", SETTINGS(", \"rank_pattern\": 2"), "expected an object \"rank_pattern\""},
    {"dora", SETTINGS(", \"use_dora\": true"), "magnitudes are there for DoRA, and for it alone"},
};

static void a_kind_that_is_no_sum_of_base_and_a_product_is_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        must_refuse(REFUSED[i].name, REFUSED[i].settings, "{" FACTORS "}", 256, REFUSED[i].says);
}

static void what_can_be_put_on_no_base_is_refused_before_base_is_opened(void **state) {
    (void)state;
    Checkpoint *sft;
    Error error = {0};
    char *path = make_adapter("any-base", "{\"peft_type\": \"IA3\"}", "{" FACTORS "}", 256);
    assert_int_equal(adapter_open("/nowhere", path, &sft, &error), STATUS_UNSUPPORTED);
    assert_null(sft);
    assert_non_null(strstr(error.message, "found peft_type \"IA3\""));
    free(path);
}

/* A later PEFT's new settings, switched off, are no reason. */
static void settings_that_say_nothing_are_passed_over(void **state) {
    (void)state;
    Pair *pair;
    Error error = {0};
    char *path = make_adapter(
        "fine",
        SETTINGS(", \"a\": null, \"b\": false, \"c\": [], \"d\": {}, \"e\": \"\", \"modes\": \"later\", "
                 "\"init_lora_weights\": \"gaussian\", \"bias\": \"none\", \"unsloth_version\": 3"),
        "{" FACTORS "}", 256);
    if (pair_open(BASE, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    size_t told = 0;
    for (size_t i = 0; i < pair->findings.count; i++) {
        const Finding *finding = &pair->findings.items[i];
        if (strcmp(finding->subject, ADAPTER_SETTINGS_FILE) != 0) continue;
        assert_int_equal(finding->severity, SEVERITY_WARNING);
        told++;
    }
    assert_int_equal(told, 2); /* "modes" and "unsloth_version" */
    pair_close(pair);
    free(path);
}

/* ---- tensors ---- */

static const struct {
    const char *name, *header;
    size_t bytes;
    const char *says;
} STRANGE[] = {
    {"one-factor", "{" FACTOR(MODULE ".lora_A.weight", 2, 16, 0, 128) "}", 128, "has one factor of two"},
    {"shape",
     "{" FACTOR(MODULE ".lora_A.weight", 2, 15, 0, 120) "," FACTOR(MODULE ".lora_B.weight", 16, 2, 120,
                                                                   248) "}",
     248, "do not fit base's tensor [16 × 16]"},
    {"rank",
     "{" FACTOR(MODULE ".lora_A.weight", 2, 16, 0, 128) "," FACTOR(MODULE ".lora_B.weight", 16, 3, 128,
                                                                   320) "}",
     320, "do not fit base's tensor [16 × 16]"},
    {"empty",
     "{" FACTOR(MODULE ".lora_A.weight", 0, 16, 0, 0) "," FACTOR(MODULE ".lora_B.weight", 16, 0, 0, 0) "}", 0,
     "has no elements"},
    {"layer",
     "{" FACTOR("base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", 2, 16, 0, 128) "," FACTOR(
         "base_model.model.model.layers.7.self_attn.q_proj.lora_B.weight", 16, 2, 128, 256) "}",
     256, "changes model.layers.7.self_attn.q_proj.weight, which base has not"},
    {"score", "{" FACTORS "," FACTOR("base_model.model.score.weight", 2, 16, 256, 384) "}", 384,
     "changes score.weight, which base has not"},
    {"whole", "{" FACTORS "," FACTOR("base_model.model.model.norm.weight", 2, 8, 256, 320) "}", 320,
     "expected base's shape [16], found [2 × 8]"},
    {"vocabulary",
     "{" FACTORS "," FACTOR("base_model.model.model.embed_tokens.weight", 49, 16, 256, 3392) "}", 3392,
     "the vocabulary has 49 tokens in the embedding and 48 in the head"},
    {"vocabulary-of-head", "{" FACTORS "," FACTOR("base_model.model.lm_head.weight", 49, 16, 256, 3392) "}",
     3392, "the vocabulary has 48 tokens in the embedding and 49 in the head"},
    {"unknown", "{" FACTORS "," FACTOR(MODULE ".lora_C.weight", 2, 2, 256, 272) "}", 272,
     "lora_C.weight is not known"},
    {"named", "{" FACTOR(MODULE ".lora_A.default.weight", 2, 16, 0, 128) "}", 128,
     "lora_A.default.weight is not known"},
    {"tokens",
     "{" FACTOR("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", 2, 16, 0,
                128) "}",
     128, "expected a row for each of 0 trainable_token_indices"},
    {"nothing", "{}", 0, "there is no tensor in it"},
};

static void a_tensor_that_is_not_understood_is_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof STRANGE / sizeof *STRANGE; i++)
        must_refuse(STRANGE[i].name, SETTINGS(""), STRANGE[i].header, STRANGE[i].bytes, STRANGE[i].says);
    must_refuse("row", SETTINGS(", \"trainable_token_indices\": [3, 48]"),
                "{" FACTOR("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", 2, 16,
                           0, 128) "}",
                128, "expected rows of model.embed_tokens.weight below 48");
    must_refuse("twice", SETTINGS(", \"trainable_token_indices\": [3, 3]"),
                "{" FACTOR("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", 2, 16,
                           0, 128) "}",
                128, "trainable_token_indices: 3 is there twice");
}

/* Saved as another type, so that it is a change of base's and not a tensor in its place. */
static void a_number_without_a_shape_may_be_learned_too(void **state) {
    (void)state;
    Pair *pair;
    Error error = {0};
    char *base = scratch_path("number/");
    scratch_write_safetensors("number/model.safetensors",
                              "{\"scale.weight\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
                              4);
    char *path = make_adapter(
        "learned", SETTINGS(""),
        "{\"base_model.model.scale.weight\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}", 2);
    if (pair_open(base, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    const Tensor *tensor = checkpoint_find_tensor(pair->sft, "scale.weight");
    assert_non_null(tensor);
    assert_non_null(tensor->change);
    assert_true(tensor->change->rows == 1 && tensor->change->columns == 1);
    pair_close(pair);
    free(base);
    free(path);
}

static void only_base_with_an_adapter_is_a_pair(void **state) {
    (void)state;
    Pair *pair;
    Error error = {0};
    const char *path = TESTS_DIR "/golden/adapters/lora";
    assert_int_equal(pair_open(path, path, &pair, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "an adapter of PEFT; rejuv BASE "));
}

/* ---- beside it ---- */

static void the_tokenizer_is_the_adapters_where_it_has_one(void **state) {
    (void)state;
    Pair *pair;
    Error error = {0};
    char *path = make_adapter("text", SETTINGS(""), "{" FACTORS "}", 256);
    if (pair_open(BASE, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(checkpoint_text_directory(pair->sft), BASE);
    assert_string_equal(pair->sft->directory, path);
    pair_close(pair);
    scratch_write_text("text/tokenizer_config.json", "{}");
    if (pair_open(BASE, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(checkpoint_text_directory(pair->sft), BASE);
    assert_int_equal(pair->findings.items[1].severity, SEVERITY_WARNING);
    assert_non_null(strstr(pair->findings.items[1].text, "has tokenizer_config.json and no vocabulary"));
    pair_close(pair);
    scratch_write_text("text/tokenizer.json", "{}");
    if (pair_open(BASE, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(checkpoint_text_directory(pair->sft), path);
    char *config = checkpoint_path(pair->sft, "config.json"),
         *merges = checkpoint_path(pair->sft, "merges.txt");
    assert_string_equal(config, BASE "/config.json");
    assert_memory_equal(merges, path, strlen(path));
    free(config);
    free(merges);
    free(path);
    pair_close(pair);
}

static void what_an_adapter_is_is_said(void **state) {
    (void)state;
    static const struct {
        const char *name, *says;
    } SAID[] = {{"lora", "LoRA of PEFT, rank 2, scale 1.5, 14 modules"},
                {"rslora-patterns", "rsLoRA of PEFT, rank 2 to 3, scale 2.88675 to 5.3033, 4 modules"},
                {"mlx-full", "full of MLX, 9 tensors learned whole or by rows"},
                {"dora-embedding", "DoRA of PEFT, rank 2, scale 1.5, 1 module"}};
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
        char *path = memory_format(TESTS_DIR "/golden/adapters/%s", SAID[i].name);
        Pair *pair;
        Error error = {0};
        if (pair_open(BASE, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
        char *text = adapter_describe(pair->sft->adapter);
        assert_string_equal(text, SAID[i].says);
        assert_non_null(strstr(pair->findings.items[0].text, "α is its scale, 1 as it was learned"));
        free(text);
        free(path);
        pair_close(pair);
    }
}

/* ---- patterns ---- */

static void patterns_match_as_pythons_re_does(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *module;
        bool matches;
    } CASES[] = {
        {"q_proj", "model.layers.0.self_attn.q_proj", true},
        {"proj", "model.layers.0.self_attn.q_proj", false}, /* not after a point */
        {"q_proj", "q_proj", true},
        {"q_proj", "model.q_proj.x", false},
        {".*proj", "model.layers.0.self_attn.q_proj", true},
        {"layers\\.[02]\\..*", "model.layers.2.mlp", true},
        {"layers\\.[02]\\..*", "model.layers.1.mlp", false},
        {"layers.\\d+.mlp", "model.layers.17.mlp", true},
        {"layers\\.\\d+?\\.mlp", "model.layers.17.mlp", true},
        {"(?:q|k)_proj", "model.k_proj", true},
        {"(q|k)_proj|mlp", "model.mlp", true},
        {"^model.mlp", "model.mlp", true},
        {"^model.mlp", "a.model.mlp", false},
        {"\\w+_proj", "model.up_proj", true},
        {"(?!q)\\w_proj", "model.k_proj", true},
        {"(?!q)\\w_proj", "model.q_proj", false},
        {"layers\\.\\d{1,2}\\.mlp", "model.layers.17.mlp", true},
        {"layers\\.\\d{1,2}\\.mlp", "model.layers.170.mlp", false},
        {"layers\\.[\\d]\\.mlp", "model.layers.7.mlp", true},
        {"[]q]_proj", "model.q_proj", true},
        {"a\\{2\\}", "a{2}", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bool matches;
        Error error = {0};
        if (adapter_pattern_matches(CASES[i].pattern, CASES[i].module, &matches, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        if (matches != CASES[i].matches) fail_msg("%s and %s", CASES[i].pattern, CASES[i].module);
    }
    static const char *const REFUSED_PATTERNS[] = {
        "(a){2,3}",    "a{2}{3}", "a{,3}", "(?P<x>a)", "(?i)a",   "(a)\\1", "(a",
        "[[:alpha:]]", "[a",      "\\",    "\\h",      "(*UTF)a", "*UTF)a", "?i)a",
    };
    for (size_t i = 0; i < sizeof REFUSED_PATTERNS / sizeof *REFUSED_PATTERNS; i++) {
        bool matches;
        Error error = {0};
        assert_int_equal(adapter_pattern_matches(REFUSED_PATTERNS[i], "a", &matches, &error),
                         STATUS_UNSUPPORTED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_that_is_no_sum_of_base_and_a_product_is_refused_by_name),
        cmocka_unit_test(what_can_be_put_on_no_base_is_refused_before_base_is_opened),
        cmocka_unit_test(settings_that_say_nothing_are_passed_over),
        cmocka_unit_test(a_tensor_that_is_not_understood_is_refused_by_name),
        cmocka_unit_test(a_number_without_a_shape_may_be_learned_too),
        cmocka_unit_test(only_base_with_an_adapter_is_a_pair),
        cmocka_unit_test(the_tokenizer_is_the_adapters_where_it_has_one),
        cmocka_unit_test(what_an_adapter_is_is_said),
        cmocka_unit_test(patterns_match_as_pythons_re_does),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
