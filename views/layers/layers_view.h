/*
 * layers_view — how far each module of each layer drifted, as a map or a list of tensors; and the method's figures.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_LAYERS_VIEW_H
#define REJUV_VIEWS_LAYERS_VIEW_H

#include "tui/app/view.h"

extern const View layers_view;

#endif
