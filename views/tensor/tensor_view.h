/*
 * tensor_view — the elements of one tensor, of any part of it at any scale; and the spectrum of its change.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_TENSOR_VIEW_H
#define REJUV_VIEWS_TENSOR_VIEW_H

#include "tui/app/view.h"

extern const View tensor_view;

#endif
