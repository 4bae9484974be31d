#include "core/support/memory_limit.h"

#include "core/support/control_group.h"

#include <unistd.h>

static const ControlGroupFile LIMITS[] = {
    {true, "/sys/fs/cgroup", "memory.max"},
    {true, "/sys/fs/cgroup", "memory.high"},
    {true, "/sys/fs/cgroup/unified", "memory.max"},
    {true, "/sys/fs/cgroup/unified", "memory.high"},
    {false, "/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
};

uint64_t memory_limit_machine(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t bytes;
    if (pages <= 0 || page <= 0 || __builtin_mul_overflow((uint64_t)pages, (uint64_t)page, &bytes))
        return UINT64_MAX;
    return bytes;
}

uint64_t memory_limit_allowed(const char *root) {
    uint64_t machine = memory_limit_machine();
    uint64_t allowed =
        control_group_least(root, "memory", LIMITS, sizeof LIMITS / sizeof *LIMITS, control_group_number);
    return allowed < machine ? allowed : machine;
}
