/*
 * terminal_repeat — bytes on their way to libvterm, with "the last character n times more" (REP, CSI n b)
 * written out. libvterm 0.1.4 takes a run that ends in the last column but one for one that has filled the
 * line, and puts the character after it into the next line.
 */
#ifndef REJUV_TESTS_TERMINAL_REPEAT_H
#define REJUV_TESTS_TERMINAL_REPEAT_H

#include <stddef.h>
#include <vterm.h>

enum { TERMINAL_REPEAT_HELD = 8 };

/* Zero to begin with. */
typedef struct TerminalRepeat {
    char last;                       /* the character before what is held; 0: none of ASCII */
    char held[TERMINAL_REPEAT_HELD]; /* the beginning of what may be a repetition */
    size_t count;
} TerminalRepeat;

/* Bytes may be cut anywhere. */
void terminal_repeat_write(TerminalRepeat *repeat, VTerm *terminal, const char *bytes, size_t count);

#endif
