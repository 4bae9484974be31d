/* What was probably meant by a mistyped name. */
#include "tui/text/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const NAMES[] = {"alpha-up", NULL, "alpha-down", "help", "quit", "metric-next"};
enum { COUNT = sizeof NAMES / sizeof *NAMES };

static void a_letter_wrong_missing_or_too_many_is_forgiven(void **state) {
    (void)state;
    assert_string_equal(suggest_name("halp", NAMES, COUNT), "help");
    assert_string_equal(suggest_name("hep", NAMES, COUNT), "help");
    assert_string_equal(suggest_name("quitt", NAMES, COUNT), "quit");
    assert_string_equal(suggest_name("alfa-up", NAMES, COUNT), "alpha-up");
}

static void a_beginning_is_near_whatever_is_left_out(void **state) {
    (void)state;
    assert_string_equal(suggest_name("metric", NAMES, COUNT), "metric-next");
    assert_string_equal(suggest_name("alpha", NAMES, COUNT), "alpha-up"); /* the first of equals */
}

static void what_is_more_than_a_third_wrong_is_not_near(void **state) {
    char endless[64 + 1];
    (void)state;
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(suggest_name("zzzz", NAMES, COUNT));
    assert_null(suggest_name(endless, NAMES, COUNT));
}

/* The distance as it is defined: a letter taken away of one or the other, or of both, where equal ones cost nothing. */
static size_t distance(const char *a, const char *b) {
    if (*a == '\0') return strlen(b);
    if (*b == '\0') return strlen(a);
    size_t both = distance(a + 1, b + 1) + (*a != *b), one = distance(a + 1, b), other = distance(a, b + 1);
    size_t less = one < other ? one : other;
    return both < less + 1 ? both : less + 1;
}

/* Word `number` of those of up to four letters, a or b. */
static void make_word(unsigned number, char word[5]) {
    size_t length = 0;
    for (number++; number > 1; number /= 2) word[length++] = number % 2 == 0 ? 'a' : 'b';
    word[length] = '\0';
}

static void a_name_is_near_just_where_its_distance_says(void **state) {
    enum { WORDS = 31 };
    (void)state;
    for (unsigned i = 0; i < WORDS; i++) {
        for (unsigned j = 0; j < WORDS; j++) {
            char mistyped[5], name[5];
            make_word(i, mistyped);
            make_word(j, name);
            const char *const names[] = {name};
            size_t length = strlen(mistyped);
            bool begins = length >= 3 && strncmp(name, mistyped, length) == 0;
            bool is_near = begins || distance(mistyped, name) <= length / 3 + 1;
            assert_int_equal(suggest_name(mistyped, names, 1) != NULL, is_near);
        }
    }
}

/* As many letters as are looked at: the last place of a word of the machine but one. */
static void the_longest_names_are_compared_too(void **state) {
    char name[63 + 1], mistyped[63 + 1];
    const char *const names[] = {name};
    (void)state;
    memset(name, 'a', 63);
    name[63] = '\0';
    memcpy(mistyped, name, sizeof name);
    memset(mistyped + 63 - 22, 'b', 22); /* of 63, a third and one */
    assert_ptr_equal(suggest_name(mistyped, names, 1), name);
    mistyped[0] = 'b';
    assert_null(suggest_name(mistyped, names, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_wrong_missing_or_too_many_is_forgiven),
        cmocka_unit_test(a_beginning_is_near_whatever_is_left_out),
        cmocka_unit_test(what_is_more_than_a_third_wrong_is_not_near),
        cmocka_unit_test(a_name_is_near_just_where_its_distance_says),
        cmocka_unit_test(the_longest_names_are_compared_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
