/*
 * What commands print of several rungs: each comparison is the one that the two directories have alone, to the bit,
 * and a rung that does not fit is named before anything is measured.
 */
#include "core/evaluation/distribution.h"
#include "tests/golden/commands.h"
#include "tests/ladder_fixture.h"
#include "tui/figures/figure_scale.h"

/* ---- drift ---- */

static const cJSON *find_comparison(const cJSON *tree, int rung, int against) {
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(tree, "comparisons")) if ((int)read_number(item, "rung") == rung &&
                                                                 (int)read_number(item, "against") ==
                                                                     against) return item;
    fail_msg("there is no comparison of %d with %d", rung, against);
    return NULL;
}

static char *print(const cJSON *item) {
    char *text = cJSON_PrintUnformatted(item);
    assert_non_null(text);
    return text;
}

static void expect_same(const cJSON *found, const cJSON *alone, const char *key) {
    char *left = print(json_find(found, key)), *right = print(json_find(alone, key));
    assert_string_equal(left, right);
    free(left);
    free(right);
}

static void each_comparison_of_a_ladder_is_that_of_its_two_directories(void **unused) {
    (void)unused;
    static const struct { int rung, against; } EXPECTED[] = {{1, 0}, {2, 0}, {3, 0}, {2, 1}, {3, 2}};
    static const char *const GROUPINGS[][2] = {{"tensor", "tensors"}, {"layer", "layers"}, {"role", "roles"}};
    const char *const directories[] = {base, rungs[0], rungs[1], rungs[2]};
    for (size_t g = 0; g < 3; g++) {
        cJSON *tree = RUN_JSON("drift", base, rungs[0], rungs[1], rungs[2], "--by", GROUPINGS[g][0]);
        assert_string_equal(json_get_text(tree, "base", ""), base);
        assert_int_equal(cJSON_GetArraySize(json_find(tree, "rungs")), LADDER_RUNGS);
        assert_int_equal(cJSON_GetArraySize(json_find(tree, "comparisons")), 5);
        for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
            const cJSON *found = find_comparison(tree, EXPECTED[i].rung, EXPECTED[i].against);
            cJSON *alone = RUN_JSON("drift", directories[EXPECTED[i].against], directories[EXPECTED[i].rung],
                                    "--by", GROUPINGS[g][0]);
            expect_same(found, alone, "base");
            expect_same(found, alone, "sft");
            expect_same(found, alone, "all");
            expect_same(found, alone, GROUPINGS[g][1]);
            cJSON_Delete(alone);
        }
        cJSON_Delete(tree);
    }
}

/* W at 0.3 and 0.6 lie on the line to SFT: their drift is that share of it, but for bfloat16's rounding. */
static void drift_grows_along_a_ladder_as_its_rungs_lie(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, rungs[0], rungs[1], rungs[2]);
    double norms[LADDER_RUNGS];
    for (int rung = 1; rung <= LADDER_RUNGS; rung++)
        norms[rung - 1] = read_number(json_find(find_comparison(tree, rung, 0), "all"), "norm");
    assert_true(fabs(norms[0] / norms[2] - 0.3) < 2e-3);
    assert_true(fabs(norms[1] / norms[2] - 0.6) < 2e-3);
    cJSON_Delete(tree);
}

static void lines_of_a_ladder_say_of_which_rungs_they_are(void **unused) {
    (void)unused;
    ProgramResult csv =
        PROGRAM_RUN("drift", base, rungs[0], rungs[1], "--sort", "norm", "--top", "1", "--csv");
    assert_int_equal(csv.status, 0);
    assert_memory_equal(csv.output, "rung,against,tensor,", 20);
    static const char *const BEGINNINGS[] = {"\n1,0,lm_head.weight,", "\n2,0,lm_head.weight,",
                                             "\n2,1,lm_head.weight,"};
    const char *at = csv.output;
    for (size_t i = 0; i < 3; i++) {
        at = strstr(at, BEGINNINGS[i]);
        if (at == NULL) fail_msg("expected %s in its place in %s", BEGINNINGS[i], csv.output);
    }
    program_free(&csv);
    ProgramResult text = PROGRAM_RUN("drift", base, rungs[0], rungs[1], "--sort", "norm", "--top", "1");
    assert_int_equal(text.status, 0);
    assert_non_null(strstr(text.output, "norm; 2-1 is rung 2 against rung 1, and 0 is base:"));
    assert_non_null(strstr(text.output, "1-0"));
    assert_null(strstr(text.output, "embed_tokens")); /* cut */
    program_free(&text);
}

static void a_ladder_of_one_rung_is_a_pair(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, rungs[0]);
    assert_null(json_find(tree, "comparisons"));
    assert_string_equal(json_get_text(tree, "sft", ""), rungs[0]);
    cJSON_Delete(tree);
}

