#include "tui/terminal_input.h"

#include "tui/paste.h"

#include <curses.h>
#include <poll.h>

/* Beyond curses' own codes. */
enum { CODE_PASTE = 0x3000 /* ESC [ 200 ~ */, CODE_MOUSE /* ESC [ < */ };

static struct {
    int file;
    wint_t pushed; /* a character read too far, or WEOF */
    Paste paste;
} input = {.file = -1, .pushed = WEOF};

void terminal_input_open(int file, bool pastes, bool mouse) {
    input.file = file;
    input.pushed = WEOF;
    if (pastes) (void)define_key("\033[200~", CODE_PASTE);
    if (mouse) (void)define_key("\033[<", CODE_MOUSE);
}

void terminal_input_close(void) {
    paste_free(&input.paste);
    input.file = -1;
}

static Key translate_code(wint_t code) {
    static const struct {
        wint_t code;
        Key key;
    } CODES[] = {{KEY_UP, KEY_ARROW_UP},
                 {KEY_DOWN, KEY_ARROW_DOWN},
                 {KEY_LEFT, KEY_ARROW_LEFT},
                 {KEY_RIGHT, KEY_ARROW_RIGHT},
                 {KEY_SR, KEY_SHIFT | KEY_ARROW_UP},
                 {KEY_SF, KEY_SHIFT | KEY_ARROW_DOWN},
                 {KEY_SLEFT, KEY_SHIFT | KEY_ARROW_LEFT},
                 {KEY_SRIGHT, KEY_SHIFT | KEY_ARROW_RIGHT},
                 {KEY_PPAGE, KEY_PAGE_UP},
                 {KEY_NPAGE, KEY_PAGE_DOWN},
                 {KEY_HOME, KEY_TO_HOME},
                 {KEY_A1, KEY_TO_HOME},
                 {KEY_END, KEY_TO_END},
                 {KEY_C1, KEY_TO_END},
                 {KEY_A3, KEY_PAGE_UP},
                 {KEY_C3, KEY_PAGE_DOWN},
                 {KEY_IC, KEY_INSERT_NAMED},
                 {KEY_DC, KEY_DELETE_NAMED},
                 {KEY_BACKSPACE, KEY_RUBOUT},
                 {KEY_ENTER, KEY_ENTER_NAMED},
                 {KEY_SUSPEND, KEY_CONTROL | 'z'}, /* what the Linux console's entry makes of it */
                 {KEY_BTAB, KEY_BACK_TAB}};
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (CODES[i].code == code) return CODES[i].key;
    if (code > KEY_F0 && code <= KEY_F(12)) return (Key)(KEY_FUNCTION + (code - KEY_F0));
    return KEY_NONE;
}

static Key translate_character(wint_t character) {
    if (character == '\r' || character == '\n') return KEY_ENTER_NAMED;
    if (character == '\t') return KEY_TAB_NAMED;
    if (character == 0x7F || character == '\b') return KEY_RUBOUT;
    if (character == 0) return KEY_CONTROL | ' ';
    if (character <= 26) return KEY_CONTROL | (Key)('a' + character - 1);
    if (character < 0x20) return KEY_CONTROL | (Key)('@' + character);
    return text_character_width((int32_t)character) < 0 ? KEY_NONE : (Key)character;
}

static int read_wide(wint_t *character) {
    if (input.pushed == WEOF) return get_wch(character);
    *character = input.pushed;
    input.pushed = WEOF;
    return OK;
}

/* After an Escape: nothing more is the key itself; a sequence that curses did not know is swallowed to its
 * end (focus reports, odd function keys); anything else was typed with Alt. */
static Key read_after_escape(void) {
    wint_t next;
    int result = read_wide(&next);
    if (result == ERR) return KEY_ESCAPE;
    if (result == KEY_CODE_YES) {
        Key key = translate_code(next);
        return key == KEY_NONE ? KEY_NONE : KEY_ALT | key;
    }
    if (next == 27) {
        input.pushed = next;
        return KEY_ESCAPE;
    }
    if (next != '[' && next != 'O') {
        Key key = translate_character(next);
        return key == KEY_NONE ? KEY_NONE : KEY_ALT | key;
    }
    wint_t part;
    bool any = false;
    while (read_wide(&part) == OK) {
        any = true;
        if (part >= 0x40 && part <= 0x7E) break;
    }
    return any ? KEY_NONE : KEY_ALT | (Key)next;
}

static bool wait_for_byte(int milliseconds) {
    struct pollfd file = {.fd = input.file, .events = POLLIN};
    return poll(&file, 1, milliseconds) > 0 && (file.revents & POLLIN) != 0;
}

bool terminal_has_input(void) {
    return input.file >= 0 && (input.pushed != WEOF || wait_for_byte(0));
}

const char *terminal_paste(size_t *bytes) {
    *bytes = input.paste.bytes;
    return input.paste.bytes > 0 ? input.paste.text : "";
}

/* The rest of ESC [ < BUTTON ; COLUMN ; ROW M, or m for a release; counted from 1. False for what has no
 * meaning here: other buttons, the pointer moving without one. */
static bool read_mouse(TerminalMouse *mouse) {
    enum { FIELDS = 3, LONGEST = 20, MODIFIERS = 4 | 8 | 16, DRAG = 32, WHEEL = 64, LARGEST = 1 << 14 };
    int fields[FIELDS] = {0}, field = 0;
    wint_t c = 0;
    for (int i = 0; i < LONGEST && read_wide(&c) == OK && c != 'M' && c != 'm'; i++) {
        if (c == ';')
            field++;
        else if (c >= '0' && c <= '9' && field < FIELDS && fields[field] < LARGEST)
            fields[field] = fields[field] * 10 + (int)(c - '0');
        else
            return false;
    }
    int button = fields[0] & ~MODIFIERS;
    *mouse = (TerminalMouse){.row = fields[2] - 1, .column = fields[1] - 1};
    if (field != FIELDS - 1 || (c != 'M' && c != 'm') || mouse->row < 0 || mouse->column < 0) return false;
    if (button == WHEEL || button == WHEEL + 1)
        mouse->kind = button == WHEEL ? TERMINAL_MOUSE_WHEEL_UP : TERMINAL_MOUSE_WHEEL_DOWN;
    else if (button == 0)
        mouse->kind = c == 'm' ? TERMINAL_MOUSE_RELEASE : TERMINAL_MOUSE_PRESS;
    else if (button == DRAG)
        mouse->kind = TERMINAL_MOUSE_DRAG;
    else
        return false;
    return true;
}

TerminalEvent terminal_input_read(void) {
    TerminalEvent event = {.kind = TERMINAL_TIMEOUT};
    wint_t character;
    int result = read_wide(&character);
    if (result == ERR) return event;
    if (result == KEY_CODE_YES && character == KEY_RESIZE) {
        event.kind = TERMINAL_RESIZE;
    } else if (result == KEY_CODE_YES && character == CODE_PASTE) {
        paste_read(&input.paste, input.file);
        event.kind = TERMINAL_PASTE;
    } else if (result == KEY_CODE_YES && character == CODE_MOUSE) {
        event.kind = read_mouse(&event.mouse) ? TERMINAL_MOUSE : TERMINAL_KEY; /* KEY_NONE: swallowed */
    } else {
        if (result == KEY_CODE_YES)
            event.key = translate_code(character);
        else
            event.key = character == 27 ? read_after_escape() : translate_character(character);
        event.kind = TERMINAL_KEY; /* KEY_NONE: something swallowed */
    }
    return event;
}
