/*
 * tensor_filter — which tensors a list shows, and how a user says so. Words, all of which must fit:
 *
 *     3   2-4   layer 3     the layer, or from one layer to another
 *     q   gate   norm1      the module, as the Layers view names it
 *     anything else         a part of the name: mlp, proj.weight
 */
#ifndef REJUV_TUI_TENSOR_FILTER_H
#define REJUV_TUI_TENSOR_FILTER_H

#include "core/checkpoint/pair.h"

#include <stdbool.h>

enum { TENSOR_FILTER_TEXT = 64 };

/* Whether a tensor passes; the empty filter lets everything pass. */
bool tensor_filter_fits(const char *filter, const PairTensor *tensor);

#endif