/* ---- rungs that do not fit ---- */

static void write_other_architecture(void) {
    free(scratch_path("other/"));
    scratch_write_safetensors("other/model.safetensors",
                              "{\"wte.weight\":{\"dtype\":\"F32\",\"shape\":[4,2],\"data_offsets\":[0,32]}}",
                              32);
    scratch_write_text("other/config.json",
                       "{\"model_type\":\"gpt2\",\"n_embd\":2,\"n_layer\":1,\"n_head\":1,\"vocab_size\":4}");
}

/* The first bytes of a rung's weights, as a copy that was interrupted leaves them. */
static void write_cut(void) {
    char *from = memory_format("%s/model.safetensors", rungs[0]), *text, *configuration;
    size_t bytes, config_bytes;
    Error error = {0};
    free(scratch_path("cut/"));
    if (json_read_text(from, 64 << 20, &text, &bytes, &error) != STATUS_OK) fail_msg("%s", error.message);
    scratch_write("cut/model.safetensors", text, bytes / 2);
    free(text);
    free(from);
    from = memory_format("%s/config.json", rungs[0]);
    assert_int_equal(json_read_text(from, 1 << 20, &configuration, &config_bytes, NULL), STATUS_OK);
    scratch_write_text("cut/config.json", configuration);
    free(configuration);
    free(from);
}

static void a_rung_that_does_not_fit_is_named(void **unused) {
    (void)unused;
    write_other_architecture();
    write_cut();
    char *missing = scratch_path("missing"), *other = scratch_path("other"), *cut = scratch_path("cut");
    PROGRAM_EXPECT(2, "rung 2: ", "drift", base, rungs[0], missing, rungs[1]);
    PROGRAM_EXPECT(2, "missing: No such file or directory", "drift", base, rungs[0], missing, rungs[1]);
    PROGRAM_EXPECT(1, "rung 3: names: expected", "drift", base, rungs[0], rungs[1], other);
    PROGRAM_EXPECT(2, "rung 1: ", "drift", base, cut, rungs[0]);
    PROGRAM_EXPECT(2, "cut/model.safetensors", "drift", base, cut, rungs[0]);
    PROGRAM_EXPECT(2, "missing: No such file", "drift", missing, rungs[0], rungs[1]);
    free(missing);
    free(other);
    free(cut);
}

/* An adapter is no model without its base, so its step to the next is between two adapters of that. */
static void adapters_of_one_base_are_rungs(void **unused) {
    (void)unused;
    char *llama = golden_path("golden/adapters/%s%s", "bases/llama", "");
    char *lora = golden_path("golden/adapters/%s%s", "lora", "");
    char *patterns = golden_path("golden/adapters/%s%s", "rslora-patterns", "");
    cJSON *tree = RUN_JSON("drift", llama, lora, patterns, lora);
    cJSON *alone = RUN_JSON("drift", llama, lora);
    expect_same(find_comparison(tree, 1, 0), alone, "all");
    expect_same(find_comparison(tree, 3, 0), alone, "tensors");
    const cJSON *there = json_find(find_comparison(tree, 2, 1), "all");
    const cJSON *back = json_find(find_comparison(tree, 3, 2), "all");
    assert_true(read_number(there, "norm") > 0);
    assert_true(read_number(there, "norm") == read_number(back, "norm"));
    cJSON_Delete(tree);
    cJSON_Delete(alone);
    free(llama);
    free(lora);
    free(patterns);
}

/* ---- ladder ---- */

static const char PROMPT[] = "Tom has 12 pens";

/* The point of a sweep that is SFT. */
static cJSON *sweep_sft(const char *const *subject, size_t rung, cJSON **tree) {
    *tree = RUN_JSON("sweep", "-q", base, rungs[rung - 1], subject[0], subject[1], "--alpha", "1");
    cJSON *points = (cJSON *)json_find(*tree, "points");
    return cJSON_GetArrayItem(points, cJSON_GetArraySize(points) - 1);
}

static void expect_averages(const cJSON *averages, const cJSON *point) {
    size_t compared = 0;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++, compared++) {
        const char *key = DISTRIBUTION_FIGURES[i].key;
        double found = read_number(averages, key), expected = read_number(point, key);
        if (found != expected && !(isnan(found) && isnan(expected)))
            fail_msg("%s: expected %.17g, found %.17g", key, expected, found);
    }
    assert_true(compared > 8);
}

static bool is_null(const cJSON *object, const char *key) {
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, key)); /* json_find() has none for it */
}

static const cJSON *find_rung(const cJSON *tree, int rung) {
    const cJSON *item = cJSON_GetArrayItem(json_find(tree, "rungs"), rung);
    assert_int_equal((int)read_number(item, "rung"), rung);
    return item;
}

