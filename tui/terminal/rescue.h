/*
 * rescue — puts the terminal back when the program dies, with nothing but calls that a signal handler may
 * make; and keeps what is written to standard error meanwhile. Used by terminal.c only.
 */
#ifndef REJUV_TUI_RESCUE_H
#define REJUV_TUI_RESCUE_H

#include <stddef.h>

/* From now on a fatal signal writes `bytes` (copied; RESCUE_BYTES at most) to `output`, restores the line
 * settings that `input` has at this call, says on standard error what happened, and lets the signal take its
 * course. If standard error is a terminal it goes to memory until rescue_disarm(). */
enum { RESCUE_BYTES = 512 };
void rescue_arm(int input, int output, const char *bytes, size_t count);

/* The end of that; then writes what standard error received. */
void rescue_disarm(void);

/* Restores the line settings of rescue_arm(). */
void rescue_restore_line(void);

#endif
