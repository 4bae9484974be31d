/*
 * rollouts_view — answers sampled from base, SFT and W, or read from a file: what they earn, prompt by prompt and over all;
 * any of them token by token; and the gradient at hand-over.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_ROLLOUTS_VIEW_H
#define REJUV_VIEWS_ROLLOUTS_VIEW_H

#include "tui/app/view.h"

extern const View rollouts_view;

#endif
