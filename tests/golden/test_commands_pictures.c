/*
 * shot and figure: the real program draws the demo pair. Numbers in a picture are compared with those that the batch
 * commands print, in the digits that the picture writes.
 */
#include "tests/golden/commands.h"
#include "tests/unit/xml_check.h"
#include "tui/figures/figure_scale.h"

#include <signal.h>

/* Runs, expects success and nothing on standard error; the caller frees the output. */
static char *run_text(const char *const *arguments) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0 || result.errors_bytes > 0)
        fail_msg("status %d: %s", result.status, result.errors);
    free(result.errors);
    return result.output;
}

#define RUN_TEXT(...) run_text((const char *const[]){__VA_ARGS__, NULL})

static void expect_svg(const char *text) {
    XmlCheck check = xml_check(text);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    assert_true(check.texts > 0);
}

static void expect_part(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("expected \"%s\" in:\n%s", part, text);
}

/* ---- shot ---- */

static void every_view_can_be_drawn_in_every_format(void **unused) {
    static const char *const VIEWS_BY_NAME[] = {"overview", "layers", "tensor", "neurons",
                                                "prompt",   "tune",   "export"};
    (void)unused;
    char *rows = few_rows();
/* few targets: figures do not matter */
#define SHOT(...)                                                                                            \
    RUN_TEXT("shot", view, base, sft, "--calibration", rows, "--targets", "2", "--quiet", __VA_ARGS__)
    for (size_t i = 0; i < sizeof VIEWS_BY_NAME / sizeof *VIEWS_BY_NAME; i++) {
        const char *view = VIEWS_BY_NAME[i];
        char *svg = SHOT("--format", "svg");
        expect_svg(svg);
        char *text = SHOT("--size", "80x24");
        expect_part(text, "base → sft (llama 6L 1.2M)");
        size_t lines = 0;
        for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
        assert_int_equal(lines, 24);
        assert_null(strchr(text, '\x1b'));
        char *ansi = SHOT("--format", "ansi");
        assert_non_null(strchr(ansi, '\x1b'));
        char *plain = SHOT("--ascii", "--mono");
        for (const char *c = plain; *c != '\0'; c++) assert_true((unsigned char)*c < 0x80);
        free(svg);
        free(text);
        free(ansi);
        free(plain);
    }
    free(rows);
}

static void a_picture_waits_for_its_figures(void **unused) {
    (void)unused;
    char *rows = few_rows(), number[32];
    cJSON *tree =
        RUN_JSON("sweep", base, sft, "--calibration", rows, "--alpha", "0.4", "--rho", "2%", "--quiet");
    char *text = RUN_TEXT("shot", "tune", base, sft, "--calibration", rows, "--alpha", "0.4", "--rho", "2%",
                          "--quiet");
    const cJSON *point;
    cJSON_ArrayForEach(point, json_find(tree, "points")) {
        (void)snprintf(number, sizeof number, "%.4g", read_number(point, "entropy"));
        expect_part(text, number);
    }
    expect_part(text, "α 0.40  ρ 2.0%");
    cJSON_Delete(tree);
    free(text);
    text = RUN_TEXT("shot", "export", base, sft, "--quiet");
    assert_null(strstr(text, "planning the files"));
    expect_part(text, "model.safetensors");
    free(text);
    free(rows);
}

static void the_same_shot_has_the_same_bytes(void **unused) {
    (void)unused;
    char *rows = few_rows();
    char *first =
        RUN_TEXT("shot", "neurons", base, sft, "--calibration", rows, "--rho", "1%", "-q", "-f", "svg");
    char *second = RUN_TEXT("shot", "neurons", base, sft, "--calibration", rows, "--rho", "1%", "-q", "-f",
                            "svg", "-j1");
    assert_string_equal(first, second);
    free(first);
    free(second);
    free(rows);
}

