#include "tui/report/report_data.h"

#include "core/drift/drift_table.h"
#include "core/support/memory.h"
#include "tui/commands/batch_check.h"
#include "tui/commands/dial_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const BatchMethod *report_data_dials(const ReportData *data) {
    return &data->landscape.dials;
}

bool report_data_has(const ReportData *data, ReportPart part) {
    bool runs = data->absences[REPORT_PART_OUTPUT] == NULL || part == REPORT_PART_DRIFT ||
                part == REPORT_PART_SPECTRA;
    return data->parts.wanted[part] && data->absences[part] == NULL && runs;
}

bool report_data_has_reset(const ReportData *data) {
    return data->landscape.dials.settings.ranking != NULL;
}

void report_data_free(ReportData *data) {
    for (ReportPart part = 0; part < REPORT_PART_COUNT; part++) free(data->absences[part]);
    chat_difference_close(data->templates);
    drift_table_free(data->drift);
    for (size_t i = 0; i < data->spectrum_count; i++) spectrum_free(&data->spectra[i]);
    evaluation_free_result(&data->fused);
    batch_rollout_free(&data->rollout);
    sweep_free(&data->sweep);
    batch_landscape_free(&data->landscape);
    *data = (ReportData){0};
}

/* ---- what a model does not have ---- */

/* Keeps why the part is not there, where the model has none; any other failure stays one. */
static Status leave_out(ReportData *data, ReportPart part, Status status, Error *error) {
    if (status != STATUS_UNSUPPORTED) return status;
    batch_say(data->batch, "left out: %s", error->message);
    data->absences[part] = memory_copy_text(error->message, strlen(error->message));
    return data->absences[part] != NULL ? STATUS_OK : memory_fail(error, "a report");
}

/* ---- weights ---- */

/* Where there is something to decompose. */
static bool has_change(const DriftRow *row) {
    return row->is_compared && row->base_nonfinite == 0 && row->sft_nonfinite == 0 &&
           row->difference_squares > 0.0 && spectrum_is_defined(row->tensor) && !row->tensor->is_tied_copy;
}

static Status measure_spectra(ReportData *data, Error *error) {
    Batch *batch = data->batch;
    size_t count = 0, *indexes = memory_allocate(drift_table_count(data->drift), sizeof *indexes);
    if (indexes == NULL) return memory_fail(error, "spectra");
    Status status = drift_rank(data->drift, DRIFT_RELATIVE_NORM, indexes, &count, error);
    for (size_t i = 0; i < count && data->spectrum_count < REPORT_SPECTRA && status == STATUS_OK; i++) {
        DriftRow row;
        if (!drift_table_row(data->drift, indexes[i], &row) || !has_change(&row)) continue;
        batch->progress.part = data->spectrum_count;
        batch->progress.parts = REPORT_SPECTRA;
        status = spectrum_measure(row.tensor, spectrum_default_settings(),
                                  &data->spectra[data->spectrum_count], batch->job, error);
        if (status != STATUS_OK) break;
        status = spectrum_shape_measure(&data->spectra[data->spectrum_count],
                                        &data->shapes[data->spectrum_count], error);
        data->spectrum_count++;
    }
    batch->progress.parts = 0;
    free(indexes);
    return status;
}

static Status measure_weights(ReportData *data, Error *error) {
    Batch *batch = data->batch;
    bool has_spectra = report_data_has(data, REPORT_PART_SPECTRA);
    if (!report_data_has(data, REPORT_PART_DRIFT) && !has_spectra) return STATUS_OK;
    Status status = drift_table_create(batch->pair, &data->drift, error);
    if (status == STATUS_OK) status = drift_scan(batch->pair, data->drift, batch->job, error);
    return status == STATUS_OK && has_spectra ? measure_spectra(data, error) : status;
}

/* ---- the output space ---- */

static Status make_settings(ReportData *data, Error *error) {
    Sweep *sweep = &data->sweep;
    const Settings *place = &report_data_dials(data)->settings;
    const Range alphas = option_range(options_value(data->batch->options, OPTION_SWEEP));
    size_t more = report_data_has_reset(data) ? 2 : 1,
           swept = report_data_has(data, REPORT_PART_SWEEP) ? alphas.points : 0;
    sweep->alphas = sweep->points = swept;
    sweep->rhos = 1;
    sweep->settings = memory_allocate(swept + more, sizeof *sweep->settings);
    sweep->fused = memory_allocate(swept + more, sizeof *sweep->fused);
    if (sweep->settings == NULL || sweep->fused == NULL) return memory_fail(error, "a sweep");
    for (size_t i = 0; i < swept + more; i++) sweep->settings[i] = *place;
    for (size_t i = 0; i < swept; i++) sweep->settings[i].alpha = range_point(&alphas, i);
    if (more == 2) sweep->settings[swept].rho = 0.0; /* what fusion alone does */
    return STATUS_OK;
}

