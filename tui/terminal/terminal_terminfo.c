#include "tui/terminal/terminal_terminfo.h"

#include <string.h>

/* The first whose family TERM begins with. Colours are sent in the form that all of them understand, 38;2;R;G;B (tmux
 * reads the other form too, and turns them into what its own terminal has); the keys are those of the family. */
static const struct {
    const char *family, *system, *carried;
} DIRECT[] = {
    {"tmux", "tmux-direct", "tmux-direct"},
    {"st-", "st-direct", "xterm-direct"},
    {"vte", "vte-direct", "xterm-direct"},
    {"gnome", "vte-direct", "xterm-direct"},
    {"konsole", "konsole-direct", "xterm-direct"},
    {"xterm", "alacritty-direct", "xterm-direct"},
    {"alacritty", "alacritty-direct", "xterm-direct"},
    {"foot", "alacritty-direct", "xterm-direct"},
    {"wezterm", "alacritty-direct", "xterm-direct"},
    {"ghostty", "alacritty-direct", "xterm-direct"},
};

/* The first whose family TERM begins with; "" is the family of all. */
static const struct {
    const char *family, *carried;
} CLOSEST[] = {
    {"dumb", NULL},
    {"emacs", NULL},
    {"unknown", NULL},
    {"tmux", "tmux-256color"},
    {"screen", "screen-256color"},
    {"linux", "linux"},
    {"vt", "vt100"},
    {"", "xterm-256color"},
};

static bool begins_with(const char *term, const char *family) {
    return strncmp(term, family, strlen(family)) == 0;
}

const char *terminal_terminfo_find(const char *name) {
    for (const TerminalTerminfo *row = TERMINAL_TERMINFO; name != NULL && row->name != NULL; row++)
        if (strcmp(row->name, name) == 0) return row->description;
    return NULL;
}

const char *terminal_terminfo_closest(const char *term) {
    if (term == NULL) term = "";
    for (const TerminalTerminfo *row = TERMINAL_TERMINFO; row->name != NULL; row++)
        if (strcmp(row->name, term) == 0) return row->name;
    size_t at = 0;
    while (!begins_with(term, CLOSEST[at].family)) at++; /* the last fits */
    return CLOSEST[at].carried;
}

bool terminal_terminfo_direct(const char *term, const char *colorterm, bool says_direct, const char **system,
                              const char **carried) {
    bool direct = says_direct || (colorterm != NULL &&
                                  (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0));
    for (size_t i = 0; direct && term != NULL && i < sizeof DIRECT / sizeof *DIRECT; i++) {
        if (!begins_with(term, DIRECT[i].family)) continue;
        *system = DIRECT[i].system;
        *carried = DIRECT[i].carried;
        return true;
    }
    return false;
}
