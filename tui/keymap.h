/*
 * keymap — which key does what, where. Read from text: keymaps/default.keys is compiled in and always read
 * first; the user's own file ($XDG_CONFIG_HOME/rejuv/keys) is laid over it, binding by binding.
 *
 *     # a comment
 *     [generic]
 *     j          move-down
 *     g g        first             a sequence of up to KEYMAP_SEQUENCE keys
 *     =          alpha-set         asks for the number
 *     0          alpha-set 0.5     does not
 *     x          nothing           takes a binding away
 *     [layers]                     holds in that view only, before [generic]
 *     m          metric-next
 *
 * The later line wins, also where one line's keys begin another's: then only the later can be reached.
 *
 * A digit that is bound to nothing begins a count (10j); Alt with a digit always does, and every digit
 * continues one.
 */
#ifndef REJUV_TUI_KEYMAP_H
#define REJUV_TUI_KEYMAP_H

#include "core/status.h"
#include "tui/action.h"
#include "tui/key.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEYMAP_SEQUENCE = 4, KEYMAP_ARGUMENT = 128, KEYMAP_SECTION = 32 };

typedef struct KeymapBinding {
    char section[KEYMAP_SECTION]; /* "generic" or the name of a view */
    Key keys[KEYMAP_SEQUENCE];
    int key_count;
    Action action;
    char argument[KEYMAP_ARGUMENT]; /* "" when the action asks or takes none */
} KeymapBinding;

typedef struct Keymap Keymap;

/* The built-in bindings. */
Status keymap_create(Keymap **keymap, Error *error) STATUS_MUST_CHECK;
void keymap_free(Keymap *keymap);

/* Lays the bindings of a text over those there are. A line that cannot be used fails the whole text with a
 * message that names `origin` and the line, and what is near: nothing is then changed. */
Status keymap_read(Keymap *keymap, const char *text, size_t bytes, const char *origin,
                   Error *error) STATUS_MUST_CHECK;

/* The user's file: `path`, or where that is NULL $XDG_CONFIG_HOME/rejuv/keys, else ~/.config/rejuv/keys. A
 * default file that does not exist is no error. */
Status keymap_read_user(Keymap *keymap, const char *path, Error *error) STATUS_MUST_CHECK;

/* The text of the built-in file. */
const char *keymap_default_text(size_t *bytes);

typedef enum KeymapMatch { KEYMAP_UNBOUND, KEYMAP_PREFIX, KEYMAP_BOUND } KeymapMatch;

/* What a sequence of keys means in a view: bound (and then *binding), the beginning of something longer, or
 * nothing. The view's section comes before the generic one; ACTION_NOTHING counts as unbound. */
KeymapMatch keymap_look_up(const Keymap *keymap, const char *view, const Key *keys, int count,
                           const KeymapBinding **binding);

/* The bindings that work in a view, in the order of the files, for help: returns how many there are and
 * writes at most `capacity`. */
size_t keymap_list(const Keymap *keymap, const char *view, const KeymapBinding **bindings, size_t capacity);

/* The first binding of an action in a view, or NULL. */
const KeymapBinding *keymap_find(const Keymap *keymap, const char *view, Action action);

/* The keys of a binding as text: "g g", "Ctrl-l"; `brief` as key_write_short_name(). */
void keymap_write_keys(const KeymapBinding *binding, bool brief, char *text, size_t size);

/* Is what the user typed the beginning of a command: keys collected so far, with their count. */
typedef struct KeymapInput {
    Key keys[KEYMAP_SEQUENCE];
    int key_count;
    int count; /* 0: none given */
} KeymapInput;

enum { KEYMAP_COUNT_LIMIT = 100000 };

/* Takes one more key. KEYMAP_PREFIX: waiting for more (also after a digit). KEYMAP_BOUND: *binding, with
 * *count at least 1; the input is empty again. KEYMAP_UNBOUND: the keys mean nothing; the input is empty. */
KeymapMatch keymap_feed(const Keymap *keymap, const char *view, KeymapInput *input, Key key,
                        const KeymapBinding **binding, int *count);

#endif
