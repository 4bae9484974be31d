/*
 * Figures of a training: curves along the rungs, and the map of layers by rungs.
 */
#include "core/ladder/ladder_figures.h"
#include "core/support/memory.h"
#include "tui/commands/batch_ladder.h"
#include "tui/figures/figure.h"
#include "tui/figures/figure_options.h"
#include "tui/figures/figure_write.h"
#include "tui/text/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 96, NAME_SIZE = 64 };

#define LADDER_OPTIONS                                                                                       \
    OPTION_METRIC, OPTION_CALIBRATION, OPTION_END_TOKEN, OPTION_PROMPT, OPTION_PROMPT_FILE, OPTION_IDS,      \
        OPTION_CHAT, OPTION_TEMPLATE, OPTION_TOKENIZER_FILE, OPTION_TAU, OPTION_TAU_GRADIENT,                \
        OPTION_NO_CACHE_READ
enum { LADDER_OPTION_COUNT = 12 };

typedef struct Rungs {
    BatchLadder ladder;
    LadderTaus taus;
    size_t count; /* with base */
    LadderFigure figures[FIGURE_METRICS_MOST];
    size_t figure_count;
    double *x, *y;                  /* [count]; [figures × count] */
    double *values;                 /* [layers × count] */
    char (*names)[NAME_SIZE];       /* [count] */
    const char **labels;            /* [layers + count] */
    char (*layer_names)[NAME_SIZE]; /* [layers] */
    char titles[FIGURE_METRICS_MOST][TEXT_SIZE];
} Rungs;

/* ---- what is drawn ---- */

static Status find_figures(const char *const *chosen, size_t count, LadderFigure *figures, Error *error) {
    const char *keys[LADDER_FIGURE_COUNT];
    Status status = STATUS_OK;
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        keys[figure] = ladder_figure_facts(figure)->key;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        size_t which = 0;
        status = figure_options_find_metric(chosen[i], keys, LADDER_FIGURE_COUNT, &which, error);
        figures[i] = (LadderFigure)which;
    }
    return status;
}

/* A figure without what it is measured on would be an empty panel. */
static Status check_subject(const Options *options, LadderFigure figure, Error *error) {
    const LadderFigureFacts *facts = ladder_figure_facts(figure);
    bool on_rows = facts->part == LADDER_ROWS || facts->part == LADDER_DORMANCY;
    if (on_rows && !options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT, "%s is measured on --calibration", facts->key);
    if (facts->part == LADDER_PROMPT && !batch_prompt_is_given(options))
        return status_fail(error, STATUS_ARGUMENT,
                           "%s is measured on --prompt, --prompt-file, --chat or --ids", facts->key);
    return STATUS_OK;
}

/* What --metric says; else all that can be measured with these options, but the last two kinds of drift. */
static Status choose(const Options *options, size_t most, Rungs *rungs, Error *error) {
    static const LadderFigure WANTED[] = {LADDER_DRIFT, LADDER_LOSS, LADDER_ENTROPY, LADDER_PROMPT_ENTROPY,
                                          LADDER_DORMANT};
    const char *initial[sizeof WANTED / sizeof *WANTED], *chosen[FIGURE_METRICS_MOST];
    size_t count = 0;
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED && count < most; i++)
        if (check_subject(options, WANTED[i], NULL) == STATUS_OK)
            initial[count++] = ladder_figure_facts(WANTED[i])->key;
    Status status =
        figure_options_list_metrics(options, initial, count, most, chosen, &rungs->figure_count, error);
    if (status == STATUS_OK) status = find_figures(chosen, rungs->figure_count, rungs->figures, error);
    for (size_t i = 0; i < rungs->figure_count && status == STATUS_OK; i++)
        status = check_subject(options, rungs->figures[i], error);
    return status;
}

static void name_figure(const Rungs *rungs, LadderFigure figure, char title[TEXT_SIZE]) {
    const LadderFigureFacts *facts = ladder_figure_facts(figure);
    char unit[TEXT_SIZE];
    double tau = figure == LADDER_GRADIENT_DORMANT ? rungs->taus.gradient_tau : rungs->taus.tau;
    if (facts->part == LADDER_DORMANCY)
        (void)snprintf(unit, sizeof unit, "%% at τ %.4g", tau);
    else
        (void)snprintf(unit, sizeof unit, "%s", facts->unit);
    figure_write_label(facts->label, unit, title, TEXT_SIZE);
}

static double scale_of(LadderFigure figure) {
    return ladder_figure_facts(figure)->is_share ? 100.0 : 1.0;
}

