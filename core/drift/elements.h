/*
 * elements — what the Tensor view shows: a window of one tensor pooled to a grid of cells.
 *
 *                 column ─► columns
 *          row  ┌──────────────────────────┐         ┌─────────────┐ ┌┐
 *           │   │  window of Δ, B, S or W  │ ──────► │ grid cells  │ ││ row profile (rms)
 *         rows  │                          │         │             │ ││
 *               └──────────────────────────┘         └─────────────┘ └┘
 *                                                    └─────────────┘ column profile (rms)
 *
 * A grid has at most as many cells as asked for and never more than the window has elements: cell i of n
 * along an axis of `size` elements covers those from ⌊i·size/n⌋ up to, not including, ⌊(i + 1)·size/n⌋. A
 * window as small as the grid shows single elements.
 *
 * Values are float32 as widened or blended (W goes through core/fusion/blend.h); Δ and sums are in double. Δ and B
 * do not exist on rows that base lacks. Elements that are not finite are counted and marked, and left out of
 * pooling, profiles, histogram, minimum, maximum and mean. Results do not depend on the number of threads.
 */
#ifndef REJUV_CORE_ELEMENTS_H
#define REJUV_CORE_ELEMENTS_H

#include "core/checkpoint/pair.h"
#include "core/fusion/settings.h"
#include "core/support/job.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ElementsSource {
    ELEMENTS_DIFFERENCE, /* Δ = S − B */
    ELEMENTS_BASE,
    ELEMENTS_SFT,
    ELEMENTS_FUSED, /* W at the request's settings */
    ELEMENTS_SOURCE_COUNT
} ElementsSource;

typedef enum ElementsPooling {
    ELEMENTS_MAX,    /* largest |x| */
    ELEMENTS_MEAN,   /* mean of x */
    ELEMENTS_RMS,    /* root of the mean square */
    ELEMENTS_SIGNED, /* the x of largest |x|, with its sign; of two as large the positive one */
    ELEMENTS_POOLING_COUNT
} ElementsPooling;

typedef struct ElementsFacts {
    const char *key;   /* "difference", "signed" */
    const char *label; /* "Δ", "signed max" */
    const char *ascii; /* the label without Unicode */
    const char *help;
    bool is_signed; /* poolings: values lie on both sides of zero, so the colours diverge */
} ElementsFacts;

const ElementsFacts *elements_source_facts(ElementsSource source);
const ElementsFacts *elements_pooling_facts(ElementsPooling pooling);

typedef struct ElementsRequest {
    const PairTensor *tensor;
    ElementsSource source;
    ElementsPooling pooling;
    Settings settings;                   /* for ELEMENTS_FUSED */
    uint64_t row, rows, column, columns; /* the window */
    size_t grid_rows, grid_columns;      /* cells at most */
    size_t bins;                         /* of the histogram; 0: none, which saves a pass */
} ElementsRequest;

/* What is in a cell, beside its value. */
enum {
    ELEMENTS_CELL_MISSING = 1,   /* base does not have some of these elements */
    ELEMENTS_CELL_NONFINITE = 2, /* some are infinite or NaN */
};

typedef struct ElementsMap {
    uint64_t row, rows, column, columns; /* the window */
    size_t grid_rows, grid_columns;
    double *cells;                      /* [grid_rows · grid_columns]; NaN where nothing finite is */
    unsigned char *marks;               /* the same shape: ELEMENTS_CELL_… */
    double *row_profile;                /* [grid_rows]: rms over the cell row's elements; NaN as above */
    double *column_profile;             /* [grid_columns] */
    double largest_cell;                /* max |cells|; 0 where all are NaN: for the colour scale */
    uint64_t count, nonfinite, missing; /* finite, not finite, not there: together the window's elements */
    double minimum, maximum, mean;      /* of the finite elements; NaN where there are none */
    size_t bins; /* equal steps from low to high, which belongs to the last; where low = high, all is in the
                    first */
    double histogram_low, histogram_high; /* [min, max]; symmetric about 0 where both signs occur */
    uint64_t *histogram;                  /* [bins]; they add up to `count` */
} ElementsMap;

/* Pools; reports "elements", in rows. *map is the caller's: elements_free(). STATUS_ARGUMENT for an empty
 * window or grid, a window that leaves the tensor, or Δ and B of a tensor that base lacks;
 * STATUS_UNSUPPORTED for integers. Memory: a few rows, and the grid, for each part of the window. */
Status elements_pool(const ElementsRequest *request, ElementsMap *map, Job *job,
                     Error *error) STATUS_MUST_CHECK;
void elements_free(ElementsMap *map);

/* What cell `index` along an axis covers: *first (within the tensor, given the window's begin) and *count. */
void elements_cell_span(uint64_t begin, uint64_t size, size_t cells, size_t index, uint64_t *first,
                        uint64_t *count);

/* One element of each source, exactly; B and Δ are NaN where base does not have it (and has_base false). */
typedef struct ElementValues {
    bool has_base;
    float base, sft, fused;
    double difference;
} ElementValues;

Status elements_at(const PairTensor *tensor, const Settings *settings, uint64_t row, uint64_t column,
                   ElementValues *values, Error *error) STATUS_MUST_CHECK;

#endif
