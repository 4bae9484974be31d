/*
 * views — the screens that views/catalog.c lists.
 */
#ifndef REJUV_VIEWS_VIEWS_H
#define REJUV_VIEWS_VIEWS_H

#include "tui/view.h"

extern const View export_view;
extern const View prompt_view;
extern const View tune_view;

#endif
