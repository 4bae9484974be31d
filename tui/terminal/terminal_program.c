#include "tui/terminal/terminal_program.h"

#include "core/support/memory.h"
#include "tui/terminal/terminal.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct Program {
    const char *line, *path;
    int failed; /* errno; 0: it was started */
    int status;
} Program;

/* Signals that the terminal's keys send go to all who share it: what they mean is the other program's to say. It may be
 * stopped, and this one with it. */
static const int KEYS[] = {SIGINT, SIGQUIT, SIGTSTP};
enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS };

static void give_keys(struct sigaction ours[KEY_COUNT]) {
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct sigaction action = {.sa_handler = KEYS[i] == SIGTSTP ? SIG_DFL : SIG_IGN};
        (void)sigaction(KEYS[i], &action, &ours[i]); /* cannot fail for these */
    }
}

/* Errors of this program go to memory (terminal.h); those of the other belong on its screen. */
static int spawn(const Program *program, int output, pid_t *child) {
    char *words[] = {"sh", "-c", (char *)(uintptr_t)program->line, "sh", (char *)(uintptr_t)program->path,
                     NULL};
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t usual, none;
    (void)sigemptyset(&usual);
    (void)sigemptyset(&none);
    for (size_t i = 0; i < KEY_COUNT; i++) (void)sigaddset(&usual, KEYS[i]);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGXFSZ);
    int failed = posix_spawnattr_init(&attributes);
    if (failed != 0) return failed;
    failed = posix_spawn_file_actions_init(&files);
    if (failed == 0) {
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        (void)posix_spawnattr_setsigdefault(&attributes, &usual);
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        for (int i = 0; i <= STDERR_FILENO && failed == 0; i++)
            failed = posix_spawn_file_actions_adddup2(&files, output, i);
        if (failed == 0) failed = posix_spawnp(child, "sh", &files, &attributes, words, environ);
        (void)posix_spawn_file_actions_destroy(&files);
    }
    (void)posix_spawnattr_destroy(&attributes);
    return failed;
}

static void run(void *user, int output) {
    Program *program = user;
    struct sigaction ours[KEY_COUNT];
    pid_t child;
    give_keys(ours);
    program->failed = spawn(program, output, &child);
    while (program->failed == 0 && waitpid(child, &program->status, 0) < 0) {
        if (errno != EINTR) program->failed = errno;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) (void)sigaction(KEYS[i], &ours[i], NULL);
}

/* How sh ended: what it says on the screen when it finds nothing to run is gone with the screen. */
static Status judge(const char *command, int ended, Error *error) {
    enum { SH_NOT_ALLOWED = 126, SH_NOT_FOUND = 127 };
    const char *quotes = strpbrk(command, " \t") != NULL ? "; a path with blanks in it needs quotes" : "";
    if (!WIFEXITED(ended))
        return status_fail(error, STATUS_IO, "%s was ended by signal %d", command, WTERMSIG(ended));
    int status = WEXITSTATUS(ended);
    if (status == 0) return STATUS_OK;
    if (status == SH_NOT_FOUND)
        return status_fail(error, STATUS_IO, "expected a program, found none: %s%s", command, quotes);
    if (status == SH_NOT_ALLOWED)
        return status_fail(error, STATUS_IO, "expected a program, found what may not be run: %s%s", command,
                           quotes);
    return status_fail(error, STATUS_IO, "%s ended with status %d", command, status);
}

Status terminal_program_run(const char *command, const char *path, Error *error) {
    char *line = memory_format("%s \"$1\"", command);
    if (line == NULL) return memory_fail(error, command);
    Program program = {.line = line, .path = path};
    bool is_lent = terminal_lend(run, &program);
    free(line);
    if (!is_lent) return status_fail(error, STATUS_UNSUPPORTED, "%s needs a terminal", command);
    if (program.failed != 0) return status_fail_errno(error, program.failed, "%s", command);
    return judge(command, program.status, error);
}
