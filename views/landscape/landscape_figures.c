/* How the panes of Landscape write a figure, and move among them. */
#include "views/landscape/landscape_internal.h"

#include <stdio.h>

enum { LOSS_DIGITS = 5 };

void landscape_format(double value, bool is_known, char text[FORMAT_SIZE]) {
    if (is_known)
        (void)format_number(value, LOSS_DIGITS, text);
    else
        (void)snprintf(text, FORMAT_SIZE, "…");
}

size_t landscape_move(size_t from, long step, size_t count) {
    long last = (long)count - 1, at = (from < count ? (long)from : last) + step;
    return (size_t)(at < 0 ? 0 : at > last ? last : at);
}

const char *landscape_name_third(const char *directory) {
    const char *name = directory;
    for (const char *at = directory; *at != '\0'; at++)
        if (*at == '/' && at[1] != '\0') name = at + 1; /* a slash at the end names nothing */
    return name;
}
