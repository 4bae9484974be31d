/*
 * How much memory a process may use, in file systems made for the purpose: the limits of its control group and of
 * those above, in both versions of them.
 */
#include "core/support/memory_limit.h"
#include "core/transformer/forward.h"
#include "tests/sanitizer.h"
#include "tests/scratch.h"

#include <sys/resource.h>

static const uint64_t MIB = 1 << 20;

/* Makes the directories of a path and writes the file. */
static void write_at(const char *path, const char *text) {
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s", path);
    for (char *slash = strchr(directory, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(scratch_path(directory), 0777); /* it may be there already */
        *slash = '/';
    }
    scratch_write_text(path, text);
}

static void put_in_group(const char *text) {
    scratch_clear("root");
    write_at("root/proc/self/cgroup", text);
}

static uint64_t allowed(void) {
    return memory_limit_allowed(scratch_path("root"));
}

static void a_machine_without_groups_is_the_process_s_own(void **state) {
    (void)state;
    scratch_clear("root");
    assert_true(memory_limit_machine() > 64 * MIB);
    assert_int_equal(allowed(), memory_limit_machine());
    put_in_group("0::/\n");
    assert_int_equal(allowed(), memory_limit_machine());
}

static void a_group_of_version_2_limits(void **state) {
    (void)state;
    put_in_group("0::/system.slice/job_7/step_0\n");
    write_at("root/sys/fs/cgroup/system.slice/job_7/step_0/memory.max", "33554432\n");
    assert_int_equal(allowed(), 32 * MIB);
    write_at("root/sys/fs/cgroup/system.slice/job_7/step_0/memory.high", "16777216\n");
    assert_int_equal(allowed(), 16 * MIB);
}

static void a_group_above_limits_too_and_max_is_no_limit(void **state) {
    (void)state;
    put_in_group("0::/system.slice/job_7/step_0\n");
    write_at("root/sys/fs/cgroup/system.slice/job_7/step_0/memory.max", "max\n");
    assert_int_equal(allowed(), memory_limit_machine());
    write_at("root/sys/fs/cgroup/system.slice/job_7/memory.max", "33554432\n");
    write_at("root/sys/fs/cgroup/system.slice/memory.max", "50331648\n");
    assert_int_equal(allowed(), 32 * MIB);
    write_at("root/sys/fs/cgroup/system.slice/memory.max", "8388608\n");
    assert_int_equal(allowed(), 8 * MIB);
    write_at("root/sys/fs/cgroup/system.slice/job_8/memory.max", "1048576\n"); /* another's */
    assert_int_equal(allowed(), 8 * MIB);
}

/* As SLURM makes them; the number that version 1 has for "none" is above any machine's memory. */
static void a_group_of_version_1_limits(void **state) {
    (void)state;
    put_in_group("12:pids:/slurm\n4:cpu,memory:/slurm/uid_0/job_7\n2:memory_other:/none\n0::/elsewhere\n");
    write_at("root/sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(allowed(), memory_limit_machine());
    write_at("root/sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "33554432\n");
    write_at("root/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", "99999999999999999999999\n");
    write_at("root/sys/fs/cgroup/memory/none/memory.limit_in_bytes", "1048576\n");
    assert_int_equal(allowed(), 32 * MIB);
}

/* Where each controller has its hierarchy, version 2 may be mounted beside them. */
static void the_unified_hierarchy_beside_the_others_limits(void **state) {
    (void)state;
    put_in_group("4:memory:/\n0::/job_7\n");
    write_at("root/sys/fs/cgroup/unified/job_7/memory.max", "33554432\n");
    assert_int_equal(allowed(), 32 * MIB);
}

static void a_container_that_sees_the_host_s_name_has_its_limit_at_the_top(void **state) {
    (void)state;
    put_in_group("4:memory:/docker/0123456789ab\n");
    write_at("root/sys/fs/cgroup/memory/memory.limit_in_bytes", "33554432\n");
    assert_int_equal(allowed(), 32 * MIB);
    put_in_group("0::/../../job_7\n");
    write_at("root/sys/fs/cgroup/memory.max", "16777216\n");
    assert_int_equal(allowed(), 16 * MIB);
}

static void what_cannot_be_understood_is_no_limit(void **state) {
    (void)state;
    put_in_group("\n4\n4:memory\n:memory:\n0::job\nmemory\n");
    write_at("root/sys/fs/cgroup/memory/memory.limit_in_bytes", "");
    write_at("root/sys/fs/cgroup/memory.max", "-1\n");
    assert_int_equal(allowed(), memory_limit_machine());
    write_at("root/sys/fs/cgroup/memory.max", "33554432"); /* no line's end */
    assert_int_equal(allowed(), 32 * MIB);
}

static void a_sequence_may_take_half_of_what_is_allowed(void **state) {
    (void)state;
    uint64_t half = memory_limit_allowed("") / 2, most = UINT64_C(16) << 30;
    assert_int_equal(forward_memory_limit(), half < most ? half : most);
}

/* ---- limits of the process ---- */

static struct rlimit before;

static void limit(unsigned resource, uint64_t bytes) {
    assert_int_equal(getrlimit(resource, &before), 0);
    struct rlimit changed = before;
    changed.rlim_cur = bytes;
    assert_int_equal(setrlimit(resource, &changed), 0);
}

static void unlimit(unsigned resource) {
    assert_int_equal(setrlimit(resource, &before), 0);
}

static void limits_of_the_process_count_as_a_group_s_do(void **state) {
    (void)state;
    if (HAS_SANITIZER) skip();
    scratch_clear("root");
    assert_true(memory_limit_left() == UINT64_MAX);
    static const unsigned RESOURCES[] = {RLIMIT_AS, RLIMIT_DATA};
    for (size_t i = 0; i < 2; i++) {
        limit(RESOURCES[i], 1024 * MIB);
        uint64_t of_process = allowed(), left = memory_limit_left();
        unlimit(RESOURCES[i]);
        assert_int_equal(of_process, 1024 * MIB);
        assert_true(left > 0 && left < 1024 * MIB);
    }
    put_in_group("0::/job_7\n");
    write_at("root/sys/fs/cgroup/job_7/memory.max", "33554432\n");
    limit(RLIMIT_AS, 1024 * MIB);
    uint64_t of_both = allowed();
    unlimit(RLIMIT_AS);
    assert_int_equal(of_both, 32 * MIB);
}

/* Only what was read before the limit ends is asserted on: a failing assertion needs memory. */
static void what_is_refused_says_how_many_bytes_are_missing(void **state) {
    (void)state;
    if (HAS_SANITIZER) skip();
    Error checked = {0}, failed = {0};
    limit(RLIMIT_AS, 1 << 20); /* less than is mapped */
    Status status = memory_limit_check(3 * MIB, "a thing", &checked);
    void *block = memory_allocate(7 * MIB, 1);
    Status told = memory_fail(&failed, "a block");
    uint64_t left = memory_limit_left();
    unlimit(RLIMIT_AS);
    assert_null(block);
    assert_int_equal(left, 0);
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_int_equal(told, STATUS_NO_MEMORY);
    assert_non_null(strstr(checked.message, "out of memory for a thing: of 3145728 bytes"));
    assert_non_null(strstr(checked.message, "leave 0, 3145728 bytes are missing"));
    assert_non_null(strstr(failed.message, "out of memory for a block: of 7340032 bytes"));
    assert_int_equal(memory_fail(&failed, "another"), STATUS_NO_MEMORY); /* told once */
    assert_string_equal(failed.message, "out of memory for another");
    assert_int_equal(memory_limit_check(3 * MIB, "a thing", NULL), STATUS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_without_groups_is_the_process_s_own),
        cmocka_unit_test(a_group_of_version_2_limits),
        cmocka_unit_test(a_group_above_limits_too_and_max_is_no_limit),
        cmocka_unit_test(a_group_of_version_1_limits),
        cmocka_unit_test(the_unified_hierarchy_beside_the_others_limits),
        cmocka_unit_test(a_container_that_sees_the_host_s_name_has_its_limit_at_the_top),
        cmocka_unit_test(what_cannot_be_understood_is_no_limit),
        cmocka_unit_test(a_sequence_may_take_half_of_what_is_allowed),
        cmocka_unit_test(limits_of_the_process_count_as_a_group_s_do),
        cmocka_unit_test(what_is_refused_says_how_many_bytes_are_missing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
