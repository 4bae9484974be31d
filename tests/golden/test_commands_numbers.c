/* What is not a number, from a checkpoint that holds one to what the commands say: told as such, never as a figure, a token or a
 * share; and JSON that stays JSON. */
#include "commands.h"

#include <limits.h>

static char *spoiled; /* the demo pair's SFT side, its last weight NaN */

static int open_spoiled(void **state) {
    if (open_demo(state) != 0) return -1;
    static const unsigned char BF16_NAN[] = {0xC0, 0x7F};
    char line[2 * PATH_MAX], *path = scratch_path("sft/model.safetensors");
    spoiled = scratch_path("sft");
    (void)snprintf(line, sizeof line, "cp -r '%s' '%s'", sft, spoiled);
    if (system(line) != 0) return -1;
    FILE *file = fopen(path, "r+b");
    free(path);
    if (file == NULL || fseek(file, -(long)sizeof BF16_NAN, SEEK_END) != 0) return -1;
    bool written = fwrite(BF16_NAN, sizeof BF16_NAN, 1, file) == 1;
    return fclose(file) == 0 && written ? 0 : -1;
}

static int close_spoiled(void **state) {
    free(spoiled);
    return close_demo(state);
}

static const cJSON *positions_of(const cJSON *tree, const char *model) {
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(tree, "positions")) if (strcmp(json_get_text(item, "model", ""),
                                                                      model) == 0) return item;
    fail_msg("no positions of %s", model);
    return NULL;
}

static void no_token_comes_first_where_logits_are_no_numbers(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("preview", base, spoiled, "--ids", "300,25,412", "-k", "2");
    static const char *const BROKEN[] = {"sft", "fused"};
    const cJSON *top = json_find(tree, "top")->child;
    assert_int_equal(cJSON_GetArraySize(json_find(top, "base")), 2);
    assert_true(cJSON_IsNumber(cJSON_GetArrayItem(json_find(positions_of(tree, "base"), "top1_id"), 2)));
    for (int i = 0; i < 2; i++) {
        const cJSON *of = positions_of(tree, BROKEN[i]), *averages = json_find(tree, "averages");
        assert_int_equal(cJSON_GetArraySize(json_find(top, BROKEN[i])), 0);
        assert_true(cJSON_IsNull(cJSON_GetArrayItem(json_find(of, "top1_id"), 2)));
        /* nor is it at no distance from itself */
        assert_true(isnan(read_number(json_find(averages, BROKEN[i]), "kl_sft")));
        assert_true(isnan(read_number(json_find(averages, BROKEN[i]), "same_top1_sft")));
    }
    assert_true(read_number(json_find(json_find(tree, "averages"), "base"), "kl_base") == 0.0);
    cJSON_Delete(tree);
}

static void drift_counts_what_is_not_a_number_and_shows_it(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, spoiled);
    size_t spoiled_tensors = 0;
    const cJSON *tensor;
    cJSON_ArrayForEach(tensor, json_find(tree, "tensors")) {
        bool is_spoiled = read_number(tensor, "sft_nonfinite") > 0.0;
        spoiled_tensors += is_spoiled;
        assert_int_equal(isnan(read_number(tensor, "relative_norm")), is_spoiled);
        assert_int_equal(isnan(read_number(tensor, "cosine")), is_spoiled);
        assert_int_equal(isnan(read_number(tensor, "base_norm")), false);
    }
    assert_int_equal(spoiled_tensors, 1);
    assert_true(isnan(read_number(json_find(tree, "all"), "relative_norm")));
    cJSON_Delete(tree);
}

/* What there is nothing to take of is no fault of the weights: a dash for people, and of two tables none says nan. */
static void what_is_undefined_is_a_dash_for_people(void **unused) {
    (void)unused;
    char *prompts = scratch_path("prompts.txt"), *rows = scratch_path("rows.jsonl"),
         *samples = scratch_path("samples.jsonl");
    scratch_write("prompts.txt", "Once upon a\n", 12);
    static const char ROW[] = "{\"prompt\":\"Once\",\"response\":\" upon\"}\n",
                      SAMPLE[] = "{\"prompt\":\"Once\",\"response\":\" upon\",\"reward\":1}\n";
    scratch_write("rows.jsonl", ROW, sizeof ROW - 1);
    scratch_write("samples.jsonl", SAMPLE, sizeof SAMPLE - 1);
    const char *const *const LINES[] = {
        (const char *const[]){"sweep", base, sft, "-c", prompts, "--alpha", "0:1:2", NULL},
        (const char *const[]){"neurons", base, sft, "-c", prompts, "--targets", "1", NULL},
        (const char *const[]){"ladder", base, sft, sft, "-c", prompts, NULL},
        (const char *const[]){"shot", "tune", base, sft, "-c", prompts, "--format", "text", NULL},
        (const char *const[]){"rollout", base, sft, "--samples", samples, NULL},
        (const char *const[]){"landscape", base, sft, "-c", rows, "--sharpness", "0.1", "--directions", "1",
                              NULL},
        (const char *const[]){"drift", base, base, "--spectrum", NULL},
        (const char *const[]){"report", base, base, "-c", rows, "--sweep", "0:1:2", "--line", "0:1:2",
                              "--plane", "-0.1:0.1:2", "--directions", "1", "--rows", "1", "--samples",
                              samples, "--markdown", NULL},
    };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        ProgramResult result = program_run_with(LINES[i], NULL, 0);
        if (result.status != 0) fail_msg("%s: %s", LINES[i][0], result.errors);
        const char *at = strstr(result.output, " nan");
        if (at != NULL) fail_msg("%s: %.80s", LINES[i][0], at);
        assert_non_null(strstr(result.output, " -"));
        program_free(&result);
    }
    free(prompts);
    free(rows);
    free(samples);
}

static void a_plane_without_a_number_has_no_smallest(void **unused) {
    (void)unused;
    char *rows = scratch_path("rows.jsonl");
    static const char ROW[] = "{\"prompt\":\"Once\",\"response\":\" upon\"}\n";
    scratch_write("rows.jsonl", ROW, sizeof ROW - 1);
    const char *const *const LINES[] = {
        (const char *const[]){"figure", "plane", base, spoiled, "-c", rows, "--alpha", "0.5", "--plane",
                              "-0.1:0.1:2", NULL},
        (const char *const[]){"figure", "plane", base, spoiled, "-c", rows, "--alpha", "0.5:1:2", "--rho",
                              "0:1%:2", "--select", "random", NULL},
    };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        ProgramResult result = program_run_with(LINES[i], NULL, 0);
        if (result.status != 0) fail_msg("%s", result.errors);
        assert_null(strstr(result.output, ">frame: "));
        assert_null(strstr(result.output, "−nan"));
        program_free(&result);
    }
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_token_comes_first_where_logits_are_no_numbers),
        cmocka_unit_test(drift_counts_what_is_not_a_number_and_shows_it),
        cmocka_unit_test(what_is_undefined_is_a_dash_for_people),
        cmocka_unit_test(a_plane_without_a_number_has_no_smallest),
    };
    return cmocka_run_group_tests(tests, open_spoiled, close_spoiled);
}
