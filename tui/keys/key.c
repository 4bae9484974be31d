#include "tui/keys/key.h"

#include "tui/text/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *brief;
    Key key;
} NAMES[] = {
    {"Enter", "Enter", KEY_ENTER_NAMED},
    {"Tab", "Tab", KEY_TAB_NAMED},
    {"Shift-Tab", "S-Tab", KEY_BACK_TAB},
    {"Esc", "Esc", KEY_ESCAPE},
    {"Backspace", "BkSp", KEY_RUBOUT},
    {"Up", "↑", KEY_ARROW_UP},
    {"Down", "↓", KEY_ARROW_DOWN},
    {"Left", "←", KEY_ARROW_LEFT},
    {"Right", "→", KEY_ARROW_RIGHT},
    {"PageUp", "PgUp", KEY_PAGE_UP},
    {"PageDown", "PgDn", KEY_PAGE_DOWN},
    {"Home", "Home", KEY_TO_HOME},
    {"End", "End", KEY_TO_END},
    {"Insert", "Ins", KEY_INSERT_NAMED},
    {"Delete", "Del", KEY_DELETE_NAMED},
    {"Space", "Space", ' '},
    {"Hash", "#", '#'},
};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

static bool same_name(const char *name, size_t bytes, const char *known) {
    return strlen(known) == bytes && strncmp(name, known, bytes) == 0;
}

/* F1 to F12. The name is part of a text: what stands behind it is not read. */
static bool parse_function(const char *name, size_t bytes, Key *key) {
    Key number = 0;
    if (bytes < 2 || bytes > 3 || name[0] != 'F' || name[1] == '0') return false;
    for (size_t i = 1; i < bytes; i++) {
        if (name[i] < '0' || name[i] > '9') return false;
        number = number * 10 + (Key)(name[i] - '0');
    }
    if (number > 12) return false;
    *key = KEY_FUNCTION + number;
    return true;
}

static bool parse_plain(const char *name, size_t bytes, Key *key) {
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (!same_name(name, bytes, NAMES[i].name)) continue;
        *key = NAMES[i].key;
        return true;
    }
    if (parse_function(name, bytes, key)) return true;
    int32_t character;
    if (bytes == 0 || text_decode(name, bytes, &character) != bytes || text_character_width(character) < 1)
        return false;
    *key = (Key)character;
    return true;
}

/* Of these keys a terminal sends the same byte as of the named one: they are that one. */
static Key as_terminals_send(Key modifiers, Key *key) {
    static const struct {
        Key letter, named;
    } SAME[] = {{'h', KEY_RUBOUT},
                {'i', KEY_TAB_NAMED},
                {'j', KEY_ENTER_NAMED},
                {'m', KEY_ENTER_NAMED},
                {'[', KEY_ESCAPE}};
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        if (SAME[i].letter != *key) continue;
        *key = SAME[i].named;
        return modifiers & ~(Key)KEY_CONTROL;
    }
    return modifiers;
}

bool key_parse(const char *name, size_t bytes, Key *key) {
    static const struct {
        const char *prefix;
        Key modifier;
    } PREFIXES[] = {{"Ctrl-", KEY_CONTROL}, {"Alt-", KEY_ALT}, {"Shift-", KEY_SHIFT}};
    Key modifiers = 0;
    if (bytes == 1 && name[0] > ' ' && name[0] <= '~') { /* what most keys are called */
        *key = (Key)name[0];
        return true;
    }
    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0];) {
        size_t length = strlen(PREFIXES[i].prefix);
        if (same_name(name, bytes, "Shift-Tab")) break;
        if (bytes <= length || strncmp(name, PREFIXES[i].prefix, length) != 0) {
            i++;
            continue;
        }
        modifiers |= PREFIXES[i].modifier;
        name += length;
        bytes -= length;
        i = 0;
    }
    if (!parse_plain(name, bytes, key)) return false;
    if ((modifiers & KEY_SHIFT) != 0 && *key < KEY_NAMED) return false; /* a shifted letter is its capital */
    if ((modifiers & KEY_CONTROL) != 0 && *key >= 'A' && *key <= 'Z') *key += 'a' - 'A';
    if ((modifiers & KEY_CONTROL) != 0) modifiers = as_terminals_send(modifiers, key);
    *key |= modifiers;
    return true;
}

static void write_name(Key key, bool brief, char name[KEY_NAME_SIZE]) {
    const char *control = (key & KEY_CONTROL) != 0 ? (brief ? "^" : "Ctrl-") : "";
    const char *alt = (key & KEY_ALT) != 0 ? (brief ? "M-" : "Alt-") : "";
    const char *shift = (key & KEY_SHIFT) != 0 ? (brief ? "S-" : "Shift-") : "";
    Key plain = key & ~(Key)(KEY_CONTROL | KEY_ALT | KEY_SHIFT);
    char character[8] = "";
    const char *text = character;
    if (plain > KEY_FUNCTION && plain < KEY_NAMED_END) {
        (void)snprintf(character, sizeof character, "F%u", (unsigned)(plain - KEY_FUNCTION) % 100);
    } else {
        for (size_t i = 0; i < NAME_COUNT; i++)
            if (NAMES[i].key == plain) text = brief ? NAMES[i].brief : NAMES[i].name;
        if (text == character && plain < KEY_NAMED) character[text_encode((int32_t)plain, character)] = '\0';
    }
    (void)snprintf(name, KEY_NAME_SIZE, "%s%s%s%s", control, alt, shift, text);
    if (brief && control[0] != '\0' && plain >= 'a' && plain <= 'z') name[1] = (char)(plain - 'a' + 'A');
}

void key_write_name(Key key, char name[KEY_NAME_SIZE]) {
    write_name(key, false, name);
}

void key_write_short_name(Key key, char name[KEY_NAME_SIZE]) {
    write_name(key, true, name);
}
