/* FROM:TO:POINTS: what is taken, what is refused whole, and which numbers it stands for. */
#include "tests/golden/golden.h"
#include "tui/text/range.h"

#include <math.h>
#include <string.h>

static const RangeLimits NUMBERS = {.least = -1.0, .most = 2.0, .least_points = 1, .most_points = 100};
static const RangeLimits SHARES = {
    .most = 1.0, .least_points = 1, .most_points = 100, .are_shares = true, .has_to_climb = true};
static const RangeLimits SWEPT = {.most = 1.0, .least_points = 2, .most_points = 101, .has_to_climb = true};

static void expect(const char *text, const RangeLimits *limits, double from, double to, size_t points) {
    Range range = {.from = NAN, .to = NAN};
    if (!range_read(text, limits, &range)) fail_msg("\"%s\" was refused", text);
    if (range.from != from || range.to != to || range.points != points)
        fail_msg("\"%s\" is %g to %g in %zu", text, range.from, range.to, range.points);
}

static void refuse(const char *text, const RangeLimits *limits) {
    Range range = {.from = 7.0, .to = 8.0, .points = 9};
    if (range_read(text, limits, &range)) fail_msg("\"%s\" was taken", text);
    assert_true(range.from == 7.0 && range.to == 8.0 && range.points == 9);
}

static void a_range_has_two_ends_and_points_or_is_one_number(void **state) {
    (void)state;
    expect("0:1:11", &NUMBERS, 0.0, 1.0, 11);
    expect("-0.25:1.25:7", &NUMBERS, -0.25, 1.25, 7);
    expect("1:0:3", &NUMBERS, 1.0, 0.0, 3); /* falling, where that may be */
    expect("5e-1", &NUMBERS, 0.5, 0.5, 1);
    expect("0:1:100", &NUMBERS, 0.0, 1.0, 100);
    expect("0:4%:9", &SHARES, 0.0, 0.04, 9);
    expect("0.5%:0.04:2", &SHARES, 0.005, 0.04, 2);
    expect("1%", &SHARES, 0.01, 0.01, 1);
    expect("0:1:101", &SWEPT, 0.0, 1.0, 101);
}

static void what_is_no_range_is_refused_whole(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",          ":",         "::",
                                        ":1:3",      "0::3",      "0:1:",
                                        "0:1",       "0:1:3:4",   "0:1:3junk",
                                        "0junk:1:3", "0:1junk:3", "junk",
                                        "0:1:3 ",    " 0:1:3",    "0: 1:3",
                                        "0:1: 3",    "nan:1:3",   "0:nan:3",
                                        "nan",       "inf:1:3",   "0:inf:3",
                                        "0:1:nan",   "0:1:-3",    "0:1:+3",
                                        "0:1:3.0",   "0:1:1e1",   "0:1:0",
                                        "0:1:1",     "0:1:101",   "0:1:1000000",
                                        "-1.5:0:3",  "0:2.5:3",   "3",
                                        "0:1%:3",    "0%:1:3",    "0:1:3%",
                                        "%",         "1%",        "0:1:18446744073709551617"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) refuse(WRONG[i], &NUMBERS);
}

static void shares_have_at_most_one_sign_behind_a_number(void **state) {
    (void)state;
    static const char *const WRONG[] = {"%",         "1%%",     "%1",      "0:%:9",    "%:4%:9",
                                        "0:4%%:9",   "0:4 %:9", "0:4%:9%", "0:101%:9", "-1%:4%:9",
                                        "nan%:4%:9", "4%:0:9",  "4%:4%:9"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) refuse(WRONG[i], &SHARES);
}

static void a_part_that_is_too_long_is_refused_and_not_cut(void **state) {
    (void)state;
    char number[80] = "0.", text[200];
    memset(number + 2, '0', 63);
    refuse(number, &NUMBERS);
    (void)snprintf(text, sizeof text, "%s:1:3", number);
    refuse(text, &NUMBERS);
    (void)snprintf(text, sizeof text, "0:%s1:3", number);
    refuse(text, &NUMBERS);
    (void)snprintf(text, sizeof text, "0:1:%s3", number + 2);
    refuse(text, &NUMBERS);
}

static void a_caller_says_how_many_points_and_which_way(void **state) {
    (void)state;
    refuse("0.5", &SWEPT); /* one point is no sweep */
    refuse("0:1:102", &SWEPT);
    refuse("1:0:3", &SWEPT);
    refuse("0.5:0.5:3", &SWEPT);
    refuse("-0.1:1:3", &SWEPT);
    refuse("0:1.1:3", &SWEPT);
}

