/*
 * neurons_view — every neuron of the model, as a list or as a map, and one at a time.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_NEURONS_VIEW_H
#define REJUV_VIEWS_NEURONS_VIEW_H

#include "tui/app/view.h"

extern const View neurons_view;

#endif
