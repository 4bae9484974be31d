/* Weights of layers and kinds as text: what is read, what is refused, and that what is written reads back. */
#include "core/fusion/settings_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 300 }; /* layers */

static SettingsCurve *read_layers(const char *text, size_t layers) {
    SettingsCurve *curve;
    Error error = {0};
    if (settings_text_read_layers(text, layers, &curve, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(curve->count, layers);
    return curve;
}

static void a_line_and_a_list_make_a_curve(void **state) {
    (void)state;
    SettingsCurve *line = read_layers("0.2:1", 5), *list = read_layers("0,.5,1e-1", 3);
    SettingsCurve *single = read_layers("0.7", 1);
    assert_true(line->alpha[0] == 0.2 && line->alpha[4] == 1.0);
    assert_true(line->alpha[2] == 0.2 + 0.8 * 2.0 / 4.0);
    assert_true(list->alpha[0] == 0.0 && list->alpha[1] == 0.5 && list->alpha[2] == 0.1);
    assert_true(single->alpha[0] == 0.7);
    settings_curve_free(line);
    settings_curve_free(list);
    settings_curve_free(single);
}

static void refuse(const char *text, size_t layers, const char *words) {
    SettingsCurve *curve = (SettingsCurve *)(void *)&curve;
    Error error = {0};
    if (settings_text_read_layers(text, layers, &curve, &error) != STATUS_ARGUMENT)
        fail_msg("\"%s\" was taken", text);
    assert_null(curve);
    if (strstr(error.message, words) == NULL) fail_msg("expected \"%s\" in: %s", words, error.message);
}

static void a_curve_that_is_refused_is_none(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",         "0.5:", ":0.5", "0.4:0.5:3", "0.4,",
                                        "0.4,,0.5", "2:0",  "-1:0", "0,nan,1",   "a,b",
                                        "0.1,0.2",  " 0:1", "0:1 ", "0,0,0,0"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) refuse(WRONG[i], 3, "expected");
    refuse("0:1", 0, "expected A0:A1");
    refuse("0.5", 0, "each of 0 layers, found 1");
    refuse("0,0,0,0", 3, "each of 3 layers, found 4");
    refuse("0,0,0,0,x", 3, "expected A0:A1 or a list"); /* wrong beyond the last layer too */
}

static void kinds_and_protection_fill_the_same_places(void **state) {
    (void)state;
    SettingsOwn kinds[SETTINGS_KIND_COUNT] = {0};
    assert_int_equal(settings_text_read_kinds("q=0.3,down=1", kinds, NULL), STATUS_OK);
    assert_int_equal(settings_text_read_protection("embed,norm=base", kinds, NULL), STATUS_OK);
    assert_int_equal(settings_text_read_protection("lm_head=sft", kinds, NULL), STATUS_OK);
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        bool expected = i == SETTINGS_Q || i == SETTINGS_DOWN || i == SETTINGS_EMBEDDING ||
                        i == SETTINGS_NORM || i == SETTINGS_HEAD;
        assert_true(kinds[i].is_set == expected);
    }
    assert_true(kinds[SETTINGS_Q].alpha == 0.3 && kinds[SETTINGS_DOWN].alpha == 1.0);
    assert_true(kinds[SETTINGS_EMBEDDING].alpha == 0.0 && kinds[SETTINGS_NORM].alpha == 0.0);
    assert_true(kinds[SETTINGS_HEAD].alpha == 1.0);
    assert_int_equal(settings_text_read_kinds("q=0.4", kinds, NULL), STATUS_ARGUMENT); /* said twice */
    assert_true(kinds[SETTINGS_Q].alpha == 0.3);
    assert_int_equal(settings_text_read_protection("q=sft", kinds, NULL), STATUS_ARGUMENT); /* has neurons */
}

/* Writes it, expecting `text` where that is not NULL, and reads that back. */
static void expect_layers(const SettingsCurve *curve, const char *text) {
    char *written = settings_text_format_layers(curve);
    assert_non_null(written);
    if (text != NULL) assert_string_equal(written, text);
    SettingsCurve *again = read_layers(written, curve->count);
    assert_true(settings_curve_equal(curve, again));
    settings_curve_free(again);
    free(written);
}

static void a_curve_that_is_written_reads_back_to_the_last_bit(void **state) {
    (void)state;
    SettingsCurve *line, *single;
    double list[MANY];
    char *none = settings_text_format_layers(NULL);
    assert_string_equal(none, "");
    free(none);
    assert_int_equal(settings_curve_create_ramp(1, 0.7, 0.7, &single, NULL), STATUS_OK);
    expect_layers(single, "0.7");
    assert_int_equal(settings_curve_create_ramp(MANY, 0.4, 0.6, &line, NULL), STATUS_OK);
    expect_layers(line, "0.4:0.6");
    line->alpha[7] = 1.0 / 3.0;
    expect_layers(line, NULL);
    settings_curve_free(line);
    for (size_t i = 0; i < MANY; i++) list[i] = 1.0 / (double)(i + 3);
    assert_int_equal(settings_curve_create(list, MANY, &line, NULL), STATUS_OK);
    expect_layers(line, NULL);
    settings_curve_free(line);
    settings_curve_free(single);
}

static void kinds_that_are_written_read_back_to_the_last_bit(void **state) {
    (void)state;
    char kinds_text[SETTINGS_TEXT_KINDS_SIZE];
    Settings settings = settings_at(0.5), again = settings_at(0.5);
    settings_text_write_kinds(&settings, kinds_text);
    assert_string_equal(kinds_text, "");
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++)
        settings.kinds[i] = (SettingsOwn){true, 1.0 / (double)(i + 7)};
    settings_text_write_kinds(&settings, kinds_text);
    assert_int_equal(settings_text_read_kinds(kinds_text, again.kinds, NULL), STATUS_OK);
    assert_true(settings_equal(&settings, &again));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_and_a_list_make_a_curve),
        cmocka_unit_test(a_curve_that_is_refused_is_none),
        cmocka_unit_test(kinds_and_protection_fill_the_same_places),
        cmocka_unit_test(a_curve_that_is_written_reads_back_to_the_last_bit),
        cmocka_unit_test(kinds_that_are_written_read_back_to_the_last_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
