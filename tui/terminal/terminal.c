#include "tui/terminal/terminal.h"

#include "tui/terminal/crash_handler.h"
#include "tui/terminal/terminal_clipboard.h"
#include "tui/terminal/terminal_description.h"
#include "tui/terminal/terminal_input.h"
#include "tui/terminal/terminal_signal.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef lines /* term.h */
#undef columns

enum {
    ERRORS_LIMIT = 200, /* readable, yet nothing to read, this often in a row: the terminal is gone */
    PAIRS_FEW = 64,
    PAIRS_MANY = 4096,
    SUSPEND_GRACE = 20,
    ANSWER_PATIENCE = 1000 /* ms that an answer may take: none comes later */
};

typedef struct Pair {
    Colour foreground, background;
} Pair;

static struct {
    bool running;
    SCREEN *screen;
    FILE *input, *output;
    Theme theme;
    ThemeDepth depth; /* the most that the terminal and NO_COLOR allow */
    Canvas *shown;    /* what the terminal shows */
    bool stale;       /* `shown` is not to be trusted: draw everything */
    bool pastes;      /* bracketed paste was switched on */
    bool mouse;       /* reports of the mouse were */
    bool awaits;      /* the terminal was asked for its background, and has not answered */
    bool follows;     /* the theme is to be the background's */
    long asked;       /* when, in ms */
    ThemeKind background;
    int errors;
    Pair pairs[PAIRS_MANY];
    int pair_count, pair_limit;
} terminal;

static const char PASTE_ON[] = "\033[?2004h", PASTE_OFF[] = "\033[?2004l";
/* presses, drags, and coordinates beyond column 223 */
static const char MOUSE_ON[] = "\033[?1000h\033[?1002h\033[?1006h",
                  MOUSE_OFF[] = "\033[?1006l\033[?1002l\033[?1000l";

/* The second question is one that every terminal answers: then no answer to the first will come any more. */
static const char BACKGROUND_ASK[] = "\033]11;?\a\033[c";

/* ---- start and stop ---- */

static char collected[CRASH_HANDLER_BYTES];
static size_t collected_count;

static int collect(int byte) {
    if (collected_count < sizeof collected) collected[collected_count++] = (char)byte;
    return byte;
}

static const char *capability(const char *name) {
    const char *text = tigetstr(name);
    return text == (const char *)-1 ? NULL : text;
}

/* What brings the terminal back from full-screen mode, for crash_handler.c, which cannot ask curses. */
static void collect_restore_bytes(void) {
    static const char *const NAMES[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};
    collected_count = 0;
    for (const char *c = PASTE_OFF; terminal.pastes && *c != '\0'; c++) (void)collect(*c);
    for (const char *c = MOUSE_OFF; terminal.mouse && *c != '\0'; c++) (void)collect(*c);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *text = capability(NAMES[i]);
        if (text != NULL) (void)tputs(text, 1, collect);
    }
    if (capability("rmcup") == NULL) (void)collect('\n');
}

static void say_to_terminal(const char *text) {
    if (fputs(text, terminal.output) == EOF || fflush(terminal.output) == EOF) terminal.errors++;
}

/* What the terminal tells besides keys. */
static void switch_reports(bool on) {
    if (terminal.pastes) say_to_terminal(on ? PASTE_ON : PASTE_OFF);
    if (terminal.mouse) say_to_terminal(on ? MOUSE_ON : MOUSE_OFF);
}

static long milliseconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody waits for the answer: it is an event like any other. */
static void ask_background(const TerminalOptions *options) {
    terminal.background = THEME_ANY;
    terminal.follows = terminal.awaits =
        options->asks_background && terminal.pastes && terminal.theme.depth != THEME_MONO;
    terminal.asked = milliseconds_now();
    if (terminal.awaits) say_to_terminal(BACKGROUND_ASK);
}

