#include "tests/bench/temporary.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[4096];
static volatile sig_atomic_t run; /* the process that measures */

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *walk) {
    (void)facts, (void)kind, (void)walk;
    return remove(path);
}

Status temporary_remove(const char *path, Error *error) {
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: cannot be removed", path);
}

static void pass_on(int number) {
    (void)kill((pid_t)run, number); /* it may have ended */
}

static _Noreturn void wait_and_remove(bool keep) {
    int ended;
    Error error;
    while (waitpid((pid_t)run, &ended, 0) < 0 && errno == EINTR) {
    }
    if (keep)
        (void)fprintf(stderr, "bench: files are in %s\n", folder);
    else if (temporary_remove(folder, &error) != STATUS_OK)
        (void)fprintf(stderr, "bench: %s\n", error.message);
    if (WIFSIGNALED(ended)) (void)fprintf(stderr, "bench: %s\n", strsignal(WTERMSIG(ended)));
    exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended));
}

/* Signals wait until the one process has its handlers and the other is on its own. */
static Status split(bool keep, const sigset_t *ends, Error *error) {
    sigset_t before;
    (void)sigprocmask(SIG_BLOCK, ends, &before); /* the arguments are right */
    pid_t made = fork();
    if (made < 0) return status_fail_errno(error, errno, "a process");
    if (made == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    } else {
        struct sigaction action = {.sa_handler = pass_on};
        run = (sig_atomic_t)made;
        for (int number = 1; number < NSIG; number++)
            if (sigismember(ends, number) == 1) (void)sigaction(number, &action, NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (made > 0) wait_and_remove(keep);
    return STATUS_OK;
}

Status temporary_enter(bool keep, const char **path, Error *error) {
    static const int ENDS[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    const char *parent = getenv("TMPDIR");
    sigset_t ends;
    (void)sigemptyset(&ends);
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) (void)sigaddset(&ends, ENDS[i]);
    int length = snprintf(folder, sizeof folder, "%s/rejuv-bench-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (length < 0 || (size_t)length >= sizeof folder) errno = ENAMETOOLONG;
    if (length < 0 || (size_t)length >= sizeof folder || mkdtemp(folder) == NULL)
        return status_fail_errno(error, errno, "a temporary directory");
    *path = folder;
    return split(keep, &ends, error);
}
