/*
 * What the batch commands print, against the golden data: the real program is run and its JSON read back.
 *
 * Tolerances: those of the tests of the engine (drift 1e-12 relative; distributions 1e-4; logits 5e-6 of
 * their range). Here they show that no figure is lost or mixed up on its way out; observed errors are
 * printed.
 */
#include "tests/golden/commands.h"

#include <math.h>

static const double DRIFT_TOLERANCE = 1e-12, TOLERANCE = 1e-4, LOGITS_TOLERANCE = 5e-6;

/* ---- info and check ---- */

static void info_tells_what_the_configuration_says(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("info", sft);
    const cJSON *checkpoint = json_find(tree, "checkpoint"), *program = json_find(tree, "program");
    assert_string_equal(json_get_text(checkpoint, "model_type", ""), "llama");
    assert_true(json_get_bool(checkpoint, "can_run", false));
    assert_true(read_number(checkpoint, "num_hidden_layers") == 6);
    assert_true(read_number(checkpoint, "vocab_size") == 512);
    assert_true(read_number(checkpoint, "parameters") == 1238656);
    const cJSON *tokenizer = json_find(checkpoint, "tokenizer");
    assert_true(read_number(tokenizer, "size") == 512);
    assert_string_equal(json_get_text(tokenizer, "class", ""), "TokenizersBackend");
    assert_string_equal(json_get_text(tokenizer, "file", ""), "tokenizer.json");
    assert_string_equal(json_get_text(tokenizer, "class_from", ""),
                        "tokenizer_class of tokenizer_config.json");
    assert_true(read_number(json_find(checkpoint, "dtypes"), "BF16") == 2 * 1238656);
    assert_non_null(json_get_text(program, "kernels", NULL));
    assert_non_null(json_get_text(program, "openblas_core", NULL));
    cJSON_Delete(tree);
}

/* Codes in the place of weights: whatever is asked of them, one answer; but what lies there is told. */
static void every_command_refuses_codes_with_the_same_sentence(void **unused) {
    (void)unused;
    free(scratch_path("codes/"));
    scratch_write_safetensors("codes/model.safetensors",
                              "{\"m.qweight\":{\"dtype\":\"I32\",\"shape\":[4,1],\"data_offsets\":[0,16]},"
                              "\"m.g_idx\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[16,32]}}",
                              32);
    scratch_write_text("codes/config.json",
                       "{\"model_type\":\"llama\",\"quantization_config\":{\"quant_method\":\"gptq\"}}");
    char *codes = scratch_path("codes"), *out = scratch_path("out"), *sentence = NULL;
    const char *const commands[][9] = {
        {"check", base, codes, NULL},
        {"drift", base, codes, NULL},
        {"preview", base, codes, "--ids", "1", NULL},
        {"neurons", base, codes, "--calibration", calibration, NULL},
        {"sweep", base, codes, "--calibration", calibration, NULL},
        {"reset", base, codes, "--rho", "1%", "--calibration", calibration, NULL},
        {"export", base, codes, "--out", out, NULL},
        {"shot", "overview", base, codes, NULL},
        {"check", codes, sft, NULL}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        ProgramResult result = program_run_with(commands[i], NULL, 0);
        if (result.status != 2) fail_msg("%s: status %d: %s", commands[i][0], result.status, result.errors);
        if (sentence == NULL) {
            sentence = memory_copy_text(result.errors, strlen(result.errors));
            assert_non_null(strstr(sentence,
                                   "quantised with GPTQ (config.json: quantization_config, tensor "
                                   "m.g_idx of I32)"));
            assert_non_null(strstr(sentence, "For plain weights, with GPTQModel: python3 -c \""));
        }
        assert_string_equal(result.errors, sentence);
        program_free(&result);
    }
    cJSON *tree = RUN_JSON("info", codes);
    const cJSON *checkpoint = json_find(tree, "checkpoint");
    assert_false(json_get_bool(checkpoint, "can_run", true));
    assert_string_equal(json_get_text(checkpoint, "quantization", ""),
                        "GPTQ (config.json: quantization_config, tensor m.g_idx of I32)");
    cJSON_Delete(tree);
    free(sentence);
    free(codes);
    free(out);
}

