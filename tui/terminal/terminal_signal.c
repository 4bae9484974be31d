#include "tui/terminal/terminal_signal.h"

#include "tui/terminal/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_int wake_file = -1;
/* Any thread may be the one that a signal reaches. */
static atomic_int end_signal, interrupted, stop_asked, continued, size_changed;

void terminal_wake(void) {
    int file = atomic_load(&wake_file), saved = errno;
    uint64_t one = 1;
    if (file >= 0 && write(file, &one, sizeof one) < 0) { /* full: it is awake already */
    }
    errno = saved;
}

static const int OTHERS[] = {SIGINT, SIGTSTP, SIGCONT, SIGWINCH};
/* Those that end a program unless it does something about them, and that somebody sends: batch systems announce the end
 * of a job by one of them, timers and limits go on sending theirs to a program that was started in place of the one they
 * were for. The real-time ones, too: terminal_signal_is_end(). Faults, aborts and limits past which there is no time left
 * are crash_handler's; SIGPIPE and SIGXFSZ are errors of writing. */
static const int ENDS[] = {
    SIGHUP,    SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
#ifdef SIGSTKFLT
    SIGSTKFLT,
#endif
};
enum { SIGNAL_COUNT = 65 /* Linux has 64, from 1 */ };
static struct sigaction previous[SIGNAL_COUNT];

static bool is_among(const int *list, size_t count, int number) {
    for (size_t i = 0; i < count; i++) {
        if (list[i] == number) return true;
    }
    return false;
}

bool terminal_signal_is_end(int number) {
    return (number >= SIGRTMIN && number <= SIGRTMAX) || is_among(ENDS, sizeof ENDS / sizeof *ENDS, number);
}

/* What was ignored when the program was started, as nohup does it, was asked to be ignored. */
static bool is_handled(int number) {
    if (is_among(OTHERS, sizeof OTHERS / sizeof *OTHERS, number)) return true;
    return terminal_signal_is_end(number) && previous[number].sa_handler != SIG_IGN;
}

Status terminal_signal_open(Error *error) {
    for (int number = 1; number < SIGNAL_COUNT; number++) {
        previous[number] = (struct sigaction){.sa_handler = SIG_DFL};
        (void)sigaction(number, NULL, &previous[number]); /* fails for those of the C library */
    }
    if (atomic_load(&wake_file) >= 0) return STATUS_OK;
    int file = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (file < 0) return status_fail_errno(error, errno, "a file to wake up by");
    atomic_store(&wake_file, file);
    return STATUS_OK;
}

int terminal_signal_file(void) {
    return atomic_load(&wake_file);
}

void terminal_signal_drain(void) {
    uint64_t count;
    if (read(atomic_load(&wake_file), &count, sizeof count) < 0) { /* empty: nothing to drain */
    }
}

static void on_signal(int number) {
    if (number == SIGINT)
        atomic_store(&interrupted, 1);
    else if (number == SIGTSTP)
        atomic_store(&stop_asked, 1);
    else if (number == SIGCONT)
        atomic_store(&continued, 1);
    else if (number == SIGWINCH)
        atomic_store(&size_changed, 1);
    else
        atomic_store(&end_signal, number);
    terminal_wake();
}

void terminal_signal_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigfillset(&action.sa_mask);
    for (int number = 1; number < SIGNAL_COUNT; number++) {
        if (is_handled(number)) (void)sigaction(number, &action, NULL);
    }
}

void terminal_signal_release(void) {
    for (int number = 1; number < SIGNAL_COUNT; number++) {
        if (is_handled(number)) (void)sigaction(number, &previous[number], NULL);
    }
}

/* Clears a flag; whether it was set. */
static bool take(atomic_int *flag) {
    return atomic_exchange(flag, 0) != 0;
}

bool terminal_signal_take(TerminalSignals *taken) {
    *taken = (TerminalSignals){.end = atomic_load(&end_signal)};
    if (taken->end != 0) return true;
    if ((taken->interrupted = take(&interrupted))) return true;
    if ((taken->stop_asked = take(&stop_asked))) return true;
    if ((taken->continued = take(&continued))) return true;
    return taken->size_changed = take(&size_changed);
}

void terminal_signal_forget_continue(void) {
    atomic_store(&continued, 0);
}
