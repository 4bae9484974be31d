#include "tui/commands/batch_landscape.h"

#include "core/evaluation/evaluation_loss.h"
#include "core/method/dials.h"
#include "core/support/memory.h"

#include <stdlib.h>

void batch_landscape_free(BatchLandscape *landscape) {
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++)
        landscape_free_sharpness(&landscape->sharpness[side]);
    free(landscape->line_losses);
    free(landscape->plane_losses);
    free(landscape->steps);
    triangle_free(landscape->triangle);
    evaluation_free(landscape->evaluation);
    batch_method_free(&landscape->dials);
    *landscape = (BatchLandscape){0};
}

double batch_landscape_alpha(const BatchLandscape *landscape, size_t index) {
    return range_point(&landscape->line, index);
}

/* ---- what the options ask for ---- */

static void choose_parts(const Options *options, BatchLandscape *landscape) {
    landscape->has_plane = options_has(options, OPTION_PLANE);
    landscape->has_sharpness = options_has(options, OPTION_SHARPNESS);
    landscape->has_line =
        options_has(options, OPTION_LINE) || (!landscape->has_plane && !landscape->has_sharpness);
    landscape->line = option_range(options_value(options, OPTION_LINE));
    landscape->plane = option_range(options_value(options, OPTION_PLANE));
    landscape->sigma = options_value(options, OPTION_SHARPNESS)->number;
    landscape->directions = (size_t)options_value(options, OPTION_DIRECTIONS)->count;
    landscape->seed = options_value(options, OPTION_SEED_DIRECTIONS)->count;
}

/* A figure's α and ρ may be ranges, for other kinds; here W stands in one place. */
static Status check_place(const Options *options, Error *error) {
    const OptionValue *alpha = options_value(options, OPTION_ALPHA_RANGE), *rho = dial_options_rho(options);
    if (options->command == COMMAND_FIGURE && ((alpha->given && alpha->count > 1) || rho->count > 1))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected one --alpha and one --rho: the landscape is that around one W");
    return STATUS_OK;
}

static Status check_options(const Options *options, const BatchLandscape *landscape, Error *error) {
    if (!options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration FILE, the rows whose responses the loss is of");
    if (options_has(options, OPTION_DIRECTIONS) && !landscape->has_sharpness)
        return status_fail(error, STATUS_ARGUMENT,
                           "--directions says how many --sharpness tries, which is missing");
    if (options_has(options, OPTION_THIRD) && !landscape->has_plane)
        return status_fail(
            error, STATUS_ARGUMENT,
            "--third says through what --plane goes, which is missing: such as --plane -0.25:1.25:13");
    if (landscape->has_plane && landscape->plane.points > OPTION_RANGE_POINTS / landscape->plane.points)
        return status_fail(error, STATUS_ARGUMENT, "--plane: expected at most %d points in all",
                           OPTION_RANGE_POINTS);
    Status status = check_place(options, error);
    return status == STATUS_OK ? dial_options_check(options, error) : status;
}

/* The rows that losses are taken of. */
static Status choose_rows(Batch *batch, BatchLandscape *landscape, Error *error) {
    const BatchMethod *dials = &landscape->dials;
    if (landscape->evaluation != NULL) return STATUS_OK;
    size_t count = dials->calibration->count;
    const OptionValue *rows = options_value(batch->options, OPTION_ROWS);
    landscape->rows = rows->given && rows->count < count ? (size_t)rows->count : count;
    Status status =
        evaluation_create(batch->model, dials->rows, landscape->rows, 0, &landscape->evaluation, error);
    if (status != STATUS_OK) return status;
    landscape->tokens = evaluation_loss_tokens(landscape->evaluation);
    if (landscape->tokens > 0) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "%s: no row has a response, of which the loss is taken",
                       dials->calibration->source);
}

static Status open_ground(Batch *batch, BatchLandscape *landscape, Error *error) {
    const Options *options = batch->options;
    BatchMethod *dials = &landscape->dials;
    Status status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, dials, error);
    if (status == STATUS_OK) status = batch_method_open_calibration(batch, dials, error);
    if (status != STATUS_OK) return status;
    if (options->command == COMMAND_FIGURE && !options_has(options, OPTION_ALPHA_RANGE))
        dials->settings.alpha = DIALS_PAPER_ALPHA;
    status = choose_rows(batch, landscape, error);
    if (status != STATUS_OK || !dial_options_want_reset(options)) return status;
    return batch_method_rank(batch, dials, error);
}

