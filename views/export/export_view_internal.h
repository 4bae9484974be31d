/*
 * export_view_internal — what the files of the Export view share.
 */
#ifndef REJUV_VIEWS_EXPORT_VIEW_INTERNAL_H
#define REJUV_VIEWS_EXPORT_VIEW_INTERNAL_H

#include "core/export/export.h"
#include "tui/canvas/canvas.h"
#include "tui/session/session.h"

/* What will be written: where, from which weights, with which reset, how large. `plan` may be NULL. Returns how many
 * rows that took. */
int export_draw_form(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area);

/* The plan's findings, the running export, what it left. `plan` may be NULL. */
void export_draw_outcome(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area);

#endif
