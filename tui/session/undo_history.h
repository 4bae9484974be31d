/*
 * undo_history — where the dials stood before, to go back and forth between: a line of states with one's
 * place in it. Turning a dial after going back forgets what was ahead, as in an editor.
 *
 *     noted:   A ─ B ─ C ─ D        undo ► C, undo ► B;  noting E then:   A ─ B ─ E
 *
 * The oldest of more than DIAL_HISTORY_STATES is forgotten. Curves over the layers are borrowed. A zeroed
 * UndoHistory is empty and valid.
 */
#ifndef REJUV_TUI_UNDO_HISTORY_H
#define REJUV_TUI_UNDO_HISTORY_H

#include "core/method/dials.h"

enum { DIAL_HISTORY_STATES = 200 };

typedef struct UndoHistory {
    Dials *states;
    size_t count, capacity, place; /* states[place] is where the dials stand; count 0: nothing noted */
} UndoHistory;

/* Tells where the dials stand: a step of its own unless they stand where they stood. When memory is short
 * the step cannot be undone; that is all. */
void undo_history_note(UndoHistory *history, const Dials *state);

/* Goes `steps` back (or forth, where negative), as far as there are any. NULL where there are none;
 * otherwise the state, until the next call. *left is how many more there are in that direction. */
const Dials *undo_history_go(UndoHistory *history, int steps, size_t *left);

void undo_history_free(UndoHistory *history);

#endif
