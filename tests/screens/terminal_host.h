/*
 * terminal_host — a program in a pseudo-terminal of its own, and the screen that it draws there.
 *
 *     host ──keys, resize, signals──► master │ slave ──► the program (session leader, own process group)
 *     host ◄──bytes── libvterm ◄───── master │ slave ◄── the program
 *
 * Nothing here sleeps and hopes: every wait is for something that can be seen (a text, a quiet screen, an
 * end), and is bounded. The host keeps the slave side open too, so that the terminal's settings can still be
 * read after the program has left, and nothing that it wrote is lost.
 *
 * Rows and columns count from 0. Seconds are wall-clock seconds.
 */
#ifndef REJUV_TESTS_TERMINAL_HOST_H
#define REJUV_TESTS_TERMINAL_HOST_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct TerminalHost TerminalHost;

typedef struct TerminalHostOptions {
    int rows, columns;
    char *const *arguments;   /* ends with NULL; the first is looked for in PATH */
    char *const *environment; /* all of the program's environment, "NAME=VALUE", ends with NULL */
    const char *directory;    /* where the program starts, or NULL */
} TerminalHostOptions;

typedef enum TerminalColourKind {
    TERMINAL_COLOUR_DEFAULT, /* what the user's terminal has */
    TERMINAL_COLOUR_INDEXED, /* one of 256 */
    TERMINAL_COLOUR_RGB
} TerminalColourKind;

typedef struct TerminalColour {
    TerminalColourKind kind;
    uint8_t index;            /* TERMINAL_COLOUR_INDEXED */
    uint8_t red, green, blue; /* TERMINAL_COLOUR_RGB */
} TerminalColour;

typedef struct TerminalCell {
    char text[32]; /* UTF-8; " " for a blank cell, "" in the second half of a wide character */
    int width;     /* 1, 2, or 0 for that second half */
    TerminalColour foreground, background;
    bool bold, italic, underline, blink, reverse, strike;
} TerminalCell;

/* Starts the program. STATUS_IO when the pseudo-terminal or the process cannot be made; a program that cannot
 * be executed ends with status 127. Free with terminal_host_free(). */
Status terminal_host_start(const TerminalHostOptions *options, TerminalHost **host,
                           Error *error) STATUS_MUST_CHECK;

/* Kills whatever still runs in the session and closes the terminal; takes NULL. */
void terminal_host_free(TerminalHost *host);

/* ---- what a user does ---- */

/* A key by name: "Up" "Down" "Left" "Right" "Home" "End" "PageUp" "PageDown" "Insert" "Delete" "Enter" "Tab"
 * "Esc" "Backspace" "Space" "F1" … "F12", or one character; before it any of "C-", "M-", "S-". Sent as a
 * terminal in the program's present mode sends it. STATUS_ARGUMENT for a name that is none of these. */
Status terminal_host_send_key(TerminalHost *host, const char *name, Error *error) STATUS_MUST_CHECK;

/* The bytes as they are. */
Status terminal_host_send_text(TerminalHost *host, const char *text, Error *error) STATUS_MUST_CHECK;

Status terminal_host_resize(TerminalHost *host, int rows, int columns, Error *error) STATUS_MUST_CHECK;

/* To every process of the terminal's foreground group. */
Status terminal_host_signal(TerminalHost *host, int signal_number, Error *error) STATUS_MUST_CHECK;

/* Closes both sides, as a lost connection does: the program gets SIGHUP and reads fail. The last screen can
 * still be read, and terminal_host_wait_exit() called; nothing else. */
void terminal_host_hang_up(TerminalHost *host);

/* ---- waiting ---- */

typedef bool (*TerminalCondition)(TerminalHost *host, void *user);

/* Reads until condition() holds. It gives up, with STATUS_MISMATCH, when the program has ended, when nothing
 * was drawn and nothing computed for `idle` seconds, or after `seconds`. */
Status terminal_host_wait(TerminalHost *host, TerminalCondition condition, void *user, double idle,
                          double seconds, Error *error) STATUS_MUST_CHECK;

/* Until `text` stands somewhere on one line of the screen; STATUS_MISMATCH also when the program has been quiet
 * for a minute. */
Status terminal_host_wait_text(TerminalHost *host, const char *text, double seconds,
                               Error *error) STATUS_MUST_CHECK;

/* Until, for `quiet` seconds on end, the program sent no byte and no thread of its session was running or
 * waiting for a processor (or, for eight times as long, hardly used any processor time). So a machine that is
 * merely slow is not taken for a program that is done; time in which this program itself was kept from looking
 * does not count. Also STATUS_OK when the program ends. STATUS_MISMATCH
 * after `seconds`. */
Status terminal_host_wait_quiet(TerminalHost *host, double quiet, double seconds,
                                Error *error) STATUS_MUST_CHECK;

/* Until the program ends. *exit_status is its status, or 128 + n after signal n. STATUS_MISMATCH after
 * `seconds`. */
Status terminal_host_wait_exit(TerminalHost *host, double seconds, int *exit_status,
                               Error *error) STATUS_MUST_CHECK;

/* ---- what the user sees ---- */

int terminal_host_rows(const TerminalHost *host);
int terminal_host_columns(const TerminalHost *host);

/* A cell; outside the screen a blank one. */
TerminalCell terminal_host_cell(const TerminalHost *host, int row, int column);

/* A row as UTF-8 without the blanks at its end; the caller frees it. NULL when out of memory. */
char *terminal_host_line(const TerminalHost *host, int row);

bool terminal_host_has_text(const TerminalHost *host, const char *text);

/* False when the program hid it. */
bool terminal_host_cursor(const TerminalHost *host, int *row, int *column);

/* Bytes that the program has sent since it was started. */
uint64_t terminal_host_bytes(const TerminalHost *host);

bool terminal_host_is_running(const TerminalHost *host);

/* The program that was started. */
pid_t terminal_host_process(const TerminalHost *host);

/* Whether the terminal is as it was at the start: the line settings (termios), the main screen, a visible
 * cursor, no mouse reporting, no colour left on. If not, `why` says what is different. */
bool terminal_host_is_restored(const TerminalHost *host, char *why, size_t size);

/* The screen, framed, for a failure report. */
void terminal_host_print(const TerminalHost *host, FILE *file);

#endif
