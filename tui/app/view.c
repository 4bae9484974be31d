#include "tui/app/view.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *requested;
static size_t requested_rung;
static bool zoomed, redraw;

bool view_exists(const ViewList *list, int index) {
    return index >= 0 && (size_t)index < list->count && list->views[index] != NULL;
}

int view_find(const ViewList *list, const char *name) {
    char *end;
    long number = strtol(name, &end, 10);
    if (end != name && *end == '\0')
        return number <= INT_MAX && view_exists(list, (int)number - 1) ? (int)number - 1 : -1;
    size_t length = strlen(name);
    int found = -1;
    for (size_t i = 0; i < list->count && length > 0; i++) {
        const View *view = list->views[i];
        if (view == NULL || strncmp(view->name, name, length) != 0) continue;
        if (view->name[length] == '\0') return (int)i;
        if (found < 0) found = (int)i;
    }
    return found;
}

size_t view_list_sections(const ViewList *list, KeymapSection sections[VIEW_LIMIT]) {
    size_t count = 0;
    for (size_t i = 0; i < list->count && i < VIEW_LIMIT; i++) {
        const View *view = list->views[i];
        if (view != NULL) sections[count++] = (KeymapSection){view->name, view->title};
    }
    return count;
}

bool view_is_zoomed(void) {
    return zoomed;
}

void view_zoom(bool wanted) {
    zoomed = wanted;
}

void view_request_redraw(void) {
    redraw = true;
}

bool view_take_redraw(void) {
    bool wanted = redraw;
    redraw = false;
    return wanted;
}

void view_request(const char *name) {
    requested = name;
}

const char *view_take_request(void) {
    const char *name = requested;
    requested = NULL;
    return name;
}

void view_request_rung(size_t number) {
    requested_rung = number;
}

size_t view_take_rung(void) {
    size_t number = requested_rung;
    requested_rung = 0;
    return number;
}
