#include "tui/session/undo_history.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

void undo_history_note(UndoHistory *history, const Dials *state) {
    Error error;
    if (history->count > 0 && dials_equal(&history->states[history->place], state)) return;
    size_t keep = history->count == 0 ? 0 : history->place + 1;
    if (keep == DIAL_HISTORY_STATES) {
        memmove(history->states, history->states + 1, (keep - 1) * sizeof *history->states);
        keep--;
    }
    if (MEMORY_RESERVE(history->states, &history->capacity, keep + 1, &error) != STATUS_OK) return;
    history->states[keep] = *state;
    history->count = keep + 1;
    history->place = keep;
}

const Dials *undo_history_go(UndoHistory *history, int steps, size_t *left) {
    size_t ahead = history->count == 0 ? 0 : history->count - 1 - history->place;
    size_t there = steps > 0 ? history->place : ahead;
    size_t wanted = steps > 0 ? (size_t)steps : (size_t)(-(long)steps);
    size_t go = wanted < there ? wanted : there;
    *left = there - go;
    if (go == 0) return NULL;
    history->place = steps > 0 ? history->place - go : history->place + go;
    return &history->states[history->place];
}

void undo_history_free(UndoHistory *history) {
    free(history->states);
    *history = (UndoHistory){0};
}
