#include "core/support/processor_limit.h"

#include "core/support/control_group.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static const char QUOTA[] = "cpu.cfs_quota_us", PERIOD[] = "cpu.cfs_period_us";

/* Version 1 mounts the controller alone or with another, under the names of both or either. */
static const ControlGroupFile LIMITS[] = {
    {true, "/sys/fs/cgroup", "cpu.max"},          {true, "/sys/fs/cgroup/unified", "cpu.max"},
    {false, "/sys/fs/cgroup/cpu", QUOTA},         {false, "/sys/fs/cgroup/cpu,cpuacct", QUOTA},
    {false, "/sys/fs/cgroup/cpuacct,cpu", QUOTA},
};

unsigned processor_limit_machine(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

/* The two numbers of cpu.max; false where it has no quota. */
static bool read_unified(const char *directory, const char *file, uint64_t *quota, uint64_t *period) {
    char path[CONTROL_GROUP_PATH];
    int used = snprintf(path, sizeof path, "%s/%s", directory, file);
    if (used <= 0 || (size_t)used >= sizeof path) return false;
    FILE *stream = fopen(path, "r");
    if (stream == NULL) return false;
    bool is_read = fscanf(stream, "%19" SCNu64 "%19" SCNu64, quota, period) == 2;
    (void)fclose(stream); /* it was only read */
    return is_read;
}

/* Whole processors. */
static uint64_t read_processors(const char *directory, const char *file) {
    uint64_t quota, period;
    if (strcmp(file, QUOTA) == 0) {
        quota = control_group_number(directory, QUOTA);
        period = control_group_number(directory, PERIOD);
    } else if (!read_unified(directory, file, &quota, &period)) {
        return UINT64_MAX;
    }
    if (quota == UINT64_MAX || quota == 0 || period == UINT64_MAX || period == 0) return UINT64_MAX;
    return quota / period + (quota % period != 0);
}

unsigned processor_limit_allowed(const char *root) {
    unsigned machine = processor_limit_machine();
    uint64_t allowed =
        control_group_least(root, "cpu", LIMITS, sizeof LIMITS / sizeof *LIMITS, read_processors);
    return allowed < machine ? (unsigned)allowed : machine;
}
