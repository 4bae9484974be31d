/* The soak's judgement: what comes and goes is no growth, what is lost in each round is. */
#include "tests/screens/process_growth.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 24, REST_KIB = 60000, REST_DESCRIPTORS = 9, REST_THREADS = 1 };

/* As a program that is well: it fills caches at first, and holds now more, now less. */
static void fill(ProcessHoldings rounds[ROUNDS]) {
    for (size_t i = 0; i < ROUNDS; i++) {
        unsigned long filled = i < 5 ? i * 1000 : 5000, wave = i * 7 % 5;
        rounds[i] = (ProcessHoldings){REST_KIB + filled + wave * 3000, REST_DESCRIPTORS, REST_THREADS};
    }
}

static Status judge(ProcessHoldings *rounds, size_t count, Error *error) {
    return process_growth_judge(&(ProcessGrowth){.rounds = rounds, .count = count}, error);
}

static void what_comes_and_goes_is_no_growth(void **state) {
    (void)state;
    ProcessHoldings rounds[ROUNDS];
    fill(rounds);
    Error error = {0};
    if (judge(rounds, ROUNDS, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static void what_is_lost_in_each_round_is_growth(void **state) {
    (void)state;
    static const struct {
        unsigned long each[3];
        const char *name;
    } LOSSES[] = {{{4000, 0, 0}, "memory"}, {{0, 1, 0}, "descriptors"}, {{0, 0, 1}, "threads"}};
    for (size_t k = 0; k < 3; k++) {
        ProcessHoldings rounds[ROUNDS];
        fill(rounds);
        for (size_t i = 0; i < ROUNDS; i++) {
            rounds[i].memory += i * LOSSES[k].each[0];
            rounds[i].descriptors += i * LOSSES[k].each[1];
            rounds[i].threads += i * LOSSES[k].each[2];
        }
        Error error = {0};
        assert_int_equal(judge(rounds, ROUNDS, &error), STATUS_MISMATCH);
        assert_non_null(strstr(error.message, LOSSES[k].name));
    }
}

static void few_rounds_say_nothing(void **state) {
    (void)state;
    ProcessHoldings rounds[ROUNDS];
    fill(rounds);
    Error error = {0};
    assert_int_equal(judge(rounds, PROCESS_GROWTH_ROUNDS - 1, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "6 rounds"));
}

static void a_round_is_what_the_system_says_of_the_process(void **state) {
    (void)state;
    ProcessGrowth growth = {0};
    FILE *table = tmpfile();
    assert_non_null(table);
    assert_int_equal(process_growth_add(&growth, getpid(), table, NULL), STATUS_OK);
    enum { MORE = 64 << 20 };
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char *memory =
        mmap(NULL, MORE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    assert_true(descriptor >= 0 && memory != MAP_FAILED);
    assert_int_equal(process_growth_add(&growth, getpid(), table, NULL), STATUS_OK);
    assert_int_equal(growth.rounds[1].descriptors, growth.rounds[0].descriptors + 1);
    assert_true(growth.rounds[1].memory > growth.rounds[0].memory + MORE / 1024 / 2);
    assert_true(growth.rounds[0].threads >= 1);
    (void)munmap(memory, MORE);
    (void)close(descriptor);
    assert_int_equal(process_growth_add(&growth, -1, table, NULL), STATUS_IO);
    (void)fclose(table);
    free(growth.rounds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_is_no_growth),
        cmocka_unit_test(what_is_lost_in_each_round_is_growth),
        cmocka_unit_test(few_rounds_say_nothing),
        cmocka_unit_test(a_round_is_what_the_system_says_of_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
