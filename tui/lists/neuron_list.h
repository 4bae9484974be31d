/*
 * neuron_list — the neurons of a session as a user ordered and filtered them, with the thresholds that say
 * which are dormant. It holds numbers of neurons only; their figures stay in the session.
 *
 * neuron_list_update() puts the list together again where what it depends on has changed, a stretch at a time: of 1.7
 * million neurons it looks at each once, which takes some 0.2 s in all and 10 ms a call. The list before it is shown
 * until the new one is ready.
 *
 * The room: neurons and tensors as a user ordered and filtered them. A list belongs to the view that shows it, on
 * the UI thread.
 */
#ifndef REJUV_TUI_NEURON_LIST_H
#define REJUV_TUI_NEURON_LIST_H

#include "tui/canvas/list_box.h"
#include "tui/lists/neuron_column.h"
#include "tui/lists/neuron_filter.h"
#include "tui/lists/neuron_order.h"

/* What the order was made from. */
typedef struct NeuronListStamp {
    bool is_set, reversed, drift;
    NeuronColumn column;
    NeuronFilter filter;
    double tau;
    const void *figures, *dormancy, *ranking;
    uint32_t cut;
} NeuronListStamp;

typedef struct NeuronList {
    NeuronColumn column; /* sorted by */
    bool reversed;       /* the other end first */
    NeuronFilter filter;
    double tau, gradient_tau;
    NeuronOrder order; /* what is shown, as of `stamp` */
    ListState list;
    NeuronListStamp stamp;
    NeuronOrder next; /* what is being put together, as of `wanted` */
    NeuronListStamp wanted;
    size_t block; /* of the next neuron to be looked at, and its index there */
    uint64_t index;
} NeuronList;

NeuronList neuron_list_make(void);
void neuron_list_free(NeuronList *list);

/* The order is to be made again, whatever the stamp says: figures may have changed unseen. */
void neuron_list_forget(NeuronList *list);

/* The session's model must have neurons. *pending: another call goes on with it; small models take one. The cursor stays
 * on its neuron where figures changed, and goes to the top where the user asked for another order. */
Status neuron_list_update(NeuronList *list, const Session *session, bool *pending,
                          Error *error) STATUS_MUST_CHECK;

bool neuron_list_current(const NeuronList *list, uint64_t *neuron);

/* False where the neuron is filtered out. */
bool neuron_list_go(NeuronList *list, uint64_t neuron);

/* To the next neuron at that place, as view.h's find(). */
bool neuron_list_find(NeuronList *list, const NeuronTable *table, const NeuronPlace *place, int direction,
                      bool stay);

/* The threshold of a dormancy column, and the next one up or down a ladder of usual ones. */
double *neuron_list_tau(NeuronList *list, NeuronColumn dormancy);
double neuron_list_step_tau(double tau, int steps);

#endif