static bool take_background(Colour colour) {
    if (colour == THEME_DEFAULT_COLOUR) {
        terminal.awaits = false;
        return false;
    }
    terminal.background = theme_kind_of_colour(colour);
    if (terminal.follows)
        terminal.theme.kind = terminal.background; /* no theme for a background paints one */
    return terminal.follows;
}

/* Before the terminal is given back: an answer that is still on its way would be typed into the shell. */
static void wait_for_answers(void) {
    struct pollfd file = {.fd = fileno(terminal.input), .events = POLLIN};
    for (long left = ANSWER_PATIENCE; terminal.awaits && left > 0;) {
        TerminalEvent event = terminal_input_read();
        if (event.kind == TERMINAL_BACKGROUND) (void)take_background(event.background);
        left = terminal.asked + ANSWER_PATIENCE - milliseconds_now();
        if (event.kind != TERMINAL_TIMEOUT || left <= 0) continue;
        if (poll(&file, 1, (int)left) > 0 && (file.revents & POLLIN) == 0) break; /* it is gone */
    }
    terminal.awaits = false;
}

static Status open_files(Error *error) {
    int in = -1, out = -1;
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        in = dup(STDIN_FILENO);
        out = dup(STDOUT_FILENO);
    } else {
        in = open("/dev/tty", O_RDWR | O_CLOEXEC);
        out = in < 0 ? -1 : dup(in);
    }
    terminal.input = in < 0 ? NULL : fdopen(in, "r");
    terminal.output = out < 0 ? NULL : fdopen(out, "w");
    if (terminal.input != NULL && terminal.output != NULL) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "rejuv without a command needs a terminal, and there is none here; "
                       "the commands (rejuv --help) do not");
}

static void close_files(void) {
    if (terminal.input != NULL) (void)fclose(terminal.input);
    if (terminal.output != NULL) (void)fclose(terminal.output); /* flushed before; the tty may be gone */
    terminal.input = terminal.output = NULL;
}

static void close_screen(void) {
    (void)endwin(); /* refused where nothing was drawn */
    delscreen(terminal.screen);
    terminal.screen = NULL;
}

static Status open_screen(Error *error) {
    const char *term = getenv("TERM") != NULL ? getenv("TERM") : "";
    terminal.screen = newterm(terminal_description_name(), terminal.output, terminal.input);
    if (terminal.screen == NULL)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "the terminal \"%s\" is not known here; the commands (rejuv --help) need none",
                           term);
    if (capability("cup") != NULL) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "the terminal \"%s\" cannot move its cursor; the commands (rejuv --help) need none",
                       term);
}

/* Raw, except that Ctrl-\ still ends a program that hangs. */
static void set_line(void) {
    struct termios settings;
    (void)raw();
    (void)noecho();
    (void)nonl();
    if (tcgetattr(fileno(terminal.input), &settings) == 0) {
        settings.c_lflag |= ISIG;
        settings.c_cc[VINTR] = settings.c_cc[VSUSP] = _POSIX_VDISABLE;
        (void)tcsetattr(fileno(terminal.input), TCSANOW, &settings);
    }
    (void)def_prog_mode();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)leaveok(stdscr, FALSE);
    if (getenv("ESCDELAY") == NULL) (void)set_escdelay(25);
}

/* Whether colours are numbers 0xRRGGBB: a description may also have many with another meaning. */
static bool is_direct(void) {
    return COLORS >= 1 << 24 && (tigetflag("RGB") == 1 || tigetnum("RGB") == 8);
}

static int curses_colour(Colour colour) {
    uint8_t rgb[3];
    if (terminal.depth != THEME_DIRECT || colour < 8) return colour;
    theme_rgb(colour, rgb);
    int value = rgb[0] << 16 | rgb[1] << 8 | rgb[2];
    return value < 256 ? value | 256 : value; /* the first few numbers are a palette's there */
}

static void paint_background(void) {
    Colour background = theme_paints(&terminal.theme) ? theme_background(&terminal.theme) : -1;
    Colour foreground = theme_paints(&terminal.theme) ? theme_foreground(&terminal.theme) : -1;
    if (terminal.depth == THEME_MONO) return;
    if (background >= 0 && !theme_fills(&terminal.theme)) background = 0, foreground = 7;
    (void)assume_default_colors(curses_colour(foreground), curses_colour(background));
}

