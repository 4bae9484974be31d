#include "tui/keys/key_text.h"

#include <string.h>

static const Keymap *live;

static void append(char *out, size_t size, const char *text, size_t bytes) {
    size_t used = strlen(out);
    if (bytes > size - 1 - used) bytes = size - 1 - used;
    memcpy(out + used, text, bytes);
    out[used + bytes] = '\0';
}

static void append_keys(char *out, size_t size, const Keymap *keymap, const char *view, const char *name,
                        size_t bytes) {
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    Action action;
    const KeymapBinding *binding =
        keymap != NULL && action_find(name, bytes, &action) ? keymap_find(keymap, view, action) : NULL;
    if (binding != NULL) {
        keymap_write_keys(binding, false, keys, sizeof keys);
        append(out, size, keys, strlen(keys));
    } else {
        append(out, size, ":", 1);
        append(out, size, name, bytes);
    }
}

void key_text_expand(const char *text, const Keymap *keymap, const char *view, char *out, size_t size) {
    out[0] = '\0';
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        append(out, size, text, plain);
        text += plain;
        if (*text == '\0') break;
        size_t name = strcspn(text, "}");
        append_keys(out, size, keymap, view, text + 1, name - 1);
        text += name + (text[name] == '}');
    }
}

void key_text_use(const Keymap *keymap) {
    live = keymap;
}

const char *key_text(const char *view, const char *text, char out[KEY_TEXT_SIZE]) {
    key_text_expand(text, live, view, out, KEY_TEXT_SIZE);
    return out;
}
