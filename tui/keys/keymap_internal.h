/*
 * keymap_internal — what the files of the keymap (keymap.c, keymap_file.c, keymap_near.c) share. Nothing else
 * includes it.
 */
#ifndef REJUV_TUI_KEYMAP_INTERNAL_H
#define REJUV_TUI_KEYMAP_INTERNAL_H

#include "tui/keys/keymap.h"

enum { KEYMAP_PROBLEMS = 32, KEYMAP_FAMILIES = 256 };

struct Keymap {
    KeymapSection *sections; /* of views; their texts are borrowed */
    size_t section_count;
    KeymapBinding *bindings;
    size_t count, capacity;
    /* Bindings whose first keys have one hash are a family: a list by place + 1 in the order of the bindings, 0 its end. */
    size_t *next, next_capacity;
    size_t first[KEYMAP_FAMILIES], last[KEYMAP_FAMILIES];
    int files; /* read so far; KeymapBinding.file counts from 1 */
    char *problems[KEYMAP_PROBLEMS];
    size_t problem_count; /* may be more than are kept */
};

/* The section that holds in every view. */
extern const char KEYMAP_GENERIC[];

/* The place + 1 of the first binding of a key's family, 0 where there is none; keymap->next has the others. Whatever begins
 * with the key is among them. */
size_t keymap_family(const Keymap *keymap, Key key);

/* Adds a binding at the end. */
Status keymap_add(Keymap *keymap, const KeymapBinding *binding, Error *error) STATUS_MUST_CHECK;

/* Takes out the bindings that have no keys any more. */
void keymap_sweep(Keymap *keymap);

/* True where one's keys are the other's, or their beginning: in one section both cannot be reached. */
bool keymap_in_the_way(const KeymapBinding *a, const KeymapBinding *b);

/* What keys mean in one section: as keymap_look_up(), and ACTION_NOTHING counts as bound. */
KeymapMatch keymap_look_in_section(const Keymap *keymap, const char *section, const Key *keys, int count,
                                   const KeymapBinding **binding);

#endif