static void figures_along_a_ladder_are_those_of_each_pair(void **unused) {
    (void)unused;
    char *few = few_rows();
    const char *const rows[] = {"-c", few}, *const prompt[] = {"-p", PROMPT};
    cJSON *tree = RUN_JSON("ladder", "-q", base, rungs[0], rungs[1], rungs[2], "-c", few, "-p", PROMPT);
    cJSON *drift = RUN_JSON("drift", base, rungs[0], rungs[1], rungs[2]);
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "rungs")), LADDER_RUNGS + 1);
    for (int rung = 1; rung <= LADDER_RUNGS; rung++) {
        cJSON *sweep;
        const cJSON *item = find_rung(tree, rung);
        assert_string_equal(json_get_text(item, "directory", ""), rungs[rung - 1]);
        expect_averages(json_find(item, "averages"), sweep_sft(rows, (size_t)rung, &sweep));
        cJSON_Delete(sweep);
        const cJSON *point = sweep_sft(prompt, (size_t)rung, &sweep);
        expect_averages(json_find(item, "prompt_averages"), point);
        assert_true(read_number(item, "prompt_entropy") == read_number(point, "entropy"));
        cJSON_Delete(sweep);
        const cJSON *whole = json_find(find_comparison(drift, rung, 0), "all");
        const cJSON *step = json_find(find_comparison(drift, rung, rung - 1), "all");
        assert_true(read_number(item, "relative_norm") == read_number(whole, "relative_norm"));
        assert_true(read_number(item, "step_relative_norm") == read_number(step, "relative_norm"));
        assert_int_equal(cJSON_GetArraySize(json_find(item, "layers")), 6);
    }
    assert_true(read_number(find_rung(tree, 0), "relative_norm") == 0);
    assert_true(is_null(find_rung(tree, 0), "step_relative_norm"));
    assert_true(is_null(find_rung(tree, LADDER_RUNGS), "last_relative_norm"));
    cJSON_Delete(tree);
    cJSON_Delete(drift);
    free(few);
}

/* Shares of each layer as `rejuv neurons` has them. */
static void dormancy_along_a_ladder_is_that_of_its_neurons(void **unused) {
    (void)unused;
    char *few = few_rows();
    double sum = 0, gradients = 0;
    cJSON *tree = RUN_JSON("ladder", "-q", base, rungs[0], rungs[2], "-c", few, "--tau", "0.4",
                           "--gradient-tau", "0.3");
    cJSON *neurons = RUN_JSON("neurons", "-q", base, rungs[2], "-c", few, "--tau", "0.4", "--gradient-tau",
                              "0.3", "--select", "random", "--top", "1");
    const cJSON *layer;
    int i = 0;
    cJSON_ArrayForEach(layer, json_find(neurons, "dormant")) {
        const cJSON *found = cJSON_GetArrayItem(json_find(find_rung(tree, 2), "layers"), i);
        const cJSON *of_base = cJSON_GetArrayItem(json_find(find_rung(tree, 0), "layers"), i++);
        double share = read_number(found, "dormant"), gradient = read_number(found, "gradient_dormant");
        assert_true(share == read_number(layer, "mlp_sft"));
        assert_true(gradient == read_number(layer, "mlp_gradient"));
        assert_true(read_number(of_base, "dormant") == read_number(layer, "mlp_base"));
        sum += share;
        gradients += gradient;
    }
    assert_true(i == 6 && sum > 0 && gradients > 0); /* layers of one width */
    assert_true(fabs(read_number(find_rung(tree, 2), "dormant") - sum / 6) < 1e-12);
    assert_true(fabs(read_number(find_rung(tree, 2), "gradient_dormant") - gradients / 6) < 1e-12);
    cJSON_Delete(tree);
    cJSON_Delete(neurons);
    free(few);
}

static void without_rows_only_drift_is_measured(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("ladder", "-q", base, rungs[0], rungs[1]);
    const cJSON *rung = find_rung(tree, 1);
    assert_true(read_number(rung, "last_relative_norm") > 0);
    static const char *const NONE[] = {"dormant",        "gradient_dormant", "loss",           "entropy",
                                       "prompt_entropy", "averages",         "prompt_averages"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) assert_true(is_null(rung, NONE[i]));
    cJSON_Delete(tree);
    char *missing = scratch_path("missing");
    PROGRAM_EXPECT(2, "rung 2: ", "ladder", base, rungs[0], missing);
    PROGRAM_EXPECT(2, "expected BASE SFT..., found 1 argument", "ladder", base);
    free(missing);
}

