/*
 * batch_method — the method on one pair, measured as far as a command needs it; every command that ranks neurons
 * goes through here.
 *
 *     options ──dial_options_check()──► do they go together?            nothing is opened yet
 *             ──batch_method_read()───► Settings without a reset        needs the pair
 *             ──batch_method_rank()───► + the ranking that ρ cuts       needs the model
 *                                       calibration → base and SFT → targets → attribution, or drift, dormancy, …
 *
 * What was measured on the way stays in BatchMethod, and is measured once.
 *
 *     batch_method.c          options to settings, settings to JSON
 *     batch_method_measure.c  measuring and ranking
 *     batch_method_cache.c    … or taking what a session kept (core/cache/cache_analysis.h): the same bits
 */
#ifndef REJUV_TUI_BATCH_METHOD_H
#define REJUV_TUI_BATCH_METHOD_H

#include "core/cache/cache_analysis.h"
#include "core/evaluation/evaluation.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "tui/commands/batch.h"
#include "tui/commands/dial_options.h"

/* Zero-initialise; batch_method_free() releases. */
typedef struct BatchMethod {
    /* for a sweep, at the first of its α and ρ; the ranking and the curve are those below */
    Settings settings;
    Selector selector;
    /* NULL or empty until measured */
    Calibration *calibration;
    EvaluationRow *rows; /* [calibration->count]: its response positions */
    Evaluation *evaluation;
    EvaluationResult base, sft; /* of the evaluation */
    Attribution attribution;    /* targets is NULL where it was not measured */
    double *drift;              /* [M] */
    Dormancy dormancy[SIDE_COUNT];
    Ranking *ranking;
    SettingsCurve *curve; /* of the options */
    /* what sessions kept of this pair; the cache is NULL where there is nothing, or it is not wanted */
    bool has_sought_cache;
    Cache *cache;
    CacheOrigin origin;
} BatchMethod;

/* Fills selector and settings, but for the ranking. A command opens the pair first. */
Status batch_method_read(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;

/* Makes the ranking and puts it into the settings. A command opens the model first. */
Status batch_method_rank(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;

/* What batch_method_rank() measures as far as it needs it. Each does nothing where that is done already.
 * batch_method_attribute() leaves the evaluation alone where the attribution is kept. */
Status batch_method_open_calibration(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;
Status batch_method_evaluate(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;
Status batch_method_attribute(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;
Status batch_method_measure_drift(Batch *batch, BatchMethod *method, Error *error) STATUS_MUST_CHECK;
/* SIDE_FUSED is at the settings as they stand. */
Status batch_method_measure_dormancy(Batch *batch, BatchMethod *method, Side side, bool with_gradient,
                                     Error *error) STATUS_MUST_CHECK;

/* Fills in what is kept, and says so; false where it has to be measured. Rows, where they matter, are open. */
bool batch_method_recall_attribution(Batch *batch, BatchMethod *method);
bool batch_method_recall_dormancy(Batch *batch, BatchMethod *method, Side side);
bool batch_method_recall_drift(Batch *batch, BatchMethod *method);

void batch_method_free(BatchMethod *method);

/* Member "dials": all that settings hold but the list of neurons. alpha and rho are left out where a sweep
 * varies them. False when out of memory. */
bool batch_method_add_json(cJSON *object, const Settings *settings, bool is_sweep);

/* The reset in one sentence; "" without one. */
void batch_method_describe_reset(const Settings *settings, char *text, size_t size);

#endif
