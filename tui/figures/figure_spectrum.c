#include "tui/figures/figure_spectrum.h"

#include "core/drift/spectrum.h"
#include "core/support/memory.h"
#include "tui/figures/figure.h"
#include "tui/figures/figure_write.h"
#include "tui/text/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 240, MARKERS_UP_TO = 40 };

typedef struct Spectra {
    size_t count;
    const PairTensor *tensors[FIGURE_SERIES_MOST];
    Spectrum spectra[FIGURE_SERIES_MOST];
    char text[FIGURE_SERIES_MOST][NAME_SIZE];
    const char *names[FIGURE_SERIES_MOST];
    double *x[FIGURE_SERIES_MOST], *y[FIGURE_SERIES_MOST];
    size_t counts[FIGURE_SERIES_MOST];
} Spectra;

/* The tensor of that name, or the first matrix whose name has that text. */
static Status find_tensor(const Pair *pair, const char *text, const PairTensor **tensor, Error *error) {
    *tensor = pair_find_tensor(pair, text);
    for (size_t i = 0; i < pair->count && *tensor == NULL; i++)
        if (text_find(pair->tensors[i].name, text) && spectrum_is_defined(&pair->tensors[i]))
            *tensor = &pair->tensors[i];
    if (*tensor == NULL)
        return status_fail(error, STATUS_ARGUMENT, "--tensor: no matrix's name contains \"%s\"", text);
    if (spectrum_is_defined(*tensor)) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "--tensor %s: no matrix that both models have, so no spectrum",
                       text);
}

static Status choose_tensors(const Options *options, const Pair *pair, Spectra *spectra, Error *error) {
    size_t at = 0;
    const char *text;
    while ((text = options_next(options, OPTION_TENSOR, &at)) != NULL) {
        if (spectra->count == FIGURE_SERIES_MOST)
            return status_fail(error, STATUS_ARGUMENT, "--tensor: expected %d at most in one figure",
                               FIGURE_SERIES_MOST);
        Status status = find_tensor(pair, text, &spectra->tensors[spectra->count], error);
        if (status != STATUS_OK) return status;
        spectra->count++;
    }
    if (spectra->count > 0) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "expected --tensor NAME, once for each curve (at most %d)",
                       FIGURE_SERIES_MOST);
}

/* "layers.3.mlp.down_proj.weight: stable rank 12.3, effective rank 80.4" */
static void describe(const Spectrum *spectrum, char text[NAME_SIZE]) {
    char name[96], stable[48], effective[48];
    const char *whole = spectrum->tensor->name;
    (void)text_escape(whole, strlen(whole), TEXT_PLAIN, name, sizeof name);
    spectrum_format_value(spectrum, SPECTRUM_STABLE_RANK, false, stable, sizeof stable);
    spectrum_format_value(spectrum, SPECTRUM_EFFECTIVE_RANK, false, effective, sizeof effective);
    (void)snprintf(text, NAME_SIZE, "%s: stable rank %s, effective %s", name, stable, effective);
}

static Status arrange_one(Spectra *spectra, size_t i, Error *error) {
    const Spectrum *spectrum = &spectra->spectra[i];
    if (spectrum->method == SPECTRUM_NOT_FINITE)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: its change holds elements that are not finite",
                           spectrum->tensor->name);
    if (!(spectrum->norm > 0.0))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: it is equal in both models: there is nothing to draw",
                           spectrum->tensor->name);
    spectra->x[i] = memory_allocate(spectrum->count + 1, sizeof *spectra->x[i]);
    spectra->y[i] = memory_allocate(spectrum->count + 1, sizeof *spectra->y[i]);
    if (spectra->x[i] == NULL || spectra->y[i] == NULL) return memory_fail(error, "a figure");
    for (size_t k = 0; k < spectrum->count; k++) {
        bool is_above_error = spectrum->values[k] > spectrum->errors[k]; /* below, it is rounding */
        spectra->x[i][k] = (double)(k + 1);
        spectra->y[i][k] = is_above_error ? spectrum->values[k] : (double)NAN;
    }
    spectra->counts[i] = spectrum->count;
    describe(spectrum, spectra->text[i]);
    spectra->names[i] = spectra->text[i];
    return STATUS_OK;
}

/* One scale for all curves. */
static FigureScale scale_of(double *const *values, const Spectra *spectra, bool is_log, double margin) {
    FigureScale scale = figure_scale_around(values[0], spectra->counts[0], is_log, margin);
    for (size_t i = 1; i < spectra->count; i++) {
        FigureScale more = figure_scale_around(values[i], spectra->counts[i], is_log, margin);
        figure_scale_include(&scale, more.low);
        figure_scale_include(&scale, more.high);
    }
    return scale;
}

static Status draw(Batch *batch, const Spectra *spectra, const FigureSheet *sheet, Error *error) {
    const double *x[FIGURE_SERIES_MOST], *y[FIGURE_SERIES_MOST];
    bool is_log = options_has(batch->options, OPTION_LOG);
    size_t longest = 0;
    for (size_t i = 0; i < spectra->count; i++) {
        x[i] = spectra->x[i];
        y[i] = spectra->y[i];
        if (spectra->counts[i] > longest) longest = spectra->counts[i];
    }
    const FigurePanel panel = {
        .label = "singular value of Δ", .scale = scale_of(spectra->y, spectra, true, 0.03), .y = y};
    const FigureCurves curves = {.x_label = "rank of the singular value",
                                 .x_scale = scale_of(spectra->x, spectra, is_log, 0.02),
                                 .series_count = spectra->count,
                                 .names = spectra->names,
                                 .x = x,
                                 .x_counts = spectra->counts,
                                 .has_markers = longest <= MARKERS_UP_TO,
                                 .panels = &panel,
                                 .panel_count = 1};
    return figure_write_curves(batch, &curves, sheet, error);
}

/* Arranges and draws what is measured, which stays. */
static Status draw_measured(Batch *batch, Spectra *spectra, const FigureSheet *sheet, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < spectra->count && status == STATUS_OK; i++)
        status = arrange_one(spectra, i, error);
    if (status == STATUS_OK) status = draw(batch, spectra, sheet, error);
    for (size_t i = 0; i < spectra->count; i++) {
        free(spectra->x[i]);
        free(spectra->y[i]);
    }
    return status;
}

Status figure_spectrum_draw(Batch *batch, const Spectrum *spectra, size_t count, const FigureSheet *sheet,
                            Error *error) {
    Spectra drawn = {.count = count};
    for (size_t i = 0; i < count; i++) drawn.spectra[i] = spectra[i];
    return draw_measured(batch, &drawn, sheet, error);
}

static Status make(Batch *batch, const FigureSheet *sheet, Error *error) {
    Spectra spectra = {0};
    Status status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = choose_tensors(batch->options, batch->pair, &spectra, error);
    batch->progress.parts = spectra.count;
    for (size_t i = 0; i < spectra.count && status == STATUS_OK; i++) {
        batch->progress.part = i;
        status = spectrum_measure(spectra.tensors[i], spectrum_default_settings(), &spectra.spectra[i],
                                  batch->job, error);
    }
    if (status == STATUS_OK) status = draw_measured(batch, &spectra, sheet, error);
    for (size_t i = 0; i < spectra.count; i++) spectrum_free(&spectra.spectra[i]);
    return status;
}

const FigureKind figure_spectrum = {
    .name = "spectrum",
    .summary = "Singular values of the change of tensors; the numbers are those of rejuv drift --spectrum.",
    .width = 110.0,
    .height = 80.0,
    .options = {OPTION_TENSOR, OPTION_LOG},
    .option_count = 2,
    .make = make,
};
