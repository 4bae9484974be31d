/*
 * neurons_internal — what the files of the Neurons view share.
 */
#ifndef REJUV_VIEWS_NEURONS_INTERNAL_H
#define REJUV_VIEWS_NEURONS_INTERNAL_H

#include "tui/lists/neuron_list.h"
#include "tui/lists/neuron_map.h"
#include "tui/session/session_files.h"
#include "tui/tables/table.h"

#include <stdbool.h>
#include <stddef.h>

enum { NEURONS_PROFILE_CELLS = 512, NEURONS_PROFILES = 3 };

/* The weights of one neuron, pooled: base, SFT and Δ come one after the other. */
typedef struct NeuronsProfile {
    bool is_set;
    uint64_t neuron;
    size_t asked; /* cells asked for */
    size_t done;  /* profiles that are there */
    size_t cells[NEURONS_PROFILES];
    double values[NEURONS_PROFILES][NEURONS_PROFILE_CELLS];
    double largest[NEURONS_PROFILES];
} NeuronsProfile;

typedef struct Neurons {
    NeuronList list;
    NeuronMap map;
    bool mapping;       /* the map in place of the list */
    bool opened;        /* one neuron in place of both */
    bool linear;        /* the map's colours, where they may be logarithmic */
    size_t map_columns; /* at the last drawing */
    int map_rows;
    NeuronMapGrid grid;     /* of the map */
    double *cells, *shares; /* the same with each layer in as many lines as it is drawn in, for each frame */
    size_t cell_capacity, share_capacity;
    NeuronsProfile profile;
    const char *failure; /* why there is no list; NULL: there is */
    bool is_pending;     /* the list is that before the last change, while the new one is put together */
    Error error;
} Neurons;

/* The neuron at the cursor of the list or the map; false where there is none. */
bool neurons_current(const Neurons *neurons, const Session *session, uint64_t *neuron);

/* The parts of the screen. */
void neurons_draw_list(Neurons *neurons, const Session *session, Canvas *canvas, Rect area);
void neurons_draw_map(Neurons *neurons, const Session *session, Canvas *canvas, Rect area);
void neurons_draw_one(Neurons *neurons, Session *session, Canvas *canvas, Rect area);

/* The figures of a neuron, a row each; returns the rows used. */
int neurons_draw_facts(const Session *session, uint64_t neuron, Canvas *canvas, Rect area);

/* The layer's dormancy scores with τ and the dormant shares of each layer: beside the list, below the figures
 * of its neuron, or below it. */
void neurons_draw_side(Neurons *neurons, const Session *session, Canvas *canvas, Rect area);
void neurons_draw_panel(Neurons *neurons, const Session *session, Canvas *canvas, Rect area);

/* What the dials reset, or why nothing is known: cut from the bottom of the area. */
void neurons_draw_foot(const Session *session, Canvas *canvas, Rect *area);

/* The list as it is ordered and filtered. */
Status neurons_make_table(void *state, Session *session, Table **table, Error *error);

#endif
