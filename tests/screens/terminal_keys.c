#include "tests/screens/terminal_keys.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const struct {
    const char *name;
    VTermKey key;
} keys[] = {
    {"Up", VTERM_KEY_UP},         {"Down", VTERM_KEY_DOWN},           {"Left", VTERM_KEY_LEFT},
    {"Right", VTERM_KEY_RIGHT},   {"Home", VTERM_KEY_HOME},           {"End", VTERM_KEY_END},
    {"PageUp", VTERM_KEY_PAGEUP}, {"PageDown", VTERM_KEY_PAGEDOWN},   {"Insert", VTERM_KEY_INS},
    {"Delete", VTERM_KEY_DEL},    {"Enter", VTERM_KEY_ENTER},         {"Tab", VTERM_KEY_TAB},
    {"Esc", VTERM_KEY_ESCAPE},    {"Backspace", VTERM_KEY_BACKSPACE},
};

static bool press_function_key(VTerm *terminal, const char *name, VTermModifier modifier) {
    if (name[0] != 'F' || name[1] == '\0') return false;
    char *end = NULL;
    long number = strtol(name + 1, &end, 10);
    if (*end != '\0' || number < 1 || number > 12) return false;
    vterm_keyboard_key(terminal, (VTermKey)VTERM_KEY_FUNCTION((int)number), modifier);
    return true;
}

static bool press_character(VTerm *terminal, const char *name, VTermModifier modifier) {
    size_t bytes = strlen(name);
    utf8proc_int32_t character = 0;
    utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)name, (utf8proc_ssize_t)bytes, &character);
    if (used <= 0 || (size_t)used != bytes) return false;
    vterm_keyboard_unichar(terminal, (uint32_t)character, modifier);
    return true;
}

/* "press@5,10", "drag@5,20", "release@5,20", "wheel-up@5,5": rows and columns from 0. Only a program that asked for
 * the mouse gets it. */
static bool use_mouse(VTerm *terminal, const char *name) {
    static const struct {
        const char *name;
        int button; /* 0: the pointer moves only */
        bool pressed;
    } acts[] = {{"press", 1, true},
                {"release", 1, false},
                {"drag", 0, false},
                {"wheel-up", 4, true},
                {"wheel-down", 5, true}};
    int row, column;
    const char *at = strchr(name, '@');
    if (at == NULL || sscanf(at + 1, "%d,%d", &row, &column) != 2) return false;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strlen(acts[i].name) != (size_t)(at - name) ||
            strncmp(name, acts[i].name, (size_t)(at - name)) != 0)
            continue;
        vterm_mouse_move(terminal, row, column, VTERM_MOD_NONE);
        if (acts[i].button > 0) vterm_mouse_button(terminal, acts[i].button, acts[i].pressed, VTERM_MOD_NONE);
        return true;
    }
    return false;
}

bool terminal_keys_press(VTerm *terminal, const char *name) {
    if (use_mouse(terminal, name)) return true;
    unsigned modifier = VTERM_MOD_NONE;
    while (name[0] != '\0' && name[1] == '-' && name[2] != '\0') {
        if (name[0] == 'C') {
            modifier |= VTERM_MOD_CTRL;
        } else if (name[0] == 'M') {
            modifier |= VTERM_MOD_ALT;
        } else if (name[0] == 'S') {
            modifier |= VTERM_MOD_SHIFT;
        } else {
            return false;
        }
        name += 2;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(name, keys[i].name) == 0) {
            vterm_keyboard_key(terminal, keys[i].key, (VTermModifier)modifier);
            return true;
        }
    }
    if (strcmp(name, "Space") == 0) name = " ";
    return press_function_key(terminal, name, (VTermModifier)modifier) ||
           press_character(terminal, name, (VTermModifier)modifier);
}
