/*
 * landscape, and the figures of it: the real program on golden pairs, its JSON compared with what torch computed in
 * float64; text and CSV have the same numbers.
 */
#include "tests/golden/commands.h"
#include "tests/unit/xml_check.h"
#include "tui/figures/figure_scale.h"

#include <signal.h>

/* Relative, of losses; a figure that is a difference of losses is as exact as those. */
static const double TOLERANCE = 1e-5;

/* Every number of a golden tree, in the same place; `unit` is absolute. */
static void must_equal(const cJSON *expected, const cJSON *found, double unit) {
    if (found == NULL) fail_msg("missing: %s", expected->string == NULL ? "an element" : expected->string);
    if (cJSON_IsNumber(expected)) {
        double off = fabs(expected->valuedouble - found->valuedouble);
        if (!cJSON_IsNumber(found) || off > unit)
            fail_msg("%s: expected %.10g, found %.10g",
                     expected->string == NULL ? "an element" : expected->string, expected->valuedouble,
                     found->valuedouble);
        return;
    }
    if (cJSON_IsArray(expected)) assert_int_equal(cJSON_GetArraySize(expected), cJSON_GetArraySize(found));
    int index = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, expected) {
        bool is_curvature = child->string != NULL && strcmp(child->string, "curvature") == 0;
        double sigma = is_curvature ? read_number(expected, "sigma") : 1.0;
        must_equal(child,
                   cJSON_IsArray(expected) ? cJSON_GetArrayItem(found, index)
                                           : json_find(found, child->string),
                   is_curvature ? 4.0 * unit / (sigma * sigma) : unit);
        index++;
    }
}

static void check_pair(const char *name, const char *root) {
    cJSON *golden = golden_read_json("golden/readiness/%s/%s", name, "landscape.json");
    const cJSON *line = json_find(golden, "line"), *span = json_find(json_find(golden, "plane"), "span");
    const cJSON *sharpness = json_find(json_find(golden, "sharpness"), "fused");
    char *own_base = golden_path("%s/%s", root, "base"), *own_sft = golden_path("%s/%s", root, "sft"),
         *rows = golden_path("%s/%s", root, "calibration.jsonl");
    char alpha[32], seed[32], count[32], directions[32], sigma[32], across[64], around[64];
    int points = cJSON_GetArraySize(line), steps = cJSON_GetArraySize(span);
    (void)snprintf(alpha, sizeof alpha, "%g", read_number(golden, "alpha"));
    (void)snprintf(seed, sizeof seed, "%g", read_number(golden, "seed"));
    (void)snprintf(count, sizeof count, "%g", read_number(golden, "rows"));
    (void)snprintf(sigma, sizeof sigma, "%g", read_number(sharpness, "sigma"));
    (void)snprintf(directions, sizeof directions, "%g", read_number(sharpness, "directions"));
    (void)snprintf(across, sizeof across, "%g:%g:%d",
                   cJSON_GetArrayItem(cJSON_GetArrayItem(line, 0), 0)->valuedouble,
                   cJSON_GetArrayItem(cJSON_GetArrayItem(line, points - 1), 0)->valuedouble, points);
    (void)snprintf(around, sizeof around, "%g:%g:%d", cJSON_GetArrayItem(span, 0)->valuedouble,
                   cJSON_GetArrayItem(span, steps - 1)->valuedouble, steps);
    cJSON *tree = RUN_JSON("landscape", own_base, own_sft, "--calibration", rows, "--rows", count, "--alpha",
                           alpha, "--seed", seed, "--line", across, "--plane", around, "--sharpness", sigma,
                           "--directions", directions, "-q");
    double loss = read_number(sharpness, "loss"), unit = TOLERANCE * loss;
    must_equal(line, json_find(tree, "line"), unit);
    must_equal(json_find(golden, "plane"), json_find(tree, "plane"), unit);
    must_equal(json_find(golden, "sharpness"), json_find(tree, "sharpness"), unit);
    assert_int_equal(read_number(tree, "rows"), read_number(golden, "rows"));
    assert_int_equal(read_number(tree, "seed"), read_number(golden, "seed"));
    cJSON_Delete(golden);
    cJSON_Delete(tree);
    free(own_base);
    free(own_sft);
    free(rows);
}

