#include "tui/report/report_figures.h"

#include "core/support/memory.h"
#include "tui/figures/figure_landscape.h"
#include "tui/figures/figure_layers.h"
#include "tui/figures/figure_spectrum.h"
#include "tui/figures/figure_sweep.h"
#include "tui/report/report_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 24, WORD_SIZE = 64 };

/* Options of a figure's own command, as they are put together. */
typedef struct Words {
    const char *list[WORDS_MOST];
    size_t count;
    char text[WORDS_MOST][WORD_SIZE];
} Words;

static void add_words(Words *words, const char *option, const char *value) {
    if (words->count + 3 > WORDS_MOST) return;
    words->list[words->count++] = option;
    words->list[words->count++] = value;
    words->list[words->count] = NULL;
}

static void add_number(Words *words, const char *option, double value) {
    char *text = words->text[words->count];
    (void)snprintf(text, WORD_SIZE, "%.10g", value);
    add_words(words, option, text);
}

static void add_range(Words *words, const char *option, const Range *range) {
    char *text = words->text[words->count];
    range_write(range, false, text, WORD_SIZE);
    add_words(words, option, text);
}

/* ---- each figure: how it is drawn, and which options say the same ---- */

static const char *const SWEPT[] = {"entropy", "confident", "kl_base", "kl_sft", "loss", "dp_base_rms"};
enum { SWEPT_COUNT = sizeof SWEPT / sizeof *SWEPT };

static Status draw_drift(const ReportData *data, const FigureSheet *sheet, Error *error) {
    return figure_layers_draw_drift(data->batch, DRIFT_RELATIVE_NORM, data->drift, sheet, error);
}

static void say_drift(const ReportData *data, Words *words) {
    (void)data;
    add_words(words, "--metric", "relative_norm");
}

static Status draw_spectra(const ReportData *data, const FigureSheet *sheet, Error *error) {
    return figure_spectrum_draw(data->batch, data->spectra, data->spectrum_count, sheet, error);
}

static void say_spectra(const ReportData *data, Words *words) {
    for (size_t i = 0; i < data->spectrum_count; i++)
        add_words(words, "--tensor", data->spectra[i].tensor->name);
}

static Status draw_dormancy(const ReportData *data, const FigureSheet *sheet, Error *error) {
    const BatchMethod *dials = report_data_dials(data);
    const FigureMethod method = {
        .metric = BLOCK_DORMANT_CHANGE,
        .table = neurons_list(data->batch->model->config),
        .sources = {.base = &dials->dormancy[SIDE_BASE],
                    .sft = &dials->dormancy[SIDE_SFT],
                    .tau = options_value(data->batch->options, OPTION_TAU)->number,
                    .gradient_tau = options_value(data->batch->options, OPTION_TAU_GRADIENT)->number}};
    return figure_layers_draw_method(data->batch, &method, sheet, error);
}

static void say_dormancy(const ReportData *data, Words *words) {
    add_words(words, "--metric", "dormant_change");
    add_number(words, "--tau", options_value(data->batch->options, OPTION_TAU)->number);
}

static Status draw_sweep(const ReportData *data, const FigureSheet *sheet, Error *error) {
    const Settings *place = &report_data_dials(data)->settings;
    return figure_sweep_draw(data->batch, &data->sweep, SWEPT, SWEPT_COUNT, &place->alpha, sheet, error);
}

static void say_sweep(const ReportData *data, Words *words) {
    const Range alphas = option_range(options_value(data->batch->options, OPTION_SWEEP));
    add_range(words, "--alpha", &alphas);
    for (size_t i = 0; i < SWEPT_COUNT; i++) add_words(words, "--metric", SWEPT[i]);
    add_number(words, "--mark", report_data_dials(data)->settings.alpha);
}

static Status draw_line(const ReportData *data, const FigureSheet *sheet, Error *error) {
    const Settings *place = &report_data_dials(data)->settings;
    return figure_landscape_draw_line(data->batch, &data->landscape, &place->alpha, sheet, error);
}

static void say_line(const ReportData *data, Words *words) {
    add_range(words, "--line", &data->landscape.line);
    add_number(words, "--mark", report_data_dials(data)->settings.alpha);
}

static Status draw_plane(const ReportData *data, const FigureSheet *sheet, Error *error) {
    return figure_landscape_draw_plane(data->batch, &data->landscape, sheet, error);
}

static void say_plane(const ReportData *data, Words *words) {
    add_range(words, "--plane", &data->landscape.plane);
    add_number(words, "--alpha", report_data_dials(data)->settings.alpha);
}

