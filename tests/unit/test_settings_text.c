/* Weights of layers and kinds as text: what is read, what is refused, and that what is written reads back. */
#include "core/fusion/settings_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_line_and_a_list_make_a_curve(void **state) {
    (void)state;
    Settings settings = settings_at(0.5);
    assert_int_equal(settings_text_read_layers("0.2:1", 5, &settings, NULL), STATUS_OK);
    assert_int_equal(settings.layer_count, 5);
    assert_true(settings.layer_alpha[0] == 0.2 && settings.layer_alpha[4] == 1.0);
    assert_true(settings.layer_alpha[2] == 0.2 + 0.8 * 2.0 / 4.0);
    assert_int_equal(settings_text_read_layers("0,.5,1e-1", 3, &settings, NULL), STATUS_OK);
    assert_int_equal(settings.layer_count, 3);
    assert_true(settings.layer_alpha[0] == 0.0 && settings.layer_alpha[1] == 0.5 &&
                settings.layer_alpha[2] == 0.1);
    assert_int_equal(settings_text_read_layers("0.7", 1, &settings, NULL), STATUS_OK);
    assert_true(settings.layer_count == 1 && settings.layer_alpha[0] == 0.7);
}

static void a_curve_that_is_refused_changes_nothing(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",         "0.5:", ":0.5", "0.4:0.5:3", "0.4,",
                                        "0.4,,0.5", "2:0",  "-1:0", "0,nan,1",   "a,b",
                                        "0.1,0.2",  " 0:1", "0:1 ", "0,0,0,0"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        Settings settings = settings_at(0.5), before = settings;
        Error error = {0};
        if (settings_text_read_layers(WRONG[i], 3, &settings, &error) != STATUS_ARGUMENT)
            fail_msg("\"%s\" was taken", WRONG[i]);
        assert_true(settings_equal(&settings, &before));
        assert_non_null(strstr(error.message, "expected"));
    }
    Settings settings = settings_at(0.5);
    assert_int_equal(settings_text_read_layers("0:1", 0, &settings, NULL), STATUS_ARGUMENT);
    assert_int_equal(settings_text_read_layers("0:1", SETTINGS_LAYERS + 1, &settings, NULL), STATUS_ARGUMENT);
    assert_int_equal(settings_text_read_layers("0:1", SETTINGS_LAYERS, &settings, NULL), STATUS_OK);
}

static void kinds_and_protection_fill_the_same_places(void **state) {
    (void)state;
    SettingsOwn kinds[SETTINGS_KIND_COUNT] = {0};
    assert_int_equal(settings_text_read_kinds("q=0.3,down=1", kinds, NULL), STATUS_OK);
    assert_int_equal(settings_text_read_protection("embed,norm=base", kinds, NULL), STATUS_OK);
    assert_int_equal(settings_text_read_protection("lm_head=sft", kinds, NULL), STATUS_OK);
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        bool expected = i == SETTINGS_Q || i == SETTINGS_DOWN || i >= SETTINGS_EMBEDDING;
        assert_true(kinds[i].is_set == expected);
    }
    assert_true(kinds[SETTINGS_Q].alpha == 0.3 && kinds[SETTINGS_DOWN].alpha == 1.0);
    assert_true(kinds[SETTINGS_EMBEDDING].alpha == 0.0 && kinds[SETTINGS_NORM].alpha == 0.0);
    assert_true(kinds[SETTINGS_HEAD].alpha == 1.0);
    assert_int_equal(settings_text_read_kinds("q=0.4", kinds, NULL), STATUS_ARGUMENT); /* said twice */
    assert_true(kinds[SETTINGS_Q].alpha == 0.3);
    assert_int_equal(settings_text_read_protection("q=sft", kinds, NULL), STATUS_ARGUMENT); /* has neurons */
}

static void what_is_written_reads_back_to_the_last_bit(void **state) {
    (void)state;
    char text[SETTINGS_TEXT_LAYERS_SIZE], kinds_text[SETTINGS_TEXT_KINDS_SIZE];
    Settings settings = settings_at(0.5), again = settings_at(0.5);
    settings_text_write_layers(&settings, text);
    settings_text_write_kinds(&settings, kinds_text);
    assert_string_equal(text, "");
    assert_string_equal(kinds_text, "");
    settings_set_ramp(&settings, 36, 0.4, 0.6);
    settings_text_write_layers(&settings, text);
    assert_string_equal(text, "0.4:0.6");
    settings.layer_alpha[7] = 1.0 / 3.0;
    settings_text_write_layers(&settings, text);
    assert_int_equal(settings_text_read_layers(text, 36, &again, NULL), STATUS_OK);
    assert_true(settings_equal(&settings, &again));
    for (size_t i = 0; i < SETTINGS_LAYERS; i++) settings.layer_alpha[i] = 1.0 / (double)(i + 3);
    settings.layer_count = SETTINGS_LAYERS; /* the longest there is */
    settings_text_write_layers(&settings, text);
    assert_int_equal(settings_text_read_layers(text, SETTINGS_LAYERS, &again, NULL), STATUS_OK);
    assert_true(settings_equal(&settings, &again));
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++)
        settings.kinds[i] = (SettingsOwn){true, 1.0 / (double)(i + 7)};
    settings_text_write_kinds(&settings, kinds_text);
    assert_int_equal(settings_text_read_kinds(kinds_text, again.kinds, NULL), STATUS_OK);
    assert_true(settings_equal(&settings, &again));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_and_a_list_make_a_curve),
        cmocka_unit_test(a_curve_that_is_refused_changes_nothing),
        cmocka_unit_test(kinds_and_protection_fill_the_same_places),
        cmocka_unit_test(what_is_written_reads_back_to_the_last_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
