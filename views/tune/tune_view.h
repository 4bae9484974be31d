/*
 * tune_view — the dials, what they do to every headline figure, and the sweeps that show where they could stand.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_TUNE_VIEW_H
#define REJUV_VIEWS_TUNE_VIEW_H

#include "tui/app/view.h"

extern const View tune_view;

#endif
