#include "core/support/memory.h"
#include "tui/keys/keymap_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char KEYMAP_GENERIC[] = "generic";

void keymap_free(Keymap *keymap) {
    if (keymap == NULL) return;
    for (size_t i = 0; i < KEYMAP_PROBLEMS; i++) free(keymap->problems[i]);
    free(keymap->sections);
    free(keymap->bindings);
    free(keymap->next);
    free(keymap);
}

/* ---- problems ---- */

void keymap_note(Keymap *keymap, const char *origin, int line, const char *format, ...) {
    char text[512];
    va_list arguments;
    size_t problem = keymap->problem_count++;
    if (problem >= KEYMAP_PROBLEMS) return;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 0)
        keymap->problems[problem] = origin == NULL ? memory_copy_text(text, strlen(text))
                                    : line > 0     ? memory_format("%s:%d: %s", origin, line, text)
                                                   : memory_format("%s: %s", origin, text);
}

size_t keymap_problem_count(const Keymap *keymap) {
    return keymap->problem_count;
}

const char *keymap_problem(const Keymap *keymap, size_t index) {
    return index < KEYMAP_PROBLEMS && index < keymap->problem_count ? keymap->problems[index] : NULL;
}

/* ---- families ---- */

/* A character, a named key, and what is held with it lie in bits far apart. */
static size_t family_of(Key key) {
    return (key * UINT32_C(2654435761)) >> 24;
}

size_t keymap_family(const Keymap *keymap, Key key) {
    return keymap->first[family_of(key)];
}

static void join_family(Keymap *keymap, size_t place) {
    size_t family = family_of(keymap->bindings[place].keys[0]), last = keymap->last[family];
    if (last == 0)
        keymap->first[family] = place + 1;
    else
        keymap->next[last - 1] = place + 1;
    keymap->last[family] = place + 1;
    keymap->next[place] = 0;
}

Status keymap_add(Keymap *keymap, const KeymapBinding *binding, Error *error) {
    Status status = MEMORY_RESERVE(keymap->bindings, &keymap->capacity, keymap->count + 1, error);
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(keymap->next, &keymap->next_capacity, keymap->count + 1, error);
    if (status != STATUS_OK) return status;
    keymap->bindings[keymap->count] = *binding;
    join_family(keymap, keymap->count++);
    return STATUS_OK;
}

void keymap_sweep(Keymap *keymap) {
    size_t kept = 0;
    memset(keymap->first, 0, sizeof keymap->first);
    memset(keymap->last, 0, sizeof keymap->last);
    for (size_t i = 0; i < keymap->count; i++) {
        if (keymap->bindings[i].key_count == 0) continue;
        if (kept < i) keymap->bindings[kept] = keymap->bindings[i];
        join_family(keymap, kept++);
    }
    keymap->count = kept;
}

/* ---- looking up ---- */

static bool begin_alike(const Key *a, const Key *b, int count) {
    int same = 0;
    while (same < count && a[same] == b[same]) same++;
    return same == count;
}

bool keymap_in_the_way(const KeymapBinding *a, const KeymapBinding *b) {
    return begin_alike(a->keys, b->keys, a->key_count < b->key_count ? a->key_count : b->key_count);
}

KeymapMatch keymap_look_in_section(const Keymap *keymap, const char *section, const Key *keys, int count,
                                   const KeymapBinding **binding) {
    KeymapMatch match = KEYMAP_UNBOUND;
    for (size_t i = keymap_family(keymap, keys[0]); i > 0; i = keymap->next[i - 1]) {
        const KeymapBinding *candidate = &keymap->bindings[i - 1];
        if (candidate->key_count < count || !begin_alike(candidate->keys, keys, count) ||
            strcmp(candidate->section, section) != 0)
            continue;
        if (candidate->key_count == count) {
            *binding = candidate;
            return KEYMAP_BOUND;
        }
        if (candidate->action != ACTION_NOTHING) match = KEYMAP_PREFIX;
    }
    return match;
}

KeymapMatch keymap_look_up(const Keymap *keymap, const char *view, const Key *keys, int count,
                           const KeymapBinding **binding) {
    KeymapMatch match = keymap_look_in_section(keymap, view, keys, count, binding);
    if (match == KEYMAP_UNBOUND) match = keymap_look_in_section(keymap, KEYMAP_GENERIC, keys, count, binding);
    return match == KEYMAP_BOUND && (*binding)->action == ACTION_NOTHING ? KEYMAP_UNBOUND : match;
}

