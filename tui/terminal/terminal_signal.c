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

static const int HANDLED[] = {SIGINT, SIGTSTP, SIGCONT, SIGWINCH, SIGHUP, SIGTERM};
enum { HANDLED_COUNT = sizeof HANDLED / sizeof HANDLED[0] };
static struct sigaction previous[HANDLED_COUNT];

Status terminal_signal_open(Error *error) {
    for (int i = 0; i < HANDLED_COUNT; i++) (void)sigaction(HANDLED[i], NULL, &previous[i]);
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
    for (int i = 0; i < HANDLED_COUNT; i++) (void)sigaction(HANDLED[i], &action, NULL);
}

void terminal_signal_release(void) {
    for (int i = 0; i < HANDLED_COUNT; i++) (void)sigaction(HANDLED[i], &previous[i], NULL);
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
