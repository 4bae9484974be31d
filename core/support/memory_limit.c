#include "core/support/memory_limit.h"

#include "core/support/control_group.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

/* What getrlimit() answered; UINT64_MAX: no limit. (The type of its first argument is each C library's own.) */
static uint64_t limit_bytes(int answer, const struct rlimit *limit) {
    return answer != 0 || limit->rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit->rlim_cur;
}

static uint64_t space_limit(void) {
    struct rlimit limit;
    return limit_bytes(getrlimit(RLIMIT_AS, &limit), &limit);
}

static uint64_t data_limit(void) {
    struct rlimit limit;
    return limit_bytes(getrlimit(RLIMIT_DATA, &limit), &limit);
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t memory_limit_allowed(const char *root) {
    uint64_t group =
        control_group_least(root, "memory", LIMITS, sizeof LIMITS / sizeof *LIMITS, control_group_number);
    uint64_t own = smaller(space_limit(), data_limit());
    return smaller(memory_limit_machine(), smaller(group, own));
}

/* Pages that are mapped, and those of them that are this process's to write; without an allocation, for there may be
 * no memory. */
static bool read_usage(uint64_t *mapped, uint64_t *data) {
    char text[256];
    int descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    (void)close(descriptor); /* it was only read */
    if (length <= 0) return false;
    text[length] = '\0';
    return sscanf(text, "%" SCNu64 " %*u %*u %*u %*u %" SCNu64, mapped, data) == 2;
}

static uint64_t difference(uint64_t limit, uint64_t used) {
    if (limit == UINT64_MAX) return UINT64_MAX;
    return used < limit ? limit - used : 0;
}

uint64_t memory_limit_left(void) {
    uint64_t space = space_limit(), data = data_limit(), mapped, written;
    long page = sysconf(_SC_PAGESIZE);
    if (space == UINT64_MAX && data == UINT64_MAX) return UINT64_MAX;
    if (page <= 0 || !read_usage(&mapped, &written)) return smaller(space, data);
    return smaller(difference(space, mapped * (uint64_t)page), difference(data, written * (uint64_t)page));
}

Status memory_limit_refuse(size_t bytes, const char *what, Error *error) {
    uint64_t left = memory_limit_left();
    if (left < bytes)
        return status_fail(
            error, STATUS_NO_MEMORY,
            "out of memory for %s: of %zu bytes the limits of this process (ulimit -v and -d, h_vmem "
            "of a batch system) leave %" PRIu64 ", %" PRIu64 " bytes are missing",
            what, bytes, left, bytes - left);
    return status_fail(error, STATUS_NO_MEMORY, "out of memory for %s: the system has no %zu bytes left",
                       what, bytes);
}

Status memory_limit_check(size_t bytes, const char *what, Error *error) {
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return memory_limit_refuse(bytes, what, error);
    (void)munmap(map, bytes); /* it was mapped above */
    return STATUS_OK;
}

void memory_limit_prepare(void) {
#if defined(M_ARENA_MAX)
    if (space_limit() != UINT64_MAX) (void)mallopt(M_ARENA_MAX, 1); /* refused: as it was */
#endif
}
