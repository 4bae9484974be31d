/* Which of several things a task belongs to. */
#include "core/support/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Thing {
    char name;
    size_t first;
} Thing;

static void a_task_belongs_to_the_thing_whose_tasks_it_lies_among(void **state) {
    (void)state;
    static const Thing THINGS[] = {
        {'a', 0}, {'b', 3}, {'c', 3}, {'d', 4}, {'e', 9}}; /* of b there are none */
    static const char EXPECTED[] = "aaacdddddeee";
    for (size_t task = 0; EXPECTED[task] != '\0'; task++) {
        size_t part = parts_find(&THINGS->first, sizeof *THINGS, sizeof THINGS / sizeof *THINGS, task);
        assert_int_equal(THINGS[part].name, EXPECTED[task]);
    }
}

static void one_alone_has_them_all(void **state) {
    (void)state;
    const size_t first = 0;
    assert_int_equal(parts_find(&first, sizeof first, 1, 0), 0);
    assert_int_equal(parts_find(&first, sizeof first, 1, 1000), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_belongs_to_the_thing_whose_tasks_it_lies_among),
        cmocka_unit_test(one_alone_has_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
