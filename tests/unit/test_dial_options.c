/* A curve as an option: read for a pair of many layers, and written as it would be given again. */
#include "core/support/buffer.h"
#include "pair_files.h"
#include "tui/commands/dial_options.h"

enum { LAYERS = 300 };

static PairFiles files;

static int open_layers(void **state) {
    (void)state;
    pair_files_make_layers(&files, 0, LAYERS);
    return 0;
}

static int remove_layers(void **state) {
    (void)state;
    pair_files_remove(&files);
    return 0;
}

/* "--alpha-layers TEXT" of an export. */
static Status read_dials(const char *text, Dials *dials, SettingsCurve **curve, Error *error) {
    char *words[] = {"rejuv", "export", "BASE", "SFT", "--out", "OUT", "--alpha-layers", NULL};
    enum { WORDS = sizeof words / sizeof *words };
    Options options;
    words[WORDS - 1] = (char *)(uintptr_t)text;
    if (options_parse(WORDS, words, &options, error) != STATUS_OK) fail_msg("%s", error->message);
    Status status = dial_options_read(&options, files.pair, dials, curve, error);
    options_free(&options);
    return status;
}

/* Reads it, expects the curve, and that the option which sets it again is `text`. */
static void expect_curve(const char *text, const double *alpha) {
    SettingsCurve *curve;
    CommandLine line = {0};
    Dials dials;
    Error error = {0};
    if (read_dials(text, &dials, &curve, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_ptr_equal(dials.settings.curve, curve);
    assert_int_equal(curve->count, LAYERS);
    assert_memory_equal(curve->alpha, alpha, LAYERS * sizeof *alpha);
    dial_options_add(&dials, COMMAND_EXPORT, &line);
    assert_false(line.failed);
    assert_string_equal(line.words[line.count - 2], "--alpha-layers");
    assert_string_equal(line.words[line.count - 1], text);
    command_line_free(&line);
    settings_curve_free(curve);
}

static void a_curve_of_three_hundred_layers_is_a_line_or_a_list(void **state) {
    (void)state;
    double alpha[LAYERS];
    Buffer list = {0};
    for (size_t i = 0; i < LAYERS; i++) alpha[i] = 0.25 + (0.75 - 0.25) * (double)i / (LAYERS - 1);
    expect_curve("0.25:0.75", alpha);
    for (size_t i = 0; i < LAYERS; i++) {
        size_t step = i * 7 % LAYERS; /* no line */
        buffer_add_format(&list, "%s0.%03zu5", i > 0 ? "," : "", step);
        alpha[i] = ((double)step * 10.0 + 5.0) / 10000.0;
    }
    assert_false(list.failed);
    expect_curve(list.text, alpha);
    buffer_free(&list);
}

static void a_curve_of_another_model_is_refused_and_freed(void **state) {
    (void)state;
    SettingsCurve *curve = (SettingsCurve *)(void *)&curve;
    Dials dials;
    Error error = {0};
    assert_int_equal(read_dials("0.5,0.5", &dials, &curve, &error), STATUS_ARGUMENT);
    assert_null(curve);
    assert_non_null(strstr(error.message, "--alpha-layers: expected an α for each of 300 layers, found 2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_of_three_hundred_layers_is_a_line_or_a_list),
        cmocka_unit_test(a_curve_of_another_model_is_refused_and_freed),
    };
    return cmocka_run_group_tests(tests, open_layers, remove_layers);
}
