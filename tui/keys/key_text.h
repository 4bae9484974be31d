/*
 * key_text — sentences that name keys, as the live keymap has them: {measure} stands for the key of that action.
 */
#ifndef REJUV_TUI_KEY_TEXT_H
#define REJUV_TUI_KEY_TEXT_H

#include "tui/keys/keymap.h"

#include <stddef.h>

enum { KEY_TEXT_SIZE = 256 };

/* A text with {action-name} replaced by the keys of that action in that view, or ":action-name" where it has
 * none (keymap NULL: nowhere). What has no room is cut. */
void key_text_expand(const char *text, const Keymap *keymap, const char *view, char *out, size_t size);

/* The keymap that views write by: the program's, kept by reference. NULL: none any more. */
void key_text_use(const Keymap *keymap);

/* key_text_expand() with that keymap; returns `out`, so that it can stand in an argument list. */
const char *key_text(const char *view, const char *text, char out[KEY_TEXT_SIZE]);

#endif
