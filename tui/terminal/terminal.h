/*
 * terminal — the real terminal; terminal.c, with terminal_input.c, is the only one to include curses. There
 * is one terminal, so there is one of this: its state is the file's own.
 *
 * Whatever happens between terminal_start() and terminal_stop(), the terminal is put back as it was: at
 * exit(), on a fatal signal, on suspension. While it runs, standard error goes to memory and is shown after
 * the end, so that a library's complaint cannot spoil the screen.
 *
 * Signals: SIGINT becomes an interrupt event, SIGTSTP a suspension, SIGWINCH a resize event. SIGHUP, SIGTERM
 * and every other signal that would end the program without being its own fault (SIGUSR1 of a batch system, SIGALRM, the
 * real-time ones) become an end event, as does a terminal that is gone. Ctrl-C and Ctrl-Z are ordinary keys (the keymap
 * decides); Ctrl-\ stays the system's SIGQUIT, an exit that works even if the program hangs.
 *
 * The room: the only one that knows curses and readline. Any thread may call terminal_wake(); all else is the UI
 * thread's.
 */
#ifndef REJUV_TUI_TERMINAL_H
#define REJUV_TUI_TERMINAL_H

#include "core/support/status.h"
#include "tui/canvas/canvas.h"
#include "tui/keys/key.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct TerminalOptions {
    bool ascii;      /* draw ASCII only, whatever the locale says */
    bool monochrome; /* no colours, whatever TERM and NO_COLOR say */
    ThemeKind theme;
    bool asks_background; /* the theme follows the terminal's background, where the terminal tells it */
    bool mouse;           /* ask the terminal to report it; its own selecting then needs Shift */
} TerminalOptions;

typedef enum TerminalEventKind {
    TERMINAL_TIMEOUT,    /* nothing happened in the time given */
    TERMINAL_KEY,        /* a key: .key */
    TERMINAL_MOUSE,      /* .mouse */
    TERMINAL_PASTE,      /* pasted text: terminal_paste() */
    TERMINAL_RESIZE,     /* the size changed, or everything has to be drawn again */
    TERMINAL_BACKGROUND, /* the terminal told its background: terminal_theme() may be another now */
    TERMINAL_WAKE,       /* terminal_wake() was called */
    TERMINAL_INTERRUPT,  /* SIGINT from outside */
    TERMINAL_END         /* a signal that ends, or a lost terminal: leave; .signal (0 for a lost terminal) */
} TerminalEventKind;

typedef enum TerminalMouseKind {
    TERMINAL_MOUSE_PRESS, /* of the left button, as are the next two */
    TERMINAL_MOUSE_DRAG,
    TERMINAL_MOUSE_RELEASE,
    TERMINAL_MOUSE_WHEEL_UP,
    TERMINAL_MOUSE_WHEEL_DOWN
} TerminalMouseKind;

typedef struct TerminalMouse {
    TerminalMouseKind kind;
    int row, column; /* from 0 */
} TerminalMouse;

typedef struct TerminalEvent {
    TerminalEventKind kind;
    Key key;
    int signal;
    TerminalMouse mouse;
    Colour background; /* of TERMINAL_BACKGROUND; THEME_DEFAULT_COLOUR: it tells none */
} TerminalEvent;

/* Needs the locale to be set (setlocale(LC_CTYPE, "")), and the description chosen (terminal_description.h).
 * STATUS_UNSUPPORTED where there is no terminal, none is like it, or it cannot move its cursor. */
Status terminal_start(const TerminalOptions *options, Error *error) STATUS_MUST_CHECK;

/* Puts everything back and writes out what standard error caught. Does nothing when not started. */
void terminal_stop(void);

/* With the depth of colours that there is: 24 bits where TERM's description has them, or COLORTERM says
 * truecolor or 24bit (terminal_terminfo.h). */
Theme terminal_theme(void);

/* Another theme from the next terminal_present() on, which draws everything. */
void terminal_set_theme(ThemeKind kind, bool monochrome);

/* The theme for the background that the terminal told; THEME_ANY where it did not, or was not asked. */
ThemeKind terminal_background(void);

void terminal_size(int *rows, int *columns);

/* Shows a canvas: sends only what differs from what is shown. */
void terminal_present(const Canvas *canvas);

/* Makes the next terminal_present() draw everything again. */
void terminal_redraw(void);

/* Waits for an event, `milliseconds` at most (negative: for ever). */
TerminalEvent terminal_wait(int milliseconds);

/* True when a key is waiting already: the screen need not be drawn in between. */
bool terminal_has_input(void);

/* Ends a terminal_wait() with TERMINAL_WAKE; from any thread and from signal handlers. Harmless when no
 * terminal runs. Many calls may give one event. */
void terminal_wake(void);

/* The text of the last TERMINAL_PASTE, valid until the next terminal_wait(). */
const char *terminal_paste(size_t *bytes);

/* Gives the terminal back and stops the process group (Ctrl-Z); returns when continued. */
void terminal_suspend(void);

/* Gives the terminal back for as long as `use` takes, which may start a program on it; `output` is a descriptor of the
 * terminal. False, and nothing is called, where none runs. */
bool terminal_lend(void (*use)(void *user, int output), void *user);

/* Asks the terminal to put text on its clipboard (terminal_clipboard.h). */
Status terminal_copy(const char *text, size_t bytes, Error *error) STATUS_MUST_CHECK;

#endif
