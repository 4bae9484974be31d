/*
 * tensor_view — the elements of one tensor, of any part of it at any scale; and the spectrum of its change.
 */
#ifndef REJUV_VIEWS_TENSOR_VIEW_H
#define REJUV_VIEWS_TENSOR_VIEW_H

#include "tui/app/view.h"

extern const View tensor_view;

#endif