static void the_landscape_is_that_of_torch(void **unused) {
    (void)unused;
    check_pair("demo", "demo");
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied");
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias");
}

/* ---- the forms ---- */

static void only_what_is_asked_for_is_measured(void **unused) {
    (void)unused;
    char *rows = few_rows();
    cJSON *tree = RUN_JSON("landscape", base, sft, "-c", rows, "-q");
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "line")), 13);
    assert_true(json_find(tree, "plane") == NULL && json_find(tree, "sharpness") == NULL);
    cJSON_Delete(tree);
    tree = RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--sharpness", "0.1", "--directions", "1");
    assert_true(json_find(tree, "line") == NULL && json_find(tree, "plane") == NULL);
    /* one direction has no standard error */
    assert_true(isnan(read_number(json_find(json_find(tree, "sharpness"), "sft"), "curvature_error")));
    cJSON_Delete(tree);
    free(rows);
}

/* At α = 0 and 1 the line is base and SFT; α outside is no mistake. */
static void the_line_goes_through_base_and_sft(void **unused) {
    (void)unused;
    char *rows = few_rows();
    cJSON *tree = RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--line", "-1:2:4", "--sharpness", "0.1",
                           "--directions", "1", "--alpha-kind", "q=1");
    cJSON *sweep = RUN_JSON("sweep", base, sft, "-c", rows, "-q", "--alpha", "-1:2:4");
    const cJSON *line = json_find(tree, "line"), *sharpness = json_find(tree, "sharpness");
    double at[4];
    for (int i = 0; i < 4; i++) {
        const cJSON *point = cJSON_GetArrayItem(line, i);
        assert_true(cJSON_GetArrayItem(point, 0)->valuedouble == i - 1.0);
        at[i] = cJSON_GetArrayItem(point, 1)->valuedouble;
        /* of sweep's table the first row is base, the points follow */
        double swept = read_number(cJSON_GetArrayItem(json_find(sweep, "points"), i + 1), "loss");
        assert_true(fabs(at[i] - swept) < TOLERANCE * swept);
    }
    assert_true(fabs(at[1] - read_number(json_find(sharpness, "base"), "loss")) < TOLERANCE);
    assert_true(fabs(at[2] - read_number(json_find(sharpness, "sft"), "loss")) < TOLERANCE);
    cJSON_Delete(tree);
    cJSON_Delete(sweep);
    free(rows);
}

static void a_reset_moves_w_and_not_the_line(void **unused) {
    (void)unused;
    char *rows = few_rows();
    cJSON *still =
        RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--line", "0:1:3", "--plane", "0:0.1:2");
    cJSON *reset = RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--line", "0:1:3", "--plane", "0:0.1:2",
                            "--rho", "2%", "--select", "random", "--seed", "0");
    assert_true(cJSON_Compare(json_find(still, "line"), json_find(reset, "line"), true));
    assert_false(cJSON_Compare(json_find(json_find(still, "plane"), "loss"),
                               json_find(json_find(reset, "plane"), "loss"), true));
    assert_string_equal(json_find(json_find(reset, "dials"), "selector")->valuestring, "random");
    cJSON_Delete(still);
    cJSON_Delete(reset);
    free(rows);
}

static char *run_text(const char *const *arguments) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0) fail_msg("status %d: %s", result.status, result.errors);
    free(result.errors);
    return result.output;
}

#define RUN_TEXT(...) run_text((const char *const[]){__VA_ARGS__, NULL})

