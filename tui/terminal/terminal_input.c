#include "tui/terminal/terminal_input.h"

#include "tui/terminal/bracketed_paste.h"
#include "tui/terminal/terminal_sequence.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

/* Beyond curses' own codes. */
enum { CODE_PASTE = 0x3000 /* ESC [ 200 ~ */, CODE_MOUSE /* ESC [ < */, CODE_MOUSE_OLD /* ESC [ M */ };

enum { SEQUENCE_GAP = 50 }; /* ms after which ESC and [ without more were typed, as Alt-[ */

static struct {
    int file;
    bool pastes;
    wint_t pushed; /* a character read too far, or WEOF */
    char sequence[TERMINAL_SEQUENCE_BYTES];
    size_t length; /* of a sequence that is not whole yet; 0: none */
    BracketedPaste paste;
} input = {.file = -1, .pushed = WEOF};

void terminal_input_open(int file, bool pastes, bool mouse) {
    input.file = file;
    input.pastes = pastes;
    input.pushed = WEOF;
    input.length = 0;
    if (pastes) (void)define_key("\033[200~", CODE_PASTE);
    if (mouse) (void)define_key("\033[<", CODE_MOUSE);
    if (mouse) (void)define_key("\033[M", CODE_MOUSE_OLD);
}

void terminal_input_close(void) {
    bracketed_paste_free(&input.paste);
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

static bool wait_for_byte(int milliseconds) {
    struct pollfd file = {.fd = input.file, .events = POLLIN};
    int ready;
    do ready = poll(&file, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && (file.revents & POLLIN) != 0;
}

/* curses keeps a read that failed, one that a signal interrupted too, as if nothing had come: what has come is still there,
 * and the rest of a sequence would be taken for keys. */
static int read_wide(wint_t *character) {
    if (input.pushed == WEOF) {
        int result = get_wch(character);
        return result == ERR && wait_for_byte(0) ? get_wch(character) : result;
    }
    *character = input.pushed;
    input.pushed = WEOF;
    return OK;
}

bool terminal_has_input(void) {
    return input.file >= 0 && (input.pushed != WEOF || wait_for_byte(0));
}

const char *terminal_paste(size_t *bytes) {
    *bytes = input.paste.bytes;
    return input.paste.bytes > 0 ? input.paste.text : "";
}

/* ---- sequences ---- */

static TerminalEvent event_of_sequence(const char *text) {
    TerminalEvent event = {.kind = TERMINAL_KEY,
                           .key = terminal_sequence_key(text)}; /* KEY_NONE: swallowed */
    if (input.pastes && terminal_sequence_is_paste(text)) {
        bracketed_paste_read(&input.paste, input.file);
        event.kind = TERMINAL_PASTE;
    } else if (terminal_sequence_read_mouse(text, &event.mouse)) {
        event.kind = TERMINAL_MOUSE;
    } else if (terminal_sequence_read_answer(text, &event.background)) {
        event.kind = TERMINAL_BACKGROUND;
    }
    return event;
}

/* One that does not end is no sequence. */
static TerminalEvent drop_sequence(void) {
    input.length = 0;
    return (TerminalEvent){.kind = TERMINAL_KEY, .key = KEY_NONE};
}

/* Goes on with a sequence that has begun. A slow line brings it in pieces, and what is missing must not be taken
 * for keys when it comes: until then it is kept, and there is nothing to tell. */
static TerminalEvent read_sequence(void) {
    while (!terminal_sequence_is_whole(input.sequence, input.length)) {
        wint_t next;
        int result = read_wide(&next);
        if (result == ERR) return (TerminalEvent){.kind = TERMINAL_TIMEOUT};
        bool ends = next == 27 && input.sequence[0] == ']';
        if (result == KEY_CODE_YES || next > 0x7E || input.length + 1 == sizeof input.sequence)
            return drop_sequence();
        if (next == 27 && !ends) { /* another begins */
            input.pushed = next;
            return drop_sequence();
        }
        input.sequence[input.length++] = (char)next;
    }
    input.sequence[input.length] = '\0';
    input.length = 0;
    return event_of_sequence(input.sequence);
}

static TerminalEvent begin_sequence(const char *text) {
    input.length = strlen(text);
    memcpy(input.sequence, text, input.length);
    return read_sequence();
}

/* Whether a character follows, which is pushed back. curses may have read it already. */
static bool comes_more(void) {
    wint_t next;
    int result = read_wide(&next);
    if (result == ERR && wait_for_byte(SEQUENCE_GAP)) result = read_wide(&next);
    if (result == OK) input.pushed = next;
    return result == OK;
}

/* After an Escape: nothing more is the key itself; what begins a sequence that curses did not know goes on as
 * one; anything else was typed with Alt. */
static TerminalEvent read_after_escape(void) {
    TerminalEvent event = {.kind = TERMINAL_KEY, .key = KEY_ESCAPE};
    wint_t next;
    int result = read_wide(&next);
    if (result == ERR) return event;
    if (result == OK && next == 27) {
        input.pushed = next;
        return event;
    }
    if (result == OK && terminal_sequence_begins(next) && comes_more())
        return begin_sequence((char[]){(char)next, '\0'});
    Key key = result == KEY_CODE_YES ? translate_code(next) : translate_character(next);
    event.key = key == KEY_NONE ? KEY_NONE : KEY_ALT | key;
    return event;
}

TerminalEvent terminal_input_read(void) {
    TerminalEvent event = {.kind = TERMINAL_TIMEOUT};
    wint_t character;
    if (input.length > 0) return read_sequence();
    int result = read_wide(&character);
    if (result == ERR) return event;
    event.kind = TERMINAL_KEY; /* KEY_NONE: something swallowed */
    if (result == KEY_CODE_YES && character == KEY_RESIZE)
        event.kind = TERMINAL_RESIZE;
    else if (result == KEY_CODE_YES && character == CODE_PASTE)
        return event_of_sequence("[200~");
    else if (result == KEY_CODE_YES && (character == CODE_MOUSE || character == CODE_MOUSE_OLD))
        return begin_sequence(character == CODE_MOUSE ? "[<" : "[M");
    else if (result == KEY_CODE_YES)
        event.key = translate_code(character);
    else if (character == 27)
        return read_after_escape();
    else
        event.key = translate_character(character);
    return event;
}
