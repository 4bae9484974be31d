/*
 * prompt_view — what base, SFT and W say after each token of a text, and how they would go on.
 *
 * The room: this screen. Its state is made by open() and belongs to the app until close(); UI thread only.
 */
#ifndef REJUV_VIEWS_PROMPT_VIEW_H
#define REJUV_VIEWS_PROMPT_VIEW_H

#include "tui/app/view.h"

extern const View prompt_view;

#endif
