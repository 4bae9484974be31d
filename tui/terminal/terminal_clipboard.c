#include "tui/terminal/terminal_clipboard.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SCREEN_PIECE = 500 }; /* GNU screen's longest control string is 768 bytes */

static bool begins_with(const char *text, const char *beginning) {
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

bool terminal_clipboard_is_known(const char *name) {
    static const char *const FAMILIES[] = {"xterm",     "screen", "tmux",   "rxvt",    "foot",
                                           "alacritty", "kitty",  "st",     "wezterm", "konsole",
                                           "vte",       "gnome",  "ghostty"};
    for (size_t i = 0; name != NULL && i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
        if (begins_with(name, FAMILIES[i])) return true;
    return false;
}

Status terminal_clipboard_format(const char *name, const char *tmux, const char *text, size_t bytes,
                                 char **sequence, Error *error) {
    static const char BEGIN[] = "\033]52;c;", END[] = "\a";
    if (!terminal_clipboard_is_known(name))
        return status_fail(error, STATUS_UNSUPPORTED, "the terminal \"%s\" has no clipboard to send to",
                           name != NULL ? name : "");
    if (bytes > TERMINAL_CLIPBOARD_BYTES)
        return status_fail(error, STATUS_ARGUMENT,
                           "%zu bytes are too many for a terminal's clipboard (%d at most)", bytes,
                           (int)TERMINAL_CLIPBOARD_BYTES);
    bool is_screen = begins_with(name, "screen") && (tmux == NULL || tmux[0] == '\0');
    unsigned char *encoded = memory_allocate((bytes + 2) / 3 * 4 + 1, 1);
    Buffer buffer = {0};
    if (encoded == NULL) return memory_fail(error, "the clipboard");
    int length = EVP_EncodeBlock(encoded, (const unsigned char *)text, (int)bytes);
    buffer_add_text(&buffer, is_screen ? "\033P" : "");
    buffer_add_text(&buffer, BEGIN);
    for (int at = 0; at < length; at += SCREEN_PIECE) {
        int piece = length - at < SCREEN_PIECE ? length - at : SCREEN_PIECE;
        if (is_screen && at > 0) buffer_add_text(&buffer, "\033\\\033P");
        buffer_add(&buffer, (const char *)encoded + at, (size_t)piece);
    }
    buffer_add_text(&buffer, END);
    buffer_add_text(&buffer, is_screen ? "\033\\" : "");
    free(encoded);
    size_t size;
    return buffer_take(&buffer, sequence, &size, "the clipboard", error);
}