static void a_shot_has_the_colours_of_its_theme(void **unused) {
    static const struct {
        const char *theme, *ground;
    } THEMES[] = {
        {"dark", "#16181d"}, {"light", "#ffffff"}, {"high-contrast", "#000000"}, {"mono", "#16181d"}};
    char *svgs[4], ground[64];
    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        svgs[i] = RUN_TEXT("shot", "layers", base, sft, "--theme", THEMES[i].theme, "-q", "-f", "svg");
        expect_svg(svgs[i]);
        (void)snprintf(ground, sizeof ground, "height=\"496\" fill=\"%s\"/>", THEMES[i].ground);
        expect_part(svgs[i], ground);
    }
    expect_part(svgs[0], "#fde725"); /* the largest: the end of viridis, which no palette has */
    assert_null(strstr(svgs[3], "#fde725"));
    char *unset = RUN_TEXT("shot", "layers", base, sft, "-q", "-f", "svg");
    assert_string_equal(unset, svgs[0]);
    free(unset);
    for (size_t i = 0; i < 4; i++) free(svgs[i]);
}

static void steps_are_taken_in_order(void **unused) {
    (void)unused;
    char *text =
        RUN_TEXT("shot", "layers", base, sft, "--run", "layer 4", "--press", "l l", "--press", "Enter", "-q");
    expect_part(text, "3 Tensor");
    expect_part(text, "model.layers.4.self_attn.v_proj.weight");
    free(text);
}

static void a_file_is_whole_or_not_there(void **unused) {
    (void)unused;
    char *path = scratch_path("shot.svg"), *nowhere = scratch_path("none/shot.svg");
    for (int time = 0; time < 2; time++) /* one that is there is replaced */
        PROGRAM_EXPECT(0, "", "shot", "layers", base, sft, "--out", path, "--quiet");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes;
    char *text = program_read(file, &bytes);
    expect_svg(text);
    free(text);
    PROGRAM_EXPECT(2, "No such file", "shot", "layers", base, sft, "--out", nowhere, "--quiet");
    free(path);
    free(nowhere);
}

static void mistakes_in_a_shot_are_named(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "there is no view \"nope\"; there are overview, layers", "shot", "nope", base, sft);
    PROGRAM_EXPECT(2, "expected VIEW BASE SFT..., found 2 arguments", "shot", base, sft);
    PROGRAM_EXPECT(2, "--size: expected columns and rows", "shot", "layers", base, sft, "--size", "100");
    PROGRAM_EXPECT(2, "--size: expected columns and rows", "shot", "layers", base, sft, "--size", "0x5");
    PROGRAM_EXPECT(2, "--out: expected a name that ends in", "shot", "layers", base, sft, "--out", "a.png");
    PROGRAM_EXPECT(2, "there is no key \"Foo\"", "shot", "layers", base, sft, "--press", "j Foo");
    PROGRAM_EXPECT(2, "there is no action \"tensr\"; \"tensor\" is near", "shot", "layers", base, sft,
                   "--run", "tensr x");
    PROGRAM_EXPECT(2, "expected FROM:TO:POINTS, such as 0:1:21", "shot", "tune", base, sft, "--run",
                   "sweep-range 0:1:3junk");
    PROGRAM_EXPECT(2, "expected a whole number of targets from 1 to 1000000, found 1000001", "shot", "tune",
                   base, sft, "--run", "targets 1000001");
    PROGRAM_EXPECT(2, "\"q\" leaves the program", "shot", "layers", base, sft, "--press", "q");
    PROGRAM_EXPECT(2, "\"t\": tensor would ask", "shot", "tensor", base, sft, "--press", "t");
    PROGRAM_EXPECT(2, "\"/\": search would ask", "shot", "tensor", base, sft, "--press", "/");
    PROGRAM_EXPECT(2, "--rho: expected --calibration", "shot", "layers", base, sft, "--rho", "1%");
}

static void a_shot_can_be_interrupted(void **unused) {
    (void)unused;
    char *path = scratch_path("never.svg");
    const char *const arguments[] = {
        "shot", "tune",      base, sft,     "--calibration",       calibration, "--out",
        path,   "--threads", "1",  "--run", "sweep-range 0:1:101", NULL};
    pid_t child = program_start(arguments, -1, -1, -1);
    program_interrupt(child, SIGINT);
    assert_int_equal(program_wait(child), 130);
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
}

/* ---- figure ---- */

