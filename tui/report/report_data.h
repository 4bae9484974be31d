/*
 * report_data — everything that a report is of, measured once: each row's forward pass under base and SFT, W and the
 * settings of the sweep side by side, dormancy, losses around, drift and a few spectra.
 *
 *     pair ──► findings, drift ──► spectra of what moved most
 *     --calibration ──► base, SFT ──► sweep, and W as its last setting ──► line, plane, sharpness
 *                               └──► dormancy of the three
 *     --samples, --prompts ──► what they are worth, and what base, SFT and W make of them
 *
 * A part that this kind of model does not have (STATUS_UNSUPPORTED: neurons of experts, say) is left out, and its absence
 * kept as a sentence.
 */
#ifndef REJUV_TUI_REPORT_DATA_H
#define REJUV_TUI_REPORT_DATA_H

#include "core/chat/chat_difference.h"
#include "core/drift/drift.h"
#include "core/drift/spectrum.h"
#include "core/drift/spectrum_shape.h"
#include "tui/commands/batch_landscape.h"
#include "tui/commands/batch_rollout.h"
#include "tui/commands/sweep.h"

enum { REPORT_SPECTRA = 4 };

/* Parts that need not be there: each costs time, and not every model has each. */
typedef enum ReportPart {
    REPORT_PART_OUTPUT, /* whatever runs the model: the parts below but the first two need it */
    REPORT_PART_DRIFT,
    REPORT_PART_SPECTRA,
    REPORT_PART_DORMANCY,
    REPORT_PART_DORMANCY_GRADIENT,
    REPORT_PART_SWEEP,
    REPORT_PART_LANDSCAPE,
    REPORT_PART_READINESS,
    REPORT_PART_GRADIENT, /* of samples, at hand-over */
    REPORT_PART_COUNT
} ReportPart;

typedef struct ReportParts {
    bool wanted[REPORT_PART_COUNT];
} ReportParts;

/* Zero-initialise; report_data_free() releases. */
typedef struct ReportData {
    Batch *batch; /* its pair, model and job are open */
    ReportParts parts;
    char *absences[REPORT_PART_COUNT]; /* why a part that was wanted is not there; else NULL */
    size_t severities[3];              /* how many findings of each */
    ChatDifference *templates;
    DriftTable *drift;
    Spectrum spectra[REPORT_SPECTRA]; /* of the matrices that moved most, most first */
    SpectrumShape shapes[REPORT_SPECTRA];
    size_t spectrum_count;
    /* Settings of the sweep, then (with a reset) α alone, then W; `alphas` of the sweep only */
    Sweep sweep; /* its dials and prompt are empty */
    DistributionAverages plain, chosen;
    EvaluationResult fused;   /* W's, position by position */
    BatchLandscape landscape; /* its dials are those of everything here */
    BatchRollout rollout;     /* of --samples or --prompts; of its dials the settings alone */
} ReportData;

/* The dials, and what was measured of the method. */
const BatchMethod *report_data_dials(const ReportData *data);

/* Whether a part is wanted, and was measured. */
bool report_data_has(const ReportData *data, ReportPart part);

/* Whether W has neurons reset. */
bool report_data_has_reset(const ReportData *data);

/* Opens the model and measures, says what is left out. STATUS_ARGUMENT without --calibration; STATUS_MISMATCH for a pair that
 * cannot be fused. STATUS_UNSUPPORTED where the dials reset neurons that the model does not have. */
Status report_data_measure(Batch *batch, const ReportParts *parts, ReportData *data,
                           Error *error) STATUS_MUST_CHECK;
void report_data_free(ReportData *data);

/* ---- differences between two states, position by position ---- */

typedef enum ReportQuantity {
    REPORT_ENTROPY,
    REPORT_TOP1,
    REPORT_CONFIDENT, /* 1 where top-1 is above 0.99 */
    REPORT_LOSS,      /* over positions whose next token is known */
    REPORT_QUANTITY_COUNT
} ReportQuantity;

/* "entropy": as DISTRIBUTION_FIGURES calls it. */
const char *report_data_quantity_key(ReportQuantity quantity);

/* The mean over positions of x − y, and its standard error with rows as clusters: positions of one text are not
 * independent. NaN: of fewer than two rows, or where the difference is. */
typedef struct ReportDifference {
    double value, error;
    size_t rows; /* that have such positions; of other figures: how many things the error is over */
} ReportDifference;

ReportDifference report_data_compare(const ReportData *data, Side x, Side y, ReportQuantity quantity);

#endif