static void choose_theme(const TerminalOptions *options) {
    const char *ascii = getenv("REJUV_ASCII");
    bool asked = options->ascii || (ascii != NULL && ascii[0] != '\0' && strcmp(ascii, "0") != 0);
    const char *kind = getenv("TERM");
    terminal.theme = (Theme){.ascii = asked || strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
                             .lacks_braille = kind != NULL && strncmp(kind, "linux", 5) == 0};
    terminal.depth = THEME_MONO;
    terminal.pair_count = 1; /* pair 0 is the terminal's own colours */
    if (has_colors() && start_color() != ERR) {
        int colours = COLORS >= 1 << 24 && !is_direct() ? 8 : COLORS;
        terminal.depth = theme_choose_depth(colours, getenv("NO_COLOR"));
        if (use_default_colors() == ERR) terminal.depth = THEME_MONO; /* its background would be ours */
    }
    terminal.pair_limit = terminal.depth >= THEME_256 ? PAIRS_MANY : PAIRS_FEW;
    if (COLOR_PAIRS < terminal.pair_limit) terminal.pair_limit = COLOR_PAIRS;
    terminal_set_theme(options->theme, options->monochrome);
}

ThemeKind terminal_background(void) {
    return terminal.background;
}

void terminal_set_theme(ThemeKind kind, bool monochrome) {
    terminal.follows = false;
    terminal.theme.kind = kind;
    terminal.theme.depth = monochrome ? THEME_MONO : terminal.depth;
    paint_background();
    terminal.stale = true;
}

Status terminal_start(const TerminalOptions *options, Error *error) {
    static bool registered;
    if (terminal.running) return status_fail(error, STATUS_ARGUMENT, "the terminal was started before");
    Status status = terminal_signal_open(error);
    if (status == STATUS_OK) status = open_files(error);
    struct termios before;
    bool known = status == STATUS_OK && tcgetattr(fileno(terminal.input), &before) == 0;
    if (status == STATUS_OK) status = open_screen(error);
    if (status == STATUS_OK) status = canvas_create(LINES, COLS, (Theme){0}, &terminal.shown, error);
    if (status != STATUS_OK) {
        if (terminal.screen != NULL) close_screen();
        if (known) (void)tcsetattr(fileno(terminal.input), TCSANOW, &before);
        close_files();
        return status;
    }
    terminal.pastes = terminal_clipboard_is_known(getenv("TERM"));
    terminal.mouse = options->mouse && terminal.pastes; /* the same families know it */
    collect_restore_bytes();
    if (known) (void)tcsetattr(fileno(terminal.input), TCSANOW, &before); /* so that rescue keeps these */
    crash_handler_arm(fileno(terminal.input), fileno(terminal.output), collected, collected_count);
    terminal_signal_catch(); /* before anything waits: the background's colour is asked for below */
    set_line();
    choose_theme(options);
    switch_reports(true);
    terminal_input_open(fileno(terminal.input), terminal.pastes, terminal.mouse);
    ask_background(options);
    terminal.running = terminal.stale = true;
    if (!registered) registered = atexit(terminal_stop) == 0;
    return STATUS_OK;
}

void terminal_stop(void) {
    if (!terminal.running) return;
    terminal.running = false;
    switch_reports(false);
    wait_for_answers();
    (void)endwin();
    crash_handler_restore_line();
    terminal_signal_release();
    delscreen(terminal.screen);
    terminal.screen = NULL;
    close_files();
    canvas_free(terminal.shown);
    terminal.shown = NULL;
    terminal_input_close();
    crash_handler_disarm();
}

Theme terminal_theme(void) {
    return terminal.theme;
}

void terminal_size(int *rows, int *columns) {
    *rows = terminal.running ? LINES : 0;
    *columns = terminal.running ? COLS : 0;
}

