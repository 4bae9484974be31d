/*
 * command_list — what runs each command: the only place that names them all.
 */
#ifndef REJUV_TUI_COMMAND_LIST_H
#define REJUV_TUI_COMMAND_LIST_H

#include "tui/cli/command_table.h"
#include "tui/commands/command.h"

extern const Command *const COMMANDS[COMMAND_COUNT];

#endif
