/*
 * The dials of preview and export, against the golden data of the demo pair: the real program is run, its
 * logits and its exports are read back. And what the dials refuse.
 *
 * Exports are equal to the byte; logits within 5e-6 of their range, as in the engine's tests. Observed errors
 * are printed.
 */
#include "core/checkpoint/checkpoint.h"
#include "core/files/hash.h"
#include "tests/golden/commands.h"

static const double LOGITS_TOLERANCE = 5e-6;

/* ---- exports against golden ---- */

static void check_tensors(const char *directory, const cJSON *tensors) {
    Checkpoint *export;
    Error error = {0};
    if (checkpoint_open(directory, &export, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(export->tensor_count, cJSON_GetArraySize(tensors));
    const cJSON *item;
    cJSON_ArrayForEach(item, tensors) {
        const Tensor *tensor = checkpoint_find_tensor(export, item->string);
        if (tensor == NULL) fail_msg("%s is missing", item->string);
        char sum[HASH_HEX_SIZE];
        assert_int_equal(hash_bytes(tensor->data, tensor->bytes, sum, NULL), STATUS_OK);
        const char *wanted = cJSON_IsString(item) ? item->valuestring : json_get_text(item, "sha256", "");
        if (strcmp(sum, wanted) != 0) fail_msg("%s: expected %s, exported %s", item->string, wanted, sum);
    }
    checkpoint_close(export);
}

/* "alpha A rho R omega O DTYPE" */
static bool export_entry(const char *entry, const char *out) {
    char alpha[16], rho[16], omega[16], dtype[16];
    if (sscanf(entry, "alpha %15s rho %15s omega %15s %15s", alpha, rho, omega, dtype) != 4) return false;
    cJSON *tree = RUN_JSON("export", base, sft, "--out", out, "-c", calibration, "--alpha", alpha, "--rho",
                           rho, "--omega", omega, "--dtype", dtype);
    assert_true(json_get_bool(json_find(tree, "verification"), "verified", false));
    cJSON_Delete(tree);
    return true;
}

static void exports_by_rho_have_the_golden_bytes(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "exports.json");
    size_t entries = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, golden) {
        char name[32];
        (void)snprintf(name, sizeof name, "golden-%zu", entries); /* fits */
        char *out = scratch_path(name);
        if (export_entry(entry->string, out)) {
            check_tensors(out, entry);
            entries++;
        }
        free(out);
    }
    assert_int_equal(entries, 4);
    cJSON_Delete(golden);
}

static float *read_logits(const char *path, size_t *count) {
    char *bytes;
    size_t size;
    Error error = {0};
    if (json_read_text(path, 64 << 20, &bytes, &size, &error) != STATUS_OK) fail_msg("%s", error.message);
    *count = size / sizeof(float);
    return (float *)(void *)bytes;
}

static double largest_difference(const float *a, const float *b, size_t count, double *range) {
    double worst = 0.0, least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
        least = fmin(least, (double)a[i]);
        most = fmax(most, (double)a[i]);
    }
    *range = most - least;
    return worst;
}

/* The ids of the first row, "1,2,3"; the caller frees. */
static char *first_row(void) {
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "attribution.json");
    const cJSON *ids = json_find(json_find(golden, "rows")->child, "ids");
    char *text = cJSON_PrintUnformatted(ids);
    assert_non_null(text);
    text[strlen(text) - 1] = '\0';
    memmove(text, text + 1, strlen(text)); /* without its brackets */
    cJSON_Delete(golden);
    return text;
}

/* Logits of the export as other programs would have it: base and SFT are the same directory. */
static float *logits_of_export(const char *dtype, const char *ids, size_t *count) {
    char *out = scratch_path(dtype), *path = scratch_path("exported.f32");
    cJSON_Delete(RUN_JSON("export", base, sft, "--out", out, "-c", calibration, "--alpha", "0.5", "--rho",
                          "0.01", "--dtype", dtype));
    cJSON *verified = RUN_JSON("verify", out);
    assert_true(json_get_bool(verified, "verified", false));
    cJSON_Delete(verified);
    cJSON_Delete(RUN_JSON("preview", out, out, "--ids", ids, "--alpha", "1", "--logits-out", path));
    float *logits = read_logits(path, count);
    free(path);
    free(out);
    return logits;
}

/* BF16 moves a weight by up to 2^-9 of it. Through six layers these errors, of either sign, come to less than
 * 2^-8 of the range of the logits; observed: 1.2e-3. Written as F32 nothing is rounded, and logits are the
 * same bits. */