static void a_pair_that_fits_has_no_error_and_one_that_does_not_names_its_tensors(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("check", base, sft);
    assert_true(json_get_bool(tree, "can_be_fused", false));
    assert_true(read_number(tree, "errors") == 0);
    assert_true(read_number(tree, "tensors_fused") == 57);
    cJSON_Delete(tree);
    char *other = golden_path("golden/models/%s%s", "llama", "");
    ProgramResult result = PROGRAM_RUN("check", other, sft, "--json");
    assert_int_equal(result.status, 1);
    tree = program_json(&result);
    assert_false(json_get_bool(tree, "can_be_fused", true));
    assert_true(read_number(tree, "errors") > 10 &&
                read_number(tree, "errors") < 20); /* by kind, not by tensor */
    assert_non_null(strstr(result.output, "model.layers.N.mlp.down_proj.weight"));
    assert_true(read_number(tree, "share_blended") < 1.0);
    cJSON_Delete(tree);
    program_free(&result);
    free(other);
}

/* The SFT model's tokenizer_config.json makes another class of the same tokenizer.json. */
static void check_says_what_a_class_puts_in_place_of_the_file(void **unused) {
    (void)unused;
    static const char *const FILES[] = {"model.safetensors", "config.json", "tokenizer.json"};
    char *copy = scratch_path("class/");
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char *from = memory_format("%s/%s", sft, FILES[i]), *to = memory_format("%s/%s", copy, FILES[i]);
        assert_true(from != NULL && to != NULL && symlink(from, to) == 0);
        free(from);
        free(to);
    }
    scratch_write_text("class/tokenizer_config.json", "{\"tokenizer_class\": \"GPT2Tokenizer\"}");
    cJSON *class = RUN_JSON("check", base, copy), *file = RUN_JSON("check", base, copy, "--tokenizer-file");
    char *text = cJSON_PrintUnformatted(class), *other = cJSON_PrintUnformatted(file);
    assert_non_null(
        strstr(text, "SFT: class GPT2Tokenizer replaces the normalizer and pre-tokenizer of tokenizer.json"));
    assert_null(strstr(other, "GPT2Tokenizer"));
    cJSON_free(text);
    cJSON_free(other);
    cJSON_Delete(class);
    cJSON_Delete(file);
    free(copy);
}

/* ---- drift ---- */

static void compare_drift(const cJSON *found, const cJSON *golden, double *worst, size_t *figures) {
    static const char *const KEYS[] = {"relative_norm", "mean_square", "norm",     "max_abs",   "cosine",
                                       "changed",       "sign_flips",  "kurtosis", "top1_share"};
    const cJSON *expected = json_find(golden, json_get_text(found, "tensor", ""));
    assert_non_null(expected);
    assert_true(cJSON_Compare(json_find(expected, "shape"), json_find(found, "shape"), true));
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        double wanted = read_number(expected, KEYS[i]), value = read_number(found, KEYS[i]);
        double error = wanted == value ? 0.0 : fabs(wanted - value) / fabs(wanted);
        if (!(error <= DRIFT_TOLERANCE))
            fail_msg("%s %s: expected %.17g, found %.17g", expected->string, KEYS[i], wanted, value);
        *worst = fmax(*worst, error);
        (*figures)++;
    }
}

static void drift_of_every_tensor_is_the_golden_one(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "drift.json");
    cJSON *tree = RUN_JSON("drift", base, sft);
    const cJSON *tensors = json_find(tree, "tensors"), *tensor;
    double worst = 0.0;
    size_t figures = 0;
    assert_int_equal(cJSON_GetArraySize(tensors), cJSON_GetArraySize(golden));
    cJSON_ArrayForEach(tensor, tensors) compare_drift(tensor, golden, &worst, &figures);
    print_message("drift: %zu figures, largest relative error %.1e\n", figures, worst);
    cJSON_Delete(tree);
    cJSON_Delete(golden);
}

