#include "tui/terminal/crash_handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

static const int FATAL[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGQUIT, SIGXCPU, SIGTRAP};
enum { FATAL_COUNT = sizeof FATAL / sizeof FATAL[0], SIGNAL_STACK = 64 * 1024 };

/* One terminal, and signal handlers reach it: file scope, plain values set before the handlers are. */
enum { IDLE, ARMED, RESCUING };
static atomic_int state;
static int input_file = -1, output_file = -1;
static char restore_bytes[CRASH_HANDLER_BYTES];
static size_t restore_count;
static struct termios line_settings;
static int has_line_settings;
static struct sigaction previous[FATAL_COUNT];
static int true_stderr = -1, captured_stderr = -1;
static char signal_stack[SIGNAL_STACK];

/* Only async-signal-safe calls from here to on_fatal(). */
static void write_all(int file, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; /* nobody is left to tell */
        bytes += written;
        count -= (size_t)written;
    }
}

static void release_stderr(void) {
    if (true_stderr < 0) return;
    (void)dup2(true_stderr, STDERR_FILENO);
    char bytes[1024];
    off_t at = 0;
    ssize_t count;
    while ((count = pread(captured_stderr, bytes, sizeof bytes, at)) > 0) {
        write_all(STDERR_FILENO, bytes, (size_t)count);
        at += count;
    }
}

void crash_handler_restore_line(void) {
    if (has_line_settings) (void)tcsetattr(input_file, TCSANOW, &line_settings);
}

static void say_what_happened(int number) {
    static const char SHRUNK[] =
        "rejuv: an input file shrank, or could not be read, while it was in use (SIGBUS)\n";
    static const char USED_UP[] =
        "rejuv: the processor time that is allowed (ulimit -t) is used up (SIGXCPU); the terminal has been "
        "restored\n";
    static const char OTHER[] = "rejuv: ended by a fatal signal; the terminal has been restored\n";
    if (number == SIGBUS)
        write_all(STDERR_FILENO, SHRUNK, sizeof SHRUNK - 1);
    else if (number == SIGXCPU)
        write_all(STDERR_FILENO, USED_UP, sizeof USED_UP - 1);
    else
        write_all(STDERR_FILENO, OTHER, sizeof OTHER - 1);
}

static bool is_fault(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

static void on_fatal(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno, was = ARMED;
    if (atomic_compare_exchange_strong(&state, &was, RESCUING)) {
        write_all(output_file, restore_bytes, restore_count);
        crash_handler_restore_line();
        release_stderr();
        say_what_happened(number);
        atomic_store(&state, IDLE);
    } else if (was == RESCUING) {
        /* another thread puts the terminal back, and then ends the program: it must not be forestalled */
        while (atomic_load(&state) == RESCUING) (void)pause();
    }
    for (int i = 0; i < FATAL_COUNT; i++)
        if (FATAL[i] == number) (void)sigaction(number, &previous[i], NULL);
    errno = saved;
    /* a fault happens again on return, with its address, for whoever handles it now; anything else is sent
     * again and waits until this handler returns */
    if (info == NULL || info->si_code <= 0 || !is_fault(number)) (void)raise(number);
}

static void capture_stderr(void) {
    if (!isatty(STDERR_FILENO)) return; /* the user has put it elsewhere already */
    captured_stderr = memfd_create("rejuv-stderr", MFD_CLOEXEC);
    true_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (captured_stderr >= 0 && true_stderr >= 0 && dup2(captured_stderr, STDERR_FILENO) >= 0) return;
    if (captured_stderr >= 0) (void)close(captured_stderr);
    if (true_stderr >= 0) (void)close(true_stderr);
    captured_stderr = true_stderr = -1; /* no capture: a spoilt screen is repaired by redraw */
}

void crash_handler_arm(int input, int output, const char *bytes, size_t count) {
    input_file = input;
    output_file = output;
    restore_count = count < sizeof restore_bytes ? count : sizeof restore_bytes;
    memcpy(restore_bytes, bytes, restore_count);
    has_line_settings = tcgetattr(input, &line_settings) == 0;
    capture_stderr();
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    (void)sigaltstack(&stack, NULL); /* without it an overflowing stack dies unrescued, nothing worse */
    struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigfillset(&action.sa_mask);
    atomic_store(&state, ARMED);
    for (int i = 0; i < FATAL_COUNT; i++) (void)sigaction(FATAL[i], &action, &previous[i]);
}

void crash_handler_disarm(void) {
    int was = ARMED;
    if (!atomic_compare_exchange_strong(&state, &was, IDLE)) return;
    for (int i = 0; i < FATAL_COUNT; i++) (void)sigaction(FATAL[i], &previous[i], NULL);
    release_stderr();
    if (true_stderr >= 0) (void)close(true_stderr);
    if (captured_stderr >= 0) (void)close(captured_stderr);
    true_stderr = captured_stderr = -1;
}
