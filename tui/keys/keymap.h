/*
 * keymap — which key does what, where. Read from text: one of the built-in flavours (keymaps/NAME.keys are
 * compiled in), then the user's own file ($XDG_CONFIG_HOME/rejuv/keys), laid over it binding by binding.
 *
 *     # a comment
 *     include vim                  begins again from a flavour: default, vim or emacs; or lays the file of that
 *                                  path over what there is (a name with a slash, relative to this file)
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
 * A line that cannot be used is left out, and noted as a problem with its file and number; so are two lines of
 * one file that bind the same keys, and a key that cannot be reached in a view. The rest of the file holds.
 *
 * A digit that is bound to nothing begins a count (10j); Alt with a digit always does, and every digit
 * continues one.
 *
 * The room: what can be done (actions) and by which keys. Actions are a table; a Keymap is its maker's and does
 * not change after it was read; all of it is for the UI thread.
 */
#ifndef REJUV_TUI_KEYMAP_H
#define REJUV_TUI_KEYMAP_H

#include "core/support/status.h"
#include "tui/keys/action.h"
#include "tui/keys/key.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEYMAP_SEQUENCE = 4, KEYMAP_ARGUMENT = 128, KEYMAP_SECTION = 32 };

/* A view, as a section of key files names it and as people read it. */
typedef struct KeymapSection {
    const char *name, *title; /* must last as long as the keymap */
} KeymapSection;

typedef struct KeymapBinding {
    char section[KEYMAP_SECTION]; /* "generic" or the name of a view */
    Key keys[KEYMAP_SEQUENCE];
    int key_count;
    Action action;
    char argument[KEYMAP_ARGUMENT]; /* "" when the action asks or takes none */
    int file, line;                 /* where it was read: the first file is 1 */
} KeymapBinding;

typedef struct Keymap Keymap;

/* The bindings of the flavour "default". */
Status keymap_create(const KeymapSection *sections, size_t count, Keymap **keymap,
                     Error *error) STATUS_MUST_CHECK;
void keymap_free(Keymap *keymap);

/* The names of the built-in flavours, the default first, and their texts; NULL for any other name. */
extern const char *const KEYMAP_FLAVOURS[];
extern const size_t KEYMAP_FLAVOUR_COUNT;
const char *keymap_flavour_text(const char *name, size_t *bytes);

/* Forgets all bindings and takes those of a flavour. STATUS_ARGUMENT where there is none of that name. */
Status keymap_use_flavour(Keymap *keymap, const char *name, Error *error) STATUS_MUST_CHECK;

/* Lays the bindings of a text over those there are. `origin` names it in problems; paths to include are
 * relative to its folder. What is wrong in it becomes a problem, never an error. */
Status keymap_read(Keymap *keymap, const char *text, size_t bytes, const char *origin,
                   Error *error) STATUS_MUST_CHECK;

/* What the user wants: `choice` is a flavour, over which the user's file is laid, or a file (it has a slash or
 * exists) that takes the place of the user's; NULL for the default flavour and the user's file. That is
 * $XDG_CONFIG_HOME/rejuv/keys, else ~/.config/rejuv/keys, and need not exist. STATUS_ARGUMENT or STATUS_IO
 * for a choice that is neither. */
Status keymap_read_user(Keymap *keymap, const char *choice, Error *error) STATUS_MUST_CHECK;

/* What was wrong in the files that were read: "FILE:LINE: there is no action …". */
size_t keymap_problem_count(const Keymap *keymap);
const char *keymap_problem(const Keymap *keymap, size_t index); /* NULL beyond the first few dozen */

/* Notes a problem of the user's settings as "ORIGIN:LINE: …"; `line` 0 leaves it out, NULL both, where the text
 * names the file. One that cannot be kept is only counted. */
void keymap_note(Keymap *keymap, const char *origin, int line, const char *format, ...) STATUS_PRINTF(4, 5);

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

/* What a key that means nothing here may have been meant for: the same letter in other dress, what the key does
 * in other views, actions of that letter; of a sequence what follows its beginning. "" where nothing is near.
 *     "K line-up; in Tensor k is pan-up" */
void keymap_near(const Keymap *keymap, const char *view, const Key *keys, int count, char *text, size_t size);

/* The bindings that begin with these keys (one at least) and are longer, live in the view: as keymap_list(). */
size_t keymap_followers(const Keymap *keymap, const char *view, const Key *keys, int count,
                        const KeymapBinding **bindings, size_t capacity);

/* Is what the user typed the beginning of a command: keys collected so far, with their count. */
typedef struct KeymapInput {
    Key keys[KEYMAP_SEQUENCE];
    int key_count;
    int count;     /* 0: none given */
    bool is_stale; /* the keys meant nothing: the next one begins anew */
} KeymapInput;

enum { KEYMAP_COUNT_LIMIT = 100000 };

/* Takes one more key. Esc and Ctrl-g take back what was typed so far. KEYMAP_PREFIX: waiting for more (also after
 * a digit). KEYMAP_BOUND: *binding, with
 * *count at least 1; the input is empty again. KEYMAP_UNBOUND: the keys mean nothing; they stay in
 * *input for keymap_near() until the next key. */
KeymapMatch keymap_feed(const Keymap *keymap, const char *view, KeymapInput *input, Key key,
                        const KeymapBinding **binding, int *count);

#endif