static void layers_are_those_of_drift(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, sft, "--spectrum", "--quiet");
    static const char *const METRICS[] = {"relative_norm", "cosine", "kurtosis", "stable_rank"};
    size_t compared = 0;
    for (size_t i = 0; i < sizeof METRICS / sizeof *METRICS; i++) {
        char *svg = RUN_TEXT("figure", "layers", base, sft, "--metric", METRICS[i], "--quiet");
        expect_svg(svg);
        const cJSON *tensor;
        cJSON_ArrayForEach(tensor, json_find(tree, "tensors")) {
            const cJSON *layer = json_find(tensor, "layer"), *value = json_find(tensor, METRICS[i]);
            if (!cJSON_IsNumber(layer) || !cJSON_IsNumber(value)) continue;
            char number[FIGURE_TICK_TEXT], note[128];
            figure_scale_write(value->valuedouble, 4, number);
            (void)snprintf(note, sizeof note, "<title>%.0f, %s: %s</title>", layer->valuedouble,
                           json_find(tensor, "role")->valuestring, number);
            expect_part(svg, note);
            compared++;
        }
        free(svg);
    }
    print_message("%zu cells\n", compared);
    assert_int_equal(compared, 3 * 54 + 42); /* 9 modules of 6 layers, of which 7 are matrices */
    cJSON_Delete(tree);
}

static void layers_are_those_of_the_blocks_of_neurons(void **unused) {
    (void)unused;
    static const struct {
        const char *metric, *option, *value, *note;
        size_t modules;
    } FIGURES[] = {{"dormant_base", "--tau", "0.5", ">dormant: at most τ = 0.5 of the layer's mean<", 2},
                   {"dormant_sft", "--tau", "0.5", NULL, 2},
                   {"dormant_change", "--tau", "0.5", NULL, 2},
                   {"gradient_dormant", "--gradient-tau", "0.5", NULL, 1},
                   {"attribution_mass", "--targets", "4", NULL, 7},
                   {"reset_share", "--rho", "2%", ">reset set: ρ = 2 % of all neurons, by attribution<", 7}};
    char *rows = few_rows();
    cJSON *tree = RUN_JSON("neurons", base, sft, "-c", rows, "--tau", "0.5", "--gradient-tau", "0.5",
                           "--targets", "4", "--rho", "2%", "--top", "1", "-q");
    for (size_t i = 0; i < sizeof FIGURES / sizeof *FIGURES; i++) {
        bool is_reset = strcmp(FIGURES[i].metric, "reset_share") == 0;
        char *svg = RUN_TEXT("figure", "layers", base, sft, "-q", "-c", rows, "--metric", FIGURES[i].metric,
                             FIGURES[i].option, FIGURES[i].value, is_reset ? "--targets" : "--threads",
                             is_reset ? "4" : "2");
        size_t compared = 0, other_than_zero = 0;
        const cJSON *block;
        expect_svg(svg);
        expect_part(svg, "\nMeasured on ");
        if (FIGURES[i].note != NULL) expect_part(svg, FIGURES[i].note);
        cJSON_ArrayForEach(block, json_find(tree, "blocks")) {
            const cJSON *value = json_find(block, FIGURES[i].metric);
            if (!cJSON_IsNumber(value)) continue;
            char number[FIGURE_TICK_TEXT], note[128];
            figure_scale_write(value->valuedouble, 4, number);
            (void)snprintf(note, sizeof note, "<title>%.0f, %s: %s</title>", read_number(block, "layer"),
                           json_find(block, "module")->valuestring, number);
            expect_part(svg, note);
            compared++;
            other_than_zero += value->valuedouble < 0 || value->valuedouble > 0;
        }
        assert_int_equal(compared, FIGURES[i].modules * 6);
        assert_true(other_than_zero > 0);
        free(svg);
    }
    cJSON_Delete(tree);
    free(rows);
}

