#include "core/files/json.h"
#include "core/files/user_directory.h"
#include "core/support/memory.h"
#include "tui/keys/keymap_internal.h"
#include "tui/text/suggest.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every binding is compared with those before it, and included files may multiply. */
enum { KEY_FILE_LIMIT = 1 << 16, INCLUDE_DEPTH = 4, INCLUDE_FILES = 64 };

/* ---- the built-in files, made into arrays by cmake/Embed.cmake ---- */

#define FLAVOURS(X) X(default, KEYMAP_DEFAULT) X(vim, KEYMAP_VIM) X(emacs, KEYMAP_EMACS)

#define FLAVOUR_EXTERN(name, identifier)                                                                     \
    extern const unsigned char identifier##_FILE[];                                                          \
    extern const size_t identifier##_SIZE;
FLAVOURS(FLAVOUR_EXTERN)
#undef FLAVOUR_EXTERN

#define FLAVOUR_NAME(name, identifier) #name,
const char *const KEYMAP_FLAVOURS[] = {FLAVOURS(FLAVOUR_NAME)};
#undef FLAVOUR_NAME
const size_t KEYMAP_FLAVOUR_COUNT = sizeof KEYMAP_FLAVOURS / sizeof *KEYMAP_FLAVOURS;

const char *keymap_flavour_text(const char *name, size_t *bytes) {
#define FLAVOUR_TEXT(flavour, identifier)                                                                    \
    if (strcmp(name, #flavour) == 0) {                                                                       \
        *bytes = identifier##_SIZE;                                                                          \
        return (const char *)identifier##_FILE;                                                              \
    }
    FLAVOURS(FLAVOUR_TEXT)
#undef FLAVOUR_TEXT
    return NULL;
}

/* ---- one text ---- */

typedef struct Reading {
    Keymap *keymap;
    const char *origin;
    int file, line, depth;
    char section[KEYMAP_SECTION]; /* "" below one that is none: its keys are for nobody */
} Reading;

static Status read_text(Keymap *keymap, const char *text, size_t bytes, const char *origin, int depth,
                        Error *error);

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

static bool is_word(Word word, const char *text) {
    return strlen(text) == word.bytes && memcmp(word.text, text, word.bytes) == 0;
}

/* A word for a message, printable and not too long. */
static const char *show_word(Word word, char shown[64]) {
    (void)text_escape(word.text, word.bytes, TEXT_PLAIN, shown, 64);
    return shown;
}

#define NOTE(reading, ...) keymap_note((reading)->keymap, (reading)->origin, (reading)->line, __VA_ARGS__)

/* ---- bindings ---- */

static void note_replaced(Reading *reading, const KeymapBinding *old, const KeymapBinding *binding) {
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    keymap_write_keys(binding, false, keys, sizeof keys);
    NOTE(reading, "%s in [%s] takes the place of line %d (%s)", keys, binding->section, old->line,
         action_info(old->action)->name);
}

/* The later line wins. Keys that go on meaning the same keep their place: the first keys of an action are the
 * ones that hints show. What loses has no keys, until the text was read. */
static Status add_binding(Reading *reading, const KeymapBinding *binding, Error *error) {
    Keymap *keymap = reading->keymap;
    bool placed = false;
    for (size_t i = keymap_family(keymap, binding->keys[0]); i > 0; i = keymap->next[i - 1]) {
        KeymapBinding *old = &keymap->bindings[i - 1];
        if (old->key_count == 0 || !keymap_in_the_way(old, binding) ||
            strcmp(old->section, binding->section) != 0)
            continue;
        if (old->file == binding->file) note_replaced(reading, old, binding);
        if (old->key_count == binding->key_count && old->action == binding->action) {
            *old = *binding;
            placed = true;
        } else {
            old->key_count = 0;
        }
    }
    return placed ? STATUS_OK : keymap_add(keymap, binding, error);
}

static void complain(Reading *reading, Word word, int keys) {
    char shown[64];
    (void)show_word(word, shown);
    bool is_kept = reading->keymap->problem_count < KEYMAP_PROBLEMS; /* what is only counted needs no words */
    const char *near = is_kept ? action_suggest(shown) : NULL;
    if (word.bytes == 0)
        NOTE(reading, "expected the name of an action after the key");
    else if (near != NULL)
        NOTE(reading, "there is no action \"%s\"; \"%s\" is near", shown, near);
    else if (keys == 0)
        NOTE(reading,
             "expected a key such as x, Ctrl-x, Alt-x, Up, PageDown, F1, Space or Hash, found \"%s\"", shown);
    else
        NOTE(reading, "there is no action \"%s\", nor a key of that name", shown);
}

static bool read_argument(Reading *reading, KeymapBinding *binding, const char *line, const char *end) {
    const ActionInfo *info = action_info(binding->action);
    while (line < end && (*line == ' ' || *line == '\t')) line++;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    size_t bytes = (size_t)(end - line);
    if (bytes >= sizeof binding->argument) {
        NOTE(reading, "the argument of %s is longer than %d bytes", info->name, KEYMAP_ARGUMENT - 1);
        return false;
    }
    memcpy(binding->argument, line, bytes);
    binding->argument[bytes] = '\0';
    if (bytes == 0 && info->argument != ACTION_ARGUMENT_NONE) return true;
    char message[128], shown[64];
    ActionArgument argument;
    if (action_read_argument(binding->action, binding->argument, &argument, message, sizeof message))
        return true;
    NOTE(reading, "%s, found \"%s\"", message, show_word((Word){line, bytes}, shown));
    return false;
}

/* KEY [KEY …] ACTION [ARGUMENT]: words are keys as long as they are named so; names of actions have two
 * letters at least and no capital, so that the two cannot be mixed up. */
static Status read_binding(Reading *reading, const char *line, const char *end, Error *error) {
    KeymapBinding binding = {.action = ACTION_NOTHING, .file = reading->file, .line = reading->line};
    memcpy(binding.section, reading->section, sizeof binding.section);
    Word word = next_word(&line, end);
    while (binding.key_count < KEYMAP_SEQUENCE &&
           key_parse(word.text, word.bytes, &binding.keys[binding.key_count])) {
        binding.key_count++;
        word = next_word(&line, end);
    }
    if (binding.key_count == 0 || word.bytes < 2 || !action_find(word.text, word.bytes, &binding.action) ||
        !is_word(word, action_info(binding.action)->name)) {
        complain(reading, word, binding.key_count);
        return STATUS_OK;
    }
    if (!read_argument(reading, &binding, line, end)) return STATUS_OK;
    if (strcmp(binding.section, KEYMAP_GENERIC) != 0 && !action_is_for(binding.action, binding.section)) {
        NOTE(reading, "%s does nothing in [%s]: it is for %s", action_info(binding.action)->name,
             binding.section, action_info(binding.action)->where);
        return STATUS_OK;
    }
    return add_binding(reading, &binding, error);
}

/* ---- sections ---- */

static void read_section(Reading *reading, Word word) {
    char shown[64];
    size_t bytes = word.bytes - 2;
    reading->section[0] = '\0';
    if (word.bytes < 3 || bytes >= sizeof reading->section || word.text[word.bytes - 1] != ']') {
        NOTE(reading, "expected a section such as [generic] or [layers], found \"%s\"",
             show_word(word, shown));
        return;
    }
    memcpy(reading->section, word.text + 1, bytes);
    reading->section[bytes] = '\0';
    bool known = strcmp(reading->section, KEYMAP_GENERIC) == 0;
    const Keymap *keymap = reading->keymap;
    for (size_t i = 0; i < keymap->section_count; i++)
        known = known || strcmp(keymap->sections[i].name, reading->section) == 0;
    if (known) return;
    NOTE(reading, "there is no view of the name in %s", show_word(word, shown));
    reading->section[0] = '\0';
}

/* ---- included files ---- */

static Status read_file(Keymap *keymap, const char *path, int depth, Error *error) {
    char *text = NULL;
    size_t bytes;
    Status status = json_read_text(path, KEY_FILE_LIMIT, &text, &bytes, error);
    if (status == STATUS_OK) status = read_text(keymap, text, bytes, path, depth, error);
    free(text);
    return status;
}

/* A flavour by name, or a file, relative to the folder of the one that includes it. */
static Status read_include(Reading *reading, Word word, Error *error) {
    char shown[64], name[64];
    size_t bytes;
    if (reading->keymap->files >= INCLUDE_FILES) {
        NOTE(reading, "left out: %d files are included already", INCLUDE_FILES);
        return STATUS_OK;
    }
    (void)snprintf(name, sizeof name, "%.*s", word.bytes < sizeof name ? (int)word.bytes : 0, word.text);
    if (keymap_flavour_text(name, &bytes) != NULL) return keymap_use_flavour(reading->keymap, name, error);
    if (memchr(word.text, '/', word.bytes) == NULL) {
        const char *near = suggest_name(name, KEYMAP_FLAVOURS, KEYMAP_FLAVOUR_COUNT);
        NOTE(reading, "include takes default, vim, emacs or a path with a slash, found \"%s\"%s%s%s",
             show_word(word, shown), near != NULL ? "; \"" : "", near != NULL ? near : "",
             near != NULL ? "\" is near" : "");
        return STATUS_OK;
    }
    if (reading->depth >= INCLUDE_DEPTH) {
        NOTE(reading, "files include each other more than %d deep", INCLUDE_DEPTH);
        return STATUS_OK;
    }
    const char *slash = strrchr(reading->origin, '/');
    int folder = word.text[0] == '/' || slash == NULL ? 0 : (int)(slash - reading->origin) + 1;
    char *path = memory_format("%.*s%.*s", folder, reading->origin, (int)word.bytes, word.text);
    if (path == NULL) return memory_fail(error, "the name of a key file");
    Error reason;
    Status status = read_file(reading->keymap, path, reading->depth + 1, &reason);
    free(path);
    if (status != STATUS_OK) NOTE(reading, "%s", reason.message);
    return STATUS_OK;
}

/* ---- what cannot be reached ---- */

/* A binding of all views is lost in one where the view's own keys are the beginning of its keys, or begin with
 * them: the view comes first, and waits for the rest or does not wait. */
static void note_lost(Reading *reading, const KeymapBinding *binding) {
    Keymap *keymap = reading->keymap;
    if (binding->file != reading->file || strcmp(binding->section, KEYMAP_GENERIC) != 0 ||
        binding->action == ACTION_NOTHING)
        return;
    for (size_t i = keymap_family(keymap, binding->keys[0]); i > 0; i = keymap->next[i - 1]) {
        const KeymapBinding *own = &keymap->bindings[i - 1];
        char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE], others[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
        if (own->action == ACTION_NOTHING || own->key_count == binding->key_count ||
            !keymap_in_the_way(own, binding) || strcmp(own->section, KEYMAP_GENERIC) == 0)
            continue;
        keymap_write_keys(binding, false, keys, sizeof keys);
        keymap_write_keys(own, false, others, sizeof others);
        keymap_note(keymap, reading->origin, binding->line, "%s (%s) cannot be reached in %s, where %s is %s",
                    keys, action_info(binding->action)->name, own->section, others,
                    action_info(own->action)->name);
    }
}

/* ---- whole texts ---- */

static Status read_line(Reading *reading, const char *line, const char *end, Error *error) {
    const char *at = line;
    Word first = next_word(&at, end);
    if (first.bytes == 0) return STATUS_OK;
    if (first.text[0] == '[' && first.bytes > 1) {
        read_section(reading, first);
        return STATUS_OK;
    }
    if (is_word(first, "include")) return read_include(reading, next_word(&at, end), error);
    if (reading->section[0] == '\0') return STATUS_OK;
    return read_binding(reading, line, end, error);
}

static Status read_text(Keymap *keymap, const char *text, size_t bytes, const char *origin, int depth,
                        Error *error) {
    Reading reading = {.keymap = keymap, .origin = origin, .file = ++keymap->files, .depth = depth};
    (void)snprintf(reading.section, sizeof reading.section, "%s", KEYMAP_GENERIC);
    const char *end = text + bytes;
    Status status = STATUS_OK;
    for (reading.line = 1; text < end && status == STATUS_OK; reading.line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line = text, *line_end = newline != NULL ? newline : end;
        text = newline != NULL ? newline + 1 : end;
        const char *comment = memchr(line, '#', (size_t)(line_end - line));
        status = read_line(&reading, line, comment != NULL ? comment : line_end, error);
    }
    keymap_sweep(keymap);
    for (size_t i = 0; i < keymap->count && status == STATUS_OK; i++)
        note_lost(&reading, &keymap->bindings[i]);
    return status;
}

Status keymap_read(Keymap *keymap, const char *text, size_t bytes, const char *origin, Error *error) {
    return read_text(keymap, text, bytes, origin, 0, error);
}

Status keymap_use_flavour(Keymap *keymap, const char *name, Error *error) {
    char origin[64];
    size_t bytes;
    const char *text = keymap_flavour_text(name, &bytes);
    if (text == NULL) return status_fail(error, STATUS_ARGUMENT, "there are no built-in keys \"%s\"", name);
    keymap->count = 0;
    keymap_sweep(keymap);
    (void)snprintf(origin, sizeof origin, "%s.keys", name);
    return keymap_read(keymap, text, bytes, origin, error);
}

static Status read_users_own(Keymap *keymap) {
    char *path = user_directory_path(USER_DIRECTORY_CONFIG, "keys");
    Error reason;
    if (path == NULL) return STATUS_OK; /* no home */
    if (user_directory_has_file(path) && read_file(keymap, path, 0, &reason) != STATUS_OK)
        keymap_note(keymap, NULL, 0, "%s", reason.message);
    free(path);
    return STATUS_OK;
}

Status keymap_read_user(Keymap *keymap, const char *choice, Error *error) {
    size_t bytes;
    if (choice == NULL) return read_users_own(keymap);
    if (keymap_flavour_text(choice, &bytes) != NULL) {
        Status status = keymap_use_flavour(keymap, choice, error);
        return status == STATUS_OK ? read_users_own(keymap) : status;
    }
    if (strchr(choice, '/') != NULL || access(choice, F_OK) == 0) return read_file(keymap, choice, 0, error);
    const char *near = suggest_name(choice, KEYMAP_FLAVOURS, KEYMAP_FLAVOUR_COUNT);
    return status_fail(
        error, STATUS_ARGUMENT, "expected default, vim, emacs or a key file, found \"%s\"%s%s%s", choice,
        near != NULL ? "; \"" : "", near != NULL ? near : "", near != NULL ? "\" is near" : "");
}

/* ---- a new one ---- */

Status keymap_create(const KeymapSection *sections, size_t count, Keymap **keymap, Error *error) {
    *keymap = memory_allocate(1, sizeof **keymap);
    KeymapSection *copies = memory_allocate(count, sizeof *copies);
    if (*keymap == NULL || copies == NULL) {
        free(*keymap);
        free(copies);
        *keymap = NULL;
        return memory_fail(error, "the key bindings");
    }
    if (count > 0) memcpy(copies, sections, count * sizeof *copies);
    (*keymap)->sections = copies;
    (*keymap)->section_count = count;
    Status status = keymap_use_flavour(*keymap, KEYMAP_FLAVOURS[0], error);
    if (status != STATUS_OK) {
        keymap_free(*keymap);
        *keymap = NULL;
    }
    return status;
}
