/*
 * layers — what the files of the Layers view share.
 */
#ifndef REJUV_VIEWS_LAYERS_H
#define REJUV_VIEWS_LAYERS_H

#include "views/layers_grid.h"
#include "views/tensor_list.h"

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

typedef struct Layers {
    LayersGrid grid;
    TensorList list; /* its metric is the map's too */
    bool listing;    /* the list in place of the map */
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

/* The tensor under the cursor, of the map or the list; false where there is none. */
bool layers_current(const Layers *layers, size_t *index);

/* The map, the strip and the legend (layers_map.c). */
void layers_draw_map(Layers *layers, const Session *session, Canvas *canvas, Rect area);

#endif
