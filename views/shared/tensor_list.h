/*
 * tensor_list — the pair's tensors as a list with a metric of each: by drift, or in the files' order.
 *
 * The room: what more than one screen shows, lists and facts of tensors. Each list is its screen's, on the UI
 * thread.
 */
#ifndef REJUV_VIEWS_TENSOR_LIST_H
#define REJUV_VIEWS_TENSOR_LIST_H

#include "tui/app/view.h"
#include "tui/canvas/colour_scale.h"
#include "tui/canvas/list_box.h"
#include "tui/lists/tensor_filter.h"
#include "tui/session/session_files.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct TensorList {
    ListState list;
    DriftMetric metric;
    double tau, gradient_tau; /* of dormant shares, among the numbers */
    bool by_drift; /* most drifted first, and only what is scanned; else all, in the files' order */

    char filter[TENSOR_FILTER_TEXT]; /* only what fits is listed; "" for all */

    /* what was listed when `ready` rows were scanned: sorting thousands of rows once a frame would be felt */
    size_t *indexes, count, ready;
    size_t all; /* how many there were without the filter */
    DriftMetric listed_metric;
    bool listed_by_drift, is_listed;
    char listed_filter[TENSOR_FILTER_TEXT];
    ColourScale key; /* of the bars */
} TensorList;

/* Room for the session's tensors; release with tensor_list_close(). */
Status tensor_list_open(TensorList *list, const Session *session, Error *error) STATUS_MUST_CHECK;
void tensor_list_close(TensorList *list);

/* Brings the order up to date with the scan, the cursor staying on its tensor unless it is on the first. */
void tensor_list_update(TensorList *list, const Session *session);

void tensor_list_draw(TensorList *list, const Session *session, Canvas *canvas, Rect area, bool focused);

/* "only 3 gate: 1 of 57 tensors", for where the list itself does not say it. */
void tensor_list_describe_filter(const TensorList *list, char *text, size_t size);

/* Movement, Enter (shows the tensor), metrics, order and the filter; anything else is REACTION_IGNORED. */
Reaction tensor_list_act(TensorList *list, Session *session, Action action, const ActionArgument *argument);

bool tensor_list_find(TensorList *list, const Session *session, const char *text, int direction, bool stay);

/* The listed tensors with every metric, of drift and of the method. */
Status tensor_list_numbers(TensorList *list, const Session *session, Table **table,
                           Error *error) STATUS_MUST_CHECK;

/* The tensor under the cursor; false where the list is empty. */
bool tensor_list_current(const TensorList *list, size_t *index);

/* The command with these figures, and what is under the cursor (view.h). */
CommandId tensor_list_twin(const TensorList *list, CommandLine *line);
bool tensor_list_value(const TensorList *list, const Session *session, char *text, size_t size);

/* The next metric that measures drift; direction 1 or -1. */
DriftMetric tensor_list_step_metric(DriftMetric metric, int direction);

/* An empty key for a metric, with its own idea of nothing. */
ColourScale tensor_list_metric_key(DriftMetric metric, bool logarithmic);

/* Shows a tensor in the Tensor view. */
void tensor_list_show(Session *session, size_t index);

/* The same module as the Tensor view's tensor, in another layer; says so where there is none. */
void tensor_list_go_layer(Session *session, double layer);

/* The same for a name, or the next name that contains `text`; says so where there is none. */
void tensor_list_go(Session *session, const char *text);

#endif