Status terminal_copy(const char *text, size_t bytes, Error *error) {
    char *sequence;
    if (!terminal.running) return status_fail(error, STATUS_UNSUPPORTED, "there is no terminal");
    Status status = terminal_clipboard_format(getenv("TERM"), getenv("TMUX"), text, bytes, &sequence, error);
    if (status != STATUS_OK) return status;
    say_to_terminal(sequence);
    free(sequence);
    return STATUS_OK;
}

/* ---- output ---- */

/* A pair for two colours, made when first needed. When there are no more, the terminal's own colours. */
static int pair_of(Colour foreground, Colour background) {
    if (terminal.theme.depth == THEME_MONO || (foreground < 0 && background < 0)) return 0;
    for (int i = 1; i < terminal.pair_count; i++)
        if (terminal.pairs[i].foreground == foreground && terminal.pairs[i].background == background)
            return i;
    if (terminal.pair_count >= terminal.pair_limit) return 0;
    if (init_extended_pair(terminal.pair_count, curses_colour(foreground), curses_colour(background)) == ERR)
        return 0;
    terminal.pairs[terminal.pair_count] = (Pair){foreground, background};
    return terminal.pair_count++;
}

static attr_t attributes_of(const Style *style) {
    attr_t attributes = A_NORMAL;
    if ((style->attributes & THEME_BOLD) != 0) attributes |= A_BOLD;
    if ((style->attributes & THEME_REVERSE) != 0) attributes |= A_REVERSE;
    if ((style->attributes & THEME_UNDERLINE) != 0) attributes |= A_UNDERLINE;
    return attributes;
}

static void show_cell(int row, int column, const Cell *cell) {
    wchar_t wide[CCHARW_MAX + 1] = {0};
    size_t left = strlen(cell->text), used = 0;
    for (const char *text = cell->text; left > 0 && used < CCHARW_MAX;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        wide[used++] = (wchar_t)character;
        text += bytes;
        left -= bytes;
    }
    /* where the C library thinks otherwise about a width, the screen must not shift */
    if (wcwidth(wide[0]) != cell->width) (void)wcscpy(wide, L"?");
    for (size_t i = 1; wide[i] != L'\0'; i++)
        if (wcwidth(wide[i]) != 0) wide[i] = L'\0';
    cchar_t drawn;
    int pair = pair_of(cell->style.foreground, cell->style.background);
    if (setcchar(&drawn, wide, attributes_of(&cell->style), 0, &pair) == ERR) return;
    (void)mvadd_wch(row, column, &drawn); /* ERR in the last corner, where it is drawn all the same */
    if (cell->width == 2 && wide[0] == L'?') (void)mvaddch(row, column + 1, ' ');
}

void terminal_redraw(void) {
    terminal.stale = true;
}

void terminal_present(const Canvas *canvas) {
    if (!terminal.running) return;
    Canvas *shown = terminal.shown;
    if (shown->rows != canvas->rows || shown->columns != canvas->columns) {
        if (canvas_resize(shown, canvas->rows, canvas->columns, NULL) != STATUS_OK) return; /* next time */
        terminal.stale = true;
    }
    if (terminal.stale) {
        (void)erase(); /* in a painted background's colour too: that is pair 0 */
        (void)clearok(curscr, TRUE);
    }
    size_t count = (size_t)canvas->rows * (size_t)canvas->columns;
    for (size_t i = 0; i < count; i++) {
        const Cell *cell = &canvas->cells[i];
        if (!terminal.stale && cell_equals(cell, &shown->cells[i])) continue;
        if (cell->width > 0)
            show_cell((int)(i / (size_t)canvas->columns), (int)(i % (size_t)canvas->columns), cell);
        shown->cells[i] = *cell;
    }
    terminal.stale = false;
    bool cursor = canvas->cursor_row >= 0 && canvas->cursor_column >= 0;
    (void)curs_set(cursor ? 1 : 0); /* ERR where the terminal cannot hide it */
    (void)move(cursor ? canvas->cursor_row : LINES - 1, cursor ? canvas->cursor_column : 0);
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
}

