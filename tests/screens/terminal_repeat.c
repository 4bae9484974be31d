#include "tests/screens/terminal_repeat.h"

#include <stdbool.h>

enum { REPEAT_MOST = 1000 }; /* no terminal of a test is wider */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* What was held is no repetition. */
static void let_go(TerminalRepeat *repeat, VTerm *terminal) {
    (void)vterm_input_write(terminal, repeat->held, repeat->count);
    repeat->count = 0;
    repeat->last = '\0';
}

static void write_out(TerminalRepeat *repeat, VTerm *terminal) {
    int times = 0;
    for (size_t i = 2; i < repeat->count && is_digit(repeat->held[i]); i++)
        times = times * 10 + (repeat->held[i] - '0');
    if (times == 0) times = 1;
    for (int i = 0; i < times && i < REPEAT_MOST; i++) (void)vterm_input_write(terminal, &repeat->last, 1);
    repeat->count = 0;
}

/* Adds to what is held: ESC, [, digits, b. */
static void hold(TerminalRepeat *repeat, VTerm *terminal, char c) {
    size_t at = repeat->count;
    repeat->held[repeat->count++] = c;
    if (at >= 2 && c == 'b' && repeat->last != '\0')
        write_out(repeat, terminal);
    else if (!(at == 0 || (at == 1 && c == '[') || (at >= 2 && is_digit(c))) ||
             repeat->count == TERMINAL_REPEAT_HELD)
        let_go(repeat, terminal);
}

void terminal_repeat_write(TerminalRepeat *repeat, VTerm *terminal, const char *bytes, size_t count) {
    for (size_t at = 0; at < count;) {
        size_t plain = 0;
        if (repeat->count == 0)
            while (at + plain < count && bytes[at + plain] != '\033') plain++;
        if (plain > 0) {
            char last = bytes[at + plain - 1];
            (void)vterm_input_write(terminal, bytes + at, plain);
            repeat->last = '\0';
            if (last >= ' ' && last <= '~') repeat->last = last;
            at += plain;
        } else {
            hold(repeat, terminal, bytes[at++]);
        }
    }
}
