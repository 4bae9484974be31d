/*
 * settings — the dials, and what they make of each tensor: the one place where α (and, per row or column, the
 * reset) becomes the coefficient a of W = a·S + (1 − a)·B.
 */
#ifndef REJUV_CORE_SETTINGS_H
#define REJUV_CORE_SETTINGS_H

#include "core/blend.h"
#include "core/pair.h"

typedef struct Settings {
    double alpha; /* 1 is the SFT model, 0 the base */
} Settings;

/* Whether both make the same W of every tensor. */
bool settings_equal(const Settings *a, const Settings *b);

/* How `tensor` is blended under these settings. The Blend borrows from the pair. */
Blend settings_blend(const Settings *settings, const PairTensor *tensor);

#endif