/* ---- events ---- */

static void adopt_size(void) {
    struct winsize size;
    if (ioctl(fileno(terminal.output), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        (void)resize_term(size.ws_row, size.ws_col);
    terminal.stale = true;
}

/* The terminal as it was, for whoever has it next; and back again. */
static void hand_over(void) {
    switch_reports(false);
    wait_for_answers();
    (void)endwin();
    crash_handler_restore_line();
}

static void take_back(void) {
    terminal_signal_forget_continue();
    (void)reset_prog_mode();
    switch_reports(true);
    adopt_size();
}

bool terminal_lend(void (*use)(void *user, int output), void *user) {
    if (!terminal.running) return false;
    hand_over();
    use(user, fileno(terminal.output));
    take_back();
    return true;
}

void terminal_suspend(void) {
    struct sigaction action = {.sa_handler = SIG_DFL}, ours;
    if (!terminal.running) return;
    hand_over();
    (void)sigaction(SIGTSTP, &action, &ours);
    (void)kill(0, SIGTSTP);             /* the group, as the key does in a shell */
    (void)poll(NULL, 0, SUSPEND_GRACE); /* with threads, the stop may reach this one a moment later */
    (void)sigaction(SIGTSTP, &ours, NULL);
    take_back();
}

/* What signals asked for since the last look. */
static bool take_signal(TerminalEvent *event) {
    TerminalSignals signals;
    if (!terminal_signal_take(&signals)) return false;
    *event = (TerminalEvent){.kind = TERMINAL_RESIZE};
    if (signals.end != 0)
        *event = (TerminalEvent){.kind = TERMINAL_END, .signal = signals.end};
    else if (signals.interrupted)
        event->kind = TERMINAL_INTERRUPT;
    else if (signals.stop_asked)
        terminal_suspend();
    else
        adopt_size();
    if (signals.continued) (void)reset_prog_mode(); /* whoever had the terminal may have changed it */
    return true;
}

/* Readable, and nothing to read: so is a terminal that is gone. Bytes that are no text are no such sign. */
static bool is_empty(void) {
    int bytes = 0;
    return ioctl(fileno(terminal.input), FIONREAD, &bytes) != 0 || bytes == 0;
}

/* Waits on the terminal and the wake file; returns what poll() saw of each. */
static void wait_for_files(int milliseconds, short *input, short *wake) {
    struct pollfd files[2] = {{.fd = fileno(terminal.input), .events = POLLIN},
                              {.fd = terminal_signal_file(), .events = POLLIN}};
    int ready = poll(files, 2, milliseconds);
    *input = ready > 0 ? files[0].revents : 0;
    *wake = ready > 0 ? files[1].revents : 0;
    terminal.errors = (*input & POLLIN) != 0 && is_empty() ? terminal.errors + 1 : 0;
}

TerminalEvent terminal_wait(int milliseconds) {
    TerminalEvent event = {.kind = TERMINAL_END};
    short input = 0, wake = 0;
    if (!terminal.running) return event;
    for (bool waited = false;; waited = true) {
        if (take_signal(&event)) return event;
        event = terminal_input_read();
        if (event.kind == TERMINAL_KEY && event.key == KEY_NONE) continue;
        if (event.kind == TERMINAL_BACKGROUND && !take_background(event.background)) continue;
        if (event.kind != TERMINAL_TIMEOUT) return event;
        if ((input & (POLLHUP | POLLERR | POLLNVAL)) != 0 || terminal.errors > ERRORS_LIMIT)
            return (TerminalEvent){.kind = TERMINAL_END};
        if ((wake & POLLIN) != 0) {
            terminal_signal_drain();
            if (take_signal(&event)) return event;
            return (TerminalEvent){.kind = TERMINAL_WAKE};
        }
        if (waited && input == 0) return event; /* timed out */
        wait_for_files(milliseconds, &input, &wake);
    }
}
