/*
 * layers_internal — the Layers view in six files: layers_view.c (state and actions), layers_map.c (the map, its key
 * and its signs), layers_side.c (what is at the cursor), layers_figures.c (the figure of a cell; the numbers),
 * layers_gradient.c (metrics of the gradient at hand-over), layers_ladder.c (the page of all rungs).
 */
#ifndef REJUV_VIEWS_LAYERS_INTERNAL_H
#define REJUV_VIEWS_LAYERS_INTERNAL_H

#include "core/ladder/ladder_figures.h"
#include "tui/canvas/list_box.h"
#include "tui/tables/block_metric.h"
#include "tui/text/format.h"
#include "views/layers/layers_grid.h"
#include "views/shared/tensor_list.h"

#include <stdbool.h>
#include <stddef.h>

/* How figures become colours. */
typedef enum LayersScale {
    LAYERS_LINEAR,
    LAYERS_LOGARITHMIC,
    LAYERS_BY_COLUMN, /* each module has a scale of its own */
    LAYERS_SCALE_COUNT
} LayersScale;

enum { LAYERS_TEXT_SIZE = 16 };

/* What the map shows a metric of. */
typedef enum LayersFamily { LAYERS_OF_DRIFT, LAYERS_OF_METHOD, LAYERS_OF_GRADIENT } LayersFamily;

/* One of the gradient. */
typedef struct LayersGradient {
    const char *key, *label; /* in JSON and CSV; on screens */
    Side side;
    bool is_relative; /* to ‖W‖ */
} LayersGradient;

enum { LAYERS_GRADIENTS = 6 };

enum { LAYERS_RUNG_SIZE = 24 };

/* The page of all rungs: layers down, rungs across. */
typedef struct LayersLadder {
    size_t is_shown;
    size_t figure; /* of LadderFigure, one that has layers */
    size_t rung;   /* the cursor's; 0 is base */
    ListState list;
    size_t columns; /* base and the rungs; 0: there is no ladder */

    /* what is drawn, filled anew for each frame: [layers × columns]; heads [columns]; curves [figures × columns] */
    double *values, *shares, *curves, *x;
    const char **texts, **heads;
    char (*text_blocks)[LAYERS_TEXT_SIZE];
    char (*head_blocks)[LAYERS_RUNG_SIZE];
} LayersLadder;

typedef struct Layers {
    LayersLadder ladder;
    LayersGrid grid;
    TensorList list; /* its metric of drift is the map's too */
    LayersFamily family;
    BlockMetric block_metric; /* of the method */
    size_t gradient;          /* of the gradient: < LAYERS_GRADIENTS */
    bool listing;             /* the list in place of the map */
    bool opened;              /* that list is of one cell, from which the way back is the map */
    LayersScale scale;
    size_t row, column; /* the cursor in the map; row grid.layers: in the strip */
    size_t strip_column;
    int page; /* rows of the map at the last drawing */

    /* what is drawn, [layers × columns + strip]: filled anew for each frame */
    double *values, *shares;
    bool *absent;
    const char **texts;
    char (*text_blocks)[LAYERS_TEXT_SIZE];
} Layers;

/* What stands in a cell in place of a figure, or says that it is special. */
typedef enum LayersSign {
    LAYERS_PLAIN,
    LAYERS_WAITING, /* · */
    LAYERS_EQUAL,   /* = */
    LAYERS_ODD,     /* ! */
    LAYERS_NONE     /* – */
} LayersSign;

/* What the method's metrics are made from, at the thresholds of this view. */
BlockSources layers_sources(const Layers *layers, const Session *session);

/* The figure of a tensor by the metric on screen; NaN where there is none. */
double layers_value(const Layers *layers, const Session *session, const BlockSources *sources, size_t tensor,
                    LayersSign *sign);

/* The same as text; a figure of the method. */
void layers_format_method(BlockMetric metric, double value, char text[FORMAT_SIZE]);
void layers_format(const Layers *layers, double value, char text[FORMAT_SIZE]);

/* The metric of the gradient (layers_gradient.c): its facts, a tensor's figure, how it is written; what it is, or which key
 * measures it; all of them of a tensor, in so many rows as are returned. */
const LayersGradient *layers_gradient(const Layers *layers);
double layers_gradient_value(const Layers *layers, const Session *session, size_t tensor, LayersSign *sign);
void layers_gradient_format(double value, char text[FORMAT_SIZE]);
void layers_gradient_draw(const Layers *layers, const Session *session, Canvas *canvas, Rect area);
int layers_gradient_draw_side(const Layers *layers, const Session *session, Canvas *canvas, Rect area,
                              const PairTensor *tensor);

/* The page of all rungs (layers_ladder.c), which has cursor, metrics and scales of its own; `act` ignores what means the
 * same as on the map. */
Status layers_ladder_open(Layers *layers, const Session *session, Error *error);
void layers_ladder_close(LayersLadder *ladder);
void layers_ladder_toggle(Layers *layers, Session *session);
void layers_ladder_draw(Layers *layers, Session *session, Canvas *canvas, Rect area);
Reaction layers_ladder_act(Layers *layers, Session *session, Action action, const ActionArgument *argument);
Status layers_ladder_make_table(const Layers *layers, const Session *session, Table **table, Error *error);

/* Why figures of the method are not known yet. */
const char *layers_find_reason(const Session *session);

/* The table of the map, or of the list; as View.numbers (layers_figures.c). */
Status layers_make_table(void *state, Session *session, Table **table, Error *error);

/* The map, the strip and the legend (layers_map.c). */
void layers_draw_map(Layers *layers, const Session *session, Canvas *canvas, Rect area);

/* The tensor under the cursor, of the map or the list; false where there is none. The cursor's column in its row of
 * the map, which may be the strip (layers_side.c). */
bool layers_current(const Layers *layers, size_t *index);
size_t layers_current_column(const Layers *layers);

/* That tensor; or, where there is no room for that, its figure in one row. */
void layers_draw_side(const Layers *layers, const Session *session, Canvas *canvas, Rect area);
void layers_draw_line(const Layers *layers, const Session *session, Canvas *canvas, Rect row);

#endif