/* A reset of W(0.5) is off the line: base, SFT and it span a plane, whose row y = 0 is the line. */
static void a_third_checkpoint_spans_a_plane(void **unused) {
    (void)unused;
    char *rows = few_rows(), *third = scratch_path("third");
    free(RUN_TEXT("export", base, sft, "--alpha", "0.5", "--rho", "10%", "--select", "random", "--dtype",
                  "F32", "--out", third, "-q"));
    cJSON *tree = RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--line", "0:1:3", "--plane", "0:1:3",
                           "--third", third);
    const cJSON *plane = json_find(tree, "plane"), *line = json_find(tree, "line");
    const cJSON *first = cJSON_GetArrayItem(json_find(plane, "loss"), 0);
    for (int i = 0; i < 3; i++) {
        double loss = cJSON_GetArrayItem(cJSON_GetArrayItem(line, i), 1)->valuedouble;
        assert_true(fabs(cJSON_GetArrayItem(first, i)->valuedouble - loss) < TOLERANCE * loss);
    }
    assert_string_equal(json_find(json_find(plane, "third"), "directory")->valuestring, third);
    double x = read_number(json_find(plane, "third"), "x");
    assert_true(x > 0.3 && x < 0.5); /* less than α: of a tenth of the neurons nothing of SFT is left */
    cJSON_Delete(tree);
    char *text = RUN_TEXT("landscape", base, sft, "-c", rows, "-q", "--plane", "0:1:3", "--third", third);
    assert_non_null(strstr(text, "The plane through base (0, 0), SFT (1, 0) and the third"));
    free(text);
    PROGRAM_EXPECT(2, "--third says through what", "landscape", base, sft, "-c", rows, "--third", third);
    PROGRAM_EXPECT(2, "on the line through base and SFT", "landscape", base, sft, "-c", rows, "--plane",
                   "0:1:2", "--third", base, "-q");
    free(third);
    free(rows);
}

static size_t count_lines(const char *text, const char *start) {
    size_t count = 0, length = strlen(start);
    for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n') + 1)
        count += strncmp(at, start, length) == 0;
    return count;
}

static void csv_has_a_row_for_every_loss_and_text_a_table_for_every_part(void **unused) {
    (void)unused;
    char *rows = few_rows();
    char *csv = RUN_TEXT("landscape", base, sft, "-c", rows, "-q", "--csv", "--line", "0:1:3", "--plane",
                         "-0.1:0.1:3", "--sharpness", "0.1", "--directions", "2");
    assert_int_equal(count_lines(csv, "part,model,alpha,x,y,direction,step,loss"), 1);
    assert_int_equal(count_lines(csv, "line,fused,0.5,,,,,"), 1);
    assert_int_equal(count_lines(csv, "plane,fused,,"), 9);
    assert_int_equal(count_lines(csv, "sharpness,base,,,,,0,"), 1);
    assert_int_equal(count_lines(csv, "sharpness,sft,,,,1,-0.1,"), 1);
    assert_int_equal(count_lines(csv, "sharpness,fused,"), 5);
    char *text = RUN_TEXT("landscape", base, sft, "-c", rows, "-q", "--line", "0:1:3", "--plane",
                          "-0.1:0.1:3", "--sharpness", "0.1", "--directions", "2");
    assert_int_equal(count_lines(text, "The line through base (0) and SFT (1)"), 1);
    assert_int_equal(count_lines(text, "The plane around W"), 1);
    assert_int_equal(count_lines(text, "Sharpness: ±0.1 along 2 directions of seed 0"), 1);
    assert_int_equal(count_lines(text, "Losses are means over the "), 1);
    free(csv);
    free(text);
    free(rows);
}

/* ---- figures ---- */

static char *figure_of(const char *const *arguments) {
    char *svg = run_text(arguments);
    XmlCheck check = xml_check(svg);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    return svg;
}

#define FIGURE(...) figure_of((const char *const[]){"figure", __VA_ARGS__, "-q", NULL})

static void expect_number(const char *svg, const char *name, double value) {
    char number[FIGURE_TICK_TEXT], note[128];
    figure_scale_write(value, 4, number);
    (void)snprintf(note, sizeof note, "<title>%s: %s</title>", name, number);
    if (strstr(svg, note) == NULL) fail_msg("expected \"%s\" in:\n%s", note, svg);
}

