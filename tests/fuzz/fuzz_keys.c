/* Any bytes as a key file over the default bindings: each binding is of an action and has keys, what is wrong is told, and
 * what all of it says can be written. Lines that include another file read none here: there is no such folder. */
#include "core/support/memory.h"
#include "tui/keys/keymap.h"
#include "tui/keys/keymap_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { MOST = 512 };

static const KeymapSection SECTIONS[] = {{"generic", "Everywhere"}, {"layers", "Layers"}, {"tune", "Tune"}};

static void check(const KeymapBinding *binding) {
    if (binding->key_count < 1 || binding->key_count > KEYMAP_SEQUENCE) abort();
    if (memchr(binding->argument, '\0', sizeof binding->argument) == NULL) abort();
}

static void check_names(const KeymapBinding *binding) {
    char text[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    keymap_write_keys(binding, false, text, sizeof text);
    if (text[0] == '\0') abort();
}

/* The default bindings. To read them takes ten times as long as an input, and says nothing about it. */
static const Keymap *defaults(void) {
    static Keymap *keymap;
    if (keymap != NULL) return keymap;
    Error error = {0};
    if (keymap_create(SECTIONS, sizeof SECTIONS / sizeof *SECTIONS, &keymap, &error) != STATUS_OK) abort();
    for (size_t i = 0; i < keymap->count; i++) check(&keymap->bindings[i]);
    return keymap;
}

static void *copy(const void *block, size_t count, size_t size) {
    void *copied = memory_allocate(count, size);
    if (copied == NULL) abort();
    memcpy(copied, block, count * size);
    return copied;
}

/* As keymap_create() makes it: with as much room as there is then. */
static Keymap *create(void) {
    const Keymap *model = defaults();
    Keymap *keymap = copy(model, 1, sizeof *model);
    keymap->sections = copy(model->sections, model->section_count, sizeof *model->sections);
    keymap->bindings = copy(model->bindings, model->capacity, sizeof *model->bindings);
    keymap->next = copy(model->next, model->next_capacity, sizeof *model->next);
    for (size_t i = 0; i < KEYMAP_PROBLEMS && model->problems[i] != NULL; i++)
        keymap->problems[i] = copy(model->problems[i], strlen(model->problems[i]) + 1, 1);
    return keymap;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Keymap *keymap = create();
    Error error = {0};
    if (keymap_read(keymap, (const char *)bytes, count, "/nowhere/keys", &error) != STATUS_OK) abort();
    const KeymapBinding *bindings[MOST];
    size_t found = keymap_list(keymap, "layers", bindings, MOST);
    for (size_t i = 0; i < found && i < MOST; i++) {
        check(bindings[i]); /* the defaults too: an input takes keys away from them */
        if (bindings[i]->file > defaults()->files) check_names(bindings[i]);
    }
    size_t problems = keymap_problem_count(keymap); /* of which the first few dozen are kept */
    for (size_t i = 0; i < problems; i++) {
        const char *problem = keymap_problem(keymap, i);
        if (problem == NULL && (i == 0 || keymap_problem(keymap, problems - 1) != NULL)) abort();
    }
    keymap_free(keymap);
    return 0;
}
