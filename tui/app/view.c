#include "tui/app/view.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int requested = -1;
static bool zoomed;

bool view_exists(int index) {
    return index >= 0 && (size_t)index < VIEW_COUNT && VIEWS[index] != NULL;
}

int view_find(const char *name) {
    char *end;
    long number = strtol(name, &end, 10);
    if (end != name && *end == '\0')
        return number <= INT_MAX && view_exists((int)number - 1) ? (int)number - 1 : -1;
    size_t length = strlen(name);
    int found = -1;
    for (size_t i = 0; i < VIEW_COUNT && length > 0; i++) {
        if (VIEWS[i] == NULL || strncmp(VIEWS[i]->name, name, length) != 0) continue;
        if (VIEWS[i]->name[length] == '\0') return (int)i;
        if (found < 0) found = (int)i;
    }
    return found;
}

bool view_is_zoomed(void) {
    return zoomed;
}

void view_zoom(bool wanted) {
    zoomed = wanted;
}

bool view_request(const char *name) {
    int index = view_find(name);
    if (index >= 0) requested = index;
    return index >= 0;
}

int view_take_request(void) {
    int index = requested;
    requested = -1;
    return index;
}
