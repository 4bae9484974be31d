#include "tests/bench/machine.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 256 };

/* The value of the first line "key<blanks>: value" of /proc/cpuinfo; false where there is none. */
static bool find_processor(const char *key, char value[LINE]) {
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[LINE];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (colon == NULL || strncmp(line, key, strlen(key)) != 0) continue;
        (void)snprintf(value, LINE, "%s", colon + 1 + strspn(colon + 1, " "));
        value[strcspn(value, "\n")] = '\0';
        found = true;
    }
    if (file != NULL) (void)fclose(file); /* only read */
    return found;
}

void machine_describe(char *text, size_t size) {
    char model[LINE] = "processor without a name", family[LINE], number[LINE], kind[LINE] = "";
    cpu_set_t usable;
    int processors = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    (void)find_processor("model name", model);
    if (find_processor("cpu family", family) &&
        find_processor("model\t", number)) /* virtual ones lack a name */
        (void)snprintf(kind, sizeof kind, " (family %.8s, model %.8s)", family, number);
    (void)snprintf(text, size, "%.80s%.40s, %d of its processors, %.0f GB of memory", model, kind, processors,
                   bytes * 1e-9);
}

void machine_describe_load(char *text, size_t size) {
    double loads[3];
    if (getloadavg(loads, 3) == 3)
        (void)snprintf(
            text, size,
            "%.1f threads at a time wanted a processor in the last minute, %.1f in the last 15, this one among them",
            loads[0], loads[2]);
    else
        (void)snprintf(text, size, "not known");
}
