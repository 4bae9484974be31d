#include "tests/screens/terminal_host.h"

#include "core/support/memory.h"
#include "tests/screens/session_state.h"
#include "tests/screens/terminal_host_state.h"
#include "tests/screens/terminal_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>
#include <vterm.h>

enum {
    TERMINAL_HOST_READ_BYTES = 65536,
    TERMINAL_HOST_POLL_MILLISECONDS = 20,
    TERMINAL_HOST_UNREAD_SECONDS = 600,
    TERMINAL_HOST_IDLE_SECONDS = 60
};

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the terminal ---- */

static int keep_property(VTermProp property, VTermValue *value, void *user) {
    TerminalHost *host = user;
    if (property == VTERM_PROP_CURSORVISIBLE) host->cursor_visible = value->boolean != 0;
    if (property == VTERM_PROP_ALTSCREEN) host->alternate_screen = value->boolean != 0;
    if (property == VTERM_PROP_MOUSE) host->mouse = value->number != VTERM_PROP_MOUSE_NONE;
    return 1;
}

static const VTermScreenCallbacks screen_callbacks = {.settermprop = keep_property};

static void keep_output(const char *bytes, size_t count, void *user) {
    TerminalHost *host = user;
    size_t room = sizeof host->output - host->output_bytes;
    if (count > room) count = room; /* a program that asks and never reads loses the answers */
    memcpy(host->output + host->output_bytes, bytes, count);
    host->output_bytes += count;
}

/* The emulator, not the program, ended in a narrow window: it has a second column, which nobody looks at. */
static int columns_of_terminal(int columns) {
    return columns < 2 ? 2 : columns;
}

static Status make_terminal(TerminalHost *host, Error *error) {
    host->terminal = vterm_new(host->rows, columns_of_terminal(host->columns));
    if (host->terminal == NULL) return memory_fail(error, "the terminal");
    vterm_set_utf8(host->terminal, 1);
    vterm_output_set_callback(host->terminal, keep_output, host);
    host->screen = vterm_obtain_screen(host->terminal);
    vterm_screen_set_callbacks(host->screen, &screen_callbacks, host);
    vterm_screen_enable_altscreen(host->screen, 1);
    host->cursor_visible = true;
    vterm_screen_reset(host->screen, 1);
    return STATUS_OK;
}

/* ---- the process ---- */

/* Runs in the child: only what is allowed between fork and exec. */
static void become_program(const TerminalHostOptions *options, int master, int slave) {
    (void)close(master);
    if (login_tty(slave) != 0) _exit(126);
    static const int handled[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGHUP, SIGWINCH};
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++) (void)signal(handled[i], SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (options->directory != NULL && chdir(options->directory) != 0) _exit(126);
    (void)execvpe(options->arguments[0], options->arguments, options->environment);
    _exit(127);
}

