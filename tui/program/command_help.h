/*
 * command_help — what `rejuv help` and --help print, on standard output: usage, what the command does, its options, from
 * the tables of commands and options; topics from their files (topic.h).
 */
#ifndef REJUV_TUI_COMMAND_HELP_H
#define REJUV_TUI_COMMAND_HELP_H

#include "tui/commands/command.h"

#include <stdio.h>

/* Of a command, or of the whole program for COMMAND_OPEN. */
void command_help_write(const Command *const *commands, CommandId id);

/* "rejuv drift BASE SFT [OPTION ...]" on one line, for help and messages. */
void command_help_write_usage(CommandId id, FILE *file);

#endif
