/*
 * command — what the program can do, as a table: `rejuv COMMAND …`. A command is a file command_NAME.c that
 * defines one `const Command`; command.c lists them. Messages about usage and help derive from it.
 *
 * Text goes to standard output, progress and messages to standard error. Exit status: 0; 1 a finding (two
 * checkpoints that cannot be fused, a verification that failed); 2 an error; 130 interrupted.
 */
#ifndef REJUV_TUI_COMMAND_H
#define REJUV_TUI_COMMAND_H

#include "core/support/status.h"
#include "tui/cli/options.h"
#include "tui/commands/batch.h"

#include <stdio.h>

enum { COMMAND_EXIT_FINDING = 1, COMMAND_EXIT_ERROR = 2, COMMAND_EXIT_INTERRUPTED = 130 };

/* Set in the environment by a program that restarted itself for better OpenBLAS kernels, to the name of those
 * it had before. */
#define COMMAND_HEALED_VARIABLE "REJUV_HEALED"

typedef struct Command {
    const char *name;     /* "" for the terminal program */
    const char *operands; /* "BASE SFT"; "[DIR]": all of them or none */
    const char *summary;  /* one line, in the list of commands */
    const char *details;  /* paragraphs for its own help: what it measures, the keys of its JSON */

    /* Does it. What was found goes into batch->found; STATUS_MISMATCH is a finding as well. */
    Status (*run)(Batch *batch, Error *error);
} Command;

/* Each in its file, command_NAME.c. */
extern const Command command_open, command_info, command_check, command_drift, command_tokenize,
    command_preview, command_neurons, command_reset, command_sweep, command_shot, command_figure,
    command_export, command_verify, command_manual, command_completion;

/* What it ends with, in a sentence. */
extern const char COMMAND_EXIT_STATUS[];

extern const Command *const COMMANDS[COMMAND_COUNT];

/* The command of that name; COMMAND_COUNT where there is none. */
CommandId command_find(const char *name);

/* STATUS_OK where so many operands suit; otherwise a message that names them. */
Status command_check_operands(CommandId id, size_t count, Error *error) STATUS_MUST_CHECK;

/* The whole program behind main(): reads the command line, runs the command, says what went wrong. Returns
 * the exit status. */
int command_run(int argc, char **argv);

/* Help on standard output: of a command, or of the whole program for COMMAND_OPEN. */
void command_write_help(CommandId id);

/* "rejuv drift BASE SFT [OPTION ...]" on one line, for help and messages. */
void command_write_usage(CommandId id, FILE *file);

#endif