static Status name_rungs(Rungs *rungs, Error *error) {
    const Ladder *ladder = &rungs->ladder.ladder;
    rungs->names = memory_allocate(rungs->count, sizeof *rungs->names);
    if (rungs->names == NULL) return memory_fail(error, "a figure");
    for (size_t i = 0; i < rungs->count; i++) {
        const char *name = text_last_component(ladder_directory(ladder, i));
        (void)snprintf(rungs->names[i], NAME_SIZE, "%.60s", name);
    }
    return STATUS_OK;
}

static Status measure(Batch *batch, Rungs *rungs, Error *error) {
    const Options *options = batch->options; /* KIND goes before the directories */
    rungs->taus = batch_ladder_taus(options);
    rungs->count = options->operand_count - 1;
    Status status = batch_ladder_measure(batch, options->operands + 1, rungs->count, &rungs->ladder, error);
    return status == STATUS_OK ? name_rungs(rungs, error) : status;
}

static void free_rungs(Rungs *rungs) {
    batch_ladder_free(&rungs->ladder);
    free(rungs->x);
    free(rungs->y);
    free(rungs->values);
    free(rungs->names);
    free(rungs->labels);
    free(rungs->layer_names);
}

/* The sheet, saying also which rung is which. The caller frees *text. */
static Status describe(const Rungs *rungs, const FigureSheet *sheet, FigureSheet *described, char **text,
                       Error *error) {
    *text = memory_copy_text(sheet->description, strlen(sheet->description));
    for (size_t i = 0; i < rungs->count && *text != NULL; i++) {
        char *longer = memory_format("%s\n%zu: %s", *text, i, ladder_directory(&rungs->ladder.ladder, i));
        free(*text);
        *text = longer;
    }
    if (*text == NULL) return memory_fail(error, "a figure");
    *described = *sheet;
    described->description = *text;
    return STATUS_OK;
}

/* No share is below 0, even where all are alike. */
static FigureScale scale_around(LadderFigure figure, const double *values, size_t count, bool is_log,
                                double margin) {
    FigureScale scale = figure_scale_around(values, count, is_log, margin);
    if (ladder_figure_facts(figure)->is_share && scale.low < 0) scale.low = 0;
    return scale;
}

/* ---- curves ---- */

static Status arrange(Rungs *rungs, Error *error) {
    rungs->x = memory_allocate(rungs->count, sizeof *rungs->x);
    rungs->y = memory_allocate(rungs->count, rungs->figure_count * sizeof *rungs->y);
    if (rungs->x == NULL || rungs->y == NULL) return memory_fail(error, "a figure");
    for (size_t number = 0; number < rungs->count; number++) {
        rungs->x[number] = (double)number;
        for (size_t f = 0; f < rungs->figure_count; f++)
            rungs->y[f * rungs->count + number] =
                scale_of(rungs->figures[f]) *
                ladder_figure(&rungs->ladder.figures, rungs->figures[f], number, rungs->taus);
    }
    return STATUS_OK;
}

static Status draw_curves(Batch *batch, Rungs *rungs, const FigureSheet *sheet, Error *error) {
    enum { RANGE_SIZE = 192 };
    FigurePanel panels[FIGURE_METRICS_MOST];
    const double *y[FIGURE_METRICS_MOST], *x = rungs->x;
    char range[RANGE_SIZE];
    const char *name = range;
    for (size_t f = 0; f < rungs->figure_count; f++) {
        name_figure(rungs, rungs->figures[f], rungs->titles[f]);
        y[f] = rungs->y + f * rungs->count;
        panels[f] = (FigurePanel){.label = rungs->titles[f],
                                  .scale = scale_around(rungs->figures[f], y[f], rungs->count, false, 0.05),
                                  .y = &y[f],
                                  .levels = {NAN, NAN}};
    }
    (void)snprintf(range, sizeof range, "0: %.60s, … %zu: %.60s", rungs->names[0], rungs->count - 1,
                   rungs->names[rungs->count - 1]);
    const FigureCurves curves = {.x_label = "rung",
                                 .x_scale = figure_scale_around(rungs->x, rungs->count, false, 0.02),
                                 .series_count = 1,
                                 .names = &name,
                                 .x = &x,
                                 .x_counts = &rungs->count,
                                 .has_markers = true,
                                 .panels = panels,
                                 .panel_count = rungs->figure_count};
    return figure_write_curves(batch, &curves, sheet, error);
}