/* ---- measuring ---- */

static Status measure_line(Batch *batch, BatchLandscape *landscape, Error *error) {
    size_t count = landscape->line.points;
    double *alphas = memory_allocate(count, sizeof *alphas);
    landscape->line_losses = memory_allocate(count, sizeof *landscape->line_losses);
    bool complete = alphas != NULL && landscape->line_losses != NULL;
    for (size_t i = 0; i < count && complete; i++) alphas[i] = batch_landscape_alpha(landscape, i);
    Status status = complete ? landscape_measure_line(landscape->evaluation, alphas, count,
                                                      landscape->line_losses, batch->job, error)
                             : memory_fail(error, "a line");
    free(alphas);
    return status;
}

static Status measure_plane(Batch *batch, BatchLandscape *landscape, const LandscapePlace *place,
                            Error *error) {
    size_t count = landscape->plane.points; /* checked: its square is small */
    landscape->steps = memory_allocate(count, sizeof *landscape->steps);
    landscape->plane_losses = memory_allocate(count, count * sizeof *landscape->plane_losses);
    if (landscape->steps == NULL || landscape->plane_losses == NULL) return memory_fail(error, "a plane");
    for (size_t i = 0; i < count; i++) landscape->steps[i] = range_point(&landscape->plane, i);
    if (landscape->triangle != NULL)
        return landscape_measure_triangle(landscape->evaluation, landscape->triangle, landscape->steps, count,
                                          landscape->plane_losses, batch->job, error);
    return landscape_measure_plane(place, landscape->steps, count, landscape->plane_losses, batch->job,
                                   error);
}

/* What is measured around one of the three, W last: the directions there are needed for both. */
static Status measure_around(Batch *batch, BatchLandscape *landscape, Side side, Error *error) {
    bool has_plane = landscape->has_plane && side == SIDE_FUSED;
    if (!has_plane && !landscape->has_sharpness) return STATUS_OK;
    const Settings settings = settings_of_side(side, &landscape->dials.settings);
    LandscapePlace place = {landscape->evaluation, &settings, NULL, landscape->seed};
    Directions *own = NULL;
    batch->progress.part = side; /* of what is done for each of the three */
    batch->progress.parts = landscape->has_sharpness ? SIDE_COUNT : 0;
    bool needs_own = landscape->has_sharpness || landscape->triangle == NULL;
    Status status =
        needs_own ? direction_measure(batch->model, &settings, &own, batch->job, error) : STATUS_OK;
    place.directions = own;
    batch->progress.parts = 0;
    if (status == STATUS_OK && has_plane) status = measure_plane(batch, landscape, &place, error);
    batch->progress.parts = landscape->has_sharpness ? SIDE_COUNT : 0;
    if (status == STATUS_OK && landscape->has_sharpness)
        status = landscape_measure_sharpness(&place, landscape->sigma, landscape->directions,
                                             &landscape->sharpness[side], batch->job, error);
    direction_free(own);
    return status;
}

Status batch_landscape_measure_parts(Batch *batch, BatchLandscape *landscape, Error *error) {
    Status status = choose_rows(batch, landscape, error);
    if (status == STATUS_OK && landscape->has_line) status = measure_line(batch, landscape, error);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++)
        status = measure_around(batch, landscape, side, error);
    return status;
}

Status batch_landscape_measure(Batch *batch, BatchLandscape *landscape, Error *error) {
    choose_parts(batch->options, landscape);
    Status status = check_options(batch->options, landscape, error);
    if (status == STATUS_OK) status = open_ground(batch, landscape, error);
    const char *third = options_text(batch->options, OPTION_THIRD);
    if (status == STATUS_OK && third != NULL)
        status = triangle_open(batch->model, third, &landscape->triangle, batch->job, error);
    return status == STATUS_OK ? batch_landscape_measure_parts(batch, landscape, error) : status;
}
