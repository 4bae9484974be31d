/*
 * screen_script — a session at the terminal as a text file: what a user does, and what then is on the screen.
 *
 *     size 80 24                      columns and rows; 80 24 unless told (before `run`)
 *     env NAME=VALUE …   unset NAME   the program's environment (before `run`)
 *     file NAME                       writes the block that follows to a file in the script's folder
 *     shell "COMMAND"                 sh -c in that folder; must succeed
 *     run PROGRAM ARGUMENT …          starts it in a terminal, in that folder
 *     timeout SECONDS                 for every wait from here on; 1200 unless told: against a hang, no measure
 *     idle SECONDS                    so long quiet without what was expected is a failure; 4 unless told
 *
 *     keys Down C-c Esc x …           keys by name (terminal_host.h)
 *     type "TEXT"                     bytes as they are
 *     paste COUNT "TEXT"              as a terminal pastes: between its marks, repeated up to COUNT bytes
 *     resize 40 10
 *     signal TERM                     to the foreground group; HUP INT TERM TSTP CONT QUIT WINCH USR1 or XCPU
 *     hang-up                         the connection is lost
 *
 *     wait "TEXT"                     until it is somewhere on the screen
 *     wait-quiet                      until nothing is drawn and nothing computes any more
 *     mask 'REGEX'                    from here on what matches is ~ in expected and real screens, column by
 *                                     column (so what varies in width is to be caught with the blanks around
 *                                     it); mask-rest 'REGEX': from the match to the end of the line
 *     expect                          the screen becomes the block that follows
 *     expect-golden NAME              it becomes what the caller's golden file NAME has (matrix_test.c)
 *     expect-lines FIRST LAST         the same for some rows, counted from 0
 *     expect-text "TEXT"              it is, or comes, on the screen
 *     expect-no-text "TEXT"           it is not, once the screen is quiet
 *     expect-cursor ROW COLUMN        it is shown there;  expect-cursor hidden
 *     expect-style "TEXT" STYLE …     the first occurrence of TEXT has all of these: bold reverse underline
 *                                     plain (none of them) coloured uncoloured
 *     expect-ink "TEXT" INK GROUND    the first occurrence of TEXT has these colours: default, an index into the
 *                                     palette, or '#RRGGBB'
 *     expect-colours KIND             once quiet, the richest colour is KIND: none 8 16 256 truecolour
 *     expect-ascii                    once quiet, no character is beyond ASCII
 *     mark-bytes   expect-bytes MAX   no more bytes than that were sent since the mark
 *     expect-exit STATUS              the program ends, with this status (128 + n after signal n)
 *     expect-restored                 the terminal is as it was before the program (terminal_host.h)
 *
 * A block is a line `|TEXT` for every row, then a line `end`. Every expectation waits until it holds, and
 * fails when the program has gone idle without it. So an expectation that also held before a key was pressed
 * proves nothing: put a `wait-quiet` before it.
 *
 * The program sees: a folder of its own as working directory, HOME and XDG directories, removed afterwards,
 * in which `demo` is a link to the demo pair; TERM=xterm-256color, LANG=C.UTF-8, TZ=UTC; PATH and the
 * sanitizers' options as they are; and what `env` says. Variables in a script: that environment, and the ones
 * the caller gives (REJUV, TESTS, …).
 */
#ifndef REJUV_TESTS_SCREEN_SCRIPT_H
#define REJUV_TESTS_SCREEN_SCRIPT_H

#include "core/support/status.h"
#include "tests/screens/screen_words.h"
#include "tests/screens/terminal_host.h"

#include <stdbool.h>
#include <stdio.h>

struct ScreenSession;

/* What `expect-golden NAME` does; STATUS_MISMATCH ends the script. */
typedef Status (*ScreenGoldenExpect)(struct ScreenSession *session, const char *name, void *user,
                                     Error *error);

typedef struct ScreenScriptOptions {
    const ScreenVariables *variables; /* the caller's */
    FILE *report;                     /* where differences and screens of failures go */
    bool update;                      /* record the blocks in the script instead of comparing */
    ScreenGoldenExpect golden;        /* NULL: there are no golden files */
    void *golden_user;
} ScreenScriptOptions;

/* What is left when the script has ended: to look at (a screenshot), then screen_result_free(). */
typedef struct ScreenResult {
    TerminalHost *host; /* NULL when nothing was run */
    char *folder;
} ScreenResult;

/* Runs a script. STATUS_MISMATCH when an expectation failed (the report has the details), STATUS_FORMAT for a
 * script that makes no sense. The result is to be freed in any case. */
Status screen_script_run(const char *path, const ScreenScriptOptions *options, ScreenResult *result,
                         Error *error) STATUS_MUST_CHECK;
void screen_result_free(ScreenResult *result);

#endif
