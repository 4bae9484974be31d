#include "tui/keymap.h"

#include "core/json.h"
#include "core/memory.h"
#include "tui/places.h"
#include "tui/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Keymap {
    KeymapBinding *bindings;
    size_t count, capacity;
};

/* keymaps/default.keys, made into an array by cmake/Embed.cmake */
extern const unsigned char KEYMAP_DEFAULT_FILE[];
extern const size_t KEYMAP_DEFAULT_SIZE;

enum { KEY_FILE_LIMIT = 1 << 20 };

static const char *const GENERIC = "generic";

const char *keymap_default_text(size_t *bytes) {
    *bytes = KEYMAP_DEFAULT_SIZE;
    return (const char *)KEYMAP_DEFAULT_FILE;
}

Status keymap_create(Keymap **keymap, Error *error) {
    *keymap = memory_allocate(1, sizeof **keymap);
    if (*keymap == NULL) return memory_fail(error, "the key bindings");
    size_t bytes;
    const char *text = keymap_default_text(&bytes);
    Status status = keymap_read(*keymap, text, bytes, "default.keys", error);
    if (status != STATUS_OK) {
        keymap_free(*keymap);
        *keymap = NULL;
    }
    return status;
}

void keymap_free(Keymap *keymap) {
    if (keymap == NULL) return;
    free(keymap->bindings);
    free(keymap);
}

/* ---- reading ---- */

typedef struct Word {
    const char *text;
    size_t bytes;
} Word;

static Word next_word(const char **at, const char *end) {
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r')) (*at)++;
    Word word = {*at, 0};
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\r') (*at)++;
    word.bytes = (size_t)(*at - word.text);
    return word;
}

/* A word for a message, printable and not too long. */
static const char *show_word(Word word, char shown[64]) {
    (void)text_escape(word.text, word.bytes, TEXT_PLAIN, shown, 64);
    return shown;
}

/* Whether one is the other, or the beginning of it: they cannot both be reached. */
static bool is_in_the_way(const KeymapBinding *a, const KeymapBinding *b) {
    int shared = a->key_count < b->key_count ? a->key_count : b->key_count;
    return strcmp(a->section, b->section) == 0 &&
           memcmp(a->keys, b->keys, (size_t)shared * sizeof a->keys[0]) == 0;
}

/* The later line wins. A binding of the same keys is replaced in its place, so that help keeps its order. */
static Status add_binding(Keymap *keymap, const KeymapBinding *binding, Error *error) {
    bool placed = false;
    size_t kept = 0;
    for (size_t i = 0; i < keymap->count; i++) {
        bool hit = is_in_the_way(&keymap->bindings[i], binding);
        if (hit && keymap->bindings[i].key_count == binding->key_count) {
            keymap->bindings[kept++] = *binding;
            placed = true;
        } else if (!hit) {
            keymap->bindings[kept++] = keymap->bindings[i];
        }
    }
    keymap->count = kept;
    if (placed) return STATUS_OK;
    Status status = memory_reserve((void **)&keymap->bindings, &keymap->capacity, keymap->count + 1,
                                   sizeof *keymap->bindings, error);
    if (status == STATUS_OK) keymap->bindings[keymap->count++] = *binding;
    return status;
}

static Status read_section(Word word, KeymapBinding *binding, Error *error) {
    char shown[64];
    if (word.bytes < 3 || word.bytes - 2 >= sizeof binding->section || word.text[word.bytes - 1] != ']')
        return status_fail(error, STATUS_FORMAT,
                           "expected a section such as [generic] or [layers], found \"%s\"",
                           show_word(word, shown));
    memcpy(binding->section, word.text + 1, word.bytes - 2);
    binding->section[word.bytes - 2] = '\0';
    return STATUS_OK;
}

static Status fail_at_word(Word word, int keys, Error *error) {
    char shown[64];
    const char *near = action_suggest(show_word(word, shown));
    if (word.bytes == 0)
        return status_fail(error, STATUS_FORMAT, "expected the name of an action after the key");
    if (near != NULL)
        return status_fail(error, STATUS_FORMAT, "there is no action \"%s\"; \"%s\" is near", shown, near);
    if (keys == 0)
        return status_fail(error, STATUS_FORMAT,
                           "expected a key such as x, Ctrl-x, Alt-x, Up, PageDown, F1, Space or Hash, "
                           "found \"%s\"",
                           shown);
    return status_fail(error, STATUS_FORMAT, "there is no action \"%s\", nor a key of that name", shown);
}

/* KEY [KEY …] ACTION [ARGUMENT]: words are keys as long as they are named so; names of actions have two
 * letters at least and no capital, so that the two cannot be mixed up. */
