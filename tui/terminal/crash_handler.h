/*
 * crash_handler — puts the terminal back when the program dies, with nothing but calls that a signal handler may
 * make; and keeps what is written to standard error meanwhile. Used by terminal.c only.
 */
#ifndef REJUV_TUI_CRASH_HANDLER_H
#define REJUV_TUI_CRASH_HANDLER_H

#include <stddef.h>

/* From now on a fatal signal writes `bytes` (copied; CRASH_HANDLER_BYTES at most) to `output`, restores the line
 * settings that `input` has at this call, says on standard error what happened, and lets the signal take its
 * course. If standard error is a terminal it goes to memory until crash_handler_disarm(). */
enum { CRASH_HANDLER_BYTES = 512 };
void crash_handler_arm(int input, int output, const char *bytes, size_t count);

/* The end of that; then writes what standard error received. */
void crash_handler_disarm(void);

/* Restores the line settings of crash_handler_arm(). */
void crash_handler_restore_line(void);

#endif
