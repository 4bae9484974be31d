/*
 * keymap_internal — what the files of the keymap (keymap.c, keymap_file.c, keymap_near.c) share. Nothing else
 * includes it.
 */
#ifndef REJUV_TUI_KEYMAP_INTERNAL_H
#define REJUV_TUI_KEYMAP_INTERNAL_H

#include "tui/keys/keymap.h"

enum { KEYMAP_PROBLEMS = 32 };

struct Keymap {
    KeymapSection *sections; /* of views; their texts are borrowed */
    size_t section_count;
    KeymapBinding *bindings;
    size_t count, capacity;
    int files; /* read so far; KeymapBinding.file counts from 1 */
    char *problems[KEYMAP_PROBLEMS];
    size_t problem_count; /* may be more than are kept */
};

/* The section that holds in every view. */
extern const char KEYMAP_GENERIC[];

/* True where one's keys are the other's, or their beginning: in one section both cannot be reached. */
bool keymap_in_the_way(const KeymapBinding *a, const KeymapBinding *b);

/* What keys mean in one section: as keymap_look_up(), and ACTION_NOTHING counts as bound. */
KeymapMatch keymap_look_in_section(const Keymap *keymap, const char *section, const Key *keys, int count,
                                   const KeymapBinding **binding);

#endif
