/*
 * A ladder's rungs, opened as pairs.
 */
#include "core/ladder/ladder.h"
#include "tests/unit/tiny_model.h"

static const char CONFIG[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
static const char WIDER[] = "{\"model_type\":\"llama\"," TINY_SIZES("3") "}";

static char *directories[4]; /* base, two rungs, one that fits none */

static int write_rungs(void **state) {
    if (scratch_make(state) != 0) return -1;
    tiny_write_side("base", CONFIG, 1);
    tiny_write_side("e1", CONFIG, 2);
    tiny_write_side("e2", CONFIG, 3);
    tiny_write_side("wider", WIDER, 4);
    const char *const names[] = {"base", "e1", "e2", "wider"};
    for (size_t i = 0; i < 4; i++) directories[i] = scratch_path(names[i]);
    return 0;
}

static int remove_rungs(void **state) {
    for (size_t i = 0; i < 4; i++) free(directories[i]);
    return scratch_remove(state);
}

static void a_step_has_the_rung_before_as_its_base(void **unused) {
    (void)unused;
    const char *const rungs[] = {directories[1], directories[2]};
    const Ladder ladder = {directories[0], rungs, 2};
    static const size_t STEPS[][2] = {{0, 1}, {0, 2}, {1, 2}};
    assert_int_equal(ladder_check(&ladder, NULL), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        Pair *pair;
        assert_int_equal(ladder_open_pair(&ladder, STEPS[i][0], STEPS[i][1], &pair, NULL), STATUS_OK);
        assert_string_equal(pair->base->directory, ladder_directory(&ladder, STEPS[i][0]));
        assert_string_equal(pair->sft->directory, ladder_directory(&ladder, STEPS[i][1]));
        pair_close(pair);
    }
}

static void expect_refusal(const char *const *rungs, size_t count, Status expected, const char *part) {
    const Ladder ladder = {directories[0], rungs, count};
    Error error = {0};
    assert_int_equal(ladder_check(&ladder, &error), expected);
    if (strstr(error.message, part) == NULL) fail_msg("expected \"%s\" in: %s", part, error.message);
    assert_int_equal(ladder_check(&ladder, NULL), expected);
}

static void a_rung_that_does_not_fit_is_named_by_its_number(void **unused) {
    (void)unused;
    char *missing = scratch_path("missing");
    const char *const with_wider[] = {directories[1], directories[3], directories[2]};
    const char *const with_missing[] = {directories[1], directories[2], missing};
    expect_refusal(with_wider, 3, STATUS_MISMATCH, "rung 2: ");
    expect_refusal(with_missing, 3, STATUS_IO, "rung 3: ");
    free(missing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_has_the_rung_before_as_its_base),
        cmocka_unit_test(a_rung_that_does_not_fit_is_named_by_its_number),
    };
    return cmocka_run_group_tests(tests, write_rungs, remove_rungs);
}
