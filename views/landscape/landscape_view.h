/*
 * landscape_view — the loss around base, SFT and W: along the line through the first two, over a plane, and how sharply
 * it rises.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_LANDSCAPE_VIEW_H
#define REJUV_VIEWS_LANDSCAPE_VIEW_H

#include "tui/app/view.h"

extern const View landscape_view;

#endif
