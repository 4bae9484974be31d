/*
 * overview_view — the Overview: the pair, what stands in the way, how far it drifted, how sure it is, what moved most.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_OVERVIEW_VIEW_H
#define REJUV_VIEWS_OVERVIEW_VIEW_H

#include "tui/app/view.h"

extern const View overview_view;

#endif
