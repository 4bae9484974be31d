/*
 * export_view — what will be written, where, and how large; writing it; and whether what was written is right.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_EXPORT_VIEW_H
#define REJUV_VIEWS_EXPORT_VIEW_H

#include "tui/app/view.h"

extern const View export_view;

#endif
