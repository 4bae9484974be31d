/*
 * prompt_view — what base, SFT and W say after each token of a text, and how they would go on.
 */
#ifndef REJUV_VIEWS_PROMPT_VIEW_H
#define REJUV_VIEWS_PROMPT_VIEW_H

#include "tui/app/view.h"

extern const View prompt_view;

#endif
