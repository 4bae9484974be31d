/*
 * drift_listing — what `rejuv drift` lists of two checkpoints: a line a tensor, or of all tensors of a layer or a role
 * taken as one; in an order, and as a table.
 *
 *     DriftMeasured ──collect──► DriftListing ──sort, cut──► add──► Table
 *
 * A listing borrows the pair and what was measured of it; a table copies. Only command_drift.c and drift_ladder.c
 * include this.
 */
#ifndef REJUV_TUI_DRIFT_LISTING_H
#define REJUV_TUI_DRIFT_LISTING_H

#include "core/drift/drift.h"
#include "core/drift/spectrum.h"
#include "core/support/job.h"
#include "tui/commands/batch.h"
#include "tui/tables/table.h"
#include "tui/tables/table_write.h"

#include <cjson/cJSON.h>

typedef enum DriftGrouping {
    DRIFT_BY_TENSOR,
    DRIFT_BY_LAYER,
    DRIFT_BY_ROLE
} DriftGrouping; /* in the order of --by's choices */

/* What is measured of a pair. Zero-initialise; drift_listing_free_measured() releases. */
typedef struct DriftMeasured {
    DriftTable *drift;
    SpectrumTable *spectrum; /* NULL without --spectrum */
} DriftMeasured;

/* A tensor, or several taken as one. */
typedef struct DriftLine {
    size_t place;     /* in the order it was collected in */
    const char *name; /* of the tensor or role; NULL for a layer */
    int layer;        /* -1: none */
    const PairTensor *tensor;
    DriftRow drift;
    Spectrum spectrum; /* with --spectrum; its values are the table's */
} DriftLine;

/* How lines are written, which are then collected. Zero-initialise; drift_listing_free() releases the lines. */
typedef struct DriftListing {
    DriftGrouping grouping;
    TableFormat format;
    bool with_spectrum;
    bool in_ladder;       /* lines of several pairs in one table: each says of which, */
    size_t rung, against; /* by these numbers (core/ladder/ladder.h) */
    DriftLine *lines;
    size_t count;
} DriftListing;

typedef struct DriftOrder {
    DriftMetric drift; /* DRIFT_METRIC_COUNT: by `spectrum` */
    SpectrumMetric spectrum;
} DriftOrder;

/* Scans the batch's pair, and its spectra where they are asked for; of several ranks each a part. */
Status drift_listing_measure(Batch *batch, bool with_spectrum, DriftMeasured *measured,
                             Error *error) STATUS_MUST_CHECK;
void drift_listing_free_measured(DriftMeasured *measured);

/* Fills lines and count, in the pair's order. */
Status drift_listing_collect(const Pair *pair, const DriftMeasured *measured, DriftListing *listing,
                             Error *error) STATUS_MUST_CHECK;
void drift_listing_free(DriftListing *listing);

/* The metric of that key; STATUS_ARGUMENT says what was probably meant. */
Status drift_listing_find_metric(const char *key, bool with_spectrum, DriftOrder *order,
                                 Error *error) STATUS_MUST_CHECK;

/* Most drifted first; what cannot be compared, and what is undefined, last. */
void drift_listing_sort(DriftListing *listing, const DriftOrder *order);

/* The metric of a line, as its table has it; NaN where the line cannot be compared. */
double drift_listing_value(const DriftLine *line, const DriftOrder *order);

/* An empty table for lines of such a listing, and the lines into it. */
Status drift_listing_create_table(const DriftListing *listing, Table **table, Error *error) STATUS_MUST_CHECK;
void drift_listing_add(const DriftListing *listing, Table *table);

/* The pair as an object's members: base, sft, all (taken as one), spectrum (with --spectrum) and the lines as tensors,
 * layers or roles, with what a table does not hold; false when out of memory. */
bool drift_listing_add_json(const DriftListing *listing, const Pair *pair, const DriftRow *all,
                            cJSON *object);

/* Says on standard error, behind what `format` makes, where figures are of a part of the tensors only: they must not look
 * like those of the whole. */
void drift_listing_say_share(Batch *batch, const char *format, ...) STATUS_PRINTF(2, 3);

#endif
