#include "core/support/control_group.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 };

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t control_group_number(const char *directory, const char *file) {
    char path[CONTROL_GROUP_PATH], text[NUMBER_SIZE] = "";
    int used = snprintf(path, sizeof path, "%s/%s", directory, file);
    if (used <= 0 || (size_t)used >= sizeof path) return UINT64_MAX;
    FILE *stream = fopen(path, "r");
    if (stream == NULL) return UINT64_MAX;
    bool is_number = fgets(text, sizeof text, stream) != NULL && isdigit((unsigned char)text[0]);
    (void)fclose(stream);                                     /* it was only read */
    return is_number ? strtoull(text, NULL, 10) : UINT64_MAX; /* what overflows is the largest number */
}

/* The least limit of a group and of those above it, up to the mount itself. */
static uint64_t read_group(const char *root, const ControlGroupFile *file, const char *group,
                           ControlGroupRead read) {
    char path[CONTROL_GROUP_PATH];
    uint64_t least = UINT64_MAX;
    size_t length = strlen(group);
    for (;;) {
        int used = snprintf(path, sizeof path, "%s%s%.*s", root, file->mount, (int)length, group);
        if (used > 0 && (size_t)used < sizeof path) least = smaller(least, read(path, file->file));
        if (length == 0) return least;
        while (length > 0 && group[--length] != '/') continue;
    }
}

/* Whether "cpu,memory" names the controller. */
static bool is_controlled(const char *controllers, size_t length, const char *name) {
    for (size_t at = 0; at < length;) {
        size_t word = 0;
        while (at + word < length && controllers[at + word] != ',') word++;
        if (word == strlen(name) && memcmp(controllers + at, name, word) == 0) return true;
        at += word + 1;
    }
    return false;
}

uint64_t control_group_least(const char *root, const char *controller, const ControlGroupFile *files,
                             size_t count, ControlGroupRead read) {
    char line[CONTROL_GROUP_PATH];
    uint64_t least = UINT64_MAX;
    (void)snprintf(line, sizeof line, "%s/proc/self/cgroup", root); /* cut, it names no file */
    FILE *stream = fopen(line, "r");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        /* NUMBER:CONTROLLERS:GROUP, without controllers in version 2 */
        const char *controllers = strchr(line, ':'), *group = NULL;
        if (controllers != NULL) group = strchr(++controllers, ':');
        if (group == NULL) continue;
        size_t length = (size_t)(group++ - controllers);
        bool is_unified = length == 0;
        if (!is_unified && !is_controlled(controllers, length, controller)) continue;
        for (size_t i = 0; i < count; i++) {
            if (files[i].is_unified == is_unified)
                least = smaller(least, read_group(root, &files[i], group, read));
        }
    }
    if (stream != NULL) (void)fclose(stream);
    return least;
}
