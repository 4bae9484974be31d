#include "tui/keys/keymap_internal.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <string.h>

enum { NEAR_LIMIT = 4 };

typedef struct Near {
    char *text;
    size_t size;
    int count;
} Near;

static void add(Near *near, const char *place, const KeymapBinding *binding, int from) {
    KeymapBinding rest = *binding;
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE], part[KEY_NAME_SIZE * KEYMAP_SEQUENCE + 96];
    if (near->count++ >= NEAR_LIMIT) return;
    rest.key_count -= from;
    memmove(rest.keys, rest.keys + from, (size_t)rest.key_count * sizeof rest.keys[0]);
    keymap_write_keys(&rest, false, keys, sizeof keys);
    const char *comma = near->text[0] != '\0' ? ", " : "", *name = action_info(binding->action)->name;
    if (place != NULL)
        (void)snprintf(part, sizeof part, "%sin %s %s", comma, place, name);
    else
        (void)snprintf(part, sizeof part, "%s%s %s", comma, keys, name);
    text_append(near->text, near->size, part);
}

/* A letter without its case and modifiers; 0 for anything else. */
static Key bare_letter(Key key) {
    Key plain = key & ~(Key)(KEY_ALT | KEY_CONTROL | KEY_SHIFT);
    if (plain >= 'A' && plain <= 'Z') return plain + ('a' - 'A');
    return plain >= 'a' && plain <= 'z' ? plain : 0;
}

/* x for X, Ctrl-x for x. */
static void add_same_letter(Near *near, const Keymap *keymap, const char *view, Key key) {
    Key letter = bare_letter(key);
    for (size_t i = 0; i < keymap->count && letter != 0; i++) {
        const KeymapBinding *binding = &keymap->bindings[i], *found;
        if (binding->key_count != 1 || bare_letter(binding->keys[0]) != letter ||
            !action_is_for(binding->action, view))
            continue;
        if (keymap_look_up(keymap, view, binding->keys, 1, &found) == KEYMAP_BOUND && found == binding)
            add(near, NULL, binding, 0);
    }
}

/* What the same keys do elsewhere. */
static void add_other_views(Near *near, const Keymap *keymap, const char *view, const Key *keys, int count) {
    for (size_t i = 0; i < keymap->section_count; i++) {
        const KeymapBinding *binding;
        const KeymapSection *other = &keymap->sections[i];
        if (strcmp(other->name, view) == 0 ||
            keymap_look_up(keymap, other->name, keys, count, &binding) != KEYMAP_BOUND)
            continue;
        add(near, other->title, binding, 0);
    }
}

void keymap_near(const Keymap *keymap, const char *view, const Key *keys, int count, char *text,
                 size_t size) {
    const KeymapBinding *followers[NEAR_LIMIT];
    Near near = {.text = text, .size = size};
    text[0] = '\0';
    if (count > 1) {
        size_t found = keymap_followers(keymap, view, keys, count - 1, followers, NEAR_LIMIT);
        for (size_t i = 0; i < found && i < NEAR_LIMIT; i++) add(&near, NULL, followers[i], count - 1);
        return;
    }
    if (count < 1) return;
    add_same_letter(&near, keymap, view, keys[0]);
    add_other_views(&near, keymap, view, keys, 1);
}
