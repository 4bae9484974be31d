/*
 * dial_actions — the actions that no view is needed for: dials, bookmarks, undo, calibration rows.
 */
#ifndef REJUV_TUI_DIAL_ACTIONS_H
#define REJUV_TUI_DIAL_ACTIONS_H

#include "tui/keys/action.h"
#include "tui/session/session.h"

/* REACTION_IGNORED for other actions. */
Reaction dial_actions_act(Session *session, Action action, const ActionArgument *argument);

#endif
