/*
 * control_group — what the control groups of this process limit.
 *
 * A batch system or a container seldom gives a process the whole machine: it puts it into a control group with
 * limits. The kernel says which group it is; the group and all those above it may state a limit, and the least of them
 * counts:
 *
 *     /proc/self/cgroup     0::/system.slice/job_7/step_0              4:memory:/slurm/uid_0/job_7
 *                           version 2                                  version 1
 *     /sys/fs/cgroup        /system.slice/job_7/step_0/memory.max      memory/slurm/uid_0/job_7/memory.limit_in_bytes
 *                           /system.slice/job_7/memory.max             memory/slurm/uid_0/memory.limit_in_bytes
 *                           /system.slice/memory.max …                 memory/slurm/memory.limit_in_bytes …
 *
 * In a container the group may be named as the host sees it, and not be there; the container's own limit then stands
 * at the top, which is always looked at. What cannot be read is no limit.
 */
#ifndef REJUV_CORE_CONTROL_GROUP_H
#define REJUV_CORE_CONTROL_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTROL_GROUP_PATH = 8192 /* bytes of the longest path that is looked at */ };

/* Where groups may be, and which of their files states a limit. Of the unified hierarchy (version 2) there may be
 * a second mount beside those of version 1. */
typedef struct ControlGroupFile {
    bool is_unified;
    const char *mount, *file;
} ControlGroupFile;

/* The limit that the file DIRECTORY/FILE states; UINT64_MAX: none, or no such file. */
typedef uint64_t (*ControlGroupRead)(const char *directory, const char *file);

/* The least limit that any of `files` states for this process; UINT64_MAX where none does. `controller`: how version 1
 * calls what is limited ("memory"). `root` is put before every path: "" but for tests. */
uint64_t control_group_least(const char *root, const char *controller, const ControlGroupFile *files,
                             size_t count, ControlGroupRead read);

/* The number that a file begins with; UINT64_MAX where there is none: "max", "-1", or no such file. */
uint64_t control_group_number(const char *directory, const char *file);

#endif
