#include "tests/screens/terminal_host.h"

#include "core/memory.h"
#include "tests/screens/session_state.h"
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
#include <utf8proc.h>
#include <utmp.h>
#include <vterm.h>

enum {
    TERMINAL_HOST_READ_BYTES = 65536,
    TERMINAL_HOST_POLL_MILLISECONDS = 20,
    TERMINAL_HOST_OUTPUT_BYTES = 4096
};

struct TerminalHost {
    VTerm *terminal;
    VTermScreen *screen;
    int rows, columns;
    int master, slave; /* -1 after a hang-up */
    pid_t child;
    bool running;
    int exit_status;
    struct termios before;
    uint64_t bytes;
    bool cursor_visible, alternate_screen, mouse;
    char output[TERMINAL_HOST_OUTPUT_BYTES]; /* keys and answers of the terminal, not yet written */
    size_t output_bytes;
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

static Status make_terminal(TerminalHost *host, Error *error) {
    host->terminal = vterm_new(host->rows, host->columns);
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
    vterm_input_write(host->terminal, bytes, (size_t)count);
    vterm_screen_flush_damage(host->screen);
    return (size_t)count;
}

static Status send_bytes(TerminalHost *host, const char *bytes, size_t count, Error *error) {
    double deadline = seconds_now() + 30;
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
            return status_fail(error, STATUS_IO, "the program has not read its input for 30 s");
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
    vterm_set_size(host->terminal, rows, columns);
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

typedef struct Patience {
    double deadline, quiet_since;
} Patience;

static Patience patience_start(double seconds) {
    double now = seconds_now();
    return (Patience){.deadline = now + seconds, .quiet_since = now};
}

/* One short step: bytes, answers to the program's questions, its end. */
static Status step(TerminalHost *host, Patience *patience, Error *error) {
    size_t count = receive(host, TERMINAL_HOST_POLL_MILLISECONDS);
    Status status = host->output_bytes > 0 ? flush_output(host, error) : STATUS_OK;
    notice_exit(host, WNOHANG);
    if (!host->running) {
        while (receive(host, 0) > 0) continue; /* the last words */
    } else if (count > 0 || session_state_is_busy(host->child)) {
        patience->quiet_since = seconds_now();
    }
    return status;
}

Status terminal_host_wait(TerminalHost *host, TerminalCondition condition, void *user, double idle,
                          double seconds, Error *error) {
    Patience patience = patience_start(seconds);
    for (;;) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        if (condition(host, user)) return STATUS_OK;
        double now = seconds_now();
        if (!host->running)
            return status_fail(error, STATUS_MISMATCH, "the program ended with status %d", host->exit_status);
        if (now - patience.quiet_since > idle)
            return status_fail(error, STATUS_MISMATCH, "the program was idle for %.0f s", idle);
        if (now > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "it did not come within %.0f s", seconds);
    }
}

static bool shows_text(TerminalHost *host, void *user) {
    return terminal_host_has_text(host, user);
}

Status terminal_host_wait_text(TerminalHost *host, const char *text, double seconds, Error *error) {
    char *wanted = memory_copy_text(text, strlen(text));
    if (wanted == NULL) return memory_fail(error, "a text");
    Status status = terminal_host_wait(host, shows_text, wanted, seconds, seconds, error);
    free(wanted);
    return status == STATUS_OK ? status : status_add_context(error, "no \"%s\" on the screen", text);
}

Status terminal_host_wait_quiet(TerminalHost *host, double quiet, double seconds, Error *error) {
    Patience patience = patience_start(seconds);
    for (;;) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        double now = seconds_now();
        if (!host->running || now - patience.quiet_since >= quiet) return STATUS_OK;
        if (now > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "the program was still at work after %.0f s", seconds);
    }
}

Status terminal_host_wait_exit(TerminalHost *host, double seconds, int *exit_status, Error *error) {
    Patience patience = patience_start(seconds);
    while (host->running) {
        Status status = step(host, &patience, error);
        if (status != STATUS_OK) return status;
        if (host->running && seconds_now() > patience.deadline)
            return status_fail(error, STATUS_MISMATCH, "the program had not ended after %.0f s", seconds);
    }
    *exit_status = host->exit_status;
    return STATUS_OK;
}

/* ---- reading ---- */

int terminal_host_rows(const TerminalHost *host) {
    return host->rows;
}

int terminal_host_columns(const TerminalHost *host) {
    return host->columns;
}

uint64_t terminal_host_bytes(const TerminalHost *host) {
    return host->bytes;
}

bool terminal_host_is_running(const TerminalHost *host) {
    return host->running;
}

bool terminal_host_cursor(const TerminalHost *host, int *row, int *column) {
    VTermPos position;
    vterm_state_get_cursorpos(vterm_obtain_state(host->terminal), &position);
    *row = position.row;
    *column = position.col;
    return host->cursor_visible;
}

