#include "tui/terminal/terminal_description.h"

#include "tui/terminal/terminal_terminfo.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#undef lines /* term.h */
#undef columns

static const char *chosen;
static char hint[128];

/* Whether curses finds a description of that name; `*says_direct`: it tells, in one of the ways in use, that colours have
 * 24 bits. */
static bool is_known(const char *name, bool *says_direct) {
    int found;
    if (name == NULL || setupterm(name, STDOUT_FILENO, &found) == ERR) return false;
    *says_direct = tigetflag("Tc") == 1 || tigetflag("RGB") == 1;
    (void)del_curterm(cur_term);
    return true;
}

/* Gives curses the one that the program carries. */
static bool carry(const char *name) {
    const char *description = terminal_terminfo_find(name);
    return description != NULL && setenv("TERMINFO", description, 1) == 0;
}

static bool choose_direct(const char *term, bool says_direct) {
    const char *system, *carried;
    bool ignored;
    if (!terminal_terminfo_direct(term, getenv("COLORTERM"), says_direct, &system, &carried)) return false;
    if (strstr(term, "-direct") != NULL) return false; /* TERM has them itself */
    if (is_known(system, &ignored))
        chosen = system;
    else if (carry(carried))
        chosen = carried;
    return chosen != NULL;
}

void terminal_description_choose(bool monochrome) {
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool says_direct = false, ignored, knows_term = is_known(term, &says_direct);
    bool wants_colours = !monochrome && (no_color == NULL || no_color[0] == '\0');
    const char *closest = knows_term ? NULL : terminal_terminfo_closest(term);
    if (!(wants_colours && choose_direct(term, says_direct)) && closest != NULL &&
        (is_known(closest, &ignored) || carry(closest)))
        chosen = closest;
    if (!knows_term && chosen != NULL && (term == NULL || strcmp(term, chosen) != 0))
        (void)snprintf(hint, sizeof hint, "%s: taken for %s",
                       term != NULL ? "TERM is not known on this machine" : "TERM is not set", chosen);
}

const char *terminal_description_name(void) {
    return chosen;
}

const char *terminal_description_hint(void) {
    return hint[0] != '\0' ? hint : NULL;
}