/* The last rung's tokens are not those that a rung with another end of text was trained on. */
static void a_rung_with_another_tokenizer_is_told(void **unused) {
    (void)unused;
    char *changed = scratch_path("changed"), *command = memory_format("cp -r '%s' '%s'", rungs[0], changed);
    assert_int_equal(system(command), 0);
    free(command);
    command = memory_format("sed -i 's/Jack/Jill/' '%s/tokenizer.json'", changed);
    assert_int_equal(system(command), 0);
    ProgramResult result = PROGRAM_RUN("ladder", base, changed, rungs[1], "-p", PROMPT);
    assert_int_equal(result.status, 0);
    if (strstr(result.errors, "rung 1 is measured on the last rung's tokens: ") == NULL)
        fail_msg("expected the tokenizer to be told, found \"%s\"", result.errors);
    program_free(&result);
    PROGRAM_EXPECT(0, "", "ladder", base, rungs[0], rungs[1], "-p", PROMPT);
    free(command);
    free(changed);
}

/* ---- figures ---- */

static char *run_figure(const char *const *arguments) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0) fail_msg("status %d: %s", result.status, result.errors);
    free(result.errors);
    return result.output;
}

#define RUN_FIGURE(...) run_figure((const char *const[]){"figure", __VA_ARGS__, "--quiet", NULL})

/* What a reader is shown who points at the value. */
static void expect_note(const char *svg, const char *x, double value) {
    char number[FIGURE_TICK_TEXT], note[128];
    figure_scale_write(value, 4, number);
    (void)snprintf(note, sizeof note, "%s: %s</title>", x, number);
    if (strstr(svg, note) == NULL) fail_msg("expected %s in %.2000s", note, svg);
}

static void figures_have_the_values_of_the_ladder(void **unused) {
    (void)unused;
    char *few = few_rows();
    cJSON *tree = RUN_JSON("ladder", "-q", base, rungs[0], rungs[1], rungs[2], "-c", few);
    char *curves = RUN_FIGURE("ladder", base, rungs[0], rungs[1], rungs[2], "-c", few);
    char *map = RUN_FIGURE("rungs", base, rungs[0], rungs[1], rungs[2]);
    for (int rung = 0; rung <= LADDER_RUNGS; rung++) {
        static const char *const NAMES[] = {"base", "e1", "e2", "sft"};
        char x[FIGURE_TICK_TEXT], cell[32];
        const cJSON *item = find_rung(tree, rung);
        figure_scale_write(rung, 4, x);
        (void)snprintf(cell, sizeof cell, "%s, 4", NAMES[rung]);
        expect_note(curves, x, read_number(item, "relative_norm"));
        expect_note(curves, x, read_number(item, "loss"));
        expect_note(curves, x, read_number(item, "entropy"));
        const cJSON *layer = cJSON_GetArrayItem(json_find(item, "layers"), 4);
        expect_note(map, cell, read_number(layer, "relative_norm"));
    }
    assert_non_null(strstr(curves, ">drift from base (‖Δ‖/‖B‖)</text>"));
    assert_non_null(strstr(map, ">e2</text>"));
    cJSON_Delete(tree);
    free(curves);
    free(map);
    free(few);
}

static void a_figure_without_its_subject_is_refused(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "loss is measured on --calibration", "figure", "ladder", base, rungs[0], "-m", "loss");
    PROGRAM_EXPECT(2, "prompt_entropy is measured on --prompt", "figure", "ladder", base, rungs[0], "-m",
                   "prompt_entropy");
    PROGRAM_EXPECT(2, "there is no \"drift\" in this figure", "figure", "ladder", base, rungs[0], "-m",
                   "drift");
    PROGRAM_EXPECT(2, "entropy is of the whole model, not of a layer", "figure", "rungs", base, rungs[0],
                   "-c", calibration, "-m", "entropy");
    PROGRAM_EXPECT(2, "expected layers BASE SFT, found 4 arguments", "figure", "layers", base, rungs[0],
                   rungs[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_comparison_of_a_ladder_is_that_of_its_two_directories),
        cmocka_unit_test(drift_grows_along_a_ladder_as_its_rungs_lie),
        cmocka_unit_test(lines_of_a_ladder_say_of_which_rungs_they_are),
        cmocka_unit_test(a_ladder_of_one_rung_is_a_pair),
        cmocka_unit_test(a_rung_that_does_not_fit_is_named),
        cmocka_unit_test(adapters_of_one_base_are_rungs),
        cmocka_unit_test(figures_along_a_ladder_are_those_of_each_pair),
        cmocka_unit_test(dormancy_along_a_ladder_is_that_of_its_neurons),
        cmocka_unit_test(without_rows_only_drift_is_measured),
        cmocka_unit_test(a_rung_with_another_tokenizer_is_told),
        cmocka_unit_test(figures_have_the_values_of_the_ladder),
        cmocka_unit_test(a_figure_without_its_subject_is_refused),
    };
    return cmocka_run_group_tests(tests, open_ladder, close_ladder);
}
