/* Figures with an error: what is shown, and how the error reads. */
#include "tui/text/uncertain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_figure_is_shown_to_a_hundredth_of_it(void **state) {
    (void)state;
    assert_true(uncertain_shows_figure(0.3, 0.003));
    assert_true(uncertain_shows_figure(-0.3, 0.0029));
    assert_false(uncertain_shows_figure(0.3, 0.0031));
    assert_true(uncertain_shows_figure(0.0, 0.0)); /* nothing can change */
    assert_false(uncertain_shows_figure(0.0, 1e-9));
    assert_false(uncertain_shows_figure(0.3, NAN));
    assert_false(uncertain_shows_figure(NAN, 0.0));
    assert_false(uncertain_shows_figure(0.3, INFINITY));
}

static void a_bar_is_shown_to_an_eighth_of_a_column(void **state) {
    (void)state;
    assert_true(uncertain_shows_bar(1.0 / 160.0, 20));
    assert_false(uncertain_shows_bar(1.0 / 159.0, 20));
    assert_false(uncertain_shows_bar(NAN, 20));
    assert_false(uncertain_shows_bar(INFINITY, 20));
}

static void an_error_reads_as_one_digit_rounded_up(void **state) {
    (void)state;
    static const struct {
        double error;
        bool is_share;
        const char *text;
    } CASES[] = {{0.0021, false, "±0.003"},   {0.003, false, "±0.003"},   {0.00003, false, "±0.00003"},
                 {2.1e-5, false, "±0.00003"}, {9.5e-5, false, "±0.0001"}, {1.2e-7, false, "±2e-07"},
                 {9.5e-7, false, "±1e-06"},   {1.4, false, "±2"},         {23.0, false, "±30"},
                 {0.0, false, "±0"},          {0.00034, true, "±0.04 %"}, {0.0, true, "±0 %"},
                 {NAN, false, "±nan"},        {INFINITY, false, "±inf"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[FORMAT_SIZE];
        assert_string_equal(uncertain_write_error(CASES[i].error, CASES[i].is_share, text), CASES[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_figure_is_shown_to_a_hundredth_of_it),
        cmocka_unit_test(a_bar_is_shown_to_an_eighth_of_a_column),
        cmocka_unit_test(an_error_reads_as_one_digit_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
