/*
 * tensor_internal — what the files of the Tensor view share.
 *
 *     name  [shape] dtype                              12 of 57 │
 *     Δ = S − B   largest of 4 × 2            0 ░▒▓█ 0.082     │ histogram of the window
 *     ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄   ████  row    │ ▁▂▅█▅▂▁
 *     ▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄▀▄   ██    profile│
 *     ▂▃▅█▅▃▂▁▁▂▃  column profile                              │ the tensor's drift
 *     ▸ what is under the cursor                               │
 *     what the window is, its least, largest and mean value    │
 */
#ifndef REJUV_VIEWS_TENSOR_INTERNAL_H
#define REJUV_VIEWS_TENSOR_INTERNAL_H

#include "core/drift/elements.h"
#include "tui/canvas/canvas.h"
#include "tui/canvas/colour_scale.h"
#include "tui/session/session_files.h"
#include "tui/tables/table.h"
#include "views/tensor/tensor_window.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct TensorView {
    size_t index; /* the tensor that `window` is of */
    TensorWindow window;
    ElementsSource source;
    ElementsPooling pooling;
    bool logarithmic;
    bool pane_toggled; /* shown where there would be none by the width, or the reverse */
    bool spectrum;     /* singular values: beside the map where there is room, else in its place */
    bool map_hidden;   /* … which was so at the last drawing: nothing to move in */
    bool curve_linear; /* … as they are, not by their logarithm */
    double *shares;    /* of the cells drawn */
    size_t share_capacity;
    double *curve; /* the drawn singular values: ranks, then values */
    size_t curve_capacity;
} TensorView;

enum { TENSOR_BINS_LIMIT = 128 };

const PairTensor *tensor_current(const TensorView *view, const Session *session);

/* The request for what is to be shown; `bins` of the histogram. */
ElementsRequest tensor_request(const TensorView *view, const Session *session, size_t bins);

/* The finished map of what is to be shown; NULL while it is not there. *is_stale: it is of the same tensor
 * and window, but of another source, pooling or α. */
const ElementsMap *tensor_find_map(const TensorView *view, const Session *session, bool *is_stale);

/* "largest |x| of 4 × 2 elements", "Δ = S − B". */
void tensor_describe_pooling(const TensorView *view, char *text, size_t size);
const char *tensor_source_name(ElementsSource source, bool ascii);

/* The map with its profiles, or the reason why there is none; requests what it needs (tensor_map.c). */
void tensor_draw_map(TensorView *view, Session *session, Canvas *canvas, Rect area, size_t bins);

/* Elements written out (tensor_figures.c). */
void tensor_draw_figures(const TensorView *view, const ElementsMap *map, Canvas *canvas, Rect area,
                         const ColourScale *key);

/* How many fit: cells of the map in `map`, figures in `whole`. */
TensorRoom tensor_room(const Theme *theme, Rect map, Rect whole);

/* Two rows: the cursor's elements, and the window (tensor_side.c). */
void tensor_draw_cursor(const TensorView *view, const Session *session, Canvas *canvas, Rect row);
void tensor_draw_window(const TensorView *view, const Session *session, Canvas *canvas, Rect row);

/* Histogram and drift metrics, in a pane. */
void tensor_draw_side(const TensorView *view, const Session *session, Canvas *canvas, Rect area);

/* The singular values of Δ and what they say, or why there are none; requests what it needs
 * (tensor_spectrum.c). */
void tensor_draw_spectrum(TensorView *view, Session *session, Canvas *canvas, Rect area);

/* The values as a table, for `:numbers`. */
Status tensor_number_spectrum(const TensorView *view, const Session *session, Table **table,
                              Error *error) STATUS_MUST_CHECK;

#endif