static void a_list_has_as_many_as_were_asked_for(void **state) {
    (void)state;
    const RangeLimits limits[2] = {NUMBERS, SHARES};
    static const char *const WRONG[] = {"",       "0:1:3", "0:1:3 0:4%:9 1%", "0:1:3,0:4%:9", "0:4%:9 0:1:3",
                                        "0:1:3 x"};
    Range ranges[2] = {{.from = 7.0, .to = 8.0, .points = 9}, {.from = 7.0, .to = 8.0, .points = 9}};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        if (range_read_list(WRONG[i], limits, 2, ranges)) fail_msg("\"%s\" was taken", WRONG[i]);
        assert_int_equal(ranges[0].points, 9); /* all or none */
    }
    assert_true(range_read_list("  0.5 \t 0:4%:9 ", limits, 2, ranges));
    assert_true(ranges[0].points == 1 && ranges[0].from == 0.5 && ranges[1].points == 9);
    assert_true(range_read_list(" 0:1:3 ", limits, 1, ranges));
    assert_int_equal(ranges[0].points, 3);
    assert_false(range_read_list("0:1:3 4", limits, 1, ranges));
}

static void what_is_written_reads_back(void **state) {
    (void)state;
    static const Range RANGES[] = {{.to = 1.0, .points = 11},
                                   {.from = 0.25, .to = 0.75, .points = 2},
                                   {.from = 0.5, .to = 0.5, .points = 1},
                                   {.to = 0.04, .points = 9}};
    char text[64];
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        range_write(&RANGES[i], false, text, sizeof text);
        expect(text, &NUMBERS, RANGES[i].from, RANGES[i].to, RANGES[i].points);
        range_write(&RANGES[i], true, text, sizeof text);
        assert_non_null(strchr(text, '%'));
        expect(text, &SHARES, RANGES[i].from, RANGES[i].to, RANGES[i].points);
    }
}

static void points_are_evenly_spaced_and_the_ends_exact(void **state) {
    (void)state;
    const Range range = {.from = 0.1, .to = 0.7, .points = 7}, one = {.from = 0.3, .to = 0.3, .points = 1};
    assert_true(range_point(&range, 0) == 0.1 && range_point(&range, 6) == 0.7);
    for (size_t i = 0; i < 7; i++) assert_true(fabs(range_point(&range, i) - 0.1 * (double)(i + 1)) < 1e-15);
    assert_true(range_point(&one, 0) == 0.3);
    for (size_t points = 3; points < 40; points += 2) {
        const Range around = {.from = -0.2, .to = 0.2, .points = points};
        assert_true(range_point(&around, points / 2) == 0.0);
    }
}

static void the_nearest_point_is_found_within_half_a_step(void **state) {
    (void)state;
    const Range axis = {.to = 1.0, .points = 11}, one = {.from = 0.5, .to = 0.5, .points = 1},
                part = {.from = 0.4, .to = 0.6, .points = 3};
    size_t index = 99;
    assert_true(range_find(&axis, 0.5, &index) && index == 5);
    assert_true(range_find(&axis, 0.96, &index) && index == 10);
    assert_true(range_find(&part, 0.36, &index) && index == 0);
    assert_false(range_find(&part, 0.34, &index));
    assert_false(range_find(&part, 0.66, &index));
    assert_true(range_find(&one, 0.5, &index) && index == 0);
    assert_false(range_find(&one, 0.51, &index));
}

static void chebyshevs_points_are_said_where_they_are_allowed(void **state) {
    (void)state;
    RangeLimits limits = NUMBERS;
    Range range;
    char text[64];
    size_t index = 99;
    refuse("0:1:5:chebyshev", &limits);
    limits.may_be_chebyshev = true;
    refuse("0.5:chebyshev", &limits);
    refuse("0:1:5:cheb", &limits);
    assert_true(range_read("0:1:5:chebyshev", &limits, &range));
    assert_true(range.is_chebyshev && range.points == 5);
    assert_true(range_point(&range, 0) == 0.0 && range_point(&range, 4) == 1.0);
    assert_true(fabs(range_point(&range, 1) - (0.5 - sqrt(0.125))) < 1e-15);
    assert_true(range_find(&range, 0.15, &index) && index == 1);
    assert_false(range_find(&range, 1.01, &index));
    range_write(&range, false, text, sizeof text);
    assert_string_equal(text, "0:1:5:chebyshev");
    assert_true(range_read("-1:1:5:chebyshev", &limits, &range));
    assert_true(range_point(&range, 2) == 0.0);
    /* 0.45, 0.598, …: nearer to the first, though its angle is nearer to the second's */
    assert_true(range_read("0.45:2:6:chebyshev", &limits, &range));
    assert_true(range_find(&range, 0.5, &index) && index == 0);
    for (size_t i = 0; i < range.points; i++)
        assert_true(range_find(&range, range_point(&range, i), &index) && index == i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_has_two_ends_and_points_or_is_one_number),
        cmocka_unit_test(what_is_no_range_is_refused_whole),
        cmocka_unit_test(shares_have_at_most_one_sign_behind_a_number),
        cmocka_unit_test(a_part_that_is_too_long_is_refused_and_not_cut),
        cmocka_unit_test(chebyshevs_points_are_said_where_they_are_allowed),
        cmocka_unit_test(a_caller_says_how_many_points_and_which_way),
        cmocka_unit_test(a_list_has_as_many_as_were_asked_for),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(points_are_evenly_spaced_and_the_ends_exact),
        cmocka_unit_test(the_nearest_point_is_found_within_half_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