static void drift_has_golden_singular_values_when_asked_for_a_spectrum(void **unused) {
    (void)unused;
    static const char *const KEYS[] = {"spectral_norm", "stable_rank", "effective_rank"};
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "drift.json");
    cJSON *tree = RUN_JSON("drift", base, sft, "--spectrum");
    double worst = 0.0;
    size_t figures = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, json_find(tree, "tensors")) {
        const cJSON *facts = json_find(golden, json_find(row, "tensor")->valuestring);
        bool is_matrix = json_find(facts, "spectral_norm") != NULL;
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
            const cJSON *figure = json_find(row, KEYS[i]);
            assert_int_equal(cJSON_IsNumber(figure), is_matrix);
            if (!is_matrix) continue;
            double expected = json_find(facts, KEYS[i])->valuedouble;
            double error = fabs(figure->valuedouble - expected) / expected;
            if (error > worst) worst = error;
            figures++;
        }
        assert_int_equal(cJSON_GetArraySize(json_find(row, "singular_values")), is_matrix ? 16 : 0);
    }
    print_message("spectrum: %zu figures, largest relative error %.1e\n", figures, worst);
    assert_int_equal(figures, 132);
    assert_true(worst <= 1e-10); /* observed: 4.9e-15 */
    cJSON_Delete(tree);
    tree = RUN_JSON("drift", base, sft, "--spectrum", "--sort", "stable_rank", "--top", "1");
    row = cJSON_GetArrayItem(json_find(tree, "tensors"), 0);
    assert_string_equal(json_find(row, "tensor")->valuestring, "model.layers.2.mlp.down_proj.weight");
    cJSON_Delete(tree);
    cJSON_Delete(golden);
    PROGRAM_EXPECT(2, "--sort stable_rank needs --spectrum", "drift", base, sft, "--sort", "stable_rank");
    PROGRAM_EXPECT(2, "expected --by tensor", "drift", base, sft, "--spectrum", "--by", "layer");
}

static void drift_is_sorted_and_cut_as_asked(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, sft, "--sort", "cosine", "--top", "5");
    const cJSON *tensors = json_find(tree, "tensors");
    assert_int_equal(cJSON_GetArraySize(tensors), 5);
    assert_string_equal(json_get_text(tensors->child, "tensor", ""), "lm_head.weight"); /* the least cosine */
    for (int i = 1; i < 5; i++)
        assert_true(read_number(cJSON_GetArrayItem(tensors, i - 1), "cosine") <=
                    read_number(cJSON_GetArrayItem(tensors, i), "cosine"));
    cJSON_Delete(tree);
    tree = RUN_JSON("drift", base, sft, "--by", "layer");
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "layers")), 7); /* six, and what belongs to none */
    double elements = 0.0;
    const cJSON *layer;
    cJSON_ArrayForEach(layer, json_find(tree, "layers")) elements += read_number(layer, "elements");
    assert_true(elements == read_number(json_find(tree, "all"), "elements"));
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "did you mean cosine?", "drift", base, sft, "--sort", "cosin");
}

static void a_model_has_not_drifted_from_itself(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", sft, sft);
    const cJSON *all = json_find(tree, "all");
    assert_true(read_number(all, "equal_tensors") == read_number(all, "tensors"));
    assert_true(read_number(all, "relative_norm") == 0);
    assert_string_equal(json_find(all, "kurtosis")->valuestring, "NaN"); /* undefined: a text, not a null */
    cJSON_Delete(tree);
}

/* ---- preview ---- */