static void curves_are_those_of_sweep(void **unused) {
    (void)unused;
    char *rows = few_rows();
    cJSON *tree =
        RUN_JSON("sweep", base, sft, "--calibration", rows, "--alpha", "0:1:5", "--rho", "0:2%:3", "-q");
    char *svg = RUN_TEXT("figure", "sweep", base, sft, "--calibration", rows, "--alpha", "0:1:5", "--rho",
                         "0:2%:3", "--metric", "loss", "--metric", "kl_sft", "--mark", "0.5", "-q");
    expect_svg(svg);
    const cJSON *point;
    size_t compared = 0;
    cJSON_ArrayForEach(point, json_find(tree, "points")) {
        if (strcmp(json_find(point, "model")->valuestring, "fused") != 0) continue;
        static const char *const KEYS[] = {"loss", "kl_sft"};
        for (size_t i = 0; i < 2; i++) {
            char alpha[FIGURE_TICK_TEXT], number[FIGURE_TICK_TEXT], note[128];
            figure_scale_write(read_number(point, "alpha"), 4, alpha);
            figure_scale_write(read_number(point, KEYS[i]), 4, number);
            (void)snprintf(note, sizeof note, "<title>%s: %s</title>", alpha, number);
            expect_part(svg, note);
            compared++;
        }
    }
    assert_int_equal(compared, 2 * 15);
    expect_part(svg, ">W at ρ = 2 %</text>");
    expect_part(svg, ">α = 0.5</text>");
    expect_part(svg, ">loss of responses (nat)</text>");
    cJSON_Delete(tree);
    free(svg);
    free(rows);
}

static void a_plane_marks_its_smallest_value(void **unused) {
    (void)unused;
    char *rows = few_rows(), text[128];
    cJSON *tree =
        RUN_JSON("sweep", base, sft, "--calibration", rows, "--alpha", "0:1:5", "--rho", "0:4%:3", "-q");
    char *svg = RUN_TEXT("figure", "plane", base, sft, "--calibration", rows, "--alpha", "0:1:5", "--rho",
                         "0:4%:3", "--metric", "loss", "-q");
    expect_svg(svg);
    const cJSON *point, *best = NULL;
    cJSON_ArrayForEach(point, json_find(tree, "points")) {
        bool is_fused = strcmp(json_find(point, "model")->valuestring, "fused") == 0;
        if (is_fused && (best == NULL || read_number(point, "loss") < read_number(best, "loss")))
            best = point;
    }
    assert_non_null(best);
    char number[FIGURE_TICK_TEXT];
    figure_scale_write(read_number(best, "loss"), 4, number);
    (void)snprintf(text, sizeof text, "%s, at α = %.4g, ρ = %.4g %%<", number, read_number(best, "alpha"),
                   read_number(best, "rho") * 100);
    expect_part(svg, text);
    /* ρ in steps of 2 %: 1 % is as near to 0 as to 2 */
    expect_part(svg, ">dashed frame: nearest to the paper's α = 0.5, ρ = 1 %</text>");
    expect_part(svg, "stroke-dasharray=\"2 2\"");
    cJSON_Delete(tree);
    free(svg);
    free(rows);
}

static void a_spectrum_names_its_ranks(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("drift", base, sft, "--spectrum", "--quiet");
    char *svg = RUN_TEXT("figure", "spectrum", base, sft, "--tensor", "layers.3.mlp.down", "--tensor",
                         "model.layers.0.self_attn.k_proj.weight", "-q");
    expect_svg(svg);
    const cJSON *tensor;
    size_t found = 0;
    cJSON_ArrayForEach(tensor, json_find(tree, "tensors")) {
        const char *name = json_find(tensor, "tensor")->valuestring;
        if (strstr(name, "layers.3.mlp.down") == NULL && strstr(name, "layers.0.self_attn.k_") == NULL)
            continue;
        char text[192];
        (void)snprintf(text, sizeof text, ">%s: stable rank %.4g, effective %.4g</text>", name,
                       read_number(tensor, "stable_rank"), read_number(tensor, "effective_rank"));
        expect_part(svg, text);
        found++;
    }
    assert_int_equal(found, 2);
    cJSON_Delete(tree);
    free(svg);
}

