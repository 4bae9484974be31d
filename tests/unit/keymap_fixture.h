/*
 * keymap_fixture — a keymap with the program's own views as its sections.
 */
#ifndef REJUV_TESTS_KEYMAP_FIXTURE_H
#define REJUV_TESTS_KEYMAP_FIXTURE_H

#include "tui/keys/keymap.h"
#include "views/views.h"

static inline Status keymap_fixture_create(Keymap **keymap, Error *error) {
    KeymapSection sections[VIEW_LIMIT];
    return keymap_create(sections, view_list_sections(&VIEWS, sections), keymap, error);
}

#endif
