/* The table of actions. */
#include "tui/app/view.h"
#include "tui/keys/action.h"
#include "views/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_action_has_a_help_text_a_label_and_a_name_of_its_own(void **state) {
    (void)state;
    for (size_t i = 1; i < ACTION_COUNT; i++) {
        const ActionInfo *info = action_info((Action)i);
        assert_true(strlen(info->help) > 5);
        assert_true(strlen(info->label) > 0);
        assert_true(strlen(info->name) >= 2); /* one letter would be a key in key files */
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(info->name));
        for (size_t j = 0; j < i; j++) assert_string_not_equal(info->name, action_info((Action)j)->name);
    }
}

static void every_where_names_views_that_exist(void **state) {
    (void)state;
    for (size_t i = 1; i < ACTION_COUNT; i++) {
        char where[256];
        (void)snprintf(where, sizeof where, "%s", action_info((Action)i)->where);
        for (char *word = strtok(where, " "); word != NULL; word = strtok(NULL, " ")) {
            bool found = false;
            for (size_t v = 0; v < VIEWS.count; v++)
                found = found || (VIEWS.views[v] != NULL && strcmp(VIEWS.views[v]->name, word) == 0);
            if (!found)
                fail_msg("%s names the view \"%s\", which there is not", action_info((Action)i)->name, word);
        }
    }
}

static void a_name_or_an_unambiguous_beginning_finds_its_action(void **state) {
    Action action;
    (void)state;
    assert_true(action_find("alpha-up", 8, &action));
    assert_int_equal(action, ACTION_ALPHA_UP); /* though alpha-up-coarse begins with it */
    assert_true(action_find("qui", 3, &action));
    assert_int_equal(action, ACTION_QUIT);
    assert_false(action_find("alpha", 5, &action));
    assert_false(action_find("", 0, &action));
    assert_false(action_find("quitt", 5, &action));
    assert_false(action_find("last\0x", 6, &action)); /* the name ends before the word does */
}

static void a_mistyped_name_gets_its_neighbour(void **state) {
    (void)state;
    assert_string_equal(action_suggest("alfa-up"), "alpha-up");
    assert_string_equal(action_suggest("hlep"), "help");
    assert_null(action_suggest("zzzzzzzz"));
    char endless[300];
    memset(endless, 'q', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_null(action_suggest(endless));
}

static void arguments_are_read_by_their_kind(void **state) {
    ActionArgument argument = {0};
    char message[128] = "";
    (void)state;
    assert_true(action_read_argument(ACTION_ALPHA_SET, " 0.25 ", &argument, message, sizeof message));
    assert_float_equal(argument.number, 0.25, 0);
    assert_false(action_read_argument(ACTION_ALPHA_SET, "0.2x", &argument, message, sizeof message));
    assert_string_equal(message, "alpha-set (α) takes a number, found \"0.2x\"");
    assert_true(action_read_argument(ACTION_RHO_SET, "2%", &argument, message, sizeof message));
    assert_float_equal(argument.number, 2, 0); /* it is asked for in percent */
    assert_false(action_read_argument(ACTION_RHO_SET, "%", &argument, message, sizeof message));
    assert_false(action_read_argument(ACTION_ALPHA_SET, "2%", &argument, message, sizeof message));
    assert_false(action_read_argument(ACTION_ALPHA_SET, "", &argument, message, sizeof message));
    assert_false(action_read_argument(ACTION_ALPHA_SET, "nan", &argument, message, sizeof message));
    assert_false(action_read_argument(ACTION_ALPHA_SET, "inf", &argument, message, sizeof message));
    assert_false(action_read_argument(ACTION_NUMBERS, "", &argument, message, sizeof message));
    assert_true(action_read_argument(ACTION_NUMBERS, "a b.csv", &argument, message, sizeof message));
    assert_string_equal(argument.text, "a b.csv");
    assert_false(action_read_argument(ACTION_QUIT, "now", &argument, message, sizeof message));
}

static void a_generic_action_works_in_every_view(void **state) {
    (void)state;
    assert_true(action_is_for(ACTION_QUIT, "layers"));
    assert_true(action_is_for(ACTION_QUIT, ""));
}

/* The line that asks gives its label half of 80 columns, with ": " behind it. */
static void what_is_asked_for_fits_its_line(void **state) {
    (void)state;
    for (size_t i = 1; i < ACTION_COUNT; i++) {
        const ActionInfo *info = action_info((Action)i);
        if (info->argument == ACTION_ARGUMENT_NONE || info->argument == ACTION_ARGUMENT_CONFIRM) continue;
        if (text_width(info->label) + 2 > 40) fail_msg("%s: %s", info->name, info->label);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_has_a_help_text_a_label_and_a_name_of_its_own),
        cmocka_unit_test(every_where_names_views_that_exist),
        cmocka_unit_test(a_name_or_an_unambiguous_beginning_finds_its_action),
        cmocka_unit_test(a_mistyped_name_gets_its_neighbour),
        cmocka_unit_test(arguments_are_read_by_their_kind),
        cmocka_unit_test(what_is_asked_for_fits_its_line),
        cmocka_unit_test(a_generic_action_works_in_every_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
