/*
 * memory_limit — how much of this machine is this process's to use.
 *
 * A batch system or a container seldom gives a process the whole machine: it puts it into a control group with
 * a limit, and who passes that is killed, however much memory is free. The kernel says which group it is; the
 * group and all those above it may state a limit, and the least of them counts:
 *
 *     /proc/self/cgroup     0::/system.slice/job_7/step_0              4:memory:/slurm/uid_0/job_7
 *                           version 2                                  version 1
 *     /sys/fs/cgroup        /system.slice/job_7/step_0/memory.max      memory/slurm/uid_0/job_7/memory.limit_in_bytes
 *                           /system.slice/job_7/memory.max             memory/slurm/uid_0/memory.limit_in_bytes
 *                           /system.slice/memory.max …                 memory/slurm/memory.limit_in_bytes …
 *
 * (memory.high too, past which the kernel slows a process down until it stands still.) In a container the group
 * may be named as the host sees it, and not be there; the container's own limit then stands at the top, which is
 * always looked at. What cannot be read is no limit.
 */
#ifndef REJUV_CORE_MEMORY_LIMIT_H
#define REJUV_CORE_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes of memory that the machine has; UINT64_MAX where it does not say. */
uint64_t memory_limit_machine(void);

/* Bytes of memory that this process may use: the machine's, or less where a control group allows less.
 * `root` is put before every path: "" but for tests. */
uint64_t memory_limit_allowed(const char *root);

#endif
