#include "tui/terminal/terminal_sequence.h"

#include <stdio.h>
#include <string.h>

bool terminal_sequence_begins(uint32_t character) {
    return character == '[' || character == 'O' || character == ']';
}

bool terminal_sequence_is_whole(const char *text, size_t bytes) {
    enum { OLD_MOUSE = 5 };
    if (bytes < 2) return false;
    char last = text[bytes - 1];
    if (text[0] == 'O') return true;
    if (text[0] == ']') return last == '\a' || (last == '\\' && text[bytes - 2] == '\033');
    if (text[1] == 'M') return bytes >= OLD_MOUSE;
    if (bytes == 2 && last == '[') return false; /* the Linux console's function keys */
    return last >= 0x40 && last <= 0x7E;
}

bool terminal_sequence_is_paste(const char *text) {
    return strcmp(text, "[200~") == 0;
}

Key terminal_sequence_key(const char *text) {
    static const struct {
        const char *text;
        Key key;
    } KEYS[] = {
        {"[A", KEY_ARROW_UP},
        {"[B", KEY_ARROW_DOWN},
        {"[C", KEY_ARROW_RIGHT},
        {"[D", KEY_ARROW_LEFT},
        {"OA", KEY_ARROW_UP},
        {"OB", KEY_ARROW_DOWN},
        {"OC", KEY_ARROW_RIGHT},
        {"OD", KEY_ARROW_LEFT},
        {"[1;2A", KEY_SHIFT | KEY_ARROW_UP},
        {"[1;2B", KEY_SHIFT | KEY_ARROW_DOWN},
        {"[1;2C", KEY_SHIFT | KEY_ARROW_RIGHT},
        {"[1;2D", KEY_SHIFT | KEY_ARROW_LEFT},
        {"[H", KEY_TO_HOME},
        {"OH", KEY_TO_HOME},
        {"[1~", KEY_TO_HOME},
        {"[7~", KEY_TO_HOME},
        {"[F", KEY_TO_END},
        {"OF", KEY_TO_END},
        {"[4~", KEY_TO_END},
        {"[8~", KEY_TO_END},
        {"[2~", KEY_INSERT_NAMED},
        {"[3~", KEY_DELETE_NAMED},
        {"[5~", KEY_PAGE_UP},
        {"[6~", KEY_PAGE_DOWN},
        {"[Z", KEY_BACK_TAB},
        {"OM", KEY_ENTER_NAMED},
        {"OP", KEY_FUNCTION + 1},
        {"OQ", KEY_FUNCTION + 2},
        {"OR", KEY_FUNCTION + 3},
        {"OS", KEY_FUNCTION + 4},
        {"[11~", KEY_FUNCTION + 1},
        {"[12~", KEY_FUNCTION + 2},
        {"[13~", KEY_FUNCTION + 3},
        {"[14~", KEY_FUNCTION + 4},
        {"[[A", KEY_FUNCTION + 1},
        {"[[B", KEY_FUNCTION + 2},
        {"[[C", KEY_FUNCTION + 3},
        {"[[D", KEY_FUNCTION + 4},
        {"[[E", KEY_FUNCTION + 5},
        {"[15~", KEY_FUNCTION + 5},
        {"[17~", KEY_FUNCTION + 6},
        {"[18~", KEY_FUNCTION + 7},
        {"[19~", KEY_FUNCTION + 8},
        {"[20~", KEY_FUNCTION + 9},
        {"[21~", KEY_FUNCTION + 10},
        {"[23~", KEY_FUNCTION + 11},
        {"[24~", KEY_FUNCTION + 12},
    };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(text, KEYS[i].text) == 0) return KEYS[i].key;
    return KEY_NONE;
}

/* ---- the mouse ---- */

/* Rows and columns from 1. */
static bool set_mouse(int button, int column, int row, bool released, TerminalMouse *mouse) {
    enum { MODIFIERS = 4 | 8 | 16, DRAG = 32, WHEEL = 64 };
    button &= ~MODIFIERS;
    *mouse = (TerminalMouse){.row = row - 1, .column = column - 1};
    if (mouse->row < 0 || mouse->column < 0) return false;
    if (button == WHEEL || button == WHEEL + 1)
        mouse->kind = button == WHEEL ? TERMINAL_MOUSE_WHEEL_UP : TERMINAL_MOUSE_WHEEL_DOWN;
    else if (button == 0)
        mouse->kind = released ? TERMINAL_MOUSE_RELEASE : TERMINAL_MOUSE_PRESS;
    else if (button == DRAG)
        mouse->kind = TERMINAL_MOUSE_DRAG;
    else
        return false;
    return true;
}

bool terminal_sequence_read_mouse(const char *text, TerminalMouse *mouse) {
    enum { OFFSET = 32, ANY_RELEASED = 3 };
    int button, column, row, end = 0;
    char last;
    if (strncmp(text, "[M", 2) == 0 && strlen(text) == 5) {
        button = (unsigned char)text[2] - OFFSET;
        bool released = (button & ANY_RELEASED) == ANY_RELEASED && button < OFFSET;
        return set_mouse(released ? 0 : button, (unsigned char)text[3] - OFFSET,
                         (unsigned char)text[4] - OFFSET, released, mouse);
    }
    /* five digits at most: no terminal is larger, and no number */
    if (strncmp(text, "[<", 2) != 0 || strspn(text + 2, "0123456789;") + 3 != strlen(text) ||
        sscanf(text, "[<%5d;%5d;%5d%c%n", &button, &column, &row, &last, &end) != 4 || text[end] != '\0' ||
        (last != 'M' && last != 'm'))
        return false;
    return set_mouse(button, column, row, last == 'm', mouse);
}

/* ---- colours ---- */

/* One to four hexadecimal digits, of whatever width: the whole range is 0 … 255. */
static bool read_part(const char **text, const char *ends, Colour *colour) {
    unsigned value = 0, whole = 0;
    for (int digits = 0; digits < 4 && **text != '\0'; digits++) {
        const char *hex = "0123456789abcdef", c = **text;
        const char *at = strchr(hex, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        if (at == NULL) break;
        value = value * 16 + (unsigned)(at - hex);
        whole = whole * 16 + 15;
        (*text)++;
    }
    if (whole == 0 || **text == '\0' || strchr(ends, **text) == NULL) return false;
    (*text)++;
    *colour = *colour << 8 | (Colour)((value * 255 + whole / 2) / whole);
    return true;
}

bool terminal_sequence_read_answer(const char *text, Colour *background) {
    Colour colour = 1; /* THEME_RGB once three parts are shifted in */
    *background = THEME_DEFAULT_COLOUR;
    if (strncmp(text, "[?", 2) == 0 && text[strlen(text) - 1] == 'c') return true;
    if (strncmp(text, "]11;rgb", 7) != 0) return false;
    text += text[7] == 'a' ? 8 : 7;
    if (*text++ != ':' || !read_part(&text, "/", &colour) || !read_part(&text, "/", &colour) ||
        !read_part(&text, "/\a\033", &colour))
        return false;
    *background = colour;
    return true;
}
