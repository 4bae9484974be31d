/*
 * allocation_fixture — memory runs out at every single allocation of the engine, one after another. (The linker puts the
 * functions below before the allocator of this program; allocations of shared libraries are not failed.)
 */
#ifndef REJUV_TESTS_ALLOCATION_FIXTURE_H
#define REJUV_TESTS_ALLOCATION_FIXTURE_H

#include "core/support/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static atomic_long calls, fail_at; /* 0: none fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static inline bool fails(void) {
    return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fail_at);
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

typedef Status (*Scenario)(Error *error);

/* Runs it with the first, the second, … allocation failing, until none does. `may_do_without`: a block that is only to
 * become smaller may stay as it is. */
static inline void fail_each_but(const char *name, Scenario scenario, bool may_do_without) {
    long n = 0;
    for (bool reached = true; reached;) {
        Error error = {0};
        atomic_store(&calls, 0);
        atomic_store(&fail_at, ++n);
        Status status = scenario(&error);
        atomic_store(&fail_at, 0);
        reached = atomic_load(&calls) >= n;
        if (may_do_without && status == STATUS_OK) continue;
        if (status != (reached ? STATUS_NO_MEMORY : STATUS_OK))
            fail_msg("%s, allocation %ld: %s: %s", name, n, status_name(status), error.message);
        if (reached && strstr(error.message, "memory") == NULL)
            fail_msg("%s, allocation %ld: the message is \"%s\"", name, n, error.message);
    }
    print_message("%s: %ld allocations, each of them failed once\n", name, n - 1);
    assert_true(n > 1);
}

static inline void fail_each(const char *name, Scenario scenario) {
    fail_each_but(name, scenario, false);
}

#endif
