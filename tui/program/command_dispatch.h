/*
 * command_dispatch — the whole program behind main(): reads the command line, runs the command, says what went
 * wrong. Text goes to standard output, progress and messages to standard error.
 *
 * The room: main(), and the commands that need all of the house, open, shot, help, manual, completion. It alone
 * names COMMANDS and VIEWS, and hands them down.
 */
#ifndef REJUV_TUI_COMMAND_DISPATCH_H
#define REJUV_TUI_COMMAND_DISPATCH_H

/* Returns the exit status (tui/cli/command_table.h). */
int command_dispatch_run(int argc, char **argv);

#endif
