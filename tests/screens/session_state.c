#include "tests/screens/session_state.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool (*ProcessVisitor)(pid_t process, void *user); /* true ends the walk */

/* The state letter and the session from a /proc/…/stat file. The name in it may hold anything, brackets and
 * blanks too, so the fields are read after the last closing bracket. */
static bool read_stat(const char *path, char *state, pid_t *session) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    char line[1024];
    size_t bytes = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file); /* only read from */
    line[bytes] = '\0';
    const char *fields = strrchr(line, ')');
    int parent, group, leader;
    if (fields == NULL || sscanf(fields + 1, " %c %d %d %d", state, &parent, &group, &leader) != 4)
        return false;
    *session = (pid_t)leader;
    return true;
}

static bool each_process(pid_t session, ProcessVisitor visit, void *user) {
    DIR *directory = opendir("/proc");
    if (directory == NULL) return false;
    bool stopped = false;
    for (struct dirent *entry; !stopped && (entry = readdir(directory)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        char path[300], state;
        pid_t leader;
        (void)snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name); /* always fits */
        if (read_stat(path, &state, &leader) && leader == session)
            stopped = visit((pid_t)strtol(entry->d_name, NULL, 10), user);
    }
    (void)closedir(directory);
    return stopped;
}

static bool has_busy_thread(pid_t process, void *user) {
    (void)user;
    char path[600];
    (void)snprintf(path, sizeof path, "/proc/%ld/task", (long)process);
    DIR *directory = opendir(path);
    if (directory == NULL) return false; /* it has just ended */
    bool busy = false;
    for (struct dirent *entry; !busy && (entry = readdir(directory)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        char state;
        pid_t leader;
        (void)snprintf(path, sizeof path, "/proc/%ld/task/%s/stat", (long)process, entry->d_name);
        busy = read_stat(path, &state, &leader) && (state == 'R' || state == 'D');
    }
    (void)closedir(directory);
    return busy;
}

bool session_state_is_busy(pid_t session) {
    return each_process(session, has_busy_thread, NULL);
}

static bool signal_process(pid_t process, void *user) {
    (void)kill(process, *(const int *)user); /* it may have ended meanwhile */
    return false;
}

void session_state_signal(pid_t session, int signal_number) {
    (void)each_process(session, signal_process, &signal_number);
}