static void what_was_previewed_is_what_is_exported(void **unused) {
    (void)unused;
    char *ids = first_row(), *path = scratch_path("preview.f32");
    cJSON *tree = RUN_JSON("preview", base, sft, "--ids", ids, "-c", calibration, "--alpha", "0.5", "--rho",
                           "0.01", "--logits-out", path);
    assert_true(read_number(json_find(tree, "dials"), "selected") == 384);
    size_t count, exported_count, bytes;
    double range;
    float *previewed = read_logits(path, &count);
    float *golden = golden_read_bytes("golden/method/%s/%s", "demo", "logits_rejuvenated_row0.f32", &bytes);
    assert_int_equal(count * sizeof *golden, bytes);
    double error = largest_difference(golden, previewed, count, &range);
    print_message("preview: %.1e of the range from golden\n", error / range);
    assert_true(error / range < LOGITS_TOLERANCE);
    float *exact = logits_of_export("F32", ids, &exported_count);
    assert_int_equal(exported_count, count);
    assert_true(largest_difference(previewed, exact, count, &range) == 0.0);
    float *rounded = logits_of_export("BF16", ids, &exported_count);
    assert_int_equal(exported_count, count);
    error = largest_difference(previewed, rounded, count, &range);
    print_message("export as BF16: %.1e of the range from the preview\n", error / range);
    assert_true(error > 0.0 && error / range < 1.0 / 256);
    free(rounded);
    free(exact);
    free(golden);
    free(previewed);
    cJSON_Delete(tree);
    free(path);
    free(ids);
}

