/* Any bytes as a key file over the default bindings: each binding is of an action and has keys, what is wrong is told, and
 * what all of it says can be written. Lines that include another file read none here: there is no such folder. */
#include "tui/keys/keymap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { MOST = 512 };

static const KeymapSection SECTIONS[] = {{"generic", "Everywhere"}, {"layers", "Layers"}, {"tune", "Tune"}};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Keymap *keymap;
    Error error = {0};
    if (keymap_create(SECTIONS, sizeof SECTIONS / sizeof *SECTIONS, &keymap, &error) != STATUS_OK) abort();
    if (keymap_read(keymap, (const char *)bytes, count, "/nowhere/keys", &error) != STATUS_OK) abort();
    const KeymapBinding *bindings[MOST];
    size_t found = keymap_list(keymap, "layers", bindings, MOST);
    for (size_t i = 0; i < found && i < MOST; i++) {
        char text[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
        const KeymapBinding *binding = bindings[i];
        if (binding->key_count < 1 || binding->key_count > KEYMAP_SEQUENCE) abort();
        if (memchr(binding->argument, '\0', sizeof binding->argument) == NULL) abort();
        keymap_write_keys(binding, false, text, sizeof text);
        if (text[0] == '\0') abort();
    }
    size_t problems = keymap_problem_count(keymap); /* of which the first few dozen are kept */
    for (size_t i = 0; i < problems; i++) {
        const char *problem = keymap_problem(keymap, i);
        if (problem == NULL && (i == 0 || keymap_problem(keymap, problems - 1) != NULL)) abort();
    }
    keymap_free(keymap);
    return 0;
}