static Status measure_outputs(ReportData *data, Error *error) {
    Sweep *sweep = &data->sweep;
    BatchMethod *dials = &data->landscape.dials;
    Status status = batch_method_evaluate(data->batch, dials, error);
    if (status == STATUS_OK) status = make_settings(data, error);
    if (status != STATUS_OK) return status;
    size_t points = sweep->points + (report_data_has_reset(data) ? 2 : 1);
    sweep->calibration = dials->calibration;
    sweep->base = dials->base.averages;
    sweep->sft = dials->sft.averages;
    status = sweep_measure_settings(data->batch, dials->evaluation, sweep->settings, points, sweep->fused,
                                    &data->fused, error);
    data->batch->progress.parts = 0;
    if (status != STATUS_OK) return status;
    data->plain = sweep->fused[sweep->points];
    data->chosen = sweep->fused[points - 1];
    return STATUS_OK;
}

static Status measure_dormancy_of(ReportData *data, Side side, Error *error) {
    BatchMethod *dials = &data->landscape.dials;
    bool with_gradient = side == SIDE_SFT && report_data_has(data, REPORT_PART_DORMANCY_GRADIENT);
    Status status = batch_method_measure_dormancy(data->batch, dials, side, with_gradient, error);
    if (status != STATUS_OK || !with_gradient) return status;
    Error why = dials->dormancy[side].no_gradient;
    status = leave_out(data, REPORT_PART_DORMANCY_GRADIENT, why.status, &why);
    if (status != STATUS_OK) *error = why;
    return status;
}

/* A model without a way back may have neurons that speak all the same. */
static Status measure_dormancy(ReportData *data, Error *error) {
    Status status = STATUS_OK;
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++) {
        if (!report_data_has(data, REPORT_PART_DORMANCY)) return STATUS_OK;
        status = measure_dormancy_of(data, side, error);
        status = leave_out(data, REPORT_PART_DORMANCY, status, error);
    }
    return status;
}

/* Losses are of responses: without one there is no landscape. */
static Status measure_landscape(ReportData *data, Error *error) {
    const Options *options = data->batch->options;
    BatchLandscape *landscape = &data->landscape;
    if (data->chosen.response_tokens == 0) data->parts.wanted[REPORT_PART_LANDSCAPE] = false;
    if (!report_data_has(data, REPORT_PART_LANDSCAPE)) return STATUS_OK;
    landscape->has_line = landscape->has_plane = landscape->has_sharpness = true;
    landscape->line = option_range(options_value(options, OPTION_LINE));
    landscape->plane = option_range(options_value(options, OPTION_PLANE_REPORT));
    landscape->sigma = options_value(options, OPTION_SHARPNESS_REPORT)->number;
    landscape->directions = (size_t)options_value(options, OPTION_DIRECTIONS)->count;
    landscape->seed = options_value(options, OPTION_SEED_DIRECTIONS)->count;
    return leave_out(data, REPORT_PART_LANDSCAPE,
                     batch_landscape_measure_parts(data->batch, landscape, error), error);
}

static Status measure_samples(ReportData *data, Error *error) {
    BatchRollout *rollout = &data->rollout;
    if (!report_data_has(data, REPORT_PART_READINESS)) return STATUS_OK;
    rollout->dials.settings = report_data_dials(data)->settings;
    Status status = batch_rollout_measure_samples(data->batch, rollout, error);
    if (status != STATUS_OK || !report_data_has(data, REPORT_PART_GRADIENT)) return status;
    rollout->has_gradient = true;
    status = batch_rollout_measure_gradients(data->batch, rollout, error);
    rollout->has_gradient = status == STATUS_OK;
    return leave_out(data, REPORT_PART_GRADIENT, status, error);
}

/* ---- all of it ---- */

static Status check_samples(const Options *options, Error *error) {
    static const OptionId OF_SAMPLES[] = {OPTION_REWARD, OPTION_REWARD_COMMAND, OPTION_GRADIENT};
    bool has_samples = options_has(options, OPTION_SAMPLES) || options_has(options, OPTION_PROMPTS);
    for (size_t i = 0; i < sizeof OF_SAMPLES / sizeof *OF_SAMPLES; i++)
        if (!has_samples && options_has(options, OF_SAMPLES[i]))
            return status_fail(error, STATUS_ARGUMENT, "--%s is for --samples or --prompts, which is missing",
                               option_facts(OF_SAMPLES[i])->name);
    return batch_rollout_check(options, error);
}

static Status check_options(const Options *options, Error *error) {
    if (!options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration FILE, the rows that the models are measured on");
    static const OptionId RANGES[] = {OPTION_SWEEP, OPTION_LINE, OPTION_PLANE_REPORT};
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++)
        if (options_value(options, RANGES[i])->count < 2)
            return status_fail(error, STATUS_ARGUMENT, "--%s: expected a range, such as 0:1:11",
                               option_facts(RANGES[i])->name);
    uint64_t points = options_value(options, OPTION_PLANE_REPORT)->count;
    if (points > OPTION_RANGE_POINTS / points)
        return status_fail(error, STATUS_ARGUMENT, "--plane: expected at most %d points in all",
                           OPTION_RANGE_POINTS);
    Status status = check_samples(options, error);
    return status == STATUS_OK ? dial_options_check(options, error) : status;
}