static void compare_files(const char *a, const char *b) {
    char *first = NULL, *second = NULL, *path = scratch_path(a), *other = scratch_path(b);
    size_t bytes = 0, others = 0;
    Error error = {0};
    if (json_read_text(path, 64 << 20, &first, &bytes, &error) != STATUS_OK ||
        json_read_text(other, 64 << 20, &second, &others, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(bytes, others);
    assert_memory_equal(first, second, bytes);
    free(first);
    free(second);
    free(path);
    free(other);
}

static void a_recipe_needs_no_calibration_to_reset_the_same_neurons(void **unused) {
    (void)unused;
    char *first = scratch_path("dialled"), *second = scratch_path("repeated");
    char *recipe = scratch_path("dialled/rejuvenation.json"), *few = few_rows();
    cJSON *one = RUN_JSON("export", base, sft, "--out", first, "-c", few, "--rho", "2%", "--omega", "0.5",
                          "--targets", "8", "--alpha-layers", "0.4:0.6", "--alpha-kind", "q=0.3,down=0.7",
                          "--protect", "embed,norm=sft", "--protect", "lm_head=base");
    cJSON *two = RUN_JSON("export", "--recipe", recipe, "--out", second);
    const cJSON *dials = json_find(one, "dials"), *again = json_find(two, "dials");
    assert_true(read_number(dials, "targets") == 8);
    assert_true(read_number(dials, "omega") == 0.5);
    assert_true(read_number(json_find(dials, "module_alpha"), "q") == 0.3);
    assert_true(read_number(json_find(dials, "module_alpha"), "embed") == 1);
    assert_true(read_number(json_find(dials, "module_alpha"), "lm_head") == 0);
    assert_true(cJSON_GetArrayItem(json_find(dials, "layer_alpha"), 5)->valuedouble == 0.6);
    assert_true(cJSON_Compare(dials, again, true));
    compare_files("dialled/model.safetensors", "repeated/model.safetensors");
    compare_files("dialled/rejuvenation.json", "repeated/rejuvenation.json");
    cJSON_Delete(one);
    cJSON_Delete(two);
    free(few);
    free(recipe);
    free(first);
    free(second);
}

static void check_copy(const Checkpoint *export, const Checkpoint *source, const char *name, bool is_equal) {
    const Tensor *a = checkpoint_find_tensor(export, name), *b = checkpoint_find_tensor(source, name);
    assert_true(a != NULL && b != NULL && a->bytes == b->bytes);
    assert_int_equal(memcmp(a->data, b->data, a->bytes) == 0, is_equal);
}

static void protected_tensors_are_one_models_own(void **unused) {
    (void)unused;
    char *out = scratch_path("protected");
    Checkpoint *export = NULL, *from_base = NULL, *from_sft = NULL;
    Error error = {0};
    cJSON_Delete(RUN_JSON("export", base, sft, "--out", out, "--protect", "embed=sft", "--protect",
                          "lm_head=base", "--alpha-layers", "0,0.5,0.5,0.5,0.5,1", "--alpha-kind", "v=1"));
    if (checkpoint_open(out, &export, &error) != STATUS_OK ||
        checkpoint_open(base, &from_base, &error) != STATUS_OK ||
        checkpoint_open(sft, &from_sft, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    check_copy(export, from_sft, "model.embed_tokens.weight", true);
    check_copy(export, from_base, "lm_head.weight", true);
    check_copy(export, from_base, "model.layers.0.mlp.up_proj.weight", true);
    check_copy(export, from_sft, "model.layers.5.mlp.up_proj.weight", true);
    check_copy(export, from_sft, "model.layers.0.self_attn.v_proj.weight", true);
    check_copy(export, from_sft, "model.layers.2.mlp.up_proj.weight", false);
    check_copy(export, from_base, "model.layers.2.mlp.up_proj.weight", false);
    checkpoint_close(export);
    checkpoint_close(from_base);
    checkpoint_close(from_sft);
    free(out);
}

/* ---- refusals ---- */

static void dials_that_lack_something_or_do_nothing_are_refused(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "expected --calibration FILE", "reset", base, sft);
    PROGRAM_EXPECT(2, "expected --calibration FILE", "reset", base, sft, "--select", "gradient");
    static const char TEXT[] = "Tom has 3 pens\n";
    scratch_write("text.txt", TEXT, sizeof TEXT - 1);
    char *text = scratch_path("text.txt");
    PROGRAM_EXPECT(2, "expected rows with a response", "reset", base, sft, "-c", text, "--select",
                   "gradient");
    free(text);
    PROGRAM_EXPECT(2, "expected --calibration FILE", "neurons", base, sft);
    PROGRAM_EXPECT(2, "expected --calibration FILE", "neurons", base, sft, "--select", "random");
    PROGRAM_EXPECT(2, "expected --calibration FILE", "preview", base, sft, "-p", "x", "--rho", "1%");
    PROGRAM_EXPECT(2, "expected --calibration FILE", "sweep", base, sft, "-p", "x", "--rho", "0:1%:3");
    PROGRAM_EXPECT(2, "--select says what --rho resets, which is missing", "preview", base, sft, "-p", "x",
                   "--select", "drift");
    PROGRAM_EXPECT(2, "--omega says what --rho resets", "sweep", base, sft, "-p", "x", "--omega", "0.5");
    PROGRAM_EXPECT(2, "--targets is for --select attribution", "reset", base, sft, "--select", "drift",
                   "--targets", "3");
    PROGRAM_EXPECT(2, "--seed is for --select random", "reset", base, sft, "--select", "drift", "--seed",
                   "3");
    PROGRAM_EXPECT(2, "expected a layer below 6, found 6", "neurons", base, sft, "-c", calibration, "--layer",
                   "6");
    PROGRAM_EXPECT(2, "did you mean drift?", "neurons", base, sft, "-c", calibration, "--sort", "drif");
    PROGRAM_EXPECT(2, "/nowhere", "reset", base, sft, "-c", "/nowhere");
}

static void malformed_weights_of_layers_and_kinds_are_refused(void **unused) {
    (void)unused;
    static const char *const LAYERS[] = {"",         "0.5:", ":0.5",  "0.4:0.5:3", "0.4,",
                                         "0.4,,0.5", "2:0",  "nan:1", "a,b"};
    static const char *const KINDS[] = {"", "q", "q=", "q=2", "q=0.5,", "=0.5", "q=0.5 ", "q=-0.5"};
    static const char *const PROTECTIONS[] = {"",           "embed", "embed=", "embed=both",
                                              "embed,=sft", "=sft",  "q=sft"};
    char *out = scratch_path("never");
    for (size_t i = 0; i < sizeof LAYERS / sizeof *LAYERS; i++)
        PROGRAM_EXPECT(2, "--alpha-layers: expected", "export", base, sft, "--out", out, "--alpha-layers",
                       LAYERS[i]);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        PROGRAM_EXPECT(2, "--alpha-kind: expected", "export", base, sft, "--out", out, "--alpha-kind",
                       KINDS[i]);
    for (size_t i = 0; i < sizeof PROTECTIONS / sizeof *PROTECTIONS; i++)
        PROGRAM_EXPECT(2, "--protect: expected", "export", base, sft, "--out", out, "--protect",
                       PROTECTIONS[i]);
    PROGRAM_EXPECT(2, "found \"x\"", "export", base, sft, "--out", out, "--alpha-kind", "x=0.5");
    PROGRAM_EXPECT(2, "a weight of its own already", "export", base, sft, "--out", out, "--alpha-kind",
                   "norm=0.5", "--protect", "norm=sft");
    PROGRAM_EXPECT(2, "each of 6 layers, found 2", "export", base, sft, "--out", out, "--alpha-layers",
                   "0.4,0.5");
    assert_int_not_equal(access(out, F_OK), 0);
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_by_rho_have_the_golden_bytes),
        cmocka_unit_test(what_was_previewed_is_what_is_exported),
        cmocka_unit_test(a_recipe_needs_no_calibration_to_reset_the_same_neurons),
        cmocka_unit_test(protected_tensors_are_one_models_own),
        cmocka_unit_test(dials_that_lack_something_or_do_nothing_are_refused),
        cmocka_unit_test(malformed_weights_of_layers_and_kinds_are_refused),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