/* Whether a binding is what its keys do in the view: not taken away, not covered by the view's own. */
static bool is_live(const Keymap *keymap, const char *view, const KeymapBinding *binding) {
    const KeymapBinding *found;
    for (int i = 1; i < binding->key_count; i++)
        if (keymap_look_up(keymap, view, binding->keys, i, &found) != KEYMAP_PREFIX) return false;
    return keymap_look_up(keymap, view, binding->keys, binding->key_count, &found) == KEYMAP_BOUND &&
           found == binding;
}

size_t keymap_list(const Keymap *keymap, const char *view, const KeymapBinding **bindings, size_t capacity) {
    size_t count = 0;
    for (size_t i = 0; i < keymap->count; i++) {
        const KeymapBinding *binding = &keymap->bindings[i];
        if (!action_is_for(binding->action, view) || !is_live(keymap, view, binding)) continue;
        if (count < capacity) bindings[count] = binding;
        count++;
    }
    return count;
}

size_t keymap_followers(const Keymap *keymap, const char *view, const Key *keys, int count,
                        const KeymapBinding **bindings, size_t capacity) {
    size_t found = 0;
    for (size_t i = keymap_family(keymap, keys[0]); i > 0; i = keymap->next[i - 1]) {
        const KeymapBinding *binding = &keymap->bindings[i - 1];
        if (binding->key_count <= count || !begin_alike(binding->keys, keys, count) ||
            !action_is_for(binding->action, view) || !is_live(keymap, view, binding))
            continue;
        if (found < capacity) bindings[found] = binding;
        found++;
    }
    return found;
}

const KeymapBinding *keymap_find(const Keymap *keymap, const char *view, Action action) {
    const KeymapBinding *found = NULL;
    for (size_t i = 0; i < keymap->count; i++) {
        const KeymapBinding *binding = &keymap->bindings[i];
        if (binding->action != action || !is_live(keymap, view, binding)) continue;
        if (strcmp(binding->section, KEYMAP_GENERIC) != 0) return binding;
        if (found == NULL) found = binding;
    }
    return found;
}

void keymap_write_keys(const KeymapBinding *binding, bool brief, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < binding->key_count && used < size; i++) {
        char name[KEY_NAME_SIZE];
        if (brief)
            key_write_short_name(binding->keys[i], name);
        else
            key_write_name(binding->keys[i], name);
        int length = snprintf(text + used, size - used, "%s%s", i > 0 && !brief ? " " : "", name);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* ---- typing ---- */

static bool feed_digit(const Keymap *keymap, const char *view, KeymapInput *input, Key key) {
    bool alt = (key & KEY_ALT) != 0;
    Key plain = key & ~(Key)KEY_ALT;
    if (plain < '0' || plain > '9' || input->key_count > 0) return false;
    const KeymapBinding *binding;
    if (!alt && input->count == 0 &&
        (plain == '0' || keymap_look_up(keymap, view, &key, 1, &binding) != KEYMAP_UNBOUND))
        return false;
    if (alt && keymap_look_up(keymap, view, &key, 1, &binding) != KEYMAP_UNBOUND) return false;
    int count = input->count * 10 + (int)(plain - '0');
    input->count = count > KEYMAP_COUNT_LIMIT ? KEYMAP_COUNT_LIMIT : count;
    return true;
}

KeymapMatch keymap_feed(const Keymap *keymap, const char *view, KeymapInput *input, Key key,
                        const KeymapBinding **binding, int *count) {
    if (input->is_stale) *input = (KeymapInput){0};
    bool aborts = key == KEY_ESCAPE || key == (KEY_CONTROL | 'g');
    if (aborts && (input->key_count > 0 || input->count > 0)) {
        *input = (KeymapInput){0};
        return KEYMAP_PREFIX; /* taken back: nothing to do, nothing to complain about */
    }
    if (feed_digit(keymap, view, input, key)) return KEYMAP_PREFIX;
    input->keys[input->key_count++] = key;
    KeymapMatch match = keymap_look_up(keymap, view, input->keys, input->key_count, binding);
    if (match == KEYMAP_PREFIX && input->key_count < KEYMAP_SEQUENCE) return match;
    *count = input->count > 0 ? input->count : 1;
    if (match == KEYMAP_BOUND)
        *input = (KeymapInput){0};
    else
        input->is_stale = true;
    return match == KEYMAP_BOUND ? KEYMAP_BOUND : KEYMAP_UNBOUND;
}
