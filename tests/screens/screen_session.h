/*
 * screen_session — a script while it runs: shared by screen_script.c (lines, blocks, folder),
 * screen_commands.c (what a user does) and screen_expectations.c (what is expected).
 */
#ifndef REJUV_TESTS_SCREEN_SESSION_H
#define REJUV_TESTS_SCREEN_SESSION_H

#include "tests/screens/screen_masks.h"
#include "tests/screens/screen_script.h"

#include <stdint.h>

#define SCREEN_QUIET_SECONDS   0.3  /* no byte and no busy thread for so long is quiet */
#define SCREEN_IDLE_SECONDS    4.0  /* unless the script says how long */
#define SCREEN_TIMEOUT_SECONDS 1200 /* likewise; a slow machine does not reach it */

/* The lines `|TEXT` under a command, without the bar. */
typedef struct ScreenBlock {
    size_t first, count; /* line numbers in the script, from 0, of the text lines */
} ScreenBlock;

typedef struct ScreenSession {
    const ScreenScriptOptions *options;
    const char *path;
    char **lines; /* the script's, with the bars; a recorded block replaces its lines here */
    size_t line_count, line_capacity;
    size_t line; /* of the command that runs, from 0 */

    char *folder;
    ScreenVariables environment;
    int rows, columns;
    double timeout, idle; /* seconds: for every wait; quiet without what was expected */
    TerminalHost *host;
    ScreenMasks masks;
    uint64_t marked_bytes;
} ScreenSession;

typedef struct ScreenCommand {
    const char *name;
    size_t least, most;  /* words after the name */
    bool block, running; /* is followed by a block; needs a program */
    Status (*run)(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error);
} ScreenCommand;

/* NULL when there is no such command; screen_command_find() knows the expectations too. */
const ScreenCommand *screen_command_find(const char *name);
const ScreenCommand *screen_expectation_find(const char *name);

/* A whole word as a number; STATUS_FORMAT when it is none or not between the limits. */
Status screen_session_number(const char *word, long least, long most, int *number,
                             Error *error) STATUS_MUST_CHECK;

/* Puts `count` new lines (taken over; each without the bar) in place of the block's. */
Status screen_session_record(ScreenSession *session, ScreenBlock *block, char **lines, size_t count,
                             Error *error) STATUS_MUST_CHECK;

#endif
