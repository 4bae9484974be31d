/*
 * command_line — a command of this program put together word by word from what is on screen, and written as a
 * shell reads it.
 *
 * Like Buffer, it remembers a failed allocation: what is added afterwards is left out, and
 * command_line_take() says so. A zeroed CommandLine is empty and valid.
 */
#ifndef REJUV_TUI_COMMAND_LINE_H
#define REJUV_TUI_COMMAND_LINE_H

#include "core/support/status.h"
#include "tui/cli/options.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct CommandLine {
    char **words; /* owned; without the program's name */
    size_t count, capacity;
    bool failed;
} CommandLine;

/* One word, printed. */
void command_line_add(CommandLine *line, const char *format, ...) STATUS_PRINTF(2, 3);

/* An option and its value: two words. An option that is there already, or that `command` does not take, is
 * left out: whoever knows best adds first. */
void command_line_add_option(CommandLine *line, CommandId command, OptionId option, const char *format, ...)
    STATUS_PRINTF(4, 5);

/* An option with a number in as few digits as read back to it. */
void command_line_add_number(CommandLine *line, CommandId command, OptionId option, double value);

/* An option without a value. */
void command_line_add_flag(CommandLine *line, CommandId command, OptionId option);

bool command_line_has_option(const CommandLine *line, OptionId option);

/* Moves the words of `tail` behind; it is empty afterwards. */
void command_line_append(CommandLine *line, CommandLine *tail);

/* "rejuv sweep 'my base' sft --alpha 0.5": quoted for a POSIX shell where that is needed. A word with other
 * control characters than newlines and tabs is written as $'\033' (dash does not know that; bash, zsh, ksh do). The caller frees *text. */
Status command_line_take(CommandLine *line, char **text, Error *error) STATUS_MUST_CHECK;

void command_line_free(CommandLine *line);

#endif
