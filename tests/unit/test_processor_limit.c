/*
 * How many processors a process may use, in file systems made for the purpose: quotas of its control group and of those
 * above, in both versions of them. (What this process may run on bounds all: numbers above one show only where there
 * are as many.)
 */
#include "core/support/job.h"
#include "core/support/processor_limit.h"
#include "tests/scratch.h"

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

/* `count`, or what this machine has where that is less. */
static void expect_allowed(unsigned count) {
    unsigned machine = processor_limit_machine();
    assert_int_equal(processor_limit_allowed(scratch_path("root")), count < machine ? count : machine);
}

static void without_a_quota_it_is_what_the_process_may_run_on(void **state) {
    (void)state;
    scratch_clear("root");
    assert_true(processor_limit_machine() >= 1);
    expect_allowed(UINT32_MAX);
    put_in_group("0::/job_7\n");
    write_at("root/sys/fs/cgroup/job_7/cpu.max", "max 100000\n");
    expect_allowed(UINT32_MAX);
    put_in_group("3:cpu,cpuacct:/job_7\n");
    write_at("root/sys/fs/cgroup/cpu/job_7/cpu.cfs_quota_us", "-1\n");
    write_at("root/sys/fs/cgroup/cpu/job_7/cpu.cfs_period_us", "100000\n");
    expect_allowed(UINT32_MAX);
}

static void a_quota_of_version_2_counts_rounded_up(void **state) {
    (void)state;
    put_in_group("0::/job_7\n");
    write_at("root/sys/fs/cgroup/job_7/cpu.max", "100000 100000\n");
    expect_allowed(1);
    write_at("root/sys/fs/cgroup/job_7/cpu.max", "100001 100000\n");
    expect_allowed(2);
    write_at("root/sys/fs/cgroup/job_7/cpu.max", "350000 100000\n");
    expect_allowed(4);
    write_at("root/sys/fs/cgroup/job_7/cpu.max", "1000 50000\n"); /* a fiftieth of one */
    expect_allowed(1);
}

static void a_group_above_counts_too(void **state) {
    (void)state;
    put_in_group("0::/a/b\n");
    write_at("root/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
    write_at("root/sys/fs/cgroup/a/cpu.max", "20000 20000\n");
    expect_allowed(1);
}

static void a_quota_of_version_1_counts(void **state) {
    (void)state;
    static const char *const MOUNTS[] = {"cpu", "cpu,cpuacct", "cpuacct,cpu"};
    for (size_t i = 0; i < sizeof MOUNTS / sizeof *MOUNTS; i++) {
        char path[128];
        put_in_group("5:memory:/job_7\n3:cpuacct,cpu:/job_7\n0::/\n");
        (void)snprintf(path, sizeof path, "root/sys/fs/cgroup/%s/job_7/cpu.cfs_period_us", MOUNTS[i]);
        write_at(path, "50000\n");
        expect_allowed(UINT32_MAX);
        (void)snprintf(path, sizeof path, "root/sys/fs/cgroup/%s/job_7/cpu.cfs_quota_us", MOUNTS[i]);
        write_at(path, "40000\n");
        expect_allowed(1);
        write_at(path, "70000\n");
        expect_allowed(2);
    }
}

static void a_container_that_sees_the_host_s_name_has_its_quota_at_the_top(void **state) {
    (void)state;
    put_in_group("0::/docker/0123456789ab\n");
    write_at("root/sys/fs/cgroup/cpu.max", "100000 100000\n");
    expect_allowed(1);
}

static void what_cannot_be_understood_is_no_quota(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"",           "100000\n",         "0 100000\n",
                                        "100000 0\n", "-100000 100000\n", "many\n"};
    put_in_group("0::/\n");
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        write_at("root/sys/fs/cgroup/cpu.max", TEXTS[i]);
        expect_allowed(UINT32_MAX);
    }
}

static void a_job_takes_as_many_threads_unless_it_is_told(void **state) {
    (void)state;
    Job *job;
    assert_int_equal(job_create(0, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(job_threads(job), processor_limit_allowed(""));
    job_free(job);
    assert_int_equal(job_create(3, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(job_threads(job), 3);
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_quota_it_is_what_the_process_may_run_on),
        cmocka_unit_test(a_quota_of_version_2_counts_rounded_up),
        cmocka_unit_test(a_group_above_counts_too),
        cmocka_unit_test(a_quota_of_version_1_counts),
        cmocka_unit_test(a_container_that_sees_the_host_s_name_has_its_quota_at_the_top),
        cmocka_unit_test(what_cannot_be_understood_is_no_quota),
        cmocka_unit_test(a_job_takes_as_many_threads_unless_it_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