static void a_figure_holds_the_command_that_made_it(void **unused) {
    (void)unused;
    char *path = scratch_path("figure.svg"), *again = NULL;
    PROGRAM_EXPECT(0, "", "figure", "layers", base, sft, "--title", "a <b> & 'c'", "--width", "100", "-q",
                   "-o", path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes;
    char *svg = program_read(file, &bytes);
    expect_part(svg, "<desc>rejuv figure layers ");
    expect_part(svg, "--title 'a &lt;b> &amp; '\\''c'\\''' --width 100\nMade by rejuv ");
    expect_part(svg, ">a &lt;b> &amp; 'c'</text>");
    expect_part(svg, "width=\"100.00mm\"");
    assert_null(strstr(svg, path)); /* where it went does not matter */
    again = RUN_TEXT("figure", "layers", base, sft, "--title", "a <b> & 'c'", "--width", "100", "-j1");
    assert_string_equal(svg, again);
    free(svg);
    free(again);
    free(path);
}

static void mistakes_in_a_figure_are_named(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "there is no figure \"nope\"; there are layers, spectrum, sweep, plane", "figure",
                   "nope", base, sft);
    PROGRAM_EXPECT(2, "--metric: there is no \"cosin\" in this figure; did you mean cosine?", "figure",
                   "layers", base, sft, "--metric", "cosin");
    PROGRAM_EXPECT(2, "--metric: expected 1 at most", "figure", "layers", base, sft, "-m", "cosine", "-m",
                   "norm");
    PROGRAM_EXPECT(2, "--alpha does nothing in a figure of layers", "figure", "layers", base, sft, "--alpha",
                   "0.5");
    PROGRAM_EXPECT(2, "--tau does nothing in a figure of this metric", "figure", "layers", base, sft, "--tau",
                   "1");
    PROGRAM_EXPECT(2, "--rho does nothing in a figure of this metric", "figure", "layers", base, sft,
                   "--metric", "dormant_sft", "--rho", "1%");
    PROGRAM_EXPECT(2, "--metric dormant_sft: expected --calibration FILE", "figure", "layers", base, sft,
                   "--metric", "dormant_sft");
    PROGRAM_EXPECT(2, "expected one --rho above 0", "figure", "layers", base, sft, "--metric", "reset_share",
                   "--rho", "0:4%:5");
    PROGRAM_EXPECT(2, "--rho: expected --calibration FILE", "figure", "layers", base, sft, "--metric",
                   "reset_share", "--rho", "1%");
    PROGRAM_EXPECT(2, "expected --tensor NAME", "figure", "spectrum", base, sft);
    PROGRAM_EXPECT(2, "no matrix's name contains \"nope\"", "figure", "spectrum", base, sft, "--tensor",
                   "nope");
    PROGRAM_EXPECT(2, "no matrix that both models have", "figure", "spectrum", base, sft, "--tensor",
                   "model.norm.weight");
    PROGRAM_EXPECT(2, "it is equal in both models", "figure", "spectrum", base, base, "--tensor", "mlp.down",
                   "-q");
    PROGRAM_EXPECT(2, "expected what to measure on", "figure", "sweep", base, sft);
    PROGRAM_EXPECT(2, "expected a range", "figure", "sweep", base, sft, "--prompt", "7", "--alpha", "0.5",
                   "-q");
    PROGRAM_EXPECT(2, "expected two ranges", "figure", "plane", base, sft, "--prompt", "7", "-q");
    PROGRAM_EXPECT(2, "too small for its labels", "figure", "layers", base, sft, "--width", "20", "-q");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_can_be_drawn_in_every_format),
        cmocka_unit_test(a_picture_waits_for_its_figures),
        cmocka_unit_test(the_same_shot_has_the_same_bytes),
        cmocka_unit_test(a_shot_has_the_colours_of_its_theme),
        cmocka_unit_test(steps_are_taken_in_order),
        cmocka_unit_test(a_file_is_whole_or_not_there),
        cmocka_unit_test(mistakes_in_a_shot_are_named),
        cmocka_unit_test(a_shot_can_be_interrupted),
        cmocka_unit_test(layers_are_those_of_drift),
        cmocka_unit_test(layers_are_those_of_the_blocks_of_neurons),
        cmocka_unit_test(curves_are_those_of_sweep),
        cmocka_unit_test(a_plane_marks_its_smallest_value),
        cmocka_unit_test(a_spectrum_names_its_ranks),
        cmocka_unit_test(a_figure_holds_the_command_that_made_it),
        cmocka_unit_test(mistakes_in_a_figure_are_named),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
