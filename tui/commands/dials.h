/*
 * dials — the options of the method, turned into what core/ works with; every command that takes them goes
 * through here.
 *
 *     options ──dials_check()──► do they go together?                           nothing is opened yet
 *             ──dials_read()───► Settings without a reset                       needs the pair
 *             ──dials_rank()───► + the ranking that ρ cuts                      needs the model
 *                                calibration → base and SFT → targets → attribution, or drift, dormancy, …
 *
 * What was measured on the way stays in Dials, and is measured once.
 *
 *     dials.c         options to settings, settings to JSON
 *     dials_rank.c    measuring and ranking
 *     dials_recall.c  … or taking what a session kept (core/cache/kept.h): the same bits
 */
#ifndef REJUV_TUI_DIALS_H
#define REJUV_TUI_DIALS_H

#include "core/cache/kept.h"
#include "core/evaluation/evaluation.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "tui/cli/dial_state.h"
#include "tui/commands/batch.h"

typedef enum DialsSide { DIALS_BASE, DIALS_SFT, DIALS_FUSED, DIALS_SIDES } DialsSide;

/* Zero-initialise; dials_free() releases. */
typedef struct Dials {
    Settings settings; /* for a sweep, at the first of its α and ρ; the ranking is the one below */
    Selector selector;
    /* NULL or empty until measured */
    Calibration *calibration;
    char calibration_sha256[HASH_HEX_SIZE];
    EvaluationRow *rows; /* [calibration->count]: its response positions */
    Evaluation *evaluation;
    EvaluationResult base, sft; /* of the evaluation */
    Attribution attribution;    /* targets is NULL where it was not measured */
    double *drift;              /* [M] */
    Dormancy dormancy[DIALS_SIDES];
    Ranking *ranking;
    /* what sessions kept of this pair; the cache is NULL where there is nothing, or it is not wanted */
    bool has_sought_cache;
    Cache *cache;
    KeptOrigin origin;
} Dials;

/* Whether the options stand for a reset: a ρ above 0, or a range that reaches there. */
bool dials_want_reset(const Options *options);

/* The option of this command that holds ρ. */
const OptionValue *dials_rho(const Options *options);

/* STATUS_ARGUMENT where options of the method lack what they need, or do nothing. */
Status dials_check(const Options *options, Error *error) STATUS_MUST_CHECK;

/* Fills selector and settings, but for the ranking. A command opens the pair first. */
Status dials_read(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;

/* The same for a program that ranks by itself: the dials as one value. */
Status dials_read_state(const Options *options, const Pair *pair, DialState *state,
                        Error *error) STATUS_MUST_CHECK;

/* Makes the ranking and puts it into the settings. A command opens the model first. */
Status dials_rank(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;

/* What dials_rank() measures as far as it needs it. Each does nothing where that is done already.
 * dials_attribute() leaves the evaluation alone where the attribution is kept. */
Status dials_open_calibration(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;
Status dials_evaluate(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;
Status dials_attribute(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;
Status dials_measure_drift(Batch *batch, Dials *dials, Error *error) STATUS_MUST_CHECK;
/* Of SFT the gradient's too. DIALS_FUSED is at the settings as they stand. */
Status dials_measure_dormancy(Batch *batch, Dials *dials, DialsSide side, Error *error) STATUS_MUST_CHECK;

/* Fills in what is kept, and says so; false where it has to be measured. Rows, where they matter, are open. */
bool dials_recall_attribution(Batch *batch, Dials *dials);
bool dials_recall_dormancy(Batch *batch, Dials *dials, DialsSide side);
bool dials_recall_drift(Batch *batch, Dials *dials);

void dials_free(Dials *dials);

/* Member "dials": all that settings hold but the list of neurons. alpha and rho are left out where a sweep
 * varies them. False when out of memory. */
bool dials_add_json(cJSON *object, const Settings *settings, bool is_sweep);

/* The reset in one sentence; "" without one. */
void dials_describe_reset(const Settings *settings, char *text, size_t size);

#endif