static Status start_program(TerminalHost *host, const TerminalHostOptions *options, Error *error) {
    struct winsize size = {.ws_row = (unsigned short)host->rows, .ws_col = (unsigned short)host->columns};
    if (openpty(&host->master, &host->slave, NULL, NULL, &size) != 0) {
        host->master = host->slave = -1;
        return status_fail_errno(error, errno, "no pseudo-terminal");
    }
    if (tcgetattr(host->slave, &host->before) != 0)
        return status_fail_errno(error, errno, "the pseudo-terminal's settings cannot be read");
    host->child = fork();
    if (host->child < 0) return status_fail_errno(error, errno, "no process");
    if (host->child == 0) become_program(options, host->master, host->slave);
    host->running = true;
    int flags = fcntl(host->master, F_GETFL);
    if (flags < 0 || fcntl(host->master, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(host->master, F_SETFD, FD_CLOEXEC) != 0 || fcntl(host->slave, F_SETFD, FD_CLOEXEC) != 0)
        return status_fail_errno(error, errno, "the pseudo-terminal cannot be set up");
    return STATUS_OK;
}

Status terminal_host_start(const TerminalHostOptions *options, TerminalHost **host, Error *error) {
    if (options->rows < 1 || options->columns < 1 || options->rows > 1000 || options->columns > 1000)
        return status_fail(error, STATUS_ARGUMENT, "expected a size from 1x1 to 1000x1000, found %dx%d",
                           options->columns, options->rows);
    TerminalHost *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the terminal");
    made->rows = options->rows;
    made->columns = options->columns;
    made->master = made->slave = -1;
    Status status = make_terminal(made, error);
    if (status == STATUS_OK) status = start_program(made, options, error);
    if (status != STATUS_OK) {
        terminal_host_free(made);
        return status;
    }
    *host = made;
    return STATUS_OK;
}

static void notice_exit(TerminalHost *host, int options) {
    int state;
    if (!host->running || waitpid(host->child, &state, options) != host->child) return;
    host->running = false;
    host->exit_status = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

void terminal_host_free(TerminalHost *host) {
    if (host == NULL) return;
    if (host->child > 0) session_state_signal(host->child, SIGKILL);
    notice_exit(host, 0);
    terminal_host_hang_up(host);
    if (host->terminal != NULL) vterm_free(host->terminal);
    free(host);
}

void terminal_host_hang_up(TerminalHost *host) {
    if (host->master >= 0) (void)close(host->master);
    if (host->slave >= 0) (void)close(host->slave);
    host->master = host->slave = -1;
}

/* ---- bytes in both directions ---- */

/* Takes what the program has sent, waiting up to `milliseconds` for the first byte. Returns how many came. */
static size_t receive(TerminalHost *host, int milliseconds) {
    if (host->master < 0) {
        (void)poll(NULL, 0, milliseconds);
        return 0;
    }
    struct pollfd ready = {.fd = host->master, .events = POLLIN};
    if (poll(&ready, 1, milliseconds) <= 0) return 0;
    char bytes[TERMINAL_HOST_READ_BYTES];
    ssize_t count = read(host->master, bytes, sizeof bytes);
    if (count <= 0) return 0;
    host->bytes += (uint64_t)count;
    terminal_repeat_write(&host->repeat, host->terminal, bytes, (size_t)count);
    vterm_screen_flush_damage(host->screen);
    return (size_t)count;
}

static Status send_bytes(TerminalHost *host, const char *bytes, size_t count, Error *error) {
    double deadline = seconds_now() + TERMINAL_HOST_UNREAD_SECONDS;
    while (count > 0) {
        ssize_t sent = host->master < 0 ? -1 : write(host->master, bytes, count);
        if (sent >= 0) {
            bytes += sent;
            count -= (size_t)sent;
            continue;
        }
        if (host->master < 0) return status_fail(error, STATUS_IO, "the terminal is hung up");
        if (errno != EAGAIN && errno != EINTR)
            return status_fail_errno(error, errno, "the program's terminal takes no input");
        if (seconds_now() > deadline)
            return status_fail(error, STATUS_IO, "the program has not read its input for %d s",
                               TERMINAL_HOST_UNREAD_SECONDS);
        (void)receive(host, TERMINAL_HOST_POLL_MILLISECONDS);
    }
    return STATUS_OK;
}

static Status flush_output(TerminalHost *host, Error *error) {
    size_t count = host->output_bytes;
    char bytes[TERMINAL_HOST_OUTPUT_BYTES];
    memcpy(bytes, host->output, count);
    host->output_bytes = 0; /* first: sending may receive, and receiving may add answers */
    return send_bytes(host, bytes, count, error);
}

Status terminal_host_send_key(TerminalHost *host, const char *name, Error *error) {
    if (!terminal_keys_press(host->terminal, name))
        return status_fail(error, STATUS_ARGUMENT, "\"%s\" is no key", name);
    return flush_output(host, error);
}

Status terminal_host_send_text(TerminalHost *host, const char *text, Error *error) {
    return send_bytes(host, text, strlen(text), error);
}

Status terminal_host_resize(TerminalHost *host, int rows, int columns, Error *error) {
    if (rows < 1 || columns < 1 || rows > 1000 || columns > 1000)
        return status_fail(error, STATUS_ARGUMENT, "expected a size from 1x1 to 1000x1000, found %dx%d",
                           columns, rows);
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    vterm_set_size(host->terminal, rows, columns_of_terminal(columns));
    host->rows = rows;
    host->columns = columns;
    if (ioctl(host->master, TIOCSWINSZ, &size) != 0)
        return status_fail_errno(error, errno, "the terminal cannot be resized");
    return STATUS_OK;
}

Status terminal_host_signal(TerminalHost *host, int signal_number, Error *error) {
    pid_t group = host->slave < 0 ? host->child : tcgetpgrp(host->master);
    if (group <= 0 || kill(-group, signal_number) != 0)
        return status_fail_errno(error, errno, "the program cannot be signalled");
    return STATUS_OK;
}

/* ---- waiting ---- */

/*
 * On a machine with little to do, a program is quiet while none of its threads is seen at work. Where many
 * programs share few processors, one that wakes up ten times a second for nothing is seen waiting for its
 * turn nearly always; it is known by the processor time that it does not use. Such calm counts an eighth, so
 * that a program that computes, however starved, has shown it before.
 */
typedef struct Patience {
    double deadline, noted;
    double quiet, calm;       /* for so many seconds it was seen to be */
    unsigned long calm_ticks; /* of processor time when the calm began */
} Patience;

enum { PATIENCE_CALM_TICKS = 2, PATIENCE_CALM_SHARE = 8 };

static Patience patience_start(const TerminalHost *host, double seconds) {
    double now = seconds_now();
    return (Patience){
        .deadline = now + seconds, .noted = now, .calm_ticks = session_state_read(host->child).ticks};
}

static void patience_note(Patience *patience, SessionState state, bool received) {
    /* where nobody looked for long, because the machine had other things to do, nobody saw it quiet */
    double now = seconds_now(), longest = 0.002 * TERMINAL_HOST_POLL_MILLISECONDS;
    double passed = now - patience->noted < longest ? now - patience->noted : longest;
    patience->noted = now;
    patience->quiet = received || state.busy ? 0.0 : patience->quiet + passed;
    patience->calm += passed;
    if (received || state.ticks > patience->calm_ticks + PATIENCE_CALM_TICKS) {
        patience->calm = 0.0;
        patience->calm_ticks = state.ticks;
    }
}

/* For how many seconds the program has been quiet. */
static double patience_quiet(const Patience *patience) {
    double calm = patience->calm / (double)PATIENCE_CALM_SHARE;
    return patience->quiet > calm ? patience->quiet : calm;
}

/* One short step: bytes, answers to the program's questions, its end. */
static Status step(TerminalHost *host, Patience *patience, Error *error) {
    size_t count = receive(host, TERMINAL_HOST_POLL_MILLISECONDS);
    Status status = host->output_bytes > 0 ? flush_output(host, error) : STATUS_OK;
    notice_exit(host, WNOHANG);
    if (!host->running) {
        while (receive(host, 0) > 0) continue; /* the last words */
    } else {
        patience_note(patience, session_state_read(host->child), count > 0);
    }
    return status;
}

Status terminal_host_wait(TerminalHost *host, TerminalCondition condition, void *user, double idle,
                          double seconds, Error *error) {
    Patience patience = patience_start(host, seconds);
    for (;;) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        if (condition(host, user)) return STATUS_OK;
        if (!host->running)
            return status_fail(error, STATUS_MISMATCH, "the program ended with status %d", host->exit_status);
        if (patience_quiet(&patience) > idle)
            return status_fail(error, STATUS_MISMATCH, "the program was idle for %.0f s", idle);
        if (seconds_now() > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "it did not come within %.0f s", seconds);
    }
}

static bool shows_text(TerminalHost *host, void *user) {
    return terminal_host_has_text(host, user);
}

Status terminal_host_wait_text(TerminalHost *host, const char *text, double seconds, Error *error) {
    char *wanted = memory_copy_text(text, strlen(text));
    if (wanted == NULL) return memory_fail(error, "a text");
    double idle = seconds < TERMINAL_HOST_IDLE_SECONDS ? seconds : TERMINAL_HOST_IDLE_SECONDS;
    Status status = terminal_host_wait(host, shows_text, wanted, idle, seconds, error);
    free(wanted);
    return status == STATUS_OK ? status : status_add_context(error, "no \"%s\" on the screen", text);
}

Status terminal_host_wait_quiet(TerminalHost *host, double quiet, double seconds, Error *error) {
    Patience patience = patience_start(host, seconds);
    for (;;) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        if (!host->running || patience_quiet(&patience) >= quiet) return STATUS_OK;
        if (seconds_now() > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "the program was still at work after %.0f s", seconds);
    }
}

Status terminal_host_wait_exit(TerminalHost *host, double seconds, int *exit_status, Error *error) {
    Patience patience = patience_start(host, seconds);
    while (host->running) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        if (host->running && seconds_now() > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "the program had not ended after %.0f s", seconds);
    }
    *exit_status = host->exit_status;
    return STATUS_OK;
}