static Status draw_sharpness(const ReportData *data, const FigureSheet *sheet, Error *error) {
    return figure_landscape_draw_sharpness(data->batch, &data->landscape, sheet, error);
}

static void say_sharpness(const ReportData *data, Words *words) {
    add_number(words, "--sharpness", data->landscape.sigma);
    add_number(words, "--alpha", report_data_dials(data)->settings.alpha);
}

typedef struct Facts {
    const char *key, *caption;
    const FigureKind *kind;
    bool is_of_rows, is_of_pair;
    Status (*draw)(const ReportData *data, const FigureSheet *sheet, Error *error);
    void (*say)(const ReportData *data, Words *words);
} Facts;

static const Facts FIGURES[REPORT_FIGURE_COUNT] = {
    [REPORT_FIGURE_DRIFT] = {"drift", "How far fine-tuning moved each module of each layer: ‖Δ‖ / ‖base‖.",
                             &figure_layers, false, true, draw_drift, say_drift},
    [REPORT_FIGURE_SPECTRA] =
        {"spectra", "Singular values of the change of the matrices that moved most, largest first.",
         &figure_spectrum, false, true, draw_spectra, say_spectra},
    [REPORT_FIGURE_DORMANCY] =
        {"dormancy", "Change of the share of dormant neurons from base to SFT, by layer and module.",
         &figure_layers, true, false, draw_dormancy, say_dormancy},
    [REPORT_FIGURE_SWEEP] =
        {"sweep",
         "The output space over the fusion weight α, from base (0) to SFT (1); the upright line is "
         "the chosen α.",
         &figure_sweep, false, false, draw_sweep, say_sweep},
    [REPORT_FIGURE_LINE] = {"line", "The loss along the straight line through base and SFT, and beyond both.",
                            &figure_landscape, false, false, draw_line, say_line},
    [REPORT_FIGURE_PLANE] = {"plane",
                             "The loss around W over two random directions, with lines of equal loss.",
                             &figure_plane, false, false, draw_plane, say_plane},
    [REPORT_FIGURE_SHARPNESS] =
        {"sharpness",
         "How the loss rises after equal steps away from base, SFT and W, over random "
         "directions.",
         &figure_sharpness, false, false, draw_sharpness, say_sharpness},
};

/* ---- drawing ---- */

static const double POINTS_PER_MILLIMETRE = 72.0 / 25.4;

/* The drawing as text, which the caller frees. */
static Status draw_text(const ReportData *data, const Facts *facts, const char *description, char **text,
                        Error *error) {
    size_t bytes;
    FILE *file = open_memstream(text, &bytes);
    if (file == NULL) return memory_fail(error, "a figure");
    const FigureSheet sheet = {.width = facts->kind->width * POINTS_PER_MILLIMETRE,
                               .height = facts->kind->height * POINTS_PER_MILLIMETRE,
                               .description = description,
                               .name = facts->key,
                               .file = file};
    Status status = facts->draw(data, &sheet, error);
    if (fclose(file) != 0 && status == STATUS_OK) status = memory_fail(error, "a figure");
    return status;
}

static char *write_command(const ReportData *data, const Facts *facts) {
    Words words = {0};
    facts->say(data, &words);
    const ReportCall call = {.command = COMMAND_FIGURE,
                             .kind = facts->kind,
                             .words = words.list,
                             .is_of_rows = facts->is_of_rows,
                             .is_of_pair = facts->is_of_pair};
    return report_call_write(data->batch, &call);
}

void report_figures_add(ReportDocument *document, const ReportData *data, ReportFigure figure) {
    const Facts *facts = &FIGURES[figure];
    char *drawing = NULL, *command = write_command(data, facts);
    char *description = command == NULL ? NULL
                                        : memory_format("%s\nMade by rejuv " REJUV_VERSION ". %s", command,
                                                        facts->kind->summary);
    Error error;
    Status status = description == NULL ? memory_fail(&error, "a figure")
                                        : draw_text(data, facts, description, &drawing, &error);
    free(description);
    if (status == STATUS_OK) {
        report_document_add_figure(document, facts->key, drawing, facts->caption);
        report_document_add_command(document, command);
        return;
    }
    free(drawing);
    free(command);
    if (status == STATUS_UNSUPPORTED)
        report_document_add(document, REPORT_PARAGRAPH, "There is no figure: %s.", error.message);
    else
        report_document_note(document, status, &error);
}
