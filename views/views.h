/*
 * views — the screens, in their order. Only tui/program names them; it hands them to what is below.
 *
 * The room: the list of screens.
 */
#ifndef REJUV_VIEWS_VIEWS_H
#define REJUV_VIEWS_VIEWS_H

#include "tui/app/view.h"

extern const ViewList VIEWS;

#endif
