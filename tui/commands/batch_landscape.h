/*
 * batch_landscape — the loss around a setting, measured as the options ask for: the measuring behind `rejuv landscape`
 * and the figures made of it.
 *
 *     --calibration, --rows ──► rows with responses        --alpha, --rho … ──► W
 *     --line ──► losses at α      --plane ──► around W, or with --third through three checkpoints
 *     --sharpness ──► of base, SFT and W
 */
#ifndef REJUV_TUI_BATCH_LANDSCAPE_H
#define REJUV_TUI_BATCH_LANDSCAPE_H

#include "core/readiness/landscape.h"
#include "tui/commands/batch_method.h"

/* Zero-initialise; batch_landscape_free() releases. */
typedef struct BatchLandscape {
    BatchMethod dials;
    Evaluation *evaluation;
    size_t rows, tokens; /* measured on; tokens of responses */
    uint64_t seed;
    bool has_line, has_plane, has_sharpness; /* which of these were measured */
    Range line, plane;
    double sigma; /* of sharpness, and along how many directions */
    size_t directions;
    double *line_losses;  /* [line.points] */
    double *plane_losses; /* [plane.points × plane.points]: a row for each step along direction 1 */
    double *steps;        /* [plane.points] */
    Triangle *triangle;   /* of --third; NULL: the plane is that of two random directions */
    LandscapeSharpness sharpness[SIDE_COUNT];
} BatchLandscape;

/* Everything from the options to the losses; without any of --line, --plane and --sharpness the line. Opens the model.
 * STATUS_ARGUMENT where no row has a response, a plane has too many points, or (of a figure) α or ρ is a range. */
Status batch_landscape_measure(Batch *batch, BatchLandscape *landscape, Error *error) STATUS_MUST_CHECK;

/* The losses alone, where the model is open, the dials stand and have their calibration, and what to measure is chosen:
 * has_…, line, plane, sigma, directions, seed. */
Status batch_landscape_measure_parts(Batch *batch, BatchLandscape *landscape, Error *error) STATUS_MUST_CHECK;
void batch_landscape_free(BatchLandscape *landscape);

/* Point `index` of the line. */
double batch_landscape_alpha(const BatchLandscape *landscape, size_t index);

#endif
