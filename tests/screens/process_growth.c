#include "tests/screens/process_growth.h"

#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>

enum { PATH = 64, LINE = 256, SPARE_KIB = 1024 };

static bool read_status(const char *path, ProcessHoldings *holdings) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    char line[LINE];
    int found = 0;
    while (fgets(line, sizeof line, file) != NULL)
        found += sscanf(line, "RssAnon: %lu", &holdings->memory) == 1 ||
                 sscanf(line, "Threads: %lu", &holdings->threads) == 1;
    (void)fclose(file); /* it was only read */
    return found == 2;
}

static bool count_descriptors(const char *path, ProcessHoldings *holdings) {
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        holdings->descriptors += entry->d_name[0] != '.';
    (void)closedir(directory);
    return true;
}

Status process_growth_add(ProcessGrowth *growth, pid_t process, FILE *table, Error *error) {
    char status_path[PATH], descriptors_path[PATH];
    ProcessHoldings holdings = {0};
    (void)snprintf(status_path, sizeof status_path, "/proc/%ld/status", (long)process);
    (void)snprintf(descriptors_path, sizeof descriptors_path, "/proc/%ld/fd", (long)process);
    if (!read_status(status_path, &holdings) || !count_descriptors(descriptors_path, &holdings))
        return status_fail_errno(error, errno, "/proc/%ld", (long)process);
    Status status = MEMORY_RESERVE(growth->rounds, &growth->capacity, growth->count + 1, error);
    if (status != STATUS_OK) return status;
    growth->rounds[growth->count++] = holdings;
    if (growth->count == 1) (void)fprintf(table, "round  memory KiB  descriptors  threads\n");
    (void)fprintf(table, "%5zu %11lu %12lu %8lu\n", growth->count, holdings.memory, holdings.descriptors,
                  holdings.threads);
    (void)fflush(table);
    return STATUS_OK;
}

static unsigned long memory_of(const ProcessHoldings *holdings) {
    return holdings->memory;
}

static unsigned long descriptors_of(const ProcessHoldings *holdings) {
    return holdings->descriptors;
}

static unsigned long threads_of(const ProcessHoldings *holdings) {
    return holdings->threads;
}

static const struct {
    const char *name;
    unsigned long (*of)(const ProcessHoldings *holdings);
    unsigned long spare, spare_percent;
} KINDS[] = {{"KiB of memory", memory_of, SPARE_KIB, 1},
             {"descriptors", descriptors_of, 0, 0},
             {"threads", threads_of, 0, 0}};

Status process_growth_judge(const ProcessGrowth *growth, Error *error) {
    if (growth->count < PROCESS_GROWTH_ROUNDS)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected %d rounds at least to judge, there was time for %zu",
                           PROCESS_GROWTH_ROUNDS, growth->count);
    size_t first = growth->count / 3, second = first + (growth->count - first) / 2;
    for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++) {
        unsigned long most = 0, least = KINDS[k].of(&growth->rounds[second]);
        for (size_t i = first; i < growth->count; i++) {
            unsigned long held = KINDS[k].of(&growth->rounds[i]);
            if (i < second && held > most) most = held;
            if (i >= second && held < least) least = held;
        }
        if (least > most + KINDS[k].spare + most / 100 * KINDS[k].spare_percent)
            return status_fail(error, STATUS_MISMATCH,
                               "%s grow: at most %lu in rounds %zu to %zu, at least %lu after", KINDS[k].name,
                               most, first + 1, second, least);
    }
    return STATUS_OK;
}