static TerminalColour read_colour(VTermColor colour, bool is_default) {
    if (is_default) return (TerminalColour){.kind = TERMINAL_COLOUR_DEFAULT};
    if (VTERM_COLOR_IS_INDEXED(&colour))
        return (TerminalColour){.kind = TERMINAL_COLOUR_INDEXED, .index = colour.indexed.idx};
    return (TerminalColour){.kind = TERMINAL_COLOUR_RGB,
                            .red = colour.rgb.red,
                            .green = colour.rgb.green,
                            .blue = colour.rgb.blue};
}

static void read_text(const VTermScreenCell *from, TerminalCell *cell) {
    if (from->chars[0] == UINT32_MAX) { /* libvterm's mark for the second half */
        cell->width = 0;
        return;
    }
    cell->width = from->width == 2 ? 2 : 1;
    size_t bytes = 0;
    for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && from->chars[i] != 0; i++)
        bytes += (size_t)utf8proc_encode_char((utf8proc_int32_t)from->chars[i],
                                              (utf8proc_uint8_t *)cell->text + bytes);
    if (bytes == 0) cell->text[bytes++] = ' ';
    cell->text[bytes] = '\0'; /* six characters of four bytes at most */
}

TerminalCell terminal_host_cell(const TerminalHost *host, int row, int column) {
    TerminalCell cell = {.text = " ", .width = 1};
    VTermScreenCell from;
    if (row < 0 || column < 0 || row >= host->rows || column >= host->columns ||
        !vterm_screen_get_cell(host->screen, (VTermPos){.row = row, .col = column}, &from))
        return cell;
    cell.text[0] = '\0';
    read_text(&from, &cell);
    cell.foreground = read_colour(from.fg, VTERM_COLOR_IS_DEFAULT_FG(&from.fg));
    cell.background = read_colour(from.bg, VTERM_COLOR_IS_DEFAULT_BG(&from.bg));
    cell.bold = from.attrs.bold;
    cell.italic = from.attrs.italic;
    cell.underline = from.attrs.underline != VTERM_UNDERLINE_OFF;
    cell.blink = from.attrs.blink;
    cell.reverse = from.attrs.reverse;
    cell.strike = from.attrs.strike;
    return cell;
}

char *terminal_host_line(const TerminalHost *host, int row) {
    char *line = memory_allocate((size_t)host->columns + 1, sizeof(TerminalCell));
    if (line == NULL) return NULL;
    size_t bytes = 0, trimmed = 0;
    for (int column = 0; column < host->columns; column++) {
        TerminalCell cell = terminal_host_cell(host, row, column);
        size_t length = strlen(cell.text);
        memcpy(line + bytes, cell.text, length);
        bytes += length;
        if (strcmp(cell.text, " ") != 0) trimmed = bytes;
    }
    line[trimmed] = '\0';
    return line;
}

bool terminal_host_has_text(const TerminalHost *host, const char *text) {
    bool found = false;
    for (int row = 0; row < host->rows && !found; row++) {
        char *line = terminal_host_line(host, row);
        found = line != NULL && strstr(line, text) != NULL;
        free(line);
    }
    return found;
}

/* ---- the terminal afterwards ---- */

static bool same_settings(const struct termios *a, const struct termios *b) {
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

static bool pen_is_plain(const TerminalHost *host) {
    VTermState *state = vterm_obtain_state(host->terminal);
    static const VTermAttr switches[] = {VTERM_ATTR_BOLD, VTERM_ATTR_UNDERLINE, VTERM_ATTR_REVERSE};
    VTermValue value;
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (vterm_state_get_penattr(state, switches[i], &value) && value.number != 0) return false;
    if (!vterm_state_get_penattr(state, VTERM_ATTR_FOREGROUND, &value) ||
        !VTERM_COLOR_IS_DEFAULT_FG(&value.color))
        return false;
    return vterm_state_get_penattr(state, VTERM_ATTR_BACKGROUND, &value) != 0 &&
           VTERM_COLOR_IS_DEFAULT_BG(&value.color);
}

bool terminal_host_is_restored(const TerminalHost *host, char *why, size_t size) {
    struct termios now;
    const char *found = NULL;
    if (host->slave < 0 || tcgetattr(host->slave, &now) != 0) {
        found = "the terminal's settings cannot be read";
    } else if (!same_settings(&host->before, &now)) {
        found = "the line settings (termios) differ from those at the start";
    } else if (host->alternate_screen) {
        found = "the alternate screen is still on";
    } else if (!host->cursor_visible) {
        found = "the cursor is still hidden";
    } else if (host->mouse) {
        found = "mouse reporting is still on";
    } else if (!pen_is_plain(host)) {
        found = "a colour or attribute is still on";
    }
    if (found != NULL) (void)snprintf(why, size, "%s", found); /* cut off at worst */
    return found == NULL;
}

void terminal_host_print(const TerminalHost *host, FILE *file) {
    (void)fprintf(file, "screen %dx%d, %s\n", host->columns, host->rows,
                  host->running ? "the program runs" : "the program has ended");
    for (int row = 0; row < host->rows; row++) {
        char *line = terminal_host_line(host, row);
        (void)fprintf(file, "%3d|%s\n", row, line == NULL ? "(out of memory)" : line);
        free(line);
    }
}
