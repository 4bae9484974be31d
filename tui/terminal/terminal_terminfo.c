#include "tui/terminal/terminal_terminfo.h"

#include <string.h>

/* The first that fits. Colours are sent in the form that all of them understand, 38;2;R;G;B (tmux reads the
 * other form too, and turns them into what its own terminal has); the keys are those of the family. */
static const struct {
    const char *family, *entry;
} ENTRIES[] = {
    {"tmux", "tmux-direct"},           {"st-", "st-direct"},          {"vte", "vte-direct"},
    {"gnome", "vte-direct"},           {"konsole", "konsole-direct"}, {"xterm", "alacritty-direct"},
    {"alacritty", "alacritty-direct"}, {"foot", "alacritty-direct"},  {"wezterm", "alacritty-direct"},
    {"ghostty", "alacritty-direct"},
};

const char *terminal_terminfo_direct(const char *term, const char *colorterm, bool says_direct) {
    bool direct = says_direct || (colorterm != NULL &&
                                  (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0));
    for (size_t i = 0; direct && term != NULL && i < sizeof ENTRIES / sizeof *ENTRIES; i++)
        if (strncmp(term, ENTRIES[i].family, strlen(ENTRIES[i].family)) == 0) return ENTRIES[i].entry;
    return NULL;
}