/* "1,2,3"; the caller frees. */
static char *join_ids(const cJSON *ids) {
    size_t count = (size_t)cJSON_GetArraySize(ids), used = 0, size = count * 12 + 1;
    char *text = memory_allocate(size, 1);
    assert_non_null(text);
    const cJSON *id;
    cJSON_ArrayForEach(id, ids) used +=
        (size_t)snprintf(text + used, size - used, "%s%d", used > 0 ? "," : "", id->valueint);
    return text;
}

static void check_logits(const char *name) {
    char *model = golden_path("golden/models/%s%s", name, ""), *path = scratch_path("logits.f32");
    cJSON *golden = golden_read_json("golden/models/%s/%s", name, "golden.json");
    char *ids = join_ids(json_find(golden, "ids")), *found;
    size_t bytes, found_bytes;
    float *expected = golden_read_bytes("golden/models/%s/%s", name, "logits.f32", &bytes);
    cJSON *tree =
        RUN_JSON("preview", model, model, "--ids", ids, "--logits-out", path, "--alpha", "1", "--top", "1");
    assert_true(
        cJSON_Compare(json_find(json_find(tree, "logits_out"), "shape"), json_find(golden, "shape"), true));
    Error error;
    assert_int_equal(json_read_text(path, 64 << 20, &found, &found_bytes, &error), STATUS_OK);
    assert_int_equal(found_bytes, bytes);
    double worst = 0.0, range = read_number(golden, "range");
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        float value;
        memcpy(&value, found + i * sizeof value, sizeof value);
        worst = fmax(worst, fabs((double)value - (double)expected[i]));
    }
    print_message("%-20s %.1e of the range\n", name, worst / range);
    assert_true(worst / range < LOGITS_TOLERANCE);
    cJSON_Delete(tree);
    cJSON_Delete(golden);
    free(expected);
    free(found);
    free(ids);
    free(path);
    free(model);
}

static void logits_out_are_the_logits_of_transformers(void **unused) {
    (void)unused;
    static const char *const MODELS[] = {"llama", "llama3-rope-v5", "mistral", "qwen2-tied-bf16",
                                         "qwen3-tied-v5"};
    for (size_t i = 0; i < sizeof MODELS / sizeof *MODELS; i++) check_logits(MODELS[i]);
}

static const cJSON *find_positions(const cJSON *tree, const char *model) {
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(tree, "positions")) {
        if (strcmp(json_get_text(item, "model", ""), model) == 0) return item;
    }
    fail_msg("no positions of %s", model);
    return NULL;
}

/* Row 0 of the golden data begins at `first_position`; the preview has every position of it. */
static double compare_positions(const cJSON *expected, const cJSON *found) {
    static const char *const KEYS[] = {"entropy", "kl_base", "kl_sft", "top1", "p_next", "top1_id"};
    int first = (int)read_number(expected, "first_position");
    double worst = 0.0;
    for (size_t k = 0; k < sizeof KEYS / sizeof *KEYS; k++) {
        const cJSON *wanted = json_find(expected, KEYS[k]), *values = json_find(found, KEYS[k]);
        assert_int_equal(cJSON_GetArraySize(values), first + cJSON_GetArraySize(wanted) + 1);
        for (int i = 0; i < cJSON_GetArraySize(wanted); i++)
            worst = fmax(worst, fabs(cJSON_GetArrayItem(wanted, i)->valuedouble -
                                     cJSON_GetArrayItem(values, first + i)->valuedouble));
    }
    return worst;
}

static void preview_has_the_golden_distributions_at_every_position(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "distributions.json");
    cJSON *rows = golden_read_json("golden/method/%s/%s", "demo", "attribution.json");
    char *ids = join_ids(json_find(json_find(rows, "rows")->child, "ids"));
    cJSON *tree = RUN_JSON("preview", base, sft, "--ids", ids);
    double worst = 0.0;
    size_t compared = 0;
    const cJSON *expected;
    cJSON_ArrayForEach(expected, json_find(golden, "positions")) {
        const char *model = json_get_text(expected, "model", "");
        if (read_number(expected, "row") != 0 || strcmp(model, "rejuvenated") == 0) continue;
        worst = fmax(worst, compare_positions(expected, find_positions(tree, model)));
        compared++;
    }
    print_message("preview: largest error %.1e\n", worst);
    assert_int_equal(compared, 3);
    assert_true(worst < TOLERANCE);
    free(ids);
    cJSON_Delete(tree);
    cJSON_Delete(rows);
    cJSON_Delete(golden);
}