static Status read_binding(const char *line, const char *end, KeymapBinding *binding, Error *error) {
    Word word = next_word(&line, end);
    binding->key_count = 0;
    while (binding->key_count < KEYMAP_SEQUENCE &&
           key_parse(word.text, word.bytes, &binding->keys[binding->key_count])) {
        binding->key_count++;
        word = next_word(&line, end);
    }
    Action action;
    if (binding->key_count == 0 || word.bytes < 2 || !action_find(word.text, word.bytes, &action) ||
        strlen(action_info(action)->name) != word.bytes)
        return fail_at_word(word, binding->key_count, error);
    binding->action = action;
    while (line < end && (*line == ' ' || *line == '\t')) line++;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    size_t bytes = (size_t)(end - line);
    if (bytes >= sizeof binding->argument)
        return status_fail(error, STATUS_FORMAT, "the argument of %s is longer than %d bytes",
                           action_info(action)->name, KEYMAP_ARGUMENT - 1);
    memcpy(binding->argument, line, bytes);
    binding->argument[bytes] = '\0';
    if (bytes == 0 && action_info(action)->argument != ACTION_ARGUMENT_NONE) return STATUS_OK;
    char message[128];
    ActionArgument argument;
    if (!action_read_argument(action, binding->argument, &argument, message, sizeof message))
        return status_fail(error, STATUS_FORMAT, "%s, found \"%s\"", message, binding->argument);
    return STATUS_OK;
}

static Status read_lines(Keymap *keymap, const char *text, size_t bytes, const char *origin, Error *error) {
    KeymapBinding binding = {0};
    (void)snprintf(binding.section, sizeof binding.section, "%s", GENERIC);
    const char *end = text + bytes;
    for (int number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line = text, *line_end = newline != NULL ? newline : end;
        text = newline != NULL ? newline + 1 : end;
        const char *comment = memchr(line, '#', (size_t)(line_end - line));
        if (comment != NULL) line_end = comment;
        const char *at = line;
        Word first = next_word(&at, line_end);
        if (first.bytes == 0) continue;
        Status status;
        if (first.text[0] == '[' && first.bytes > 1) {
            status = read_section(first, &binding, error);
        } else {
            status = read_binding(line, line_end, &binding, error);
            if (status == STATUS_OK) status = add_binding(keymap, &binding, error);
        }
        if (status != STATUS_OK) return status_add_context(error, "%s, line %d", origin, number);
    }
    return STATUS_OK;
}

Status keymap_read(Keymap *keymap, const char *text, size_t bytes, const char *origin, Error *error) {
    Keymap copy = {0};
    Status status = memory_reserve((void **)&copy.bindings, &copy.capacity, keymap->count + 1,
                                   sizeof *copy.bindings, error);
    if (status != STATUS_OK) return status;
    if (keymap->count > 0) memcpy(copy.bindings, keymap->bindings, keymap->count * sizeof *copy.bindings);
    copy.count = keymap->count;
    Error reason;
    status = read_lines(&copy, text, bytes, origin, &reason);
    if (status != STATUS_OK) {
        free(copy.bindings);
        return status_fail(error, status, "%s", reason.message);
    }
    free(keymap->bindings);
    *keymap = copy;
    return STATUS_OK;
}

Status keymap_read_user(Keymap *keymap, const char *path, Error *error) {
    char *name = path != NULL ? memory_format("%s", path) : places_path(PLACE_CONFIG, "keys");
    if (name == NULL) return path != NULL ? memory_fail(error, "the name of the key file") : STATUS_OK;
    Status status = STATUS_OK;
    if (path != NULL || access(name, F_OK) == 0) {
        char *text = NULL;
        size_t bytes;
        status = json_read_text(name, KEY_FILE_LIMIT, &text, &bytes, error);
        if (status == STATUS_OK) status = keymap_read(keymap, text, bytes, name, error);
        free(text);
    }
    free(name);
    return status;
}

/* ---- looking up ---- */

static KeymapMatch look_in_section(const Keymap *keymap, const char *section, const Key *keys, int count,
                                   const KeymapBinding **binding) {
    KeymapMatch match = KEYMAP_UNBOUND;
    for (size_t i = 0; i < keymap->count; i++) {
        const KeymapBinding *candidate = &keymap->bindings[i];
        if (candidate->key_count < count || strcmp(candidate->section, section) != 0 ||
            memcmp(candidate->keys, keys, (size_t)count * sizeof keys[0]) != 0)
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
    KeymapMatch match = look_in_section(keymap, view, keys, count, binding);
    if (match == KEYMAP_UNBOUND) match = look_in_section(keymap, GENERIC, keys, count, binding);
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

const KeymapBinding *keymap_find(const Keymap *keymap, const char *view, Action action) {
    const KeymapBinding *found = NULL;
    for (size_t i = 0; i < keymap->count; i++) {
        const KeymapBinding *binding = &keymap->bindings[i];
        if (binding->action != action || !is_live(keymap, view, binding)) continue;
        if (strcmp(binding->section, GENERIC) != 0) return binding;
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
    if (key == KEY_ESCAPE && (input->key_count > 0 || input->count > 0)) {
        *input = (KeymapInput){0};
        return KEYMAP_PREFIX; /* taken back: nothing to do, nothing to complain about */
    }
    if (feed_digit(keymap, view, input, key)) return KEYMAP_PREFIX;
    input->keys[input->key_count++] = key;
    KeymapMatch match = keymap_look_up(keymap, view, input->keys, input->key_count, binding);
    if (match == KEYMAP_PREFIX && input->key_count < KEYMAP_SEQUENCE) return match;
    *count = input->count > 0 ? input->count : 1;
    *input = (KeymapInput){0};
    return match == KEYMAP_BOUND ? KEYMAP_BOUND : KEYMAP_UNBOUND;
}
