#include "tests/screens/session_state.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ProcessFacts {
    char state;
    pid_t session;
    unsigned long ticks;
} ProcessFacts;

typedef void (*ProcessVisitor)(pid_t process, const ProcessFacts *facts, void *user);

/* From a /proc/…/stat file. The name in it may hold anything, brackets and blanks too, so the fields are read
 * after the last closing bracket: state, parent, group, session, …, user and system ticks. */
static bool read_stat(const char *path, ProcessFacts *facts) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    char line[1024];
    size_t bytes = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file); /* only read from */
    line[bytes] = '\0';
    const char *fields = strrchr(line, ')');
    int session;
    unsigned long user, system;
    if (fields == NULL || sscanf(fields + 1, " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &facts->state, &session, &user, &system) != 4)
        return false;
    facts->session = (pid_t)session;
    facts->ticks = user + system;
    return true;
}

static void each_process(pid_t session, ProcessVisitor visit, void *user) {
    DIR *directory = opendir("/proc");
    if (directory == NULL) return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        char path[300];
        ProcessFacts facts;
        (void)snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name); /* always fits */
        if (read_stat(path, &facts) && facts.session == session)
            visit((pid_t)strtol(entry->d_name, NULL, 10), &facts, user);
    }
    (void)closedir(directory);
}

static bool has_busy_thread(pid_t process) {
    char path[600];
    (void)snprintf(path, sizeof path, "/proc/%ld/task", (long)process);
    DIR *directory = opendir(path);
    if (directory == NULL) return false; /* it has just ended */
    bool busy = false;
    for (struct dirent *entry; !busy && (entry = readdir(directory)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        ProcessFacts facts;
        (void)snprintf(path, sizeof path, "/proc/%ld/task/%s/stat", (long)process, entry->d_name);
        busy = read_stat(path, &facts) && (facts.state == 'R' || facts.state == 'D');
    }
    (void)closedir(directory);
    return busy;
}

static void add_process(pid_t process, const ProcessFacts *facts, void *user) {
    SessionState *state = user;
    state->ticks += facts->ticks;
    if (!state->busy) state->busy = has_busy_thread(process);
}

SessionState session_state_read(pid_t session) {
    SessionState state = {0};
    each_process(session, add_process, &state);
    return state;
}

static void signal_process(pid_t process, const ProcessFacts *facts, void *user) {
    (void)facts;
    (void)kill(process, *(const int *)user); /* it may have ended meanwhile */
}

void session_state_signal(pid_t session, int signal_number) {
    each_process(session, signal_process, &signal_number);
}
