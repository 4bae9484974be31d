/*
 * tensor_facts — what is known about one tensor, as a pane beside a map or a list.
 */
#ifndef REJUV_VIEWS_TENSOR_FACTS_H
#define REJUV_VIEWS_TENSOR_FACTS_H

#include "tui/canvas/canvas.h"
#include "tui/session/session_files.h"

#include <stddef.h>

/* Where a tensor stands in the model: "layer 4  k", "lm_head", "" for one that is not known. */
void tensor_facts_place(const PairTensor *tensor, char *text, size_t size);

/* "[64 × 128] BF16", and "F32 → BF16" where the two sides differ. */
void tensor_facts_kind(const PairTensor *tensor, bool ascii, char *text, size_t size);

/* Every drift metric of tensor `index`, or why there is none, from the area's top; returns the rows used. */
int tensor_facts_draw_drift(Canvas *canvas, Rect area, const Session *session, size_t index);

/* Its place, name and shape. */
int tensor_facts_draw_head(Canvas *canvas, Rect area, const Session *session, size_t index);

/* All of it, the metrics below the head. */
int tensor_facts_draw(Canvas *canvas, Rect area, const Session *session, size_t index);

/* The drift of many tensors as one: a title and the metrics that add up. Returns the rows used. */
int tensor_facts_draw_sum(Canvas *canvas, Rect area, const char *title, const DriftRow *sum, size_t tensors);

#endif