static void a_continuation_repeats_with_its_seed_and_its_text_goes_on(void **unused) {
    (void)unused;
    const char *prompt = "Question: Jack finds 217 pens at the farm";
    cJSON *first = RUN_JSON("preview", base, sft, "--prompt", prompt, "-n", "12", "-t", "1", "-s", "7");
    cJSON *second = RUN_JSON("preview", base, sft, "--prompt", prompt, "-n", "12", "-t", "1", "-s", "7");
    cJSON *third = RUN_JSON("preview", base, sft, "--prompt", prompt, "-n", "12", "-t", "1", "-s", "8");
    assert_true(cJSON_Compare(first, second, true));
    const cJSON *one = json_find(first, "continuation"), *other = json_find(third, "continuation");
    assert_false(cJSON_Compare(json_find(one, "ids"), json_find(other, "ids"), true));
    assert_int_equal(json_get_text(one, "text", "x")[0], ' '); /* a decoder alone might have dropped it */
    cJSON_Delete(first);
    cJSON_Delete(second);
    cJSON_Delete(third);
}

static void a_pinned_token_has_the_probability_that_the_top_list_gives_it(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("preview", base, sft, "--prompt", "Question: Jack finds 217 pens", "--pin", " at");
    const cJSON *pin = json_find(tree, "pins")->child, *top = json_find(tree, "top")->child;
    static const char *const MODELS[] = {"base", "sft", "fused"};
    for (size_t i = 0; i < 3; i++) {
        const cJSON *values = json_find(pin, MODELS[i]), *first = json_find(top, MODELS[i])->child;
        double pinned = cJSON_GetArrayItem(values, cJSON_GetArraySize(values) - 1)->valuedouble;
        assert_string_equal(json_get_text(first, "token", ""), " at");
        /* another order of summation: some units in the last place of a logit near 20; observed: 4.8e-6 */
        assert_true(fabs(pinned - read_number(first, "probability")) < 2e-5);
    }
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "expected one token", "preview", base, sft, "-p", "x", "--pin", "two words");
    PROGRAM_EXPECT(2, "expected an id below 512", "preview", base, sft, "-p", "x", "--pin", "id:512");
}

static void a_prompt_from_a_file_is_taken_byte_for_byte(void **unused) {
    (void)unused;
    char *path = scratch_path("prompt.txt");
    scratch_write_text("prompt.txt", "Question: a\n");
    cJSON *file = RUN_JSON("preview", base, sft, "--prompt-file", path);
    cJSON *text = RUN_JSON("preview", base, sft, "--prompt", "Question: a\n");
    assert_true(cJSON_Compare(file, text, true));
    ProgramResult piped =
        program_run_with((const char *const[]){"preview", base, sft, "--prompt-file", "-", "--json", NULL},
                         "Question: a\n", 12);
    cJSON *pipe = program_json(&piped);
    assert_true(cJSON_Compare(pipe, text, true));
    cJSON_Delete(pipe);
    cJSON_Delete(file);
    cJSON_Delete(text);
    program_free(&piped);
    free(path);
}

/* ---- sweep ---- */

static void compare_averages(const cJSON *expected, const cJSON *found, double *worst) {
    const cJSON *figure;
    cJSON_ArrayForEach(figure, expected) {
        if (strcmp(figure->string, "response_tokens") == 0) continue;
        *worst = fmax(*worst, fabs(figure->valuedouble - read_number(found, figure->string)));
    }
}

