#include "core/support/memory_limit.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 8192, NUMBER_SIZE = 64 };

/* Where groups may be, and which of their files states a limit. Of the unified hierarchy (version 2) there may be
 * a second mount beside those of version 1. */
static const struct {
    bool is_unified;
    const char *mount, *file;
} LIMITS[] = {
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

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* The number in a file; UINT64_MAX where there is none: "max", or no such file. */
static uint64_t read_number(const char *path) {
    char text[NUMBER_SIZE] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL) return UINT64_MAX;
    bool is_number = fgets(text, sizeof text, file) != NULL && isdigit((unsigned char)text[0]);
    (void)fclose(file);                                       /* it was only read */
    return is_number ? strtoull(text, NULL, 10) : UINT64_MAX; /* what overflows is the largest number */
}

/* The least limit of a group and of those above it, up to the mount itself. */
static uint64_t read_group(const char *root, const char *mount, const char *group, const char *file) {
    char path[PATH_SIZE];
    uint64_t least = UINT64_MAX;
    size_t length = strlen(group);
    for (;;) {
        int used = snprintf(path, sizeof path, "%s%s%.*s/%s", root, mount, (int)length, group, file);
        if (used > 0 && (size_t)used < sizeof path) least = smaller(least, read_number(path));
        if (length == 0) return least;
        while (length > 0 && group[--length] != '/') continue;
    }
}

/* Whether "cpu,memory" names the memory. */
static bool controls_memory(const char *controllers, size_t length) {
    static const char NAME[] = "memory";
    for (size_t at = 0; at < length;) {
        size_t word = 0;
        while (at + word < length && controllers[at + word] != ',') word++;
        if (word == sizeof NAME - 1 && memcmp(controllers + at, NAME, word) == 0) return true;
        at += word + 1;
    }
    return false;
}

/* The least limit that a line of /proc/self/cgroup leads to: NUMBER:CONTROLLERS:GROUP, without controllers in
 * version 2. */
static uint64_t read_line(const char *root, const char *line) {
    const char *controllers = strchr(line, ':'), *group = NULL;
    if (controllers != NULL) group = strchr(++controllers, ':');
    if (group == NULL) return UINT64_MAX;
    size_t length = (size_t)(group++ - controllers);
    bool is_unified = length == 0;
    if (!is_unified && !controls_memory(controllers, length)) return UINT64_MAX;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        if (LIMITS[i].is_unified == is_unified)
            least = smaller(least, read_group(root, LIMITS[i].mount, group, LIMITS[i].file));
    }
    return least;
}

uint64_t memory_limit_allowed(const char *root) {
    char line[PATH_SIZE];
    uint64_t least = memory_limit_machine();
    (void)snprintf(line, sizeof line, "%s/proc/self/cgroup", root); /* cut, it names no file */
    FILE *file = fopen(line, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        least = smaller(least, read_line(root, line));
    }
    if (file != NULL) (void)fclose(file);
    return least;
}