static Status make_curves(Batch *batch, const FigureSheet *sheet, Error *error) {
    Rungs rungs = {.count = 0};
    FigureSheet described;
    char *text = NULL;
    Status status = choose(batch->options, FIGURE_METRICS_MOST, &rungs, error);
    if (status == STATUS_OK) status = measure(batch, &rungs, error);
    if (status == STATUS_OK) status = arrange(&rungs, error);
    if (status == STATUS_OK) status = describe(&rungs, sheet, &described, &text, error);
    if (status == STATUS_OK) status = draw_curves(batch, &rungs, &described, error);
    free(text);
    free_rungs(&rungs);
    return status;
}

const FigureKind figure_ladder = {
    .name = "ladder",
    .summary = "Figures along the rungs of a training; the numbers are those of rejuv ladder.",
    .width = 150.0,
    .height = 105.0,
    .options = {LADDER_OPTIONS},
    .option_count = LADDER_OPTION_COUNT,
    .takes_rungs = true,
    .make = make_curves,
};

/* ---- layers × rungs ---- */

static Status check_layers(LadderFigure figure, Error *error) {
    const LadderFigureFacts *facts = ladder_figure_facts(figure);
    if (facts->has_layers) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT,
                       "--metric: %s is of the whole model, not of a layer: rejuv figure ladder draws it",
                       facts->key);
}

static Status arrange_layers(Rungs *rungs, size_t layers, Error *error) {
    size_t names = layers + rungs->count;
    rungs->values = memory_allocate(layers, rungs->count * sizeof *rungs->values);
    rungs->labels = memory_allocate(names, sizeof *rungs->labels);
    rungs->layer_names = memory_allocate(layers, sizeof *rungs->layer_names);
    if (rungs->values == NULL || rungs->labels == NULL || rungs->layer_names == NULL)
        return memory_fail(error, "a figure");
    for (size_t layer = 0; layer < layers; layer++) {
        (void)snprintf(rungs->layer_names[layer], NAME_SIZE, "%zu", layer);
        rungs->labels[layer] = rungs->layer_names[layer];
        for (size_t number = 0; number < rungs->count; number++)
            rungs->values[layer * rungs->count + number] =
                scale_of(rungs->figures[0]) *
                ladder_layer_figure(&rungs->ladder.figures, rungs->figures[0], number, layer, rungs->taus);
    }
    for (size_t number = 0; number < rungs->count; number++)
        rungs->labels[layers + number] = rungs->names[number];
    return STATUS_OK;
}

static Status draw_map(Batch *batch, Rungs *rungs, size_t layers, const FigureSheet *sheet, Error *error) {
    bool is_log = options_has(batch->options, OPTION_LOG);
    name_figure(rungs, rungs->figures[0], rungs->titles[0]);
    FigureScale scale = scale_around(rungs->figures[0], rungs->values, layers * rungs->count, is_log, 0.0);
    const FigureHeatmap map = {.x = {"rung", rungs->labels + layers, rungs->count},
                               .y = {"layer", rungs->labels, layers},
                               .values = rungs->values,
                               .bar_label = rungs->titles[0],
                               .scale = scale,
                               .ramp = FIGURE_SEQUENTIAL};
    return figure_write_heatmap(batch, &map, sheet, error);
}

static Status make_map(Batch *batch, const FigureSheet *sheet, Error *error) {
    Rungs rungs = {.count = 0};
    FigureSheet described;
    char *text = NULL;
    Status status = choose(batch->options, 1, &rungs, error);
    if (status == STATUS_OK) status = check_layers(rungs.figures[0], error);
    if (status == STATUS_OK) status = measure(batch, &rungs, error);
    size_t layers = status == STATUS_OK ? ladder_figures_layers(&rungs.ladder.figures) : 0;
    if (status == STATUS_OK && layers == 0)
        status = status_fail(error, STATUS_UNSUPPORTED, "no tensor belongs to a layer that is known");
    if (status == STATUS_OK) status = arrange_layers(&rungs, layers, error);
    if (status == STATUS_OK) status = describe(&rungs, sheet, &described, &text, error);
    if (status == STATUS_OK) status = draw_map(batch, &rungs, layers, &described, error);
    free(text);
    free_rungs(&rungs);
    return status;
}

const FigureKind figure_rungs = {
    .name = "rungs",
    .summary =
        "A figure of every layer along the rungs of a training; the numbers are those of rejuv ladder.",
    .width = 110.0,
    .height = 90.0,
    .options = {LADDER_OPTIONS, OPTION_LOG},
    .option_count = LADDER_OPTION_COUNT + 1,
    .takes_rungs = true,
    .make = make_map,
};