static Status open_all(ReportData *data, Error *error) {
    Batch *batch = data->batch;
    BatchMethod *dials = &data->landscape.dials;
    Status status = batch_open_model(batch, error);
    if (batch->pair != NULL && !dial_options_want_reset(batch->options))
        status = leave_out(data, REPORT_PART_OUTPUT, status, error);
    if (status == STATUS_OK && batch->job == NULL) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = batch_check_compare(batch, &data->templates, error);
    for (Severity severity = SEVERITY_NOTE; severity <= SEVERITY_ERROR; severity++)
        data->severities[severity] =
            batch->pair == NULL ? 0 : finding_count(&batch->pair->findings, severity);
    if (status == STATUS_OK) status = batch_method_read(batch, dials, error);
    if (status != STATUS_OK || batch->model == NULL) return status;
    status = batch_method_open_calibration(batch, dials, error);
    if (status == STATUS_OK && dial_options_want_reset(batch->options))
        status = batch_method_rank(batch, dials, error);
    return status;
}

Status report_data_measure(Batch *batch, const ReportParts *parts, ReportData *data, Error *error) {
    *data = (ReportData){.batch = batch, .parts = *parts};
    Status status = check_options(batch->options, error);
    if (status == STATUS_OK) status = open_all(data, error);
    if (status == STATUS_OK) status = measure_weights(data, error);
    if (status == STATUS_OK && report_data_has(data, REPORT_PART_OUTPUT))
        status = leave_out(data, REPORT_PART_OUTPUT, measure_outputs(data, error), error);
    if (status == STATUS_OK) status = measure_dormancy(data, error);
    if (status == STATUS_OK) status = measure_landscape(data, error);
    return status == STATUS_OK ? measure_samples(data, error) : status;
}

/* ---- differences ---- */

const char *report_data_quantity_key(ReportQuantity quantity) {
    static const char *const KEYS[REPORT_QUANTITY_COUNT] = {[REPORT_ENTROPY] = "entropy",
                                                            [REPORT_TOP1] = "top1",
                                                            [REPORT_CONFIDENT] = "confident",
                                                            [REPORT_LOSS] = "loss"};
    return KEYS[quantity];
}

static const EvaluationResult *result_of(const ReportData *data, Side side) {
    const EvaluationResult *const results[SIDE_COUNT] = {[SIDE_BASE] = &data->landscape.dials.base,
                                                         [SIDE_SFT] = &data->landscape.dials.sft,
                                                         [SIDE_FUSED] = &data->fused};
    return results[side];
}

static double quantity_at(const DistributionPosition *position, ReportQuantity quantity) {
    switch (quantity) {
    case REPORT_ENTROPY:
        return position->entropy;
    case REPORT_TOP1:
        return position->top1;
    case REPORT_CONFIDENT:
        return isnan(position->top1) ? position->top1 : position->top1 > 0.99 ? 1.0 : 0.0;
    default:
        return -position->next_log_probability;
    }
}

/* What one row adds up to; how many of its positions count. */
static double sum_row(const DistributionPosition *x, const DistributionPosition *y, size_t count,
                      ReportQuantity quantity, size_t *counted) {
    double sum = 0.0;
    *counted = 0;
    for (size_t i = 0; i < count; i++) {
        if (quantity == REPORT_LOSS && x[i].next < 0) continue;
        sum += quantity_at(&x[i], quantity) - quantity_at(&y[i], quantity);
        ++*counted;
    }
    return sum;
}

ReportDifference report_data_compare(const ReportData *data, Side x, Side y, ReportQuantity quantity) {
    const BatchMethod *dials = report_data_dials(data);
    const DistributionPosition *of_x = result_of(data, x)->positions, *of_y = result_of(data, y)->positions;
    ReportDifference difference = {.error = NAN};
    size_t total = 0, counted;
    double sum = 0.0, squares = 0.0;
    for (size_t row = 0, at = 0; row < dials->calibration->count; row++) {
        size_t count = evaluation_row_positions(&dials->rows[row]);
        sum += sum_row(of_x + at, of_y + at, count, quantity, &counted);
        total += counted;
        difference.rows += counted > 0;
        at += count;
    }
    difference.value = total > 0 ? sum / (double)total : (double)NAN;
    if (difference.rows < 2) return difference;
    for (size_t row = 0, at = 0; row < dials->calibration->count; row++) {
        size_t count = evaluation_row_positions(&dials->rows[row]);
        double of_row = sum_row(of_x + at, of_y + at, count, quantity, &counted);
        double residual = of_row - difference.value * (double)counted;
        squares += residual * residual;
        at += count;
    }
    double rows = (double)difference.rows;
    difference.error = sqrt(squares * rows / (rows - 1.0)) / (double)total;
    return difference;
}
