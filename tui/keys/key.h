/*
 * key — one key press as a number, and its name in key files.
 *
 * A Key is a Unicode character, or one of the named keys above that range, with modifier bits. Control
 * characters arrive as their letter with KEY_CONTROL (Ctrl-L is KEY_CONTROL | 'l'), except Enter, Tab,
 * Escape and Backspace, which have names: Ctrl-m and Ctrl-j, Ctrl-i, Ctrl-[ and Ctrl-h are those.
 *
 *     name      a   A   ?   Space  Hash  Up  PageDown  F1  Enter  Tab  Shift-Tab  Esc  Ctrl-l  Alt-x
 */
#ifndef REJUV_TUI_KEY_H
#define REJUV_TUI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t Key;

enum {
    KEY_NONE = 0,
    KEY_NAMED = 0x200000, /* the first named key; Unicode ends at 0x10FFFF */
    KEY_ENTER_NAMED = KEY_NAMED,
    KEY_TAB_NAMED,
    KEY_BACK_TAB,
    KEY_ESCAPE,
    KEY_RUBOUT,
    KEY_ARROW_UP,
    KEY_ARROW_DOWN,
    KEY_ARROW_LEFT,
    KEY_ARROW_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_TO_HOME,
    KEY_TO_END,
    KEY_INSERT_NAMED,
    KEY_DELETE_NAMED,
    KEY_FUNCTION, /* F1 is KEY_FUNCTION + 1 … F12 */
    KEY_NAMED_END = KEY_FUNCTION + 13,
    KEY_SHIFT = 0x1000000, /* only with named keys */
    KEY_ALT = 0x2000000,
    KEY_CONTROL = 0x4000000
};

enum { KEY_NAME_SIZE = 32 };

/* The key of a name; false when there is none. Case counts: every name begins with a capital, so that no
 * name of an action (enter, first) is one. */
bool key_parse(const char *name, size_t bytes, Key *key);

/* Its name, in `name`. */
void key_write_name(Key key, char name[KEY_NAME_SIZE]);

/* The shortest form for the line of keys: ←↑↓→ for arrows, ^L for Ctrl-L, else the name. */
void key_write_short_name(Key key, char name[KEY_NAME_SIZE]);

#endif