static void a_sweep_has_the_golden_averages_at_its_points(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "distributions.json");
    const cJSON *averages = json_find(golden, "averages");
    cJSON *tree = RUN_JSON("sweep", base, sft, "--calibration", calibration, "--alpha", "0:1:3");
    const cJSON *points = json_find(tree, "points");
    assert_true(read_number(tree, "response_tokens") == 2686);
    assert_true(read_number(tree, "rows") == 64);
    static const struct {
        const char *model, *golden;
        double alpha;
    } POINTS[] = {{"base", "base", 0},
                  {"fused", "base", 0},
                  {"fused", "fused", 0.5},
                  {"fused", "sft", 1},
                  {"sft", "sft", 1}};
    double worst = 0.0;
    assert_int_equal(cJSON_GetArraySize(points), 5);
    for (int i = 0; i < 5; i++) {
        const cJSON *point = cJSON_GetArrayItem(points, i);
        assert_string_equal(json_get_text(point, "model", ""), POINTS[i].model);
        assert_true(read_number(point, "alpha") == POINTS[i].alpha);
        compare_averages(json_find(averages, POINTS[i].golden), point, &worst);
    }
    print_message("sweep: largest error %.1e\n", worst);
    assert_true(worst < TOLERANCE);
    cJSON_Delete(tree);
    cJSON_Delete(golden);
}

/* ---- export and verify ---- */

static void an_export_verifies_and_a_flipped_bit_does_not(void **unused) {
    (void)unused;
    char *out = scratch_path("export"), *weights = scratch_path("export/model.safetensors");
    cJSON *plan = RUN_JSON("export", base, sft, "--out", out, "--dry-run", "--dtype", "F32");
    assert_true(json_get_bool(plan, "dry_run", false));
    assert_int_not_equal(access(out, F_OK), 0); /* a dry run writes nothing */
    cJSON *tree = RUN_JSON("export", base, sft, "--out", out, "--dtype", "F32", "--alpha", "0.25");
    const cJSON *verification = json_find(tree, "verification");
    assert_true(json_get_bool(verification, "verified", false));
    assert_true(read_number(verification, "tensors_blended") == 57);
    assert_true(read_number(tree, "weight_bytes") == 4.0 * 1238656);
    assert_true(read_number(plan, "weight_bytes") == 4.0 * 1238656);
    cJSON_Delete(plan);
    cJSON_Delete(tree);
    tree = RUN_JSON("verify", out);
    assert_true(json_get_bool(tree, "verified", false));
    assert_true(read_number(tree, "alpha") == 0.25);
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "nothing is overwritten", "export", base, sft, "--out", out);
    FILE *file = fopen(weights, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -5, SEEK_END), 0);
    int byte = getc(file);
    assert_int_equal(fseek(file, -5, SEEK_END), 0);
    assert_int_not_equal(putc(byte ^ 1, file), EOF);
    assert_int_equal(fclose(file), 0);
    ProgramResult result = PROGRAM_RUN("verify", out, "--json");
    assert_int_equal(result.status, 1);
    tree = program_json(&result);
    assert_false(json_get_bool(tree, "verified", true));
    assert_true(read_number(tree, "tensors_equal") == 56);
    cJSON_Delete(tree);
    program_free(&result);
    free(weights);
    free(out);
}

static void a_recipe_makes_the_same_export_again(void **unused) {
    (void)unused;
    char *first = scratch_path("first"), *second = scratch_path("second");
    char *recipe = scratch_path("first/rejuvenation.json");
    cJSON *one = RUN_JSON("export", base, sft, "--out", first, "--alpha", "0.3", "--shard-size", "1MB");
    cJSON *two = RUN_JSON("export", "--recipe", recipe, "--out", second);
    assert_true(read_number(two, "alpha") == 0.3);
    assert_true(cJSON_GetArraySize(json_find(one, "files")) > 8); /* several shards and an index */
    assert_true(cJSON_Compare(json_find(one, "files"), json_find(two, "files"), true));
    PROGRAM_EXPECT(2, "exclude each other", "export", "--recipe", recipe, "--out", second, "--alpha", "0.5");
    cJSON_Delete(one);
    cJSON_Delete(two);
    free(recipe);
    free(first);
    free(second);
}