static void figures_have_the_numbers_of_the_command(void **unused) {
    (void)unused;
    char *rows = few_rows();
    cJSON *tree =
        RUN_JSON("landscape", base, sft, "-c", rows, "-q", "--line", "0:1:3", "--plane", "-0.2:0.2:3",
                 "--sharpness", "0.1", "--directions", "3", "--seed", "5", "--rows", "4");
    char *line =
        FIGURE("landscape", base, sft, "-c", rows, "--line", "0:1:3", "--rows", "4", "--mark", "0.5");
    expect_number(line, "0.5000",
                  cJSON_GetArrayItem(cJSON_GetArrayItem(json_find(tree, "line"), 1), 1)->valuedouble);
    char *plane = FIGURE("plane", base, sft, "-c", rows, "--plane", "-0.2:0.2:3", "--seed", "5", "--rows",
                         "4", "--log");
    const cJSON *loss = json_find(json_find(tree, "plane"), "loss");
    expect_number(plane, "−0.2, 0.2", cJSON_GetArrayItem(cJSON_GetArrayItem(loss, 2), 0)->valuedouble);
    assert_non_null(strstr(plane, ">dashed frame: nearest to W, α = 0.5, ρ = 0 %<"));
    char *bars = FIGURE("sharpness", base, sft, "-c", rows, "--sharpness", "0.1", "--directions", "3",
                        "--seed", "5", "--rows", "4");
    expect_number(bars, "SFT", read_number(json_find(json_find(tree, "sharpness"), "sft"), "worst_rise"));
    expect_number(bars, "W", read_number(json_find(json_find(tree, "sharpness"), "fused"), "mean_curvature"));
    free(line);
    free(plane);
    free(bars);
    cJSON_Delete(tree);
    free(rows);
}

/* ---- mistakes ---- */

static void mistakes_are_named(void **unused) {
    (void)unused;
    char *rows = few_rows(), *prompts = scratch_path("prompts.jsonl");
    scratch_write_text("prompts.jsonl", "{\"prompt\": \"Question: Jack\"}\n");
    PROGRAM_EXPECT(2, "expected --calibration FILE", "landscape", base, sft);
    PROGRAM_EXPECT(2, "no row has a response", "landscape", base, sft, "-c", prompts, "-q");
    PROGRAM_EXPECT(2, "--directions says how many", "landscape", base, sft, "-c", rows, "--directions", "3");
    PROGRAM_EXPECT(2, "at most 10000 points in all", "landscape", base, sft, "-c", rows, "--plane",
                   "0:1:101");
    PROGRAM_EXPECT(2, "--sharpness: expected a number", "landscape", base, sft, "-c", rows, "--sharpness",
                   "0");
    PROGRAM_EXPECT(2, "--omega says what --rho resets", "landscape", base, sft, "-c", rows, "--omega", "0.5");
    PROGRAM_EXPECT(2, "No such file", "landscape", base, sft, "-c", "/nowhere");
    PROGRAM_EXPECT(2, "--metric does nothing with --plane", "figure", "plane", base, sft, "-c", rows,
                   "--plane", "0:1:2", "-m", "loss");
    PROGRAM_EXPECT(2, "expected one --alpha", "figure", "plane", base, sft, "-c", rows, "--plane", "0:1:2",
                   "-a", "0:1:3");
    PROGRAM_EXPECT(2, "expected --sharpness SIGMA", "figure", "sharpness", base, sft, "-c", rows);
    PROGRAM_EXPECT(2, "--seed is for --select random", "figure", "plane", base, sft, "-c", rows, "--seed",
                   "1", "--rho", "0:1%:2");
    free(prompts);
    free(rows);
}

static void a_landscape_can_be_interrupted(void **unused) {
    (void)unused;
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    const char *const arguments[] = {"landscape", base,       sft,      "-c", calibration,
                                     "--plane",   "-1:1:100", "--json", NULL};
    pid_t child = program_start(arguments, -1, fileno(out), fileno(err));
    program_interrupt(child, SIGINT);
    assert_int_equal(program_wait(child), 130);
    size_t bytes;
    free(program_read(out, &bytes));
    assert_int_equal(bytes, 0);
    free(program_read(err, &bytes));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_landscape_is_that_of_torch),
        cmocka_unit_test(only_what_is_asked_for_is_measured),
        cmocka_unit_test(the_line_goes_through_base_and_sft),
        cmocka_unit_test(a_reset_moves_w_and_not_the_line),
        cmocka_unit_test(a_third_checkpoint_spans_a_plane),
        cmocka_unit_test(csv_has_a_row_for_every_loss_and_text_a_table_for_every_part),
        cmocka_unit_test(figures_have_the_numbers_of_the_command),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_landscape_can_be_interrupted),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
