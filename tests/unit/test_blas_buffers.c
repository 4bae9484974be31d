/*
 * OpenBLAS's buffers: as many as products may run beside each other, or as many as the limits of the process leave; and
 * never more products than buffers.
 */
#include "core/numerics/blas.h"
#include "core/numerics/blas_buffers.h"
#include "core/numerics/blas_symbols.h"
#include "core/support/job.h"
#include "core/support/memory_limit.h"
#include "tests/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void there_are_as_many_as_are_asked_for_and_no_fewer_later(void **state) {
    (void)state;
    assert_int_equal(blas_buffers_prepare(3, NULL), STATUS_OK);
    unsigned count = blas_buffers_count();
    assert_true(count >= 3);
    assert_int_equal(blas_buffers_prepare(1, NULL), STATUS_OK);
    assert_int_equal(blas_buffers_count(), count);
    assert_int_equal(blas_buffers_prepare(count + 2, NULL), STATUS_OK);
    assert_int_equal(blas_buffers_count(), count + 2);
    assert_int_equal(blas_buffers_prepare(0, NULL), STATUS_OK);
    assert_int_equal(blas_buffers_prepare(UINT32_MAX, NULL),
                     STATUS_OK); /* as many as the library has places for */
    assert_true(blas_buffers_count() < 4096);
}

typedef struct Crowd {
    atomic_uint inside, most;
} Crowd;

static void enter_and_leave(void *argument, size_t task, unsigned worker) {
    (void)task, (void)worker;
    Crowd *crowd = argument;
    assert_non_null(blas_buffers_enter());
    unsigned inside = atomic_fetch_add(&crowd->inside, 1) + 1, most = atomic_load(&crowd->most);
    while (inside > most && !atomic_compare_exchange_weak(&crowd->most, &most, inside)) continue;
    float a[64] = {1.0F}, b[64] = {1.0F}, c[64];
    (void)atomic_fetch_sub(&crowd->inside, 1);
    blas_buffers_leave();
    blas_multiply(8, 8, 8, a, 8, b, 8, 0.0F, c, 8);
}

/* In a child: its library has one buffer, and its threads are many. */
static int run_crowd(unsigned threads) {
    Crowd crowd = {0};
    Job *job;
    if (job_create(threads, NULL, NULL, &job, NULL) != STATUS_OK) return 2;
    for (int i = 0; i < 50; i++)
        if (job_run(job, 64, enter_and_leave, &crowd, NULL) != STATUS_OK) return 3;
    job_free(job);
    return atomic_load(&crowd.most) <= blas_buffers_count() ? 0 : 4;
}

static void limit_left(uint64_t bytes) {
    struct rlimit limit;
    (void)getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)1 << 44;
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(90);
    limit.rlim_cur -= memory_limit_left() - bytes; /* what is mapped, and so much */
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(91);
}

static void expect_child(int (*function)(void)) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(function());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Of four times the room of one, half is left to others each time. What OpenBLAS kept for its own thread it gives back when
 * a process forks: that is one that takes no room. */
static int grow_within_a_limit(void) {
    unsigned before = blas_buffers_count();
    limit_left((uint64_t)4 * BLAS_LIBRARY_BUFFER);
    if (blas_buffers_prepare(before + 8, NULL) != STATUS_OK) return 1;
    unsigned grown = blas_buffers_count() - before;
    unsigned most = blas_symbols_kept() > 0 ? 4 : 3;
    if (grown != most && grown != most - 1) return 10 + (int)grown;
    limit_left((uint64_t)BLAS_LIBRARY_BUFFER / 2);
    if (blas_buffers_prepare(before + 8, NULL) != STATUS_OK) return 2;
    return blas_buffers_count() == before + grown ? run_crowd(before + grown + 6) : 3;
}

static void where_a_limit_leaves_room_for_fewer_the_others_wait(void **state) {
    (void)state;
    if (HAS_SANITIZER) skip();
    expect_child(grow_within_a_limit);
}

static void nobody_enters_while_more_are_mapped(void **state) {
    (void)state;
    Crowd crowd = {0};
    Job *job;
    assert_int_equal(job_create(4, NULL, NULL, &job, NULL), STATUS_OK);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(job_run(job, 64, enter_and_leave, &crowd, NULL), STATUS_OK);
        assert_int_equal(blas_buffers_prepare(blas_buffers_count() + 1, NULL), STATUS_OK);
    }
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_a_limit_leaves_room_for_fewer_the_others_wait),
        cmocka_unit_test(nobody_enters_while_more_are_mapped),
        cmocka_unit_test(there_are_as_many_as_are_asked_for_and_no_fewer_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