static void a_recipe_that_was_edited_is_told_by_export_and_by_verify(void **unused) {
    (void)unused;
    char *first = scratch_path("sealed"), *second = scratch_path("resealed");
    char *recipe = scratch_path("sealed/rejuvenation.json"), line[1200];
    PROGRAM_EXPECT(0, "", "export", base, sft, "--out", first, "--alpha", "0.3");
    (void)snprintf(line, sizeof line, "sed -i 's/5000000000/6000000000/' '%s'", recipe);
    assert_int_equal(system(line), 0);
    PROGRAM_EXPECT(0, "was changed since it was written", "export", "--recipe", recipe, "--out", second,
                   "--dry-run");
    PROGRAM_EXPECT(0, "was changed since it was written", "export", "--recipe", recipe, "--out", second);
    ProgramResult result = PROGRAM_RUN("verify", first);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.output, "All 57 tensors"));
    assert_non_null(strstr(result.output, "but the recipe itself was changed."));
    program_free(&result);
    PROGRAM_EXPECT(0, "", "verify", second); /* which has a recipe of its own */
    free(recipe);
    free(second);
    free(first);
}

static void a_recipe_whose_inputs_have_moved_asks_where_they_are(void **unused) {
    (void)unused;
    char *before = scratch_path("before"), *after = scratch_path("after"), line[2400];
    char *first = scratch_path("moved"), *second = scratch_path("again");
    char *recipe = scratch_path("moved/rejuvenation.json");
    (void)snprintf(line, sizeof line, "cp -r '%s' '%s'", base, before);
    assert_int_equal(system(line), 0);
    PROGRAM_EXPECT(0, "", "export", before, sft, "--out", first, "--alpha", "0.3");
    assert_int_equal(rename(before, after), 0);
    PROGRAM_EXPECT(2, "BASE SFT", "export", "--recipe", recipe, "--out", second);
    PROGRAM_EXPECT(0, "", "export", after, sft, "--recipe", recipe, "--out", second);
    free(recipe);
    free(second);
    free(first);
    free(after);
    free(before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_tells_what_the_configuration_says),
        cmocka_unit_test(every_command_refuses_codes_with_the_same_sentence),
        cmocka_unit_test(a_pair_that_fits_has_no_error_and_one_that_does_not_names_its_tensors),
        cmocka_unit_test(check_says_what_a_class_puts_in_place_of_the_file),
        cmocka_unit_test(drift_of_every_tensor_is_the_golden_one),
        cmocka_unit_test(drift_has_golden_singular_values_when_asked_for_a_spectrum),
        cmocka_unit_test(drift_is_sorted_and_cut_as_asked),
        cmocka_unit_test(a_model_has_not_drifted_from_itself),
        cmocka_unit_test(logits_out_are_the_logits_of_transformers),
        cmocka_unit_test(preview_has_the_golden_distributions_at_every_position),
        cmocka_unit_test(a_continuation_repeats_with_its_seed_and_its_text_goes_on),
        cmocka_unit_test(a_pinned_token_has_the_probability_that_the_top_list_gives_it),
        cmocka_unit_test(a_prompt_from_a_file_is_taken_byte_for_byte),
        cmocka_unit_test(a_sweep_has_the_golden_averages_at_its_points),
        cmocka_unit_test(an_export_verifies_and_a_flipped_bit_does_not),
        cmocka_unit_test(a_recipe_makes_the_same_export_again),
        cmocka_unit_test(a_recipe_that_was_edited_is_told_by_export_and_by_verify),
        cmocka_unit_test(a_recipe_whose_inputs_have_moved_asks_where_they_are),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
